/* SPDX-License-Identifier: BSD-2-Clause */
/* A bad line's data path: from the port below through a wire into the rings, and back. */
#include "link/link_port.h"


#define NS_IN_US 1000u
#define BATCH 32u

static uint64_t now_ns(void)
{
    return hal_now_us() * NS_IN_US;
}

/* ---- in ---- */

/* All segments of a frame of the port below, one behind the other. */
static uint32_t flatten(const struct buf *frame, uint8_t box[SOFT_BOX_BYTES])
{
    const struct buf *s = frame;
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < frame->segments; i++, s = s->next) {
        RT_ASSERT_LE(bytes + s->data_len, (uint32_t)SOFT_BOX_BYTES);
        __builtin_memcpy(box + bytes, buf_data(s), s->data_len);
        bytes += s->data_len;
    }
    return bytes;
}

static void take_from_below(struct link_port *link, uint32_t max)
{
    struct buf_batch batch = {.count = 0};

    (void)nic_rx(link->below->rxq[0], &batch, RT_MIN(max, (uint32_t)BUF_BATCH_MAX));
    for (uint32_t i = 0; i < batch.count; i++) {
        uint32_t bytes = flatten(batch.buf[i], link->box);

        wire_put(&link->in, link->box, bytes, now_ns());
    }
    buf_batch_free(&batch);
}

/* What is due, as far as there are descriptors; the rest stays on the wire. */
static void deliver(struct link_port *link, struct soft_rxq *q)
{
    const uint64_t now = now_ns();

    for (uint32_t i = 0; i < q->ring.descs; i++) {
        uint32_t bytes = 0;
        const uint8_t *frame = wire_first(&link->in, now, &bytes);

        if (frame == NULL || !soft_rx_deliver(q, frame, bytes))
            return;
        wire_drop_first(&link->in);
    }
}

/* ---- out ---- */

static void take_sent(struct link_port *link, struct soft_txq *q)
{
    for (uint32_t i = 0; i < q->ring.descs; i++) {
        uint32_t bytes = soft_tx_fetch(q, link->box);

        if (bytes == 0)
            return;
        wire_put(&link->out, link->box, bytes, now_ns());
    }
}

/* A frame in buffers for the port below; NULL: the pool has not as many now. */
static struct buf *frame_of(struct pool *pool, const uint8_t *bytes, uint32_t count)
{
    struct buf *first = NULL, **end = &first;
    uint8_t segments = 0;

    for (uint32_t done = 0; done < count; segments++) {
        const uint32_t part = RT_MIN(count - done, (uint32_t)BUF_ROOM_BYTES);
        struct buf *b = pool_take(pool);

        if (b == NULL) {
            buf_free(first);
            return NULL;
        }
        __builtin_memcpy(buf_data(b), bytes + done, part);
        b->data_len = (uint16_t)part;
        done += part;
        *end = b;
        end = &b->next;
    }
    RT_ASSERT(first != NULL); /* no frame is empty */
    first->segments = segments;
    first->pkt_len = count;
    return first;
}

static void fill_waiting(struct link_port *link)
{
    const uint64_t now = now_ns();

    while (link->waiting.count < BATCH) {
        uint32_t bytes = 0;
        const uint8_t *frame = wire_first(&link->out, now, &bytes);
        struct buf *b = frame != NULL ? frame_of(link->out_pool, frame, bytes) : NULL;

        if (b == NULL)
            return;
        wire_drop_first(&link->out);
        link->waiting.buf[link->waiting.count++] = b;
    }
}

/* What is due to the port below, until it takes no more. */
static void send_below(struct link_port *link)
{
    struct nic_txq *below = link->below->txq[0];

    for (uint32_t i = 0; i <= link->out.limit; i++) {
        fill_waiting(link);
        if (link->waiting.count == 0)
            break;
        nic_tx(below, &link->waiting);
        if (link->waiting.count != 0)
            break;
    }
    (void)nic_tx_reclaim(below);
}

/* ---- data path ---- */

static void move_out(struct nic *nic)
{
    struct link_port *link = link_of(nic);

    (void)pool_collect(link->out_pool);
    take_sent(link, soft_txq_of(nic->txq[0]));
    send_below(link);
}

static uint32_t link_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    struct link_port *link = link_of(rxq->nic);

    move_out(rxq->nic); /* nobody else may come by when its frames are due */
    (void)pool_collect(link->in_pool);
    take_from_below(link, max);
    deliver(link, soft_rxq_of(rxq));
    return soft_rx(rxq, out, max);
}

static void link_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    soft_tx(txq, batch);
    move_out(txq->nic);
}

static uint32_t link_tx_reclaim(struct nic_txq *txq)
{
    move_out(txq->nic);
    return soft_tx_reclaim(txq);
}

static bool is_idle(const struct link_port *link)
{
    return link->in.count == 0 && link->out.count == 0 && link->waiting.count == 0;
}

static bool link_rx_arm(struct nic_rxq *rxq)
{
    const struct link_port *link = link_of(rxq->nic);

    if (!is_idle(link) || nic_rx_pending(nic_rx_ring_of(rxq)))
        return true;
    return nic_rx_arm(link->below->rxq[0]);
}

static void link_rx_disarm(struct nic_rxq *rxq)
{
    nic_rx_disarm(link_of(rxq->nic)->below->rxq[0]);
}

void link_rxq_run(struct nic_rxq *rxq)
{
    rxq->rx = link_rx;
    rxq->arm = link_rx_arm;
    rxq->disarm = link_rx_disarm;
}

void link_txq_run(struct nic_txq *txq)
{
    txq->tx = link_tx;
    txq->reclaim = link_tx_reclaim;
}
