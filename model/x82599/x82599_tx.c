/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmit rings (82599 datasheet 7.2): fetch, gather a frame, hand it on, write back. */
#include "x82599_base.h"
#include "x82599_frame.h"
#include "x82599_irq.h"
#include "x82599_late.h"

#include <string.h>

#define FRAME_SHORTEST 17u /* 7.2.1.1: shorter ones hang a real chip */

struct tx_ring {
    uint64_t base;
    uint32_t descs, head, tail;
};

static bool ring_of(struct x82599 *dev, unsigned queue, struct tx_ring *ring)
{
    uint32_t base = R_TXQ(queue);

    RT_ASSERT_LT(queue, X82599_QUEUES);
    if (dev->removed || dev->halted || dev->txq[queue].stuck ||
        (x82599_get(dev, base + Q_CTL) & QCTL_ENABLE) == 0 ||
        (x82599_get(dev, R_DMATXCTL) & DMATXCTL_TE) == 0)
        return false;
    ring->tail = __atomic_load_n(dev->reg + (base + Q_TAIL) / 4, __ATOMIC_ACQUIRE);
    ring->head = x82599_get(dev, base + Q_HEAD);
    if (ring->head == ring->tail)
        return false;
    ring->descs = (x82599_get(dev, base + Q_LEN) & QLEN_MASK) / DESC_BYTES;
    ring->base = (uint64_t)x82599_get(dev, base + Q_BAH) << 32 |
                 (x82599_get(dev, base + Q_BAL) & ~127u);
    if (ring->head >= ring->descs || ring->tail >= ring->descs) {
        dev->count.bad_tails++;
        return false;
    }
    return true;
}

static void context(struct x82599 *dev, struct tx_queue *txq, const struct x82599_desc *desc)
{
    uint32_t mss_l4 = (uint32_t)(desc->w[1] >> 32);

    RT_ASSERT_EQ(FIELD_GET(TXD_DTYP, (uint32_t)desc->w[1]), (uint32_t)TXD_DTYP_CONTEXT);
    txq->context[(mss_l4 & TXD_IDX) != 0] =
        (struct tx_context){(uint32_t)desc->w[0], (uint32_t)desc->w[1], mss_l4};
    dev->count.tx_contexts++;
}

/* A frame that lies in one buffer and wants nothing done to it is not copied. */
static bool plain(const struct x82599 *dev, const struct tx_queue *txq, uint32_t command,
                  uint32_t olinfo, uint32_t bytes)
{
    uint32_t work = (command & TXD_DEXT) != 0 ? TXD_VLE | TXD_TSE : TXD_VLE | TXD_LEGACY_IC;

    return !txq->gathering && (command & TXD_EOP) != 0 && (command & work) == 0 &&
           ((command & TXD_DEXT) == 0 || ((olinfo & (TXD_IXSM | TXD_TXSM)) == 0 &&
                                          FIELD_GET(TXD_PAYLEN, olinfo) == bytes)) &&
           bytes >= FRAME_SHORTEST && bytes <= X82599_FRAME_MAX &&
           (bytes >= 60 || (x82599_get(dev, R_HLREG0) & HLREG0_TXPADEN) == 0);
}

static void gather(struct x82599 *dev, struct tx_queue *txq, const uint8_t *data,
                   uint32_t bytes)
{
    RT_ASSERT_LE(txq->bytes, TX_FRAME_BYTES);
    if (data == NULL || bytes == 0 || bytes > TX_FRAME_BYTES - txq->bytes ||
        ++txq->buffers > TX_BUFFERS_MAX) {
        txq->bad = true;
        return;
    }
    memcpy(txq->frame + txq->bytes, data, bytes);
    txq->bytes += bytes;
}

static void data(struct x82599 *dev, unsigned queue, const struct x82599_desc *desc)
{
    struct tx_queue *txq = &dev->txq[queue];
    uint32_t command = (uint32_t)desc->w[1], olinfo = (uint32_t)(desc->w[1] >> 32);
    uint32_t bytes = FIELD_GET(TXD_LENGTH, command);
    const uint8_t *p = bytes > 0 ? x82599_dma(dev, desc->w[0], bytes, false) : NULL;

    RT_ASSERT_LT(queue, X82599_QUEUES);
    if (p != NULL && plain(dev, txq, command, olinfo, bytes)) {
        x82599_emit(dev, queue, p, bytes);
        return;
    }
    if (!txq->gathering) { /* 7.2.3.2.4: POPTS, PAYLEN and DCMD count here only */
        txq->gathering = true;
        txq->bad = false;
        txq->command = command;
        txq->olinfo = olinfo;
        txq->bytes = txq->buffers = 0;
    }
    gather(dev, txq, p, bytes);
    if ((command & TXD_EOP) == 0)
        return;
    txq->gathering = false;
    if (txq->bad || txq->bytes < FRAME_SHORTEST)
        dev->count.bad_descs++;
    else
        x82599_offload(dev, queue);
}

