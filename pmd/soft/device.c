/* SPDX-License-Identifier: BSD-2-Clause */
/* The device's half of the rings; see soft.h. */
#include "soft/soft.h"

#define PADDED_BYTES 60
#define OFF_TRIES 1000000 /* of a microsecond: a frame takes one */
#define TYPE_AT 12 /* behind two addresses */
#define HEADER_BYTES 14
#define TAGGED_BYTES 18
#define TAG_TYPE 0x8100
#define TAG_ID 0x0fff
#define LENGTH UINT64_C(0xffff) /* of a transmit command */

/* As DMA does it: without a look at who may touch the bytes, which AddressSanitizer would
 * have. */
static void copy(void *to, const void *from, uint32_t bytes)
{
    size_t count = bytes;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* ---- transmit ---- */

bool soft_tx_waits(const struct soft_txq *q)
{
    return __atomic_load_n(&q->posted, __ATOMIC_SEQ_CST) !=
           __atomic_load_n(&q->fetched, __ATOMIC_RELAXED);
}

/* What is posted ends with a whole frame. */
static uint32_t fetch(struct soft_txq *q, uint8_t *box)
{
    const uint32_t posted = __atomic_load_n(&q->posted, __ATOMIC_ACQUIRE);
    const uint16_t descs = q->ring.descs;
    uint16_t at = (uint16_t)q->fetched;
    uint32_t bytes = 0;
    bool end = at == posted;

    for (uint32_t i = 0; i < descs && !end; i++) {
        const struct nic_tx_desc *desc = &q->ring.desc[at];
        uint32_t length = (uint32_t)(desc->command & LENGTH);

        RT_ASSERT_LE(bytes + length, (uint32_t)SOFT_BOX_BYTES);
        copy(box + bytes, (const void *)(uintptr_t)desc->address, length);
        bytes += length;
        end = (desc->command & NIC_TXD_EOP) != 0;
        at = nic_ring_wrap(at + 1u, descs);
    }
    __atomic_store_n(&q->fetched, at, __ATOMIC_RELEASE);
    return bytes;
}

/* `busy` and `running` are written by one side each, then the other is read: at least one of
 * both sees the other. */
uint32_t soft_tx_fetch(struct soft_txq *q, uint8_t box[SOFT_BOX_BYTES])
{
    uint32_t bytes = 0;

    __atomic_store_n(&q->busy, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&q->running, __ATOMIC_SEQ_CST) != 0)
        bytes = fetch(q, box);
    __atomic_store_n(&q->busy, 0, __ATOMIC_RELEASE);
    if (bytes == 0 || bytes >= PADDED_BYTES)
        return bytes;
    __builtin_memset(box + bytes, 0, PADDED_BYTES - bytes);
    return PADDED_BYTES;
}

void soft_tx_off(struct soft_txq *q)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    __atomic_store_n(&q->running, 0, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; __atomic_load_n(&q->busy, __ATOMIC_SEQ_CST) != 0; i++) {
        if (i == OFF_TRIES)
            rt_panic("%s txq=%u the device does not leave the ring", q->ring.head.nic->name,
                     (unsigned)q->ring.head.index);
        hal_delay_us(1);
    }
}

/* ---- receive ---- */

/* Descriptors with a buffer that software has posted. The tail stays one behind. */
static uint32_t posted_to(const struct soft_rxq *q)
{
    uint32_t tail = hal_read32(&q->ring.mmio, q->ring.tail_reg);

    RT_ASSERT_LT(tail, (uint32_t)q->ring.descs);
    return tail >= q->head ? tail - q->head : tail + q->ring.descs - q->head;
}

bool soft_rx_has_room(const struct soft_rxq *q)
{
    return posted_to(q) != 0;
}

bool soft_rx_deliver(struct soft_rxq *q, const uint8_t *frame, uint32_t bytes)
{
    const uint32_t descs = (bytes + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES;
    uint32_t done = 0;

    RT_ASSERT_LT(0u, bytes);
    if (bytes > q->ring.bytes_max) {
        q->too_long++;
        return true;
    }
    if (posted_to(q) < descs)
        return false;
    for (uint32_t i = 0; i < descs; i++) {
        struct nic_rx_desc *desc = &q->ring.desc[q->head];
        uint32_t length = RT_MIN(bytes - done, (uint32_t)BUF_ROOM_BYTES);

        copy((void *)(uintptr_t)desc->address, frame + done, length);
        done += length;
        desc->address = 0; /* no hash */
        desc->status = (uint64_t)length << NIC_RXD_LENGTH_SHIFT | NIC_RXD_DD |
                       (done == bytes ? NIC_RXD_EOP : 0);
        q->head = nic_ring_wrap(q->head + 1u, q->ring.descs);
    }
    return true;
}

/* ---- filters ---- */

static bool is_in(const uint64_t table[SOFT_TABLE_WORDS], uint32_t bit)
{
    return (__atomic_load_n(&table[bit / 64], __ATOMIC_RELAXED) >> (bit % 64) & 1) != 0;
}

static bool is_for(const struct soft_port *port, const uint8_t *frame)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct nic *nic = port->nic;

    if (nic->config.promiscuous)
        return true;
    if ((frame[0] & 1) == 0)
        return __builtin_memcmp(frame, nic->mac, sizeof(nic->mac)) == 0;
    return __builtin_memcmp(frame, all, sizeof(all)) == 0 ||
           is_in(port->group, soft_group_bit(frame));
}

/* No filter by tags, no tag, or one of those let in. */
static bool tag_is_in(const struct soft_port *port, const uint8_t *frame, uint32_t bytes)
{
    const uint8_t *tag = frame + TYPE_AT;

    if (__atomic_load_n(&port->by_vlan, __ATOMIC_RELAXED) == 0 || bytes < TAGGED_BYTES ||
        (tag[0] << 8 | tag[1]) != TAG_TYPE)
        return true;
    return is_in(port->vlan, (uint32_t)(tag[2] << 8 | tag[3]) & TAG_ID);
}

bool soft_rx_wants(struct soft_rxq *q, const uint8_t *frame, uint32_t bytes)
{
    const struct soft_port *port = soft_port_of(q->ring.head.nic);
    bool wants = bytes >= HEADER_BYTES && is_for(port, frame) && tag_is_in(port, frame, bytes);

    q->filtered += !wants;
    return wants;
}
