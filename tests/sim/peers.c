/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <mempool/ext.h>
#include <mempool/pool.h>
#include <string.h>

enum { PART_BYTES_MAX = 2000, GIVE_UP_US = 200000000, AGAIN_US = 300000, LONG_TIMES = 12 };

static uint8_t byte_at(const struct peer *sender, uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + sender->number * 101 + sender->sim->seed);
}

/* ---- what the stack says ---- */

static void give_back_due(struct peer *p, bool all)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->chain_count; i++) {
        if (!all && p->chains[i].due_us > p->sim->now_us) {
            p->chains[kept++] = p->chains[i];
            continue;
        }
        for (const struct buf *b = p->chains[i].chain; b != NULL; b = b->next)
            p->held_true_bytes -= b->pool->stride_bytes;
        tcp_give_back(p->side->net, p->chains[i].chain);
    }
    p->chain_count = kept;
}

static void on_connected(struct tcp_conn *conn)
{
    struct peer *p = tcp_ctx(conn);

    p->open = true;
    if (p->nodelay)
        tcp_set_nodelay(conn, true);
}

/* The server of the client that has its port. */
static void on_accepted(struct tcp_conn *conn)
{
    struct sim *sim = tcp_ctx(conn);
    struct ip_addr addr;
    uint16_t port, client_port;

    tcp_peer(conn, &addr, &port);
    for (uint32_t i = 0; i < sim->pair_count; i++) {
        struct peer *client = &sim->peers[2 * i], *server = client + 1;

        if (client->conn == NULL)
            continue;
        tcp_local(client->conn, &addr, &client_port);
        if (client_port != port)
            continue;
        if (server->closed && net_counters(server->side->net)->tcp_cookies_good != 0)
            break; /* its third step came again, and the cookie in it is still good */
        if (server->conn != NULL || server->closed)
            sim_fail(sim, "connection %u was accepted twice", i);
        server->conn = conn;
        tcp_set_ctx(conn, server);
        on_connected(conn);
        return;
    }
    tcp_abort(conn); /* or its client has given up meanwhile */
    tcp_set_ctx(conn, NULL);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct peer *p = tcp_ctx(conn);
    uint32_t seen = 0;

    RT_ASSERT(p != NULL);
    for (const struct buf *b = chain_owned; b != NULL; b = b->next) {
        for (uint32_t i = 0; i < b->data_len; i++, seen++)
            if (buf_data(b)[i] != byte_at(p->other, p->received + seen))
                sim_fail(p->sim, "peer %u: byte %u is not what was sent", p->number,
                         p->received + seen);
        p->held_true_bytes += b->pool->stride_bytes;
    }
    if (seen != bytes || p->received + bytes > p->other->sent)
        sim_fail(p->sim, "peer %u got %u bytes in %u, of %u that were sent", p->number,
                 p->received + bytes, seen, p->other->sent);
    p->received += bytes;
    RT_ASSERT_LT(p->chain_count, (uint32_t)RT_ARRAY_SIZE(p->chains));
    p->chains[p->chain_count++] = (struct peer_chain){
        p->sim->now_us + (p->hold_us != 0 ? sim_random(p->sim, p->hold_us) : 0), chain_owned};
    sim_trace(p->sim, (uint64_t)p->number << 32 | p->received);
}

static void on_ended(struct tcp_conn *conn)
{
    struct peer *p = tcp_ctx(conn);

    if (p->ended)
        sim_fail(p->sim, "peer %u was told twice that the other ended", p->number);
    p->ended = true;
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct peer *p = tcp_ctx(conn);

    if (p == NULL)
        return;
    if (p->closed)
        sim_fail(p->sim, "peer %u was told twice that it is over", p->number);
    p->closed = true;
    p->reason = reason;
    p->conn = NULL;
    sim_trace(p->sim, (uint64_t)p->number << 32 | (uint64_t)reason);
}

static const struct tcp_ops ops = {
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .ended = on_ended,
    .closed = on_closed,
};

/* ---- what they do ---- */

static void choose(struct sim *sim, struct peer *p, uint32_t number)
{
    static const uint32_t most[] = {0, 10, 3000, 20000};

    *p = (struct peer){.sim = sim, .number = number, .side = &sim->sides[number % 2],
                       .begin_us = UINT64_MAX};
    p->other = &sim->peers[number ^ 1];
    p->to_send = sim_random(sim, 1 + most[sim_random(sim, 4)]);
    if (sim->seed % 11 == 5)
        p->to_send *= LONG_TIMES;
    p->part_bytes = 1 + sim_random(sim, PART_BYTES_MAX);
    p->hold_us = sim_random(sim, 2) != 0 ? sim_random(sim, 3000000) : 0;
    p->nodelay = sim_random(sim, 3) == 0;
    p->next_send_us = sim->now_us + sim_random(sim, 100000);
    p->plan = sim_random(sim, 4) != 0 ? PLAN_SHUTDOWN : (enum peer_plan)sim_random(sim, PLANS);
    p->plan_us = sim->now_us + sim_random(sim, 4000000);
}

/* Connects, or tries again later: an address of IPv6 must be asked for first, and the link may be
 * down just then. */
static void begin(struct peer *p)
{
    const struct ip_addr server = side_addr(p->sim, 1);

    if (tcp_connect(p->side->net, &server, SIM_PORT, &ops, p, &p->conn) == RT_OK)
        p->begin_us = UINT64_MAX;
    else if (p->sim->v6)
        p->begin_us = p->sim->now_us + AGAIN_US;
    else
        sim_fail(p->sim, "cannot connect");
}

