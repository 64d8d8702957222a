/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_bench: what a request, a segment, a connection costs in our stack.
 *
 *     tcp_bench mode=requests|bulk|churn conns=N all=N count=N rounds=N ns=N report=N
 *
 * `conns` connections are busy, `all` (0: as many) stand. `count` requests (segments, connections)
 * are measured in each round, virtual time moves by `ns` a request: the timers' work depends on
 * it. marks=1 tells lines.c where to look. Prints one line of name=value. Status 1: an answer was
 * wrong, or a buffer is not home.
 */
#include "bench.h"
#include "count.h"

#include <rt/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

enum mode { MODE_REQUESTS, MODE_BULK, MODE_CHURN, MODES };
static const char *const mode_names[MODES] = {"requests", "bulk", "churn"};

struct arguments {
    enum mode mode;
    uint32_t conns, all, rounds, ns, report, marks;
    uint64_t count;
};

enum {
    ROUNDS_MAX = 64,
    OPENED_AT_ONCE = 32,
    TURN_NS = 100000,    /* while connections are opened and closed */
    OPEN_TURNS = 100000, /* in which a batch of connections must stand */
    BUFS_MORE = 1024,    /* than connections: on the link, and with the applications */
    CONNS_MORE = 4096,   /* in TIME-WAIT, in mode=churn */
    HERTZ_NS = 20000000, /* for which two clocks are compared */
    CHURN_STEP_NS = 1000000000, /* so that what is in TIME-WAIT is soon gone */
};
#define MEMORY_BYTES (UINT64_C(20) << 30)

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "tcp_bench: %s\n", what);
    exit(2);
}

/* ---- made ---- */

static void check(enum rt_status st, const char *what)
{
    if (st != RT_OK)
        fail(what);
}

/* One side of the link, its TCP; returns bytes of memory that TCP took. */
static uint64_t make_side(struct bench_side *side, const struct arguments *a, uint8_t number)
{
    const struct ip_addr addr = ip_addr_v4_of(10, 0, 0, number);
    const struct net_if_config iface = {
        .mac = {2, 0, 0, 0, 0, number}, .mtu_bytes = 1500, .tx_ip_checksum = true,
        .tx_l4_checksum = true, .send = link_send, .ctx = side};
    const uint32_t ports = a->all / BENCH_CONNS_A_PORT + 1;
    const struct tcp_config tcp = {
        .conns = a->all + (a->mode == MODE_CHURN ? CONNS_MORE : 0), .listeners = ports};
    struct net_config config = {.key = "key of the bench"};
    uint64_t before;
    uint32_t index;

    /* each connection keeps one until its peer speaks again; as many more, so that none are few */
    check(pool_create("tx", 0, 1, 2 * a->conns + BUFS_MORE, &side->tx), "no memory to send from");
    check(pool_create("rx", 0, 1, BUFS_MORE, &side->rx), "no memory to receive into");
    config.pool = side->tx;
    config.key[0] = number;
    check(net_create(&config, side->bench->now_ns / 1000, &side->net), "no memory: stack");
    check(net_if_add(side->net, &iface, &index), "interface");
    check(net_addr_add(side->net, index, &addr, 24), "address");
    before = hal_memory_free_bytes();
    check(tcp_create(side->net, &tcp), "no memory: connections");
    return before - hal_memory_free_bytes();
}

static uint64_t make(struct bench *bench, const struct arguments *a)
{
    uint64_t bytes;

    host_clock_virtual(1000000);
    host_set_core_count(1);
    host_memory_limit(MEMORY_BYTES);
    *bench = (struct bench){.now_ns = 1000000000};
    bench->conns = calloc(a->all, sizeof(struct tcp_conn *));
    bench->requests = calloc(a->all, sizeof(*bench->requests));
    if (bench->conns == NULL || bench->requests == NULL)
        fail("no memory: connections of the client");
    for (unsigned i = 0; i < 2; i++)
        link_init(&bench->wires[i], 2 * a->conns + BUFS_MORE, a->report);
    bench->client = (struct bench_side){.bench = bench, .out = &bench->wires[0],
                                        .in = &bench->wires[1]};
    bench->server = (struct bench_side){.bench = bench, .out = &bench->wires[1],
                                        .in = &bench->wires[0]};
    bytes = make_side(&bench->client, a, 1);
    (void)make_side(&bench->server, a, 2);
    return bytes;
}

/* ---- run ---- */

/* What the trace of memory accesses is cut at (lines.c): nobody's turn, the client's, the
 * server's. */
static volatile uint8_t marks[3][RT_CACHE_LINE] RT_ALIGNED(RT_CACHE_LINE);

static void turn(struct bench_side *side, const struct tcp_ops *fills)
{
    struct buf_batch batch;
    const uint64_t now_us = side->bench->now_ns / 1000;

    link_receive(side, &batch);
    marks[side == &side->bench->client ? 1 : 2][0] = 1;
    if (batch.count != 0)
        net_input(side->net, 0, &batch, now_us);
    if (fills != NULL)
        app_fill(side->bench);
    net_turn(side->net, now_us);
    marks[0][0] = 1;
}

