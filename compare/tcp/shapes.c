/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_shapes: what it costs the sender to send whole segments, by where their bytes lie.
 *
 *     valgrind --tool=callgrind --collect-atstart=no tcp_shapes SHAPE COUNT
 *
 * The sender is counted with its application: acknowledgements in, buffers or headers taken, data
 * written where the shape has it written, segments out. The link and the receiver are not. Prints
 * one line of name=value; status 1: the peer got something else, or a buffer is not home.
 */
#include "bench.h"
#include "count.h"

#include <mempool/ext.h>
#include <mempool/take.h>
#include <rt/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM = 2000, TURN_NS = 500 * 32, TURNS_MAX = 1000000, BUFS = 2048, COUNT_MAX = 200000,
       LINE_BYTES = 48 };
#define MEMORY_BYTES (UINT64_C(1) << 30)

/* How a segment's bytes are given: `give` returns the next chain. NULL: there is none. */
struct shape {
    const char *name, *what;
    struct buf *(*give)(void);
};

static struct sender {
    struct bench bench;
    struct pool *flush_pool, *headers; /* buffers without headroom; headers */
    struct buf_pin pin;
    uint8_t *file; /* all that is sent: a number in front of each segment */
    uint64_t given, segments;
    uint32_t released, failed;
} s;

static const uint8_t *part(uint64_t number)
{
    return s.file + number * BENCH_SEGMENT_BYTES;
}

static struct buf *fresh(struct pool *pool)
{
    struct buf *b = s.given < s.segments ? pool_take_inline(pool) : NULL;

    if (b == NULL)
        return NULL;
    b->data_len = BENCH_SEGMENT_BYTES;
    b->pkt_len = BENCH_SEGMENT_BYTES;
    memcpy(buf_data(b), part(s.given), sizeof(uint64_t));
    return b;
}

static struct buf *in_place(void)
{
    return fresh(s.bench.client.tx);
}

static struct buf *no_headroom(void)
{
    return fresh(s.flush_pool);
}

static struct buf *copied(void)
{
    struct buf *b = fresh(s.bench.client.tx);

    if (b != NULL)
        memcpy(buf_data(b), part(s.given), BENCH_SEGMENT_BYTES);
    return b;
}

static struct buf *pinned(void)
{
    if (s.given == s.segments)
        return NULL;
    return buf_ext_take(s.headers, &s.pin, part(s.given), BENCH_SEGMENT_BYTES);
}

/* As an answer has it: what is said of a value in front of it. */
static struct buf *behind_a_line(void)
{
    struct buf *b = fresh(s.bench.client.tx);

    if (b == NULL)
        return NULL;
    memcpy(buf_data(b), part(s.given), LINE_BYTES);
    b->data_len = LINE_BYTES;
    b->next = buf_ext_take(s.headers, &s.pin, part(s.given) + LINE_BYTES,
                           BENCH_SEGMENT_BYTES - LINE_BYTES);
    return b;
}

static struct buf *whole_file(void)
{
    if (s.given != 0)
        return NULL;
    return buf_ext_take(s.headers, &s.pin, s.file,
                        (uint32_t)(s.segments * BENCH_SEGMENT_BYTES));
}

static const struct shape shapes[] = {
    {"in-place", "made in a buffer with headroom: headers in front of it", in_place},
    {"copied", "copied into such a buffer", copied},
    {"no-headroom", "in a buffer without: a header buffer in front", no_headroom},
    {"pinned", "pinned, a call for each segment: a header buffer and a header", pinned},
    {"line", "pinned, behind a line of 48 bytes in a buffer with headroom", behind_a_line},
    {"file", "pinned, one call for all", whole_file},
};

/* ---- the sender's turn ---- */

/* net_if_config.send: the link's work is not the sender's. */
static void send_uncounted(void *ctx, struct buf_batch *frames)
{
    count_pause();
    link_send(ctx, frames);
    count_resume();
}

static void fill(const struct shape *shape)
{
    while (tcp_room(s.bench.conns[0]) >= BENCH_SEGMENT_BYTES) {
        struct buf *b = shape->give();
        uint32_t bytes = 0;

        if (b == NULL)
            return;
        for (const struct buf *at = b; at != NULL; at = at->next)
            bytes += buf_bytes(at);
        if (!tcp_try_send(s.bench.conns[0], &b, 0)) {
            s.failed++;
            return;
        }
        s.given += bytes / BENCH_SEGMENT_BYTES;
    }
}

static void receiver_turn(void)
{
    struct buf_batch batch;

    s.bench.now_ns += TURN_NS;
    link_receive(&s.bench.server, &batch);
    if (batch.count != 0)
        net_input(s.bench.server.net, 0, &batch, s.bench.now_ns / 1000);
    net_turn(s.bench.server.net, s.bench.now_ns / 1000);
}

static void sender_turn(const struct shape *shape, bool counted)
{
    const uint64_t now_us = s.bench.now_ns / 1000;
    struct buf_batch batch;

    link_receive(&s.bench.client, &batch);
    if (counted)
        count_resume();
    if (batch.count != 0)
        net_input(s.bench.client.net, 0, &batch, now_us);
    if (shape != NULL)
        fill(shape);
    net_turn(s.bench.client.net, now_us);
    if (counted)
        count_pause();
}

