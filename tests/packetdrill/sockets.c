/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockets.h"

#include "tcp/conn.h"

#include <errno.h>
#include <mempool/pool.h>
#include <string.h>
#include <sys/socket.h>

enum { PORT_DEFAULT = 8080, PART_BYTES_MAX = 1460 };

uint8_t sockets_pattern(uint64_t n)
{
    return (uint8_t)(n * 7 + (n >> 8) * 3 + 1);
}

/* ---- what the stack says ---- */

static void on_accepted(struct tcp_conn *conn);

static void on_connected(struct tcp_conn *conn)
{
    struct sock *s = tcp_ctx(conn);

    s->connected = true;
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct sock *s = tcp_ctx(conn);

    if (s->chain_count == RT_ARRAY_SIZE(s->chains))
        world_fail("more is received than a script may leave unread");
    RT_ASSERT_EQ(chain_owned->pkt_len, bytes);
    s->chains[s->chain_count++] = chain_owned;
}

static void on_ended(struct tcp_conn *conn)
{
    struct sock *s = tcp_ctx(conn);

    s->ended = true;
}

static void give_back(struct sock *s)
{
    for (uint32_t i = 0; i < s->chain_count; i++)
        tcp_give_back(s->all->world->net, s->chains[i]);
    s->chain_count = 0;
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct sock *s = tcp_ctx(conn);

    s->closed = true;
    s->reason = reason;
    s->conn = NULL;
    if (!s->open) {
        give_back(s);
        s->used = false;
    }
}

static const struct tcp_ops ops = {
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .ended = on_ended,
    .closed = on_closed,
};

static struct sock *sock_make(struct sockets *all)
{
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        struct sock *s = &all->socks[i];

        if (s->used)
            continue;
        *s = (struct sock){.used = true, .all = all};
        return s;
    }
    world_fail("too many sockets");
}

static void on_accepted(struct tcp_conn *conn)
{
    struct sock *listener = tcp_ctx(conn);
    struct sock *s = sock_make(listener->all);

    if (listener->pending_count == SOCKETS_PENDING_MAX)
        world_fail("too many connections that the script does not accept");
    s->conn = conn;
    s->connected = true;
    s->nodelay = listener->nodelay;
    s->keepalive = listener->keepalive;
    s->idle_s = listener->idle_s;
    s->interval_s = listener->interval_s;
    s->probes = listener->probes;
    s->user_timeout_ms = listener->user_timeout_ms;
    s->open = true; /* it lives until it is accepted and closed */
    tcp_set_ctx(conn, s);
    sockets_apply(s);
    listener->pending[listener->pending_count++] = s;
}

/* ---- descriptors ---- */

void sockets_start(struct sockets *all, struct world *world)
{
    memset(all, 0, sizeof(*all));
    all->world = world;
}

void sockets_stop(struct sockets *all)
{
    for (uint32_t i = 0; i < SOCKETS_MAX; i++)
        if (all->socks[i].used)
            give_back(&all->socks[i]);
}

static int fd_make(struct sockets *all, struct sock *s)
{
    for (int fd = SOCKETS_FD_FIRST; fd < SOCKETS_MAX; fd++)
        if (all->fds[fd] == NULL) {
            all->fds[fd] = s;
            s->open = true;
            return fd;
        }
    return -EMFILE;
}

struct sock *sockets_get(struct sockets *all, int fd)
{
    return fd >= 0 && fd < SOCKETS_MAX ? all->fds[fd] : NULL;
}

/* ---- calls ---- */

int sockets_socket(struct sockets *all)
{
    return fd_make(all, sock_make(all));
}

int sockets_bind(struct sockets *all, int fd, uint16_t port)
{
    struct sock *s = sockets_get(all, fd);

    if (s == NULL)
        return -EBADF;
    s->port = port != 0 ? port : PORT_DEFAULT;
    return 0;
}