static void turns(struct bench *bench, uint64_t ns, bool bulk)
{
    bench->now_ns += ns;
    turn(&bench->server, NULL);
    turn(&bench->client, bulk ? &app_bulk_client : NULL);
}

static void listen_all(struct bench *bench, const struct arguments *a)
{
    static const struct tcp_ops *const ops[MODES] = {&app_server, &app_bulk_server,
                                                     &app_churn_server};

    for (uint32_t i = 0; i <= a->all / BENCH_CONNS_A_PORT; i++) {
        const struct tcp_listen how = {.port = (uint16_t)(BENCH_PORT_FIRST + i),
                                       .backlog = 4 * OPENED_AT_ONCE,
                                       .ops = ops[a->mode], .ctx = &bench->server};
        struct tcp_listener *listener;

        check(tcp_listen(bench->server.net, &how, &listener), "listen");
    }
}

static void connect_one(struct bench *bench, const struct arguments *a, uint32_t number)
{
    static const struct tcp_ops *const ops[MODES] = {&app_client, &app_bulk_client,
                                                     &app_churn_client};
    const struct ip_addr server = ip_addr_v4_of(10, 0, 0, 2);
    const uint16_t port = (uint16_t)(BENCH_PORT_FIRST + number / BENCH_CONNS_A_PORT);

    check(tcp_connect(bench->client.net, &server, port, ops[a->mode], bench,
                      &bench->conns[number]), "connect");
}

/* Opens connections [from, to) and waits until they stand. */
static void open_some(struct bench *bench, const struct arguments *a, uint32_t from,
                      uint32_t to)
{
    const uint64_t wanted = bench->opened + to - from;

    for (uint32_t i = from; i < to; i++)
        connect_one(bench, a, i);
    for (uint32_t i = 0; i < OPEN_TURNS && bench->opened < wanted; i++)
        turns(bench, TURN_NS, false);
    if (bench->opened < wanted)
        fail("connections do not stand");
    turns(bench, TURN_NS, false); /* the last ACK */
}

static void open_all(struct bench *bench, const struct arguments *a)
{
    open_some(bench, a, 0, 1); /* the first one finds its neighbour */
    for (uint32_t i = 1; i < a->all; i += OPENED_AT_ONCE)
        open_some(bench, a, i, RT_MIN(i + OPENED_AT_ONCE, a->all));
}

/* Connections are opened and closed, as many at once as a batch has frames. */
static void churn(struct bench *bench, const struct arguments *a)
{
    const uint64_t wanted = bench->done + OPENED_AT_ONCE;

    for (uint32_t i = 0; i < OPENED_AT_ONCE; i++)
        connect_one(bench, a, i);
    for (uint32_t i = 0; i < OPEN_TURNS && (bench->done < wanted || bench->closed < wanted); i++)
        turns(bench, TURN_NS, false);
    if (bench->done < wanted || bench->closed < wanted)
        fail("connections do not end");
    bench->now_ns += CHURN_STEP_NS;
}

/* The measured part: all that callgrind counts is below this function. */
__attribute__((noinline)) static void measured(struct bench *bench, const struct arguments *a)
{
    const uint64_t end = bench->done + a->count;
    const uint64_t ns = (uint64_t)a->ns * RT_MIN(a->conns, BENCH_BATCH);

    while (bench->done < end) { /* `count` answers, or the watch of rig/ ends it */
        if (a->mode == MODE_CHURN)
            churn(bench, a);
        else
            turns(bench, a->mode == MODE_BULK ? (uint64_t)a->ns * BENCH_BATCH : ns,
                  a->mode == MODE_BULK);
    }
}

/* Requests on connections in an order that no table or cache likes. */
static void start_requests(struct bench *bench, const struct arguments *a)
{
    uint32_t *order = calloc(a->all, sizeof(*order));

    if (order == NULL)
        fail("no memory: order");
    for (uint32_t i = 0; i < a->all; i++)
        order[i] = i;
    srand(1);
    for (uint32_t i = a->all; i > 1; i--) {
        const uint32_t k = (uint32_t)rand() % i, other = order[k];

        order[k] = order[i - 1];
        order[i - 1] = other;
    }
    for (uint32_t i = 0; i < a->conns; i++) {
        app_request(bench, order[i]);
        if (i % BENCH_BATCH == BENCH_BATCH - 1)
            turn(&bench->client, NULL);
    }
    free(order);
}

/* ---- told ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Of the time stamp counter. */
static double hertz(void)
{
    struct timespec from, to;
    uint64_t begin;

    clock_gettime(CLOCK_MONOTONIC, &from);
    begin = __rdtsc();
    do {
        clock_gettime(CLOCK_MONOTONIC, &to);
    } while (to.tv_sec == from.tv_sec && to.tv_nsec - from.tv_nsec < HERTZ_NS); /* or a second */
    return (double)(__rdtsc() - begin) * 1e9 /
           ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec));
}

