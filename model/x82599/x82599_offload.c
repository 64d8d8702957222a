/* SPDX-License-Identifier: BSD-2-Clause */
/* What the transmit path does to a frame: tag, checksums, segmentation, padding (7.2.4, 7.2.5). */
#include "x82599_base.h"
#include "x82599_frame.h"

#include <string.h>

#define CRC_BYTES 4u
#define FRAME_MIN 60u
#define VLAN_BYTES 4u
#define ETH_ADDRESSES 12u

static void write16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint32_t read32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned stat_row(const struct x82599 *dev, unsigned queue)
{
    RT_ASSERT_LT(queue, X82599_QUEUES);
    return x82599_get(dev, R_TQSM(queue / 4)) >> (8 * (queue % 4)) & 15;
}

/* Onto the wire. */
void x82599_emit(struct x82599 *dev, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    unsigned row = stat_row(dev, queue);

    RT_ASSERT(frame != NULL);
    if (bytes > X82599_FRAME_MAX) {
        dev->count.bad_descs++;
        return;
    }
    if (!dev->link) {
        dev->count.tx_frames++; /* fetched, written back, gone */
        return;
    }
    x82599_count_size(dev, R_PTC64, bytes + CRC_BYTES);
    x82599_count(dev, R_GPTC, 1);
    x82599_count(dev, R_TPT, 1);
    x82599_count_wide(dev, R_GOTCL, bytes + CRC_BYTES);
    x82599_count(dev, R_QPTC(row), 1);
    x82599_count_wide(dev, R_QBTCL(row), bytes + CRC_BYTES);
    if (frame[0] == 0xff && memcmp(frame, frame + 1, 5) == 0)
        x82599_count(dev, R_BPTC, 1);
    else if ((frame[0] & 1) != 0)
        x82599_count(dev, R_MPTC, 1);
    dev->count.tx_frames++;
    dev->count.tx_bytes += bytes;
    dev->count.tx_queue[queue]++;
    if (dev->config.transmit != NULL)
        dev->config.transmit(dev->config.ctx, queue, frame, bytes);
}

/* Padding and tag, then out. `frame` has room behind it. */
static void finish(struct x82599 *dev, unsigned queue, uint8_t *frame, uint32_t bytes,
                   const uint16_t *tag)
{
    if (bytes > X82599_FRAME_MAX - VLAN_BYTES) {
        dev->count.bad_descs++;
        return;
    }
    if (tag != NULL) {
        RT_ASSERT_LE(ETH_ADDRESSES, bytes);
        memmove(frame + ETH_ADDRESSES + VLAN_BYTES, frame + ETH_ADDRESSES,
                bytes - ETH_ADDRESSES);
        write16(frame + ETH_ADDRESSES, FIELD_GET(DMATXCTL_VT, x82599_get(dev, R_DMATXCTL)));
        write16(frame + ETH_ADDRESSES + 2, *tag);
        bytes += VLAN_BYTES;
    }
    if (bytes < FRAME_MIN && (x82599_get(dev, R_HLREG0) & HLREG0_TXPADEN) != 0) {
        memset(frame + bytes, 0, FRAME_MIN - bytes);
        bytes = FRAME_MIN;
    }
    x82599_emit(dev, queue, frame, bytes);
}

/* ---- legacy descriptors ---- */

static void legacy(struct x82599 *dev, unsigned queue)
{
    struct tx_queue *txq = &dev->txq[queue];
    uint32_t start = FIELD_GET(TXD_LEGACY_CSS, txq->olinfo);
    uint32_t offset = FIELD_GET(TXD_LEGACY_CSO, txq->command);
    uint16_t tag = (uint16_t)FIELD_GET(TXD_LEGACY_VLAN, txq->olinfo);

    RT_ASSERT_LE(txq->bytes, TX_FRAME_BYTES);
    if ((txq->command & TXD_LEGACY_IC) != 0) {
        if (start >= txq->bytes || offset + 2 > txq->bytes) {
            dev->count.bad_descs++;
            return;
        }
        write16(txq->frame + offset,
                (uint16_t)~x82599_fold(x82599_sum(txq->frame + start, txq->bytes - start, 0)));
    }
    finish(dev, queue, txq->frame, txq->bytes, (txq->command & TXD_VLE) != 0 ? &tag : NULL);
}

