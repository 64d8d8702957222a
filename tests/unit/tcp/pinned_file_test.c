/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is pinned: a GiB in one call, of which only names are taken; and files between two
 * stacks over a wire with every fault. pinned_file_test SEEDS [FIRST] runs other seeds. */
#include "dialog.h"
#include "pair.h"

#include "state.h"

#include <mempool/ext.h>
#include <mempool/pool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static uint32_t seeds = 20, first_seed = 1;

/* ---- a GiB ---- */

enum { BIG_HEADERS = 128, BIG_SEGMENT = 8948, BIG_SCALE = 14 };
#define BIG_BYTES TCP_SEND_BYTES_MAX

static struct big {
    struct buf_pin pin;
    const uint8_t *bytes;
    uint64_t sent; /* bytes that left, each from where it lies in the file */
    uint32_t released;
} big;

static void big_release(struct buf_pin *pin)
{
    big.released++;
}

static void big_done(struct buf *b)
{
    buf_to_nic(b->owner);
    buf_sent((struct buf_ref){b, b->owner});
}

/* Looks at the names alone: nobody reads a GiB. */
static void big_send(void *ctx, struct buf_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct buf *head = batch->buf[i], *b = head->next;

        assert_int_equal(head->segments, b != NULL ? 2 : 1);
        if (b != NULL) {
            assert_ptr_equal(buf_start(b), big.bytes + big.sent);
            assert_int_equal(head->pkt_len, head->data_len + b->data_len);
            big.sent += b->data_len;
            big_done(b);
        }
        big_done(head);
    }
    batch->count = 0;
}

/* Sequence numbers wrap on the way; the card sums. */
static void run_gibibyte(void **state)
{
    const struct pool_config config = {.name = "headers", .cores = 1, .count = BIG_HEADERS};
    struct dialog t;
    struct pool *headers;
    struct buf *b;

    big = (struct big){.bytes = mmap(NULL, BIG_BYTES, PROT_READ,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)};
    assert_ptr_not_equal(big.bytes, MAP_FAILED);
    dialog_start(&t, &(struct dialog_how){.window = UINT16_MAX, .scale = BIG_SCALE,
                                          .time = true, .our_iss = UINT32_MAX - 1000});
    assert_int_equal(pool_create_config(&config, &headers), RT_OK);
    t.conn->mss = t.conn->pmtu.mss_full = BIG_SEGMENT;
    t.s.net->ifs[0].config.mtu_bytes = 9000;
    t.s.net->ifs[0].config.tx_l4_checksum = true;
    t.s.net->ifs[0].config.send = big_send;
    buf_pin_init(&big.pin, big_release);
    b = buf_ext_take(headers, &big.pin, big.bytes, BIG_BYTES);
    assert_non_null(b);
    assert_true(tcp_try_send(t.conn, &b, 0));
    buf_pin_put(&big.pin);
    dialog_wait_us(&t, 0);
    for (uint32_t i = 0; i < 20000 && big.released == 0; i++) {
        t.s.now_us += 10;
        dialog_ack(&t, (uint32_t)(1 + big.sent), UINT16_MAX, NULL); /* of a turn's segments */
    }
    assert_int_equal(big.sent, BIG_BYTES);
    assert_int_equal(big.released, 1);
    assert_int_equal(headers->free, headers->total);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    assert_int_equal(dialog_counters(&t)->tcp_retrans_segs, 0);
    assert_int_equal(munmap((void *)(uintptr_t)big.bytes, BIG_BYTES), 0);
    dialog_stop(&t);
}

/* ---- between two stacks ---- */

enum { PORT = 7, FILES = 12, FILE_BYTES_MAX = 40000, LINE_BYTES = 40 };

/* The server sends them, one behind the other, each behind a line of its own. */
struct file {
    struct buf_pin pin;
    uint8_t *bytes; /* of malloc(): freed when it is released */
    uint32_t count, released;
};

