/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that nobody outside can foresee: all come from the stack's key by SipHash, each use with
 * a mark of its own, so that what one shows says nothing of another. */
#ifndef TCP_TCP_SECRET_H
#define TCP_TCP_SECRET_H

#include <tcp/addr.h>

struct net;
struct tcp_conn;
struct tcp_segment;

#define SECRET_COOKIE_EPOCH_US 64000000u /* a cookie is good for one to two of these */

/* Of a stack; all zero at the start. */
struct tcp_secret {
    uint64_t drawn;           /* numbers, so far */
    uint64_t epoch;           /* of the first key of cookies, and two more; 0: there is none */
    uint8_t cookie_keys[2][16]; /* of this epoch, and of the one before */
};

/* What is hashed: the four ends, and what for. Without holes. */
struct secret_ends {
    struct ip_addr local, remote;
    uint16_t local_port, remote_port;
    uint32_t use;
};
_Static_assert(sizeof(struct secret_ends) == 40, "no hole: all of it is hashed");

/* First sequence number (RFC 6528 3): a clock of 4 us, and a secret function of the ends. */
uint32_t secret_first_seq(const struct tcp_conn *conn);
/* A number below `below`, another each time. */
uint32_t secret_draw(struct net *net, uint32_t below);
/* Where the round of ports towards this peer begins (RFC 6056 3.3.3). */
uint32_t secret_port_offset(const struct net *net, const struct ip_addr *local,
                            const struct ip_addr *remote, uint16_t remote_port);

/* The sequence number of an answer to a SYN that nothing is kept of (RFC 4987 3.6): 28 bits that
 * only we can make, one that says which epoch's key made them, and `data` (3 bits). */
uint32_t secret_cookie(struct net *net, const struct tcp_segment *syn, uint32_t data);
/* True: the segment acknowledges one that we made, not long ago; `data` is what it carries. */
bool secret_cookie_is_ours(struct net *net, const struct tcp_segment *segment, uint32_t *data);

#endif