/* Until the receiver has `wanted` segments. */
static void run_until(const struct shape *shape, uint64_t wanted, bool counted)
{
    for (uint32_t i = 0; i < TURNS_MAX && s.bench.done < wanted; i++) {
        receiver_turn();
        sender_turn(shape, counted);
    }
}

/* ---- made ---- */

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "tcp_shapes: %s\n", what);
    exit(2);
}

static void check(bool good, const char *what)
{
    if (!good)
        fail(what);
}

static void release(struct buf_pin *pin)
{
    s.released++;
}

static void make_side(struct bench_side *side, struct wire *out, struct wire *in, uint8_t number)
{
    const struct ip_addr addr = ip_addr_v4_of(10, 0, 0, number);
    const struct net_if_config iface = {
        .mac = {2, 0, 0, 0, 0, number}, .mtu_bytes = 1500, .tx_ip_checksum = true,
        .tx_l4_checksum = true, .send = number == 1 ? send_uncounted : link_send, .ctx = side};
    const struct tcp_config tcp = {.conns = 4};
    struct net_config config = {.key = "key of the bench"};
    uint32_t index;

    *side = (struct bench_side){.bench = &s.bench, .out = out, .in = in};
    check(pool_create("tx", 0, 1, BUFS, &side->tx) == RT_OK, "no memory to send from");
    check(pool_create("rx", 0, 1, BUFS, &side->rx) == RT_OK, "no memory to receive into");
    config.pool = side->tx;
    config.key[0] = number;
    check(net_create(&config, s.bench.now_ns / 1000, &side->net) == RT_OK, "no stack");
    check(net_if_add(side->net, &iface, &index) == RT_OK, "interface");
    check(net_addr_add(side->net, index, &addr, 24) == RT_OK, "address");
    check(tcp_create(side->net, &tcp) == RT_OK, "no TCP");
}

static void make(void)
{
    const struct pool_config flush = {.name = "flush", .cores = 1, .count = BUFS,
                                      .room_bytes = BUF_ROOM_BYTES};
    const struct pool_config headers = {.name = "headers", .cores = 1, .count = BUFS};

    host_clock_virtual(1000000);
    host_set_core_count(1);
    host_memory_limit(MEMORY_BYTES);
    s.bench.now_ns = 1000000000;
    s.bench.conns = calloc(1, sizeof(struct tcp_conn *));
    s.file = calloc(s.segments, BENCH_SEGMENT_BYTES);
    check(s.bench.conns != NULL && s.file != NULL, "no memory: file");
    for (uint64_t i = 0; i < s.segments; i++)
        memcpy(s.file + i * BENCH_SEGMENT_BYTES, &i, sizeof(i));
    buf_pin_init(&s.pin, release);
    for (unsigned i = 0; i < 2; i++)
        link_init(&s.bench.wires[i], 2 * BUFS, 32);
    make_side(&s.bench.client, &s.bench.wires[0], &s.bench.wires[1], 1);
    make_side(&s.bench.server, &s.bench.wires[1], &s.bench.wires[0], 2);
    check(pool_create_config(&flush, &s.flush_pool) == RT_OK, "no memory: buffers");
    check(pool_create_config(&headers, &s.headers) == RT_OK, "no memory: headers");
}

static void open_connection(void)
{
    const struct ip_addr server = ip_addr_v4_of(10, 0, 0, 2);
    const struct tcp_listen listen = {.port = BENCH_PORT_FIRST, .backlog = 4,
                                      .ops = &app_bulk_server, .ctx = &s.bench.server};
    struct tcp_listener *listener;

    check(tcp_listen(s.bench.server.net, &listen, &listener) == RT_OK, "listen");
    check(tcp_connect(s.bench.client.net, &server, BENCH_PORT_FIRST, &app_bulk_client, &s.bench,
                      &s.bench.conns[0]) == RT_OK, "connect");
    for (uint32_t i = 0; i < TURNS_MAX && s.bench.opened == 0; i++) {
        receiver_turn();
        sender_turn(NULL, false);
    }
    check(s.bench.opened != 0, "the connection does not stand");
}

/* Everything goes home; false: something did not. */
static bool finish(void)
{
    buf_pin_put(&s.pin);
    net_close(s.bench.client.net);
    net_close(s.bench.server.net);
    link_close(&s.bench.wires[0]);
    link_close(&s.bench.wires[1]);
    return pool_report() == 0 && buf_refusals() == 0 && s.bench.bad == 0 && s.failed == 0 &&
           s.released == 1;
}

static const struct shape *find(const char *name)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(shapes); i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(shapes); i++)
        fprintf(stderr, "%-12s %s\n", shapes[i].name, shapes[i].what);
    fail(name);
}

int main(int argc, char **argv)
{
    const struct shape *shape = find(argc == 3 ? argv[1] : "");
    const uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t begin;

    if (count == 0 || count > COUNT_MAX)
        fail("COUNT is 1 to 200000");
    s.segments = count + WARM;
    make();
    open_connection();
    run_until(shape, WARM, false);
    begin = s.bench.done;
    count_begin();
    count_pause(); /* in the sender's turns only */
    run_until(shape, s.segments, true);
    count_end();
    printf("result shape=%s segments=%llu copied_bytes=%llu what=\"%s\"\n", shape->name,
           (unsigned long long)(s.bench.done - begin),
           (unsigned long long)net_counters(s.bench.client.net)->tcp_copied_bytes, shape->what);
    return finish() && s.bench.done == s.segments ? 0 : 1;
}
