/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello: streams and datagrams in a few lines. TCP port 13 says how long the machine runs, to
 * everybody who connects; UDP port 7 sends back what it gets, in the buffers it came in.
 */
#include <kit/net.h>
#include <mempool/pool.h>
#include <rt/log.h>

enum { STREAM_PORT = 13, DATAGRAM_PORT = 7, BACKLOG = 64, LINE_BYTES = 64 };

struct hello_path {
    struct kit_net_path net; /* first: the kit knows only this */
    uint64_t greeted, echoed, dropped;
};

/* A peer has connected: a buffer of ours becomes the connection's, and is freed when the peer has
 * acknowledged it. We send no more then; the peer closes when it likes. */
static void on_accepted(struct tcp_conn *conn)
{
    struct hello_path *path = tcp_ctx(conn);
    struct buf *b = pool_take(path->net.path.pool);

    if (b == NULL) {
        tcp_abort(conn);
        return;
    }
    b->data_len = (uint16_t)rt_snprintf((char *)buf_data(b), LINE_BYTES, "up_ms=%lu\r\n",
                                        hal_now_us() / 1000);
    if (!tcp_try_send(conn, &b, 0))
        buf_free(b); /* refused: it is still ours */
    path->greeted++;
    tcp_shutdown(conn);
}

/* What it says is ours now: given back unread, so that its window opens again. */
static void on_bytes(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct hello_path *path = tcp_ctx(conn);

    tcp_give_back(path->net.net, chain_owned);
}

/* `ended` and `closed` are not wanted: a stream that its peer ends is closed at once. */
static const struct tcp_ops stream_ops = {.accepted = on_accepted, .received = on_bytes};

/* The datagram is ours; sent back it is the stack's, refused it is still ours. */
static void on_datagram(struct udp_sock *sock, struct buf *chain_owned, const struct udp_way *way)
{
    struct hello_path *path = udp_ctx(sock);
    struct buf *chain = chain_owned;

    if (udp_try_send(sock, way, &chain) == RT_OK) {
        path->echoed++;
        return;
    }
    path->dropped++;
    udp_give_back(path->net.net, chain);
}

static const struct udp_ops datagram_ops = {.received = on_datagram};

/* Before the loops run: the stack of the path's core, who listens there. */
static void path_begin(struct kit_path *kit_path, struct loop_source *source)
{
    static const struct tcp_config config = {.conns = 256};
    struct hello_path *path = RT_CONTAINER_OF(kit_path, struct hello_path, net.path);
    struct net *net = kit_net_begin(&path->net, source, &config);
    const struct tcp_listen listen = {.port = STREAM_PORT, .backlog = BACKLOG,
                                      .ops = &stream_ops, .ctx = path};
    const struct udp_open open = {.port = DATAGRAM_PORT, .ops = &datagram_ops, .ctx = path};
    struct tcp_listener *listener;
    struct udp_sock *sock;
    enum rt_status st;

    if (net == NULL)
        return; /* a line said why */
    st = tcp_listen(net, &listen, &listener);
    if (st == RT_OK)
        st = udp_open(net, &open, &sock);
    RT_ASSERT(st == RT_OK || st == RT_BUSY); /* the core's first path listens for all of them */
}

static const struct kit_counter counters[] = {
    {"greeted", "connections", "that got a line", KIT_COUNT, offsetof(struct hello_path, greeted)},
    {"echoed", "datagrams", "sent back", KIT_COUNT, offsetof(struct hello_path, echoed)},
    {"dropped", "datagrams", "that had no room", KIT_COUNT, offsetof(struct hello_path, dropped)},
};

static const struct kit_command commands[] = {{.name = "net", .run = kit_net_command}};

static const struct kit_app app = {
    .running = "listening",
    .path_bytes = sizeof(struct hello_path),
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

const struct rt_app rt_app = {.name = "hello", .tables = tables, .main = run};