static struct transfer {
    struct pair pair;
    struct pool *headers;
    struct file files[FILES];
    uint32_t given; /* files */
    uint64_t given_bytes, received;
    struct tcp_conn *conn;
    bool closed;
    enum tcp_reason reason;
} x;

static uint8_t stream_byte(uint64_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void file_release(struct buf_pin *pin)
{
    struct file *f = RT_CONTAINER_OF(pin, struct file, pin);

    f->released++;
    free(f->bytes);
}

static void fill(uint8_t *to, uint64_t at, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        to[i] = stream_byte(at + i);
}

static void drop(struct buf *chain)
{
    struct buf *next;

    for (struct buf *b = chain; b != NULL; b = next) {
        next = b->next;
        b->next = NULL;
        if (*b->owner == BUF_EXT)
            buf_let_go((struct buf_ref){b, b->owner});
        else
            buf_free(b);
    }
}

/* A line in a buffer of ours, unless there is none or a file has none; then the file, in one
 * piece or in two. */
static struct buf *make_chain(struct file *f)
{
    struct buf *line = pair_random(&x.pair, 4) != 0 ? pool_take(pair_pool(&x.pair, 1)) : NULL;
    const uint32_t line_bytes = line != NULL ? LINE_BYTES : 0;
    const uint32_t first = 1 + pair_random(&x.pair, f->count);
    struct buf *b = buf_ext_take(x.headers, &f->pin, f->bytes, first);

    fill(f->bytes, x.given_bytes + line_bytes, f->count);
    if (b != NULL && first != f->count)
        b->next = buf_ext_take(x.headers, &f->pin, f->bytes + first, f->count - first);
    if (b == NULL || (first != f->count && b->next == NULL)) {
        drop(b);
        buf_free(line);
        return NULL;
    }
    if (line == NULL)
        return b;
    fill(buf_data(line), x.given_bytes, line_bytes);
    line->data_len = (uint16_t)line_bytes;
    line->next = b;
    return line;
}

static void give_files(struct tcp_conn *conn)
{
    while (x.given < FILES) {
        struct file *f = &x.files[x.given];
        struct buf *chain;
        uint32_t bytes = 0;

        if (f->bytes == NULL) {
            f->count = 1 + pair_random(&x.pair, FILE_BYTES_MAX);
            f->bytes = malloc(f->count);
            assert_non_null(f->bytes);
            buf_pin_init(&f->pin, file_release);
        }
        chain = make_chain(f);
        for (const struct buf *b = chain; b != NULL; b = b->next)
            bytes += buf_bytes(b);
        if (chain == NULL || !tcp_try_send(conn, &chain, 0)) {
            drop(chain);
            return;
        }
        buf_pin_put(&f->pin);
        x.given_bytes += bytes;
        x.given++;
    }
    tcp_shutdown(conn);
}

static void on_accepted(struct tcp_conn *conn)
{
    x.conn = conn;
    give_files(conn);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    for (const struct buf *b = chain_owned; b != NULL; b = b->next)
        for (uint32_t i = 0; i < b->data_len; i++, x.received++)
            if (buf_data(b)[i] != stream_byte(x.received))
                fail_msg("byte %llu", (unsigned long long)x.received);
    tcp_give_back(pair_net(&x.pair, 0), chain_owned);
}

static void on_server_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    tcp_give_back(pair_net(&x.pair, 1), chain_owned);
}

static void on_ended(struct tcp_conn *conn)
{
    tcp_close(conn);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    x.closed = true;
    x.reason = reason;
}

static void on_server_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    x.conn = NULL;
}

static const struct tcp_ops client_ops = {
    .received = on_received, .ended = on_ended, .closed = on_closed};
static const struct tcp_ops server_ops = {.accepted = on_accepted,
                                          .received = on_server_received,
                                          .ended = on_ended,
                                          .room = give_files,
                                          .closed = on_server_closed};