int sockets_listen(struct sockets *all, int fd, int backlog)
{
    struct sock *s = sockets_get(all, fd);
    struct tcp_listen how = {.ops = &ops, .ctx = s};
    enum rt_status status;

    if (s == NULL)
        return -EBADF;
    if (s->conn != NULL || s->connecting)
        return -EINVAL;
    how.port = s->port != 0 ? s->port : PORT_DEFAULT;
    how.backlog = backlog > 0 ? (uint32_t)backlog : 1;
    if (s->listening)
        return 0;
    status = tcp_listen(all->world->net, &how, &s->listener);
    if (status != RT_OK)
        return status == RT_BUSY ? -EADDRINUSE : -ENOBUFS;
    s->listening = true;
    return 0;
}

int sockets_accept(struct sockets *all, int fd)
{
    struct sock *s = sockets_get(all, fd);
    struct sock *first;

    if (s == NULL)
        return -EBADF;
    if (!s->listening)
        return -EINVAL;
    if (s->pending_count == 0)
        return -EAGAIN;
    first = s->pending[0];
    s->pending_count--;
    memmove(s->pending, s->pending + 1, s->pending_count * sizeof(s->pending[0]));
    return fd_make(all, first);
}

/* How a connection ended, as an error of the calls on it. */
static int error_of(const struct sock *s)
{
    static const int errors[] = {
        [TCP_REFUSED] = -ECONNREFUSED,   [TCP_RESET] = -ECONNRESET,
        [TCP_ABORTED] = -ECONNABORTED,   [TCP_TIMED_OUT] = -ETIMEDOUT,
        [TCP_UNREACHABLE] = -EHOSTUNREACH, [TCP_STOPPED] = -ECONNABORTED,
    };

    return s->reason < RT_ARRAY_SIZE(errors) ? errors[s->reason] : -ECONNABORTED;
}

int sockets_error(struct sock *s)
{
    if (!s->closed || s->reason == TCP_DONE || s->reset_told)
        return 0;
    s->reset_told = true;
    return -error_of(s);
}

int sockets_connect(struct sockets *all, int fd, const struct ip_addr *addr, uint16_t port)
{
    struct sock *s = sockets_get(all, fd);
    enum rt_status status;

    if (s == NULL)
        return -EBADF;
    if (s->closed)
        return -sockets_error(s);
    if (s->connected)
        return s->connecting ? 0 : -EISCONN;
    if (s->connecting)
        return -EAGAIN;
    status = tcp_connect(all->world->net, addr, port != 0 ? port : PORT_DEFAULT, &ops, s,
                         &s->conn);
    if (status != RT_OK)
        return status == RT_NOT_FOUND ? -ENETUNREACH : -EADDRNOTAVAIL;
    s->connecting = true;
    sockets_apply(s);
    return -EAGAIN;
}

/* Takes at most `bytes` bytes off the first chain; those of its buffers that are empty go back. */
static uint32_t read_chain(struct sock *s, uint8_t *data, uint32_t bytes)
{
    struct buf *b = s->chains[0];
    struct buf *rest;
    const uint32_t part = RT_MIN(bytes, (uint32_t)b->data_len);

    for (uint32_t i = 0; i < part; i++) {
        if (data != NULL)
            data[i] = buf_data(b)[i];
        else if (buf_data(b)[i] != sockets_pattern(s->read_bytes + i))
            s->all->mismatch = true;
    }
    s->read_bytes += part;
    b->data_off = (uint16_t)(b->data_off + part);
    b->data_len = (uint16_t)(b->data_len - part);
    b->pkt_len -= part;
    if (b->data_len != 0)
        return part;
    rest = b->next;
    if (rest != NULL) {
        rest->pkt_len = b->pkt_len;
        rest->segments = (uint8_t)(b->segments - 1);
        s->chains[0] = rest;
    } else {
        memmove(s->chains, s->chains + 1, --s->chain_count * sizeof(s->chains[0]));
    }
    b->next = NULL;
    b->segments = 1;
    tcp_give_back(s->all->world->net, b);
    return part;
}

