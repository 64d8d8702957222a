/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One port of the machine under test: a UNIX stream socket to QEMU's `-netdev stream`. Each
 * frame has its length in front, 4 bytes, big endian. Nothing here blocks: what the socket
 * does not take stays in the output buffer, so a frame is never cut in two.
 */
#ifndef RIG_LINK_H
#define RIG_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
    int fd;
    uint8_t mac[6]; /* of the machine's port */
    uint8_t *out;   /* frames not yet written: [out_head, out_tail) */
    size_t out_head, out_tail, out_bytes;
    uint8_t *in; /* what was read but not yet taken: [in_head, in_tail) */
    size_t in_head, in_tail, in_bytes;
};

/* Connects to QEMU's socket, trying for at most timeout_ms. NULL, or what is wrong. */
const char *link_open(struct link *link, const char *path, uint32_t timeout_ms);
void link_close(struct link *link);

/* Where to build a frame of at most `bytes`; NULL when the buffer is full. */
uint8_t *link_room(struct link *link, size_t bytes);
/* Queues what was built there. */
void link_commit(struct link *link, size_t bytes);
/* Writes as much as the socket takes; false: the machine closed the connection. */
bool link_flush(struct link *link);
/* Reads once; false: the connection is closed or the stream is not framed as it should be. */
bool link_receive(struct link *link);
/* The next whole frame that was read, NULL when there is none. Valid until link_receive. */
const uint8_t *link_next(struct link *link, size_t *bytes);

#endif