static bool is_over(void *ctx)
{
    if (x.conn != NULL && x.given < FILES)
        give_files(x.conn); /* a take may have failed before */
    return x.closed && x.conn == NULL;
}

static void begin(struct wire_rules rules, uint32_t headers, uint64_t seed)
{
    const struct tcp_config config = {.conns = 8, .rx_window = POOL_HOSTILE ? 32768 : 0,
                                      .tx_room = 30000};
    const struct pool_config names = {.name = "headers", .cores = 1, .count = headers};
    const struct tcp_listen listen = {.port = PORT, .backlog = 4, .ops = &server_ops};
    const struct ip_addr server = pair_addr(1);
    struct tcp_listener *listener;
    struct tcp_conn *conn;

    memset(&x, 0, sizeof(x));
    pair_start(&x.pair, 1024, &config, rules, seed);
    assert_int_equal(pool_create_config(&names, &x.headers), RT_OK);
    assert_int_equal(tcp_listen(pair_net(&x.pair, 1), &listen, &listener), RT_OK);
    assert_int_equal(tcp_connect(pair_net(&x.pair, 0), &server, PORT, &client_ops, NULL, &conn),
                     RT_OK);
}

/* Each file that was given was released once; those that were not are the application's. */
static void check_released(void)
{
    assert_int_equal(x.headers->free, x.headers->total);
    for (uint32_t i = 0; i < FILES; i++) {
        assert_int_equal(x.files[i].released, i < x.given);
        if (i >= x.given)
            free(x.files[i].bytes);
    }
}

static void run_files(struct wire_rules rules, uint32_t headers, uint64_t seed)
{
    begin(rules, headers, seed);
    if (!pair_run(&x.pair, UINT64_C(2000000000), is_over, NULL))
        fail_msg("seed %llu: %llu of %llu bytes came", (unsigned long long)seed,
                 (unsigned long long)x.received, (unsigned long long)x.given_bytes);
    assert_int_equal(x.reason, TCP_DONE);
    assert_int_equal(x.received, x.given_bytes);
    assert_int_equal(x.given, FILES);
    pair_run(&x.pair, 400000000, NULL, NULL); /* the card has nothing any more */
    check_released();
    pair_stop(&x.pair);
}

static void run_clean(void **state)
{
    run_files((struct wire_rules){.delay_us = 50, .cards = true}, 200, 1);
    run_files((struct wire_rules){.delay_us = 50000, .hold_us = 300000}, 200, 2);
    run_files((struct wire_rules){.delay_us = 50, .hold_us = 200}, 3, 3); /* copies */
    if (!POOL_HOSTILE)
        assert_int_not_equal(x.given, 0);
}

static void run_faults(void **state)
{
    for (uint32_t seed = first_seed; seed < first_seed + seeds; seed++)
        run_files((struct wire_rules){.loss = 50, .repeat = 20, .reorder = 50, .delay_us = 1000,
                                      .hold_us = seed % 3 * 3000, .cards = seed % 2 != 0},
                  seed % 5 == 0 ? 4 : 100, seed);
}

/* The client breaks it off at some moment: whatever was given is released all the same. */
static void run_broken_off(void **state)
{
    for (uint32_t seed = first_seed; seed < first_seed + seeds; seed++) {
        begin((struct wire_rules){.loss = 50, .delay_us = 1000, .hold_us = seed % 3 * 30000}, 100,
              seed);
        pair_run(&x.pair, 1 + pair_random(&x.pair, 60000), NULL, NULL);
        if (x.conn != NULL)
            tcp_abort(x.conn);
        pair_run(&x.pair, 400000000, NULL, NULL);
        check_released();
        pair_stop(&x.pair);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_gibibyte),
        cmocka_unit_test(run_clean),
        cmocka_unit_test(run_faults),
        cmocka_unit_test(run_broken_off),
    };

    if (argc > 1)
        seeds = (uint32_t)atoi(argv[1]);
    if (argc > 2)
        first_seed = (uint32_t)atoi(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