/* ---- advanced descriptors ---- */

struct layout {
    uint32_t ip, l4, payload; /* offsets */
    uint32_t ip_bytes, l4_type, mss;
    bool ip4;
    uint16_t tag;
};

static struct layout layout_of(const struct tx_queue *txq)
{
    const struct tx_context *c = &txq->context[(txq->olinfo & TXD_IDX) != 0];
    struct layout l = {
        .ip = FIELD_GET(TXC_MACLEN, c->lengths),
        .ip_bytes = FIELD_GET(TXC_IPLEN, c->lengths),
        .l4_type = FIELD_GET(TXC_L4T, c->command),
        .ip4 = (c->command & TXC_IP4) != 0,
        .tag = (uint16_t)FIELD_GET(TXC_VLAN, c->lengths),
        .mss = FIELD_GET(TXC_MSS, c->mss_l4),
    };

    l.l4 = l.ip + l.ip_bytes;
    l.payload = l.l4 + FIELD_GET(TXC_L4LEN, c->mss_l4);
    return l;
}

static void sum_ip(uint8_t *ip, uint32_t bytes)
{
    RT_ASSERT_LE(20u, bytes);
    /* the field takes part in the sum, so software must have cleared it */
    write16(ip + 10, (uint16_t)~x82599_fold(x82599_sum(ip, bytes, 0)));
}

