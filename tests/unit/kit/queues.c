/* SPDX-License-Identifier: BSD-2-Clause */
#include "queues.h"

#include <string.h>

enum { FRAME_BYTES = 60, TRIES = 1000 };

struct buf *take_surely(struct pool *pool)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < TRIES && b == NULL; i++)
        b = pool_take(pool);
    assert_non_null(b);
    return b;
}

static struct fake_rxq *rxq_of(struct nic_rxq *q)
{
    return RT_CONTAINER_OF(q, struct fake_rxq, head);
}

static struct fake_txq *txq_of(struct nic_txq *q)
{
    return RT_CONTAINER_OF(q, struct fake_txq, head);
}

static uint32_t receive(struct nic_rxq *q, struct buf_batch *out, uint32_t max)
{
    struct fake_rxq *rxq = rxq_of(q);
    uint32_t n;

    for (n = 0; n < max && rxq->waiting > 0; n++, rxq->waiting--) {
        struct buf *b = take_surely(q->pool);

        b->user = rxq->next++;
        b->data_len = FRAME_BYTES;
        b->pkt_len = FRAME_BYTES;
        memset(buf_data(b), 0x11, 6);
        memset(buf_data(b) + 6, 0x22, FRAME_BYTES - 6);
        out->buf[out->count++] = b;
    }
    return n;
}

static bool arm(struct nic_rxq *q)
{
    rxq_of(q)->armed = true;
    return rxq_of(q)->arm_pending;
}

static void disarm(struct nic_rxq *q)
{
    rxq_of(q)->armed = false;
}

static void send(struct nic_txq *q, struct buf_batch *batch)
{
    struct fake_txq *txq = txq_of(q);
    uint32_t n = RT_MIN(batch->count, txq->room);

    txq->calls++;
    for (uint32_t i = 0; i < n; i++) {
        struct buf *b = batch->buf[i];

        txq->in_order &= txq->number_of(b) == txq->next;
        txq->next = txq->number_of(b) + 1;
        memcpy(txq->last, buf_data(b), sizeof(txq->last));
        buf_free(b);
    }
    for (uint32_t i = n; i < batch->count; i++)
        batch->buf[i - n] = batch->buf[i];
    batch->count -= n;
    txq->room -= n;
    txq->sent += n;
}

static uint32_t reclaim(struct nic_txq *q)
{
    struct fake_txq *txq = txq_of(q);

    txq->reclaims++;
    txq->room += txq->room_after;
    return txq->room_after;
}

static uint64_t user_of(const struct buf *b)
{
    return b->user;
}

void fake_rxq_init(struct fake_rxq *q, struct pool *pool)
{
    *q = (struct fake_rxq){
        .head = {.rx = receive, .arm = arm, .disarm = disarm, .pool = pool}};
}

void fake_txq_init(struct fake_txq *q)
{
    *q = (struct fake_txq){.head = {.tx = send, .reclaim = reclaim}, .room = UINT32_MAX / 2,
                           .in_order = true, .number_of = user_of};
}