static void done(struct x82599 *dev, unsigned queue, uint64_t at, struct x82599_desc *desc)
{
    bool advanced = ((uint32_t)desc->w[1] & TXD_DEXT) != 0;
    struct late late = {.phys = at, .queue = (uint16_t)(QUEUES_ALL + queue), .cause = true};

    RT_ASSERT_LT(queue, X82599_QUEUES);
    late.desc = *desc;
    if (advanced) /* 7.2.3.2.5: nothing of the descriptor but its status survives */
        late.desc.w[1] = (uint64_t)TXD_DD << 32;
    else
        late.desc.w[1] |= (uint64_t)TXD_DD << 32;
    if (x82599_late(dev, &late))
        return;
    __atomic_store_n(&desc->w[1], late.desc.w[1], __ATOMIC_RELEASE);
    x82599_wrote(dev, desc, sizeof(*desc));
    x82599_cause_queue(dev, queue, true);
}

/* 7.2.3.5.2: the head is written instead of the descriptors. */
static void head_write_back(struct x82599 *dev, unsigned queue, uint32_t head)
{
    uint64_t at = (uint64_t)x82599_get(dev, R_TXQ(queue) + TXQ_WBAH) << 32 |
                  (x82599_get(dev, R_TXQ(queue) + TXQ_WBAL) & ~3u);
    uint32_t *p = x82599_dma(dev, at, sizeof(*p), true);

    RT_ASSERT_LT(queue, X82599_QUEUES);
    if (p != NULL)
        __atomic_store_n(p, head, __ATOMIC_RELEASE);
    x82599_cause_queue(dev, queue, true);
}

/* True: the descriptor asked for a report and heads are reported. */
static bool run_one(struct x82599 *dev, unsigned queue, uint64_t at, struct x82599_desc *desc)
{
    struct x82599_desc copy;
    uint32_t command;
    bool by_head = (x82599_get(dev, R_TXQ(queue) + TXQ_WBAL) & WBAL_ENABLE) != 0;

    copy.w[0] = __atomic_load_n(&desc->w[0], __ATOMIC_RELAXED); /* fetched once: a guest may */
    copy.w[1] = __atomic_load_n(&desc->w[1], __ATOMIC_RELAXED); /* write at the same time */
    command = (uint32_t)copy.w[1];
    dev->count.tx_descs++;
    if ((command & TXD_DEXT) != 0 && FIELD_GET(TXD_DTYP, command) == TXD_DTYP_CONTEXT)
        context(dev, &dev->txq[queue], &copy);
    else if ((command & TXD_DEXT) != 0 && FIELD_GET(TXD_DTYP, command) != TXD_DTYP_DATA)
        dev->count.bad_descs++;
    else
        data(dev, queue, &copy);
    if ((command & TXD_RS) == 0)
        return false;
    if (by_head)
        return true;
    done(dev, queue, at, desc);
    return false;
}

unsigned x82599_tx_run(struct x82599 *dev, unsigned queue)
{
    uint64_t frames_before = dev->count.tx_frames;
    struct tx_ring ring;
    bool report = false;

    if (queue >= X82599_QUEUES || !ring_of(dev, queue, &ring))
        return 0;
    while (ring.head != ring.tail) { /* both below descs */
        uint64_t at = ring.base + sizeof(struct x82599_desc) * (uint64_t)ring.head;
        struct x82599_desc *desc = x82599_dma(dev, at, sizeof(*desc), true);

        if (desc == NULL)
            break;
        if (x82599_fault_hits(dev, X82599_FAULT_STUCK_TX)) {
            dev->txq[queue].stuck = true;
            break;
        }
        report |= run_one(dev, queue, at, desc);
        ring.head = ring.head + 1 == ring.descs ? 0 : ring.head + 1;
        x82599_put(dev, R_TXQ(queue) + Q_HEAD, ring.head);
    }
    if (report)
        head_write_back(dev, queue, ring.head);
    x82599_irq_deliver(dev);
    return (unsigned)(dev->count.tx_frames - frames_before);
}
