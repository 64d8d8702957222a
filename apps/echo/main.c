/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo: sends back what arrives on TCP port 7 (RFC 862), in the buffers it arrived in. What the
 * connection has no room for waits in a chain; the peer's window closes meanwhile. What arrives on
 * port 9 is read and forgotten (RFC 863). With connect= it also calls a peer's port 7, as often as
 * connect_count= says, and sends back what that one says.
 */
#include "options.h"

#include <kit/net.h>
#include <rt/assert.h>
#include <rt/log.h>

enum { ECHO_PORT = 7, DISCARD_PORT = 9, BACKLOG = 256, CONNECTS_A_TURN = 16 };

struct echo_path;

/* One connection's chain of chains that wait: their first buffers, linked by `user`. */
struct waiting {
    struct buf *first, *last;
    struct waiting *free_next;
    struct echo_path *path;
    bool ended;
};

struct echo_path {
    struct kit_net_path net;
    struct waiting *conns, *free;
    uint32_t to_connect; /* connections to begin yet */
    uint64_t accepted, refused, received_bytes, discarded_bytes, closed;
};

static struct buf *after(const struct buf *chain)
{
    return (struct buf *)(uintptr_t)chain->user;
}

static void push(struct tcp_conn *conn, struct waiting *w)
{
    while (w->first != NULL) {
        struct buf *chain = w->first, *next = after(chain);

        if (!tcp_try_send(conn, &chain, 0))
            return; /* room() comes */
        w->first = next;
    }
    if (w->ended)
        tcp_close(conn);
}

/* NULL: there are as many connections as there may be. */
static struct waiting *take_waiting(struct echo_path *path)
{
    struct waiting *w = path->free;

    if (w == NULL)
        return NULL;
    path->free = w->free_next;
    *w = (struct waiting){.path = path};
    return w;
}

static void give_waiting(struct waiting *w)
{
    RT_ASSERT(w->path != NULL);
    w->free_next = w->path->free;
    w->path->free = w;
}

static void accepted(struct tcp_conn *conn)
{
    struct echo_path *path = tcp_ctx(conn);
    struct waiting *w = take_waiting(path);

    if (w == NULL) { /* as many as there are connections: this cannot be */
        path->refused++;
        tcp_set_ctx(conn, NULL);
        tcp_abort(conn);
        return;
    }
    path->accepted++;
    tcp_set_ctx(conn, w);
}

static void received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct waiting *w = tcp_ctx(conn);

    RT_ASSERT(!w->ended); /* nothing comes behind the end */
    w->path->received_bytes += bytes;
    chain_owned->user = 0;
    if (w->first != NULL)
        w->last->user = (uintptr_t)chain_owned;
    else
        w->first = chain_owned;
    w->last = chain_owned;
    push(conn, w);
}

static void ended(struct tcp_conn *conn)
{
    struct waiting *w = tcp_ctx(conn);

    w->ended = true;
    push(conn, w);
}

static void room(struct tcp_conn *conn)
{
    push(conn, tcp_ctx(conn));
}

static void closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct waiting *w = tcp_ctx(conn);
    struct buf *next;

    if (w == NULL)
        return; /* refused */
    for (struct buf *chain = w->first; chain != NULL; chain = next) {
        next = after(chain);
        tcp_give_back(w->path->net.net, chain);
    }
    w->path->closed++;
    give_waiting(w);
}

static const struct tcp_ops echo_ops = {
    .accepted = accepted,
    .received = received,
    .ended = ended,
    .room = room,
    .closed = closed,
};

static void discard(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct echo_path *path = tcp_ctx(conn);

    path->discarded_bytes += bytes;
    tcp_give_back(path->net.net, chain_owned);
}

/* `ended` is not wanted: who has sent all is answered by our FIN, when all of it was read. */
static const struct tcp_ops discard_ops = {.received = discard};

/* ---- connections that we begin ---- */

