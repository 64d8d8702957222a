/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that are sent where they lie: a stored value, a file of the image (<mempool/ext.h>).
 *
 * The application gives a header (EXT) for as many as it likes. In the queue it stands for all of
 * them; when a segment ends inside, a second header of the same pool takes what is behind:
 *
 *     before    | EXT: a file, 1 GiB                          |
 *     after     | EXT: 1448 | EXT: 1448 | EXT: the rest       |
 *
 * Each is let go of when its bytes are acknowledged, and goes home when no device has it, with one
 * use of the pin. On the wire a header of the stack's own is in front, or a buffer of the
 * application's with what it says before the file.
 */
#ifndef TCP_TCP_PINNED_H
#define TCP_TCP_PINNED_H

#include "conn.h"

#define BUF_QUEUED (1u << 28) /* of buf.flags: this header (EXT) is in a queue already */
_Static_assert((BUF_QUEUED & (BUF_TX_OFFLOADS | BUF_LONG)) == 0, "a bit of its own");

/* True: a header that an application gives. It gives each once. */
bool pinned_may_append(const struct buf *b);
/* Appends one for which pinned_may_append() said yes. */
void pinned_append(struct tcp_conn *conn, struct buf *b_owned);
/* It stands for these bytes from now on; in a queue. */
void pinned_name(struct buf *b, const uint8_t *first, uint32_t bytes);
/* What sendq_cut() does with one that no device has. Without a header that is free the bytes are
 * copied, into one buffer at most: sending never waits for the headers of others. */
struct buf *pinned_cut(struct tcp_conn *conn, struct buf *b, uint32_t start, uint32_t bytes);

#endif