void peers_start(struct sim *sim)
{
    struct tcp_listen listen = {.port = SIM_PORT, .backlog = 1 + sim_random(sim, 4),
                                .ops = &ops, .ctx = sim};
    struct tcp_listener *listener;

    values_start(sim);
    sim->pair_count = 1 + sim_random(sim, SIM_PAIRS_MAX);
    for (uint32_t i = 0; i < 2 * sim->pair_count; i++)
        choose(sim, &sim->peers[i], i);
    if (sim->seed % 3 == 1)
        listen.backlog = 1; /* cookies, as soon as two come at once */
    if (tcp_listen(sim->sides[1].net, &listen, &listener) != RT_OK)
        sim_fail(sim, "cannot listen");
    for (uint32_t i = 0; i < sim->pair_count; i++)
        begin(&sim->peers[2 * i]);
}

/* Some of what is to be sent, or all, from where it lies; false: no room, no header. */
static bool send_value(struct peer *p)
{
    const uint32_t bytes = 1 + sim_random(p->sim, p->to_send - p->sent);
    uint8_t *to;
    struct buf *b = value_take(p->sim, p->side->number, bytes, &to);

    if (b == NULL)
        return false;
    for (uint32_t i = 0; i < bytes; i++)
        to[i] = byte_at(p, p->sent + i);
    if (!tcp_try_send(p->conn, &b, 0)) {
        buf_let_go((struct buf_ref){b, b->owner});
        return false;
    }
    p->sent += bytes;
    return true;
}

/* One buffer of what is to be sent; false: no room, no buffer. */
static bool send_buffer(struct peer *p)
{
    const uint32_t bytes =
        RT_MIN(1 + sim_random(p->sim, p->part_bytes), p->to_send - p->sent);
    struct buf *b = p->side->pool->free > 8 ? pool_take(p->side->pool) : NULL;

    if (b == NULL)
        return false;
    for (uint32_t i = 0; i < bytes; i++)
        buf_data(b)[i] = byte_at(p, p->sent + i);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    if (!tcp_try_send(p->conn, &b, sim_random(p->sim, 8) == 0 ? TCP_MORE : 0)) {
        buf_free(b);
        return false;
    }
    p->sent += bytes;
    return true;
}

static bool send_part(struct peer *p)
{
    if (values_are_sent(p->sim) && sim_random(p->sim, 3) != 0)
        return send_value(p);
    return send_buffer(p);
}

static void send_some(struct peer *p)
{
    uint32_t parts = 1 + sim_random(p->sim, 8);

    while (p->sent < p->to_send && parts-- > 0 && send_part(p))
        ;
    p->next_send_us = p->sim->now_us + 1 + sim_random(p->sim, 50000);
    if (p->sent == p->to_send) {
        p->shut = true;
        tcp_shutdown(p->conn);
    }
}

static void peer_turn(struct peer *p)
{
    const uint64_t now_us = p->sim->now_us;
    const bool late = now_us - p->sim->start_us > GIVE_UP_US;

    give_back_due(p, false);
    if (now_us >= p->begin_us && !late)
        begin(p);
    if (p->conn == NULL || !p->open)
        return;
    if ((p->plan == PLAN_ABORT && now_us >= p->plan_us) || late)
        tcp_abort(p->conn);
    else if (p->plan == PLAN_CLOSE && now_us >= p->plan_us && p->plan_us != 0) {
        p->plan_us = 0;
        p->shut = true;
        tcp_close(p->conn);
    } else if (!p->shut && now_us >= p->next_send_us)
        send_some(p);
    if (p->shut && p->ended && p->conn != NULL)
        tcp_close(p->conn);
}

void peers_turn(struct sim *sim)
{
    for (uint32_t i = 0; i < 2 * sim->pair_count; i++)
        peer_turn(&sim->peers[i]);
}

uint64_t peers_next_us(const struct sim *sim)
{
    uint64_t next_us = UINT64_MAX;

    for (uint32_t i = 0; i < 2 * sim->pair_count; i++) {
        const struct peer *p = &sim->peers[i];

        for (uint32_t j = 0; j < p->chain_count; j++)
            next_us = RT_MIN(next_us, p->chains[j].due_us);
        if (p->begin_us > sim->now_us) /* else it is too late for it */
            next_us = RT_MIN(next_us, p->begin_us);
        if (p->conn == NULL || !p->open)
            continue;
        if (!p->shut)
            next_us = RT_MIN(next_us, p->next_send_us);
        if (p->plan != PLAN_SHUTDOWN && p->plan_us > sim->now_us)
            next_us = RT_MIN(next_us, p->plan_us);
        next_us = RT_MIN(next_us, RT_MAX(sim->now_us + 1, sim->start_us + GIVE_UP_US + 1));
    }
    return next_us;
}

bool peers_done(const struct sim *sim)
{
    for (uint32_t i = 0; i < 2 * sim->pair_count; i++) {
        const struct peer *p = &sim->peers[i];

        if (p->chain_count != 0 || p->conn != NULL)
            return false;
    }
    return true;
}

/* Who was told that all went well got all that the other gave. */
void peers_finish(struct sim *sim)
{
    values_finish(sim);
    for (uint32_t i = 0; i < 2 * sim->pair_count; i++) {
        const struct peer *p = &sim->peers[i];

        if (i % 2 == 0 && !p->closed)
            sim_fail(sim, "peer %u was never told the end", i);
        if (p->open && !p->closed)
            sim_fail(sim, "peer %u was never told the end", i);
        if (!p->closed || p->reason != TCP_DONE)
            continue;
        if (p->received != p->other->sent)
            sim_fail(sim, "peer %u: done, with %u of %u bytes", i, p->received, p->other->sent);
    }
}

void peers_drop(struct sim *sim)
{
    for (uint32_t i = 0; i < 2 * sim->pair_count; i++)
        give_back_due(&sim->peers[i], true);
}
