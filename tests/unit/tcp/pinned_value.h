/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection (dialog.h) and one value whose bytes are the stream's: sent from where it lies. It
 * is freed when it is released, so that who still reads it then is found.
 */
#ifndef TESTS_TCP_PINNED_VALUE_H
#define TESTS_TCP_PINNED_VALUE_H

#include "dialog.h"

#include <mempool/ext.h>

enum { VALUE_WINDOW = 60000, VALUE_HEADERS = 64, VALUE_SEGMENT = 1460 };

struct value {
    struct buf_pin pin;
    uint8_t *bytes;
    uint32_t released;
};
extern struct value value;
extern struct pool *value_headers;

uint8_t value_byte(uint32_t i);
/* Connected, without Nagle; the value has `bytes` bytes. */
void value_begin(struct dialog *t, struct dialog_how how, uint32_t bytes);
/* A header for some of them. */
struct buf *value_name(uint32_t from, uint32_t bytes);
/* All of them in one call; the value's owner wants nothing more of it. A turn follows. */
void value_send(struct dialog *t, uint32_t from, uint32_t bytes);
/* The peer takes what is next, until it has `end_seq`; no segment has more than `most` bytes. */
void value_take_all(struct dialog *t, uint32_t end_seq, uint32_t most);
/* It was released once, no header is missing. */
void value_end(struct dialog *t);

#endif