int sockets_read(struct sockets *all, int fd, uint8_t *data, uint32_t bytes)
{
    struct sock *s = sockets_get(all, fd);
    uint32_t done = 0;

    if (s == NULL)
        return -EBADF;
    if (s->closed && s->reason != TCP_DONE && s->chain_count == 0)
        return s->reset_told ? 0 : -sockets_error(s);
    while (done < bytes && s->chain_count != 0)
        done += read_chain(s, data != NULL ? data + done : NULL, bytes - done);
    if (done == 0 && bytes != 0 && !s->ended && !s->closed && !s->no_reads)
        return s->conn != NULL && !s->listening ? -EAGAIN : -ENOTCONN;
    return (int)done;
}

/* A buffer of the stream, as full as a segment: our API sends whole buffers. */
static struct buf *fill(struct sock *s, const uint8_t *data, uint32_t bytes)
{
    struct buf *b = pool_take(s->all->world->pool);

    if (b == NULL)
        return NULL;
    for (uint32_t i = 0; i < bytes; i++)
        buf_data(b)[i] = data != NULL ? data[i] : sockets_pattern(s->written_bytes + i);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    return b;
}

int sockets_write(struct sockets *all, int fd, const uint8_t *data, uint32_t bytes, bool more)
{
    struct sock *s = sockets_get(all, fd);
    uint32_t done = 0;

    if (s == NULL)
        return -EBADF;
    if (s->closed && s->reason != TCP_DONE && !s->reset_told)
        return -sockets_error(s);
    if (s->closed || s->shut)
        return -EPIPE;
    if (s->conn == NULL || !s->connected)
        return -EAGAIN;
    while (done < bytes && tcp_room(s->conn) != 0) {
        const uint32_t most = RT_MIN(tcp_room(s->conn), RT_MIN(s->conn->mss, PART_BYTES_MAX));
        const uint32_t part = RT_MIN(bytes - done, most);
        struct buf *b = fill(s, data != NULL ? data + done : NULL, part);

        if (b == NULL)
            break;
        if (!tcp_try_send(s->conn, &b, more || s->corked ? TCP_MORE : 0)) {
            buf_free(b);
            break;
        }
        s->written_bytes += part;
        done += part;
    }
    return done != 0 || bytes == 0 ? (int)done : -EAGAIN;
}

int sockets_shutdown(struct sockets *all, int fd, int how)
{
    struct sock *s = sockets_get(all, fd);

    if (s == NULL)
        return -EBADF;
    if (s->conn == NULL || !s->connected)
        return -ENOTCONN;
    s->no_reads |= how != SHUT_WR;
    if (how != SHUT_RD) {
        s->shut = true;
        tcp_shutdown(s->conn);
    }
    return 0;
}

static void close_listener(struct sock *s)
{
    for (uint32_t i = 0; i < s->pending_count; i++) {
        s->pending[i]->open = false;
        if (s->pending[i]->conn != NULL)
            tcp_abort(s->pending[i]->conn);
        else
            s->pending[i]->used = false;
    }
    tcp_unlisten(s->listener);
}

/* With unread data a connection is broken off, as RFC 2525 2.17 wants it. */
int sockets_close(struct sockets *all, int fd)
{
    struct sock *s = sockets_get(all, fd);
    const bool unread = s != NULL && s->chain_count != 0;

    if (s == NULL)
        return -EBADF;
    all->fds[fd] = NULL;
    s->open = false;
    give_back(s);
    if (s->listening)
        close_listener(s);
    if (s->conn == NULL)
        s->used = false;
    else if (unread || s->linger_off)
        tcp_abort(s->conn);
    else
        tcp_close(s->conn);
    return 0;
}

uint32_t sockets_unread(const struct sock *s)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < s->chain_count; i++)
        bytes += s->chains[i]->pkt_len;
    return bytes;
}
