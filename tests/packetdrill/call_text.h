/* SPDX-License-Identifier: BSD-2-Clause */
/* `accept(3, ..., ...) = 4`, and the names in it. */
#ifndef TESTS_PACKETDRILL_CALL_TEXT_H
#define TESTS_PACKETDRILL_CALL_TEXT_H

#include "cursor.h"

/* Reads a call whose `...END` was read, or was not there. */
void call_text_read(struct cursor *c, struct script_call *call);
/* The value of a name; one that is none is a mistake. */
int64_t call_text_symbol(struct cursor *c, const char *name);

#endif
