/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of BSD sockets on our stack, as far as scripts use them: descriptors, a queue of what
 * was received, a queue of what was accepted. Copies, because sockets do; a test's shim, not an
 * API of ours. A call that would block returns -EAGAIN and is made again after a turn; errors
 * are negative errno values.
 */
#ifndef TESTS_PACKETDRILL_SOCKETS_H
#define TESTS_PACKETDRILL_SOCKETS_H

#include "world.h"

#define SOCKETS_MAX 64
#define SOCKETS_FD_FIRST 3
#define SOCKETS_PENDING_MAX 32

struct sock {
    bool used, listening, connecting, open, shut; /* open: has a descriptor */
    bool connected, ended, closed, reset_told; /* what the stack said */
    bool nonblocking, nodelay, linger_off, corked, no_reads, keepalive;
    uint32_t idle_s, interval_s, probes, user_timeout_ms;
    enum tcp_reason reason;
    struct sockets *all;
    uint16_t port; /* bound to; 0: none */
    struct tcp_listener *listener;
    struct tcp_conn *conn; /* NULL: none, or closed() was called */
    struct buf *chains[256]; /* received, and not read */
    uint32_t chain_count;
    uint64_t read_bytes, written_bytes; /* of the stream: what its pattern begins with */
    struct sock *pending[SOCKETS_PENDING_MAX];
    uint32_t pending_count;
};

struct sockets {
    struct world *world;
    struct sock socks[SOCKETS_MAX];
    struct sock *fds[SOCKETS_MAX];
    bool mismatch; /* a byte was read that nobody sent there */
};

void sockets_start(struct sockets *all, struct world *world);
/* The script ends: what is received goes back. Before world_stop(). */
void sockets_stop(struct sockets *all);

int sockets_socket(struct sockets *all);
int sockets_bind(struct sockets *all, int fd, uint16_t port);
int sockets_listen(struct sockets *all, int fd, int backlog);
int sockets_accept(struct sockets *all, int fd);
int sockets_connect(struct sockets *all, int fd, const struct ip_addr *addr, uint16_t port);
/* `data` NULL: bytes of the stream's pattern are sent, or compared with it. */
int sockets_read(struct sockets *all, int fd, uint8_t *data, uint32_t bytes);
int sockets_write(struct sockets *all, int fd, const uint8_t *data, uint32_t bytes, bool more);
int sockets_shutdown(struct sockets *all, int fd, int how); /* SHUT_RD ... */
int sockets_close(struct sockets *all, int fd);
/* The socket of a descriptor, for its options; NULL: there is none. */
struct sock *sockets_get(struct sockets *all, int fd);
/* Sets an option; `second` of SO_LINGER. False: we do not have it. */
bool sockets_option(struct sock *sock, int level, int name, int value, int second);
/* What was set holds for the connection, too, from now on. */
void sockets_apply(struct sock *sock);
uint32_t sockets_unread(const struct sock *sock);
/* What SO_ERROR says, once. */
int sockets_error(struct sock *sock);
/* The state as Linux numbers it in tcp_info; `conn` NULL: there is no connection. */
uint8_t sockets_linux_state(const struct tcp_conn *conn, bool listening);

/* The n-th byte of each stream of a script. */
uint8_t sockets_pattern(uint64_t n);

#endif
