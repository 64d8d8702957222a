/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from the wire into receive rings (82599 datasheet 7.1). */
#include "x82599_base.h"
#include "x82599_frame.h"
#include "x82599_irq.h"
#include "x82599_late.h"

#include <string.h>

#define CRC_BYTES 4u
#define FRAME_MIN 60u
#define FRAME_STANDARD 1514u
#define VLAN_BYTES 4u

/* A ring as its registers say, clamped. */
struct rx_ring {
    uint64_t base;
    uint32_t descs, head, tail, buffer_bytes, srrctl;
    bool advanced;
};

static bool ring_of(const struct x82599 *dev, unsigned queue, struct rx_ring *ring)
{
    uint32_t base = R_RXQ(queue);

    if ((x82599_get(dev, base + Q_CTL) & QCTL_ENABLE) == 0)
        return false;
    ring->descs = (x82599_get(dev, base + Q_LEN) & QLEN_MASK) / DESC_BYTES;
    ring->head = x82599_get(dev, base + Q_HEAD);
    ring->tail = __atomic_load_n(dev->reg + (base + Q_TAIL) / 4, __ATOMIC_ACQUIRE);
    ring->base = (uint64_t)x82599_get(dev, base + Q_BAH) << 32 |
                 (x82599_get(dev, base + Q_BAL) & ~127u);
    ring->srrctl = x82599_get(dev, base + RXQ_SRRCTL);
    ring->buffer_bytes = FIELD_GET(SRRCTL_BSIZE_KIB, ring->srrctl) * 1024;
    ring->advanced = FIELD_GET(SRRCTL_DESCTYPE, ring->srrctl) != 0;
    return ring->descs > 0 && ring->head < ring->descs && ring->tail < ring->descs &&
           ring->buffer_bytes > 0;
}

static uint32_t room(const struct rx_ring *ring)
{
    RT_ASSERT_LT(ring->head, ring->descs);
    RT_ASSERT_LT(ring->tail, ring->descs);
    return ring->tail >= ring->head ? ring->tail - ring->head
                                    : ring->tail + ring->descs - ring->head;
}

static bool receiving(const struct x82599 *dev)
{
    return !dev->removed && !dev->halted && dev->link &&
           (x82599_get(dev, R_RXCTRL) & RXCTRL_RXEN) != 0;
}

bool x82599_rx_room(const struct x82599 *dev)
{
    struct rx_ring ring;

    for (unsigned q = 0; q < X82599_QUEUES; q++)
        if (ring_of(dev, q, &ring) && room(&ring) > 0)
            return receiving(dev);
    return false;
}

/* ---- statistics, 8.2.3.23 ---- */

static unsigned stat_row(const struct x82599 *dev, unsigned queue)
{
    RT_ASSERT_LT(queue, X82599_QUEUES);
    return x82599_get(dev, R_RQSMR(queue / 4)) >> (8 * (queue % 4)) & 15;
}

static void count_wire(struct x82599 *dev, uint32_t bytes)
{
    x82599_count(dev, R_TPR, 1);
    x82599_count_wide(dev, R_TORL, bytes + CRC_BYTES);
}

static void count_good(struct x82599 *dev, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    unsigned row = stat_row(dev, queue);
    bool broadcast = frame[0] == 0xff && memcmp(frame, frame + 1, 5) == 0;

    x82599_count_size(dev, R_PRC64, bytes + CRC_BYTES);
    x82599_count(dev, R_GPRC, 1);
    x82599_count_wide(dev, R_GORCL, bytes + CRC_BYTES);
    if (broadcast)
        x82599_count(dev, R_BPRC, 1);
    else if ((frame[0] & 1) != 0)
        x82599_count(dev, R_MPRC, 1);
    x82599_count(dev, R_QPRC(row), 1);
    x82599_count_wide(dev, R_QBRCL(row), bytes + CRC_BYTES);
    dev->count.rx_frames++;
    dev->count.rx_bytes += bytes;
    dev->count.rx_queue[queue]++;
}

static enum x82599_rx drop(struct x82599 *dev, uint32_t offset)
{
    if (offset != 0)
        x82599_count(dev, offset, 1);
    dev->count.rx_dropped++;
    return X82599_RX_DROPPED;
}

/* ---- the frame as memory shall see it ---- */

