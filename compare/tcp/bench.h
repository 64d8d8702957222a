/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two stacks of ours in one thread, joined by a link in memory: client and server.
 *
 * The link (link.c) does what two NICs and their drivers do, and nothing else: it takes frames as
 * nic_tx() does, copies their bytes as DMA would, gives them as nic_rx() does. The application
 * (app.c) does as little as one can. Both are in files of their own: rig/measure/callgrind.py books
 * instructions by function, and takes these two off.
 */
#ifndef COMPARE_TCP_BENCH_H
#define COMPARE_TCP_BENCH_H

#include <mempool/pool.h>
#include <tcp/tcp.h>

#define BENCH_BATCH 32u           /* frames that a side receives in a turn */
#define BENCH_MESSAGE_BYTES 64u
#define BENCH_SEGMENT_BYTES 1448u /* of bulk: a whole segment with timestamps */
#define BENCH_PORT_FIRST 7u
#define BENCH_CONNS_A_PORT 16000u /* the client has 16384 ports of its own to each of ours */

/* A descriptor: one segment of a frame. */
struct wire_slot {
    struct buf_ref ref;
    const uint8_t *data;
    uint32_t bytes;
    bool last;
};

/* One way. Free-running numbers of slots: written, copied to the other side, given back. */
struct wire {
    struct wire_slot *slots;
    uint32_t count; /* a power of two */
    uint32_t put, got, clean;
    uint32_t report_every; /* completions come for so many at once */
    uint64_t frames, bytes;
};

struct bench_side {
    struct bench *bench;
    struct net *net;
    struct pool *tx, *rx;
    struct wire *out, *in;
};

/* What is out on a connection of the client. */
struct bench_request {
    struct bench *bench;
    uint64_t number;
};

struct bench {
    struct bench_side client, server;
    struct wire wires[2];
    uint64_t now_ns;
    struct tcp_conn **conns; /* of the client */
    struct bench_request *requests;
    uint64_t done;           /* answers, segments, or connections: what the mode counts */
    uint64_t opened, closed;
    uint64_t sent_number, next_number; /* of bulk */
    uint64_t bad;            /* what an application got and should not have */
    bool stopping;           /* no new requests */
};

/* ---- link.c ---- */
/* For that many buffers of a side at once. */
void link_init(struct wire *wire, uint32_t bufs, uint32_t report_every);
/* net_if_config.send; ctx is the side. */
void link_send(void *ctx, struct buf_batch *frames);
void link_receive(struct bench_side *side, struct buf_batch *batch);
/* Gives back all that was sent. */
void link_close(struct wire *wire);

/* ---- app.c ---- */
extern const struct tcp_ops app_client, app_server, app_bulk_client, app_bulk_server,
    app_churn_client, app_churn_server;
/* One request on connection `number`. */
void app_request(struct bench *bench, uint32_t number);
/* Segments for as much room as there is. */
void app_fill(struct bench *bench);

#endif