static bool begin_one(struct echo_path *path)
{
    struct waiting *w = take_waiting(path);
    struct tcp_conn *conn;

    if (w == NULL)
        return false;
    if (tcp_connect(path->net.net, &echo_options.peer, ECHO_PORT, &echo_ops, w, &conn) == RT_OK)
        return true;
    give_waiting(w);
    return false;
}

/* A few with each turn, for the sake of the peer's backlog. Those for which there is no way yet, or
 * no room, are tried again with the next one. */
static uint32_t poll_and_connect(void *ctx, uint64_t now_us)
{
    struct echo_path *path = ctx;

    RT_ASSERT(path->net.net != NULL);
    for (uint32_t i = 0; i < CONNECTS_A_TURN && path->to_connect != 0; i++) {
        if (!begin_one(path))
            break;
        path->to_connect--;
    }
    return kit_net_poll(ctx, now_us);
}

/* ---- set-up ---- */

static void make_conns(struct echo_path *path)
{
    const uint32_t count = echo_options.conns;

    path->conns = hal_alloc(count * sizeof(*path->conns), RT_CACHE_LINE, "echo");
    if (path->conns == NULL) {
        rt_log("echo error=no_memory remedy=\"fewer conns=\"");
        path->net.path.refused = KIT_EXIT_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        path->conns[i].free_next = path->free;
        path->free = &path->conns[i];
    }
}

/* True: it listens; else the core's first path does, for all of them. */
static bool listen_on(struct echo_path *path, uint16_t port, const struct tcp_ops *ops)
{
    const struct tcp_listen listen = {.port = port, .backlog = BACKLOG, .ops = ops, .ctx = path};
    struct tcp_listener *listener;
    const enum rt_status st = tcp_listen(path->net.net, &listen, &listener);

    RT_ASSERT(st == RT_OK || st == RT_BUSY);
    return st == RT_OK;
}

static void path_begin(struct kit_path *kit_path, struct loop_source *source)
{
    const struct tcp_config config = {.conns = echo_options.conns};
    struct echo_path *path = RT_CONTAINER_OF(kit_path, struct echo_path, net.path);

    if (kit_net_begin(&path->net, source, &config) == NULL)
        return; /* a line said why */
    if (!listen_on(path, ECHO_PORT, &echo_ops) || !listen_on(path, DISCARD_PORT, &discard_ops))
        return;
    make_conns(path);
    path->to_connect = echo_options.has_peer ? echo_options.connect_count : 0;
    if (path->to_connect != 0)
        source->poll = poll_and_connect;
}

static const struct kit_counter counters[] = {
    {"accepted", "connections", "of peers", KIT_COUNT, offsetof(struct echo_path, accepted)},
    {"closed", "connections", "that ended", KIT_COUNT, offsetof(struct echo_path, closed)},
    {"echoed", "bytes", "received, and sent back", KIT_COUNT,
     offsetof(struct echo_path, received_bytes)},
    {"discarded", "bytes", "received on the other port", KIT_COUNT,
     offsetof(struct echo_path, discarded_bytes)},
};

static const struct kit_command commands[] = {
    {.name = "net", .run = kit_net_command},
};

static const struct kit_app app = {
    .running = "listening",
    .path_bytes = sizeof(struct echo_path),
    .poll = kit_net_poll,
    .path_begin = path_begin,
    .path_end = kit_net_end,
    .path_leave = kit_net_leave,
    .counters = counters,
    .counter_count = RT_ARRAY_SIZE(counters),
    .commands = commands,
    .command_count = RT_ARRAY_SIZE(commands),
    .ports_a_core = KIT_NET_PORTS,
};

static int run(const struct boot_info *boot)
{
    if (!echo_options_read())
        return KIT_EXIT_ARGS;
    return kit_run(&app, boot);
}

static const struct arg_table *const tables[] = {&rt_arg_table, &kit_arg_table,
                                                 &kit_net_arg_table, &echo_arg_table, NULL};

const struct rt_app rt_app = {.name = "echo", .tables = tables, .main = run};