static void report(struct bench *bench, const struct arguments *a, double *cycles,
                   uint64_t frames, uint64_t tcp_bytes)
{
    const struct net_counters *c = net_counters(bench->client.net);
    const struct net_counters *s = net_counters(bench->server.net);
    const double units = (double)(a->count * a->rounds);

    qsort(cycles, a->rounds, sizeof(*cycles), by_value);
    printf("result mode=%s conns=%u all=%u count=%llu packets=%.3f cycles_min=%.0f "
           "cycles_median=%.0f copied_bytes=%llu time_outs=%llu retransmits=%llu "
           "conn_bytes=%.1f bad=%llu hz=%.0f\n",
           mode_names[a->mode], a->conns, a->all, (unsigned long long)a->count,
           (double)frames / units, cycles[0], cycles[a->rounds / 2],
           (unsigned long long)(c->tcp_copied_bytes + s->tcp_copied_bytes),
           (unsigned long long)(c->tcp_time_outs + s->tcp_time_outs),
           (unsigned long long)(c->tcp_retrans_segs + s->tcp_retrans_segs),
           (double)tcp_bytes / a->all, (unsigned long long)bench->bad, hertz());
}

static void measure(struct bench *bench, const struct arguments *a, uint64_t tcp_bytes)
{
    double cycles[ROUNDS_MAX];
    uint64_t frames;

    listen_all(bench, a);
    if (a->mode != MODE_CHURN)
        open_all(bench, a);
    if (a->mode == MODE_REQUESTS)
        start_requests(bench, a);
    for (uint64_t warm = bench->done + 2 * a->conns + 1000; bench->done < warm;) {
        const struct arguments some = {.mode = a->mode, .conns = a->conns, .all = a->all,
                                       .ns = a->ns, .count = 100};

        measured(bench, &some);
    }
    frames = bench->wires[0].frames + bench->wires[1].frames;
    for (uint32_t i = 0; i < a->rounds; i++) {
        uint64_t begin;

        count_begin();
        begin = __rdtsc();
        measured(bench, a);
        cycles[i] = (double)(__rdtsc() - begin) / (double)a->count;
        count_end();
    }
    report(bench, a, cycles, bench->wires[0].frames + bench->wires[1].frames - frames, tcp_bytes);
}

/* Everything goes home; false: something did not. */
static bool finish(struct bench *bench)
{
    bool home;

    bench->stopping = true;
    for (uint32_t i = 0; i < 1000; i++)
        turns(bench, 100000, false);
    net_close(bench->client.net);
    net_close(bench->server.net);
    link_close(&bench->wires[0]);
    link_close(&bench->wires[1]);
    home = pool_report() == 0 && buf_refusals() == 0;
    host_memory_reset();
    return home && bench->bad == 0;
}

/* ---- arguments ---- */

static bool read_number(const char *word, const char *name, uint64_t *value)
{
    const size_t length = strlen(name);

    if (strncmp(word, name, length) != 0 || word[length] != '=')
        return false;
    *value = strtoull(word + length + 1, NULL, 10);
    return true;
}

static bool read_mode(const char *word, enum mode *mode)
{
    for (unsigned i = 0; i < MODES; i++)
        if (strncmp(word, "mode=", 5) == 0 && strcmp(word + 5, mode_names[i]) == 0) {
            *mode = (enum mode)i;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    struct arguments a = {.conns = 1, .count = 100000, .rounds = 1, .ns = 500, .report = 32};
    struct {
        const char *name;
        uint32_t *to;
    } const numbers[] = {{"conns", &a.conns}, {"all", &a.all}, {"rounds", &a.rounds},
                         {"ns", &a.ns}, {"report", &a.report}, {"marks", &a.marks}};
    struct bench bench;
    uint64_t bytes;

    for (int i = 1; i < argc; i++) {
        bool known = read_mode(argv[i], &a.mode) || read_number(argv[i], "count", &a.count);
        uint64_t value;

        for (size_t k = 0; k < RT_ARRAY_SIZE(numbers) && !known; k++)
            if (read_number(argv[i], numbers[k].name, &value)) {
                *numbers[k].to = (uint32_t)value;
                known = true;
            }
        if (!known)
            fail(argv[i]);
    }
    if (a.mode == MODE_CHURN)
        a.conns = OPENED_AT_ONCE;
    a.all = RT_MAX(a.all, a.conns);
    if (a.conns == 0 || a.rounds == 0 || a.rounds > ROUNDS_MAX || a.count == 0)
        fail("conns, rounds and count are at least 1, rounds at most 64");
    if (a.marks != 0)
        fprintf(stderr, "marks=%p\n", (const void *)(uintptr_t)marks);
    bytes = make(&bench, &a);
    measure(&bench, &a, bytes);
    return finish(&bench) ? 0 : 1;
}
