/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo: sends back what arrives on TCP port 7 (RFC 862), in the buffers it arrived in. What the
 * connection has no room for waits in a chain; the peer's window closes meanwhile.
 */
#include <kit/net.h>
#include <rt/log.h>

enum { ECHO_PORT = 7, ECHO_BACKLOG = 256, ECHO_CONNS = 1024 };

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
    uint64_t accepted, refused, received_bytes, closed;
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

static void accepted(struct tcp_conn *conn)
{
    struct echo_path *path = tcp_ctx(conn);
    struct waiting *w = path->free;

    if (w == NULL) { /* as many as there are connections: this cannot be */
        path->refused++;
        tcp_abort(conn);
        return;
    }
    path->accepted++;
    path->free = w->free_next;
    *w = (struct waiting){.path = path};
    tcp_set_ctx(conn, w);
}

static void received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct waiting *w = tcp_ctx(conn);

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

    for (struct buf *chain = w->first; chain != NULL; chain = next) {
        next = after(chain);
        tcp_give_back(w->path->net.net, chain);
    }
    w->path->closed++;
    w->free_next = w->path->free;
    w->path->free = w;
}

static const struct tcp_ops ops = {
    .accepted = accepted,
    .received = received,
    .ended = ended,
    .room = room,
    .closed = closed,
};

static void make_conns(struct echo_path *path)
{
    path->conns = hal_alloc(ECHO_CONNS * sizeof(*path->conns), RT_CACHE_LINE, "echo");
    RT_ASSERT(path->conns != NULL);
    for (uint32_t i = 0; i < ECHO_CONNS; i++) {
        path->conns[i].free_next = path->free;
        path->free = &path->conns[i];
    }
}

static void path_begin(struct kit_path *kit_path, struct loop_source *source)
{
    static const struct tcp_config config = {.conns = ECHO_CONNS};
    struct echo_path *path = RT_CONTAINER_OF(kit_path, struct echo_path, net.path);
    const struct tcp_listen listen = {.port = ECHO_PORT, .backlog = ECHO_BACKLOG, .ops = &ops,
                                      .ctx = path};
    struct net *net = kit_net_begin(&path->net, source, &config);
    struct tcp_listener *listener;
    enum rt_status st;

    if (net == NULL)
        return;
    st = tcp_listen(net, &listen, &listener);
    RT_ASSERT(st == RT_OK || st == RT_BUSY); /* the core's first path listens for all of them */
    if (st == RT_OK)
        make_conns(path);
}

static const struct kit_counter counters[] = {
    {"accepted", "connections", "of peers", KIT_COUNT, offsetof(struct echo_path, accepted)},
    {"closed", "connections", "that ended", KIT_COUNT, offsetof(struct echo_path, closed)},
    {"echoed", "bytes", "received, and sent back", KIT_COUNT,
     offsetof(struct echo_path, received_bytes)},
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
    return kit_run(&app, boot);
}

static const struct arg_table *const tables[] = {&rt_arg_table, &kit_arg_table,
                                                 &kit_net_arg_table, NULL};

const struct rt_app rt_app = {.name = "echo", .tables = tables, .main = run};