static uint32_t crc32c(const uint8_t *p, uint32_t bytes)
{
    uint32_t crc = UINT32_MAX;

    for (uint32_t i = 0; i < bytes; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* The field holds the pseudo header's sum (7.2.5.2.1); it takes part. False: does not fit. */
static bool sum_l4(uint8_t *frame, uint32_t bytes, const struct layout *l)
{
    uint32_t field = l->l4_type == L4T_TCP ? 16 : l->l4_type == L4T_UDP ? 6 : 8, crc;
    uint16_t sum;

    if (l->l4 > bytes || bytes - l->l4 < field + 4)
        return false;
    if (l->l4_type == L4T_SCTP) {
        memset(frame + l->l4 + field, 0, 4);
        crc = crc32c(frame + l->l4, bytes - l->l4);
        memcpy(frame + l->l4 + field, &crc, 4);
        return true;
    }
    sum = (uint16_t)~x82599_fold(x82599_sum(frame + l->l4, bytes - l->l4, 0));
    if (sum == 0 && l->l4_type == L4T_UDP)
        sum = 0xffff;
    write16(frame + l->l4 + field, sum);
    return true;
}

/* One piece of a segmented frame: its payload starts `done` bytes in. */
struct segment {
    uint32_t number, done, bytes; /* bytes: with headers */
    bool last;
};

/* 7.2.4.7: the headers of a segment, made from the frame's own at `s`. */
static void segment_headers(const struct x82599 *dev, uint8_t *s, const struct layout *l,
                            const struct segment *piece)
{
    uint8_t *ip = s + l->ip, *tcp = s + l->l4;
    uint32_t l4_bytes = piece->bytes - l->l4, sequence = read32(tcp + 4) + piece->done;
    uint32_t low = x82599_get(dev, R_DTXTCPFLGL);
    uint32_t flags = FIELD_GET(TCPFLG_MID, low);

    RT_ASSERT_LT(l->payload, piece->bytes);
    if (piece->number == 0)
        flags = FIELD_GET(TCPFLG_FIRST, low);
    if (piece->last)
        flags = x82599_get(dev, R_DTXTCPFLGH) & 0xfff;
    if (l->ip4) {
        write16(ip + 2, l->ip_bytes + l4_bytes);
        write16(ip + 4, ((uint32_t)ip[4] << 8 | ip[5]) + piece->number);
    } else {
        write16(ip + 4, l->ip_bytes - 40 + l4_bytes);
    }
    write16(tcp + 4, sequence >> 16);
    write16(tcp + 6, sequence);
    tcp[12] = (uint8_t)(tcp[12] & (0xf0 | flags >> 8));
    tcp[13] = (uint8_t)(tcp[13] & flags);
    /* the length joins the pseudo header, which software left without it */
    write16(tcp + 16, x82599_fold(((uint32_t)tcp[16] << 8 | tcp[17]) + l4_bytes));
}

static void segment(struct x82599 *dev, unsigned queue)
{
    struct tx_queue *txq = &dev->txq[queue];
    struct layout l = layout_of(txq);
    uint32_t payload, done = 0, number = 0;
    bool fits = l.ip >= 14 && l.ip_bytes >= (l.ip4 ? 20u : 40u) && l.payload >= l.l4 + 20 &&
                l.payload < txq->bytes && l.l4_type == L4T_TCP && l.mss > 0 &&
                l.mss <= X82599_FRAME_MAX - VLAN_BYTES - l.payload;

    payload = fits ? txq->bytes - l.payload : 0;
    if (!fits || FIELD_GET(TXD_PAYLEN, txq->olinfo) != payload) {
        dev->count.bad_descs++;
        return;
    }
    while (done < payload) { /* by at least one byte a turn */
        uint32_t now = RT_MIN(payload - done, l.mss), bytes = l.payload + now;
        struct segment piece = {number, done, bytes, done + now == payload};

        memcpy(dev->tx_scratch, txq->frame, l.payload);
        memcpy(dev->tx_scratch + l.payload, txq->frame + l.payload + done, now);
        segment_headers(dev, dev->tx_scratch, &l, &piece);
        if (l.ip4 && (txq->olinfo & TXD_IXSM) != 0)
            sum_ip(dev->tx_scratch + l.ip, l.ip_bytes);
        if ((txq->olinfo & TXD_TXSM) != 0)
            (void)sum_l4(dev->tx_scratch, bytes, &l); /* fits: checked above */
        finish(dev, queue, dev->tx_scratch, bytes,
               (txq->command & TXD_VLE) != 0 ? &l.tag : NULL);
        done += now;
        number++;
    }
}

static void single(struct x82599 *dev, unsigned queue)
{
    struct tx_queue *txq = &dev->txq[queue];
    struct layout l = layout_of(txq);
    bool ixsm = (txq->olinfo & TXD_IXSM) != 0 && l.ip4;

    RT_ASSERT_LE(txq->bytes, TX_FRAME_BYTES);
    if (FIELD_GET(TXD_PAYLEN, txq->olinfo) != txq->bytes ||
        (ixsm && (l.ip_bytes < 20 || l.l4 > txq->bytes)) ||
        ((txq->olinfo & TXD_TXSM) != 0 && !sum_l4(txq->frame, txq->bytes, &l))) {
        dev->count.bad_descs++;
        return;
    }
    if (ixsm)
        sum_ip(txq->frame + l.ip, l.ip_bytes);
    finish(dev, queue, txq->frame, txq->bytes, (txq->command & TXD_VLE) != 0 ? &l.tag : NULL);
}

void x82599_offload(struct x82599 *dev, unsigned queue)
{
    const struct tx_queue *txq = &dev->txq[queue];

    RT_ASSERT(!txq->gathering); /* the frame has ended */
    if ((txq->command & TXD_DEXT) == 0)
        legacy(dev, queue);
    else if ((txq->command & TXD_TSE) != 0)
        segment(dev, queue);
    else
        single(dev, queue);
}
