/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chargen: to everybody who connects to TCP port 19 (RFC 864) a GiB in one call, then the end. The
 * bytes lie in a table that all connections of all cores read; nobody copies them. A call is
 * a chain of headers that name the table again and again: word i of it is i * 2654435761.
 */
#include <kit/net.h>
#include <mempool/ext.h>
#include <rt/log.h>

enum {
    PORT = 19,
    BACKLOG = 64,
    CONNS = 64,
    TABLE_BYTES = 16 << 20,
    NAMES = TCP_SEND_BYTES_MAX / TABLE_BYTES, /* of the table, in one call */
    HEADERS = 16384, /* of a core: for calls, and for segments on their way */
};

struct chargen_path {
    struct kit_net_path net; /* first: the kit knows only this */
    struct pool *headers;
    struct buf_pin pin; /* of the table, on this core */
    uint64_t accepted, refused, closed, released;
};

static uint32_t *table; /* written before the loops run, then read */

static void on_released(struct buf_pin *pin)
{
    RT_CONTAINER_OF(pin, struct chargen_path, pin)->released++;
}

static void let_go(struct buf *chain)
{
    struct buf *next;

    for (struct buf *b = chain; b != NULL; b = next) { /* NAMES at most */
        next = b->next;
        buf_let_go((struct buf_ref){b, b->owner});
    }
}

/* The whole table NAMES times; NULL: not so many headers are free. */
static struct buf *name_all(struct chargen_path *path)
{
    struct buf *chain = NULL;

    for (uint32_t i = 0; i < NAMES; i++) {
        struct buf *b = buf_ext_take(path->headers, &path->pin, table, TABLE_BYTES);

        if (b == NULL) {
            let_go(chain);
            return NULL;
        }
        b->next = chain;
        chain = b;
    }
    return chain;
}

static void on_accepted(struct tcp_conn *conn)
{
    struct chargen_path *path = tcp_ctx(conn);
    struct buf *chain = name_all(path);

    path->accepted++;
    if (chain != NULL && tcp_try_send(conn, &chain, 0)) {
        tcp_shutdown(conn);
        return;
    }
    let_go(chain);
    path->refused++;
    tcp_abort(conn);
}

/* What it says means nothing (RFC 864). */
static void on_bytes(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct chargen_path *path = tcp_ctx(conn);

    RT_ASSERT_LT(0u, bytes);
    tcp_give_back(path->net.net, chain_owned);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct chargen_path *path = tcp_ctx(conn);

    RT_ASSERT_LE((uint32_t)reason, (uint32_t)TCP_NO_ADDRESS);
    path->closed++;
}

static const struct tcp_ops ops = {
    .accepted = on_accepted, .received = on_bytes, .closed = on_closed};

static bool make_table(void)
{
    if (table != NULL)
        return true; /* another path's core did */
    table = hal_alloc(TABLE_BYTES, RT_CACHE_LINE, "table");
    for (uint32_t i = 0; table != NULL && i < TABLE_BYTES / sizeof(table[0]); i++)
        table[i] = i * 2654435761u;
    return table != NULL;
}

static void path_begin(struct kit_path *kit_path, struct loop_source *source)
{
    static const struct tcp_config config = {.conns = CONNS};
    struct chargen_path *path = RT_CONTAINER_OF(kit_path, struct chargen_path, net.path);
    const struct tcp_listen listen = {.port = PORT, .backlog = BACKLOG, .ops = &ops, .ctx = path};
    const struct pool_config headers = {.name = "headers", .core = kit_path->core,
                                        .cores = hal_core_count(), .count = HEADERS};
    struct net *net = kit_net_begin(&path->net, source, &config);
    struct tcp_listener *listener;
    enum rt_status st;

    if (net == NULL)
        return; /* a line said why */
    if (!make_table() || pool_create_config(&headers, &path->headers) != RT_OK) {
        rt_log("chargen error=\"no memory for %u bytes and %u headers\"", TABLE_BYTES, HEADERS);
        kit_path->refused = KIT_EXIT_MEMORY;
        return;
    }
    buf_pin_init_on(&path->pin, kit_path->core, on_released);
    st = tcp_listen(net, &listen, &listener);
    RT_ASSERT(st == RT_OK || st == RT_BUSY); /* the core's first path listens for all of them */
}

/* Behind the stack all names are gone: ours is the last. */
static void path_leave(struct kit_path *kit_path)
{
    struct chargen_path *path = RT_CONTAINER_OF(kit_path, struct chargen_path, net.path);

    kit_net_leave(kit_path);
    if (path->headers == NULL)
        return; /* it never began */
    buf_pin_put(&path->pin);
    if (path->released != 1)
        rt_log("chargen core=%u released=%lu error=\"somebody still names the table\"",
               kit_path->core, path->released);
}

static const struct kit_counter counters[] = {
    {"accepted", "connections", "of peers", KIT_COUNT, offsetof(struct chargen_path, accepted)},
    {"refused", "connections", "reset: no headers were free", KIT_COUNT,
     offsetof(struct chargen_path, refused)},
    {"closed", "connections", "that ended", KIT_COUNT, offsetof(struct chargen_path, closed)},
};

static const struct kit_command commands[] = {{.name = "net", .run = kit_net_command}};

static const struct kit_app app = {
    .running = "listening",
    .path_bytes = sizeof(struct chargen_path),
    .poll = kit_net_poll,
    .path_begin = path_begin,
    .path_end = kit_net_end,
    .path_leave = path_leave,
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

const struct rt_app rt_app = {.name = "chargen", .tables = tables, .main = run};
