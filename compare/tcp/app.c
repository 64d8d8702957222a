/* SPDX-License-Identifier: BSD-2-Clause */
/* The applications of the benchmark: they number what they send and look at what they get. */
#include "bench.h"

#include <mempool/take.h>
#include <rt/assert.h>
#include <string.h>

static uint64_t number_of(const struct buf *b)
{
    uint64_t number;

    memcpy(&number, buf_data(b), sizeof(number));
    return number;
}

/* All 64 bytes are written, as an answer's are. */
static struct buf *message(struct bench_side *side, uint64_t number)
{
    struct buf *b = pool_take_inline(side->tx);
    uint64_t words[BENCH_MESSAGE_BYTES / sizeof(uint64_t)] = {number, ~number};

    if (b == NULL)
        return NULL;
    b->data_len = BENCH_MESSAGE_BYTES;
    b->pkt_len = BENCH_MESSAGE_BYTES;
    memcpy(buf_data(b), words, sizeof(words));
    return b;
}

static void send(struct bench_side *side, struct tcp_conn *conn, struct buf *b)
{
    if (b != NULL && tcp_try_send(conn, &b, 0))
        return;
    side->bench->bad++;
    if (b != NULL)
        buf_free(b);
}

/* ---- requests of 64 bytes and answers, one at a time on each connection ---- */

void app_request(struct bench *bench, uint32_t number)
{
    struct bench_request *request = &bench->requests[number];

    request->bench = bench;
    tcp_set_ctx(bench->conns[number], request);
    send(&bench->client, bench->conns[number], message(&bench->client, ++request->number));
}

static void client_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct bench_request *request = tcp_ctx(conn);
    struct bench *bench = request->bench;

    if (bytes != BENCH_MESSAGE_BYTES || number_of(chain_owned) != request->number)
        bench->bad++;
    tcp_give_back(bench->client.net, chain_owned);
    bench->done++;
    if (!bench->stopping)
        send(&bench->client, conn, message(&bench->client, ++request->number));
}

static void server_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct bench_side *side = tcp_ctx(conn);
    const uint64_t number = number_of(chain_owned);

    if (bytes != BENCH_MESSAGE_BYTES)
        side->bench->bad++;
    tcp_give_back(side->net, chain_owned);
    send(side, conn, message(side, number));
}

static void connected(struct tcp_conn *conn)
{
    struct bench *bench = tcp_ctx(conn);

    tcp_set_nodelay(conn, true);
    bench->opened++;
}

static void accepted(struct tcp_conn *conn)
{
    tcp_set_nodelay(conn, true);
}

const struct tcp_ops app_client = {.connected = connected, .received = client_received};
const struct tcp_ops app_server = {.accepted = accepted, .received = server_received};

/* ---- one way, whole segments ---- */

void app_fill(struct bench *bench)
{
    struct tcp_conn *conn = bench->conns[0];

    for (uint32_t room = tcp_room(conn); room >= BENCH_SEGMENT_BYTES && !bench->stopping;
         room = tcp_room(conn)) {
        struct buf *b = pool_take_inline(bench->client.tx);

        if (b == NULL)
            return;
        b->data_len = BENCH_SEGMENT_BYTES;
        b->pkt_len = BENCH_SEGMENT_BYTES;
        memcpy(buf_data(b), &bench->sent_number, sizeof(bench->sent_number));
        bench->sent_number++;
        send(&bench->client, conn, b);
    }
}

static void bulk_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct bench *bench = ((struct bench_side *)tcp_ctx(conn))->bench;
    uint32_t seen = 0;

    for (const struct buf *b = chain_owned; b != NULL; b = b->next) {
        if (b->data_len != BENCH_SEGMENT_BYTES || number_of(b) != bench->next_number++)
            bench->bad++;
        seen += b->data_len;
        bench->done++;
    }
    if (seen != bytes)
        bench->bad++;
    tcp_give_back(bench->server.net, chain_owned);
}

static void nothing_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct bench *bench = ((struct bench_side *)tcp_ctx(conn))->bench;

    bench->bad++;
    tcp_give_back(bench->server.net, chain_owned);
}

static void client_nothing(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct bench *bench = tcp_ctx(conn);

    bench->bad++;
    tcp_give_back(bench->client.net, chain_owned);
}

const struct tcp_ops app_bulk_client = {.connected = connected, .received = client_nothing};
const struct tcp_ops app_bulk_server = {.received = bulk_received};

/* ---- opened and closed, nothing else ---- */

static void churn_connected(struct tcp_conn *conn)
{
    ((struct bench *)tcp_ctx(conn))->opened++;
    tcp_close(conn);
}

static void churn_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct bench *bench = tcp_ctx(conn);

    if (reason != TCP_DONE)
        bench->bad++;
    bench->done++;
}

static void churn_server_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct bench *bench = ((struct bench_side *)tcp_ctx(conn))->bench;

    if (reason != TCP_DONE)
        bench->bad++;
    bench->closed++;
}

const struct tcp_ops app_churn_client = {.connected = churn_connected,
                                         .received = client_nothing, .closed = churn_closed};
const struct tcp_ops app_churn_server = {.received = nothing_received,
                                         .closed = churn_server_closed};