static uint32_t crc32(const uint8_t *p, uint32_t bytes)
{
    uint32_t crc = UINT32_MAX;

    for (uint32_t i = 0; i < bytes; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static bool keeps_crc(const struct x82599 *dev)
{
    return (x82599_get(dev, R_HLREG0) & HLREG0_RXCRCSTRP) == 0 &&
           (x82599_get(dev, R_RDRXCTL) & RDRXCTL_CRCSTRIP) == 0;
}

/* Takes the tag out and puts the CRC on, where the registers ask for it. */
static const uint8_t *shape(struct x82599 *dev, unsigned queue, const uint8_t *frame,
                            uint32_t *bytes, uint16_t *tag)
{
    bool strip = (x82599_get(dev, R_RXQ(queue) + Q_CTL) & RXDCTL_VME) != 0 &&
                 x82599_is_vlan(dev, frame);
    bool crc = keeps_crc(dev);
    uint32_t value = crc ? crc32(frame, *bytes) : 0;

    RT_ASSERT_LE(*bytes + CRC_BYTES, (uint32_t)sizeof(dev->rx_scratch));
    *tag = 0;
    if (!strip && !crc)
        return frame;
    if (strip) {
        *tag = (uint16_t)(frame[14] << 8 | frame[15]);
        memcpy(dev->rx_scratch, frame, 12);
        memcpy(dev->rx_scratch + 12, frame + 16, *bytes - 16);
        *bytes -= VLAN_BYTES;
    } else {
        memcpy(dev->rx_scratch, frame, *bytes);
    }
    if (crc) {
        memcpy(dev->rx_scratch + *bytes, &value, CRC_BYTES);
        *bytes += CRC_BYTES;
    }
    return dev->rx_scratch;
}

static bool stripped(const struct x82599 *dev, unsigned queue, const uint8_t *frame)
{
    return (x82599_get(dev, R_RXQ(queue) + Q_CTL) & RXDCTL_VME) != 0 &&
           x82599_is_vlan(dev, frame);
}

/* ---- descriptors ---- */

struct piece {
    uint32_t bytes;
    bool last, vp;
    uint16_t tag;
    uint8_t multicast;
};

/* 7.1.5: status, errors and tag of a legacy descriptor; 7.1.6.2: of an advanced one. All but
 * DD and the length is valid in the last descriptor of a frame only. */
static struct x82599_desc write_back(const struct x82599 *dev, const struct rx_ring *ring,
                                     uint64_t address, const struct piece *piece,
                                     const struct x82599_parsed *parsed)
{
    uint32_t status = RXD_DD;
    uint32_t w0 = 0;

    if (piece->last)
        status |= RXD_EOP | (piece->vp ? RXD_VP : 0) | (piece->multicast != 0 ? RXD_PIF : 0) |
                  parsed->status;
    if (!ring->advanced) /* the address stays; IPE and L4E are bits 7 and 6 of the errors */
        return (struct x82599_desc){{address, (uint64_t)piece->tag << 48 |
                                                  (uint64_t)(status >> 24 & 0xc0) << 40 |
                                                  (uint64_t)(status & 0xff) << 32 |
                                                  (piece->bytes & 0xffff)}};
    if (piece->last)
        w0 = parsed->type | parsed->rss_type;
    return (struct x82599_desc){
        {w0 | ((x82599_get(dev, R_RXCSUM) & RXCSUM_PCSD) != 0 && piece->last
                   ? (uint64_t)parsed->hash << 32
                   : 0),
         status | (uint64_t)(piece->bytes & 0xffff) << 32 | (uint64_t)piece->tag << 48}};
}

/* Data first, then the descriptor, DD in the word that is written last. */
static bool put_piece(struct x82599 *dev, unsigned queue, const struct rx_ring *ring,
                      const uint8_t *data, struct piece *piece,
                      const struct x82599_parsed *parsed)
{
    uint64_t at = ring->base + sizeof(struct x82599_desc) * (uint64_t)ring->head;
    struct x82599_desc *desc = x82599_dma(dev, at, sizeof(*desc), true), done;
    struct late late = {.phys = at, .queue = (uint16_t)queue, .cause = piece->last};
    uint64_t address;
    void *buffer;

    RT_ASSERT_LT(ring->head, ring->descs);
    RT_ASSERT_LE(piece->bytes, ring->buffer_bytes);
    if (desc == NULL)
        return false;
    address = __atomic_load_n(&desc->w[0], __ATOMIC_RELAXED);
    buffer = x82599_dma(dev, address, piece->bytes, true);
    if (buffer == NULL)
        return false;
    if (!x82599_fault_hits(dev, X82599_FAULT_DD_WITHOUT_DATA)) {
        memcpy(buffer, data, piece->bytes);
        x82599_wrote(dev, buffer, piece->bytes);
    }
    if (x82599_fault_hits(dev, X82599_FAULT_WRONG_LENGTH))
        piece->bytes = (uint32_t)x82599_random(dev) & 0xffff;
    done = write_back(dev, ring, address, piece, parsed);
    dev->count.rx_descs++;
    late.desc = done;
    if (x82599_late(dev, &late))
        return true;
    __atomic_store_n(&desc->w[0], done.w[0], __ATOMIC_RELAXED);
    __atomic_store_n(&desc->w[1], done.w[1], __ATOMIC_RELEASE);
    x82599_wrote(dev, desc, sizeof(*desc));
    if (piece->last)
        x82599_cause_queue(dev, queue, false);
    return true;
}

static bool put_frame(struct x82599 *dev, unsigned queue, struct rx_ring *ring,
                      const uint8_t *frame, uint32_t bytes)
{
    bool vp = stripped(dev, queue, frame);
    struct x82599_parsed parsed;
    uint32_t offset = 0, shaped = bytes;
    const uint8_t *data;
    uint16_t tag;

    RT_ASSERT_NE(ring->buffer_bytes, 0u);
    x82599_parse(dev, frame, bytes, &parsed);
    data = shape(dev, queue, frame, &shaped, &tag);
    while (offset < shaped) { /* at most 16 KiB / 1 KiB */
        uint32_t left = shaped - offset, now = RT_MIN(left, ring->buffer_bytes);
        struct piece piece = {now, now == left, vp, now == left ? tag : (uint16_t)0,
                              (uint8_t)(frame[0] & 1)};

        if (!put_piece(dev, queue, ring, data + offset, &piece, &parsed))
            return false;
        offset += now;
        ring->head = ring->head + 1 == ring->descs ? 0 : ring->head + 1;
        x82599_put(dev, R_RXQ(queue) + Q_HEAD, ring->head);
    }
    return true;
}

/* ---- entry ---- */

/* Size and filters. 0: passes; else the statistic that counts it, UINT32_MAX: none does. */
static uint32_t refused(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes)
{
    uint32_t most = FRAME_STANDARD;

    if (bytes < FRAME_MIN)
        return R_RUC;
    if ((x82599_get(dev, R_HLREG0) & HLREG0_JUMBOEN) != 0) {
        uint32_t mfs = FIELD_GET(MAXFRS_MFS, x82599_get(dev, R_MAXFRS));

        most = mfs > CRC_BYTES ? mfs - CRC_BYTES : 0;
    }
    if (x82599_is_vlan(dev, frame))
        most += VLAN_BYTES; /* 8.2.3.22.13: a tag is not counted */
    if (bytes > RT_MIN(most, X82599_FRAME_MAX))
        return R_ROC;
    return x82599_filter(dev, frame, bytes) ? 0 : UINT32_MAX;
}

enum x82599_rx x82599_receive(struct x82599 *dev, const uint8_t *frame, uint32_t bytes)
{
    struct rx_ring ring;
    uint32_t why, need;
    unsigned queue;

    if (!receiving(dev))
        return drop(dev, 0);
    why = refused(dev, frame, bytes);
    if (why != 0) {
        count_wire(dev, bytes);
        return drop(dev, why == UINT32_MAX ? 0 : why);
    }
    queue = x82599_rss(dev, frame, bytes, NULL);
    if (!ring_of(dev, queue, &ring)) { /* 7.1.10: a queue that is off swallows its frames */
        count_wire(dev, bytes);
        return drop(dev, 0);
    }
    need = (bytes + (keeps_crc(dev) ? CRC_BYTES : 0) + ring.buffer_bytes - 1) /
           ring.buffer_bytes;
    if (need >= ring.descs) /* would never fit */
        return drop(dev, R_ROC);
    if (room(&ring) < need)
        return X82599_RX_NO_DESCRIPTOR;
    count_wire(dev, bytes);
    if (!put_frame(dev, queue, &ring, frame, bytes))
        return drop(dev, 0);
    count_good(dev, queue, frame, bytes);
    x82599_irq_deliver(dev);
    return X82599_RX_ACCEPTED;
}

void x82599_missed(struct x82599 *dev, const uint8_t *frame, uint32_t bytes)
{
    unsigned queue = x82599_rss(dev, frame, bytes, NULL);

    if (!receiving(dev))
        return;
    count_wire(dev, bytes);
    dev->count.rx_missed++;
    if ((x82599_get(dev, R_RXQ(queue) + RXQ_SRRCTL) & SRRCTL_DROP_EN) != 0)
        x82599_count(dev, R_QPRDC(stat_row(dev, queue)), 1);
    else
        x82599_count(dev, R_RXMPC(0), 1);
    x82599_cause_other(dev, EICR_RX_MISS);
    x82599_irq_deliver(dev);
}
