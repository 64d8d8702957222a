/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

/* per queue: receive ring, transmit ring, receive buffers of up to 16 KiB are shared room */
#define QUEUE_BYTES 0x30000u
#define TX_RING_AT 0x1000u
#define BUFFERS_AT 0x2000u
#define BUFFER_BYTES 0x1000u
#define RXQ(q) (0x1000u + 0x40u * (q))
#define TXQ(q) (0x6000u + 0x40u * (q))

static void *dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    struct guest *g = ctx;

    if (phys < GUEST_BASE || phys - GUEST_BASE > GUEST_BYTES ||
        bytes > GUEST_BYTES - (phys - GUEST_BASE))
        return NULL;
    return g->memory + (phys - GUEST_BASE);
}

static void transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct guest *g = ctx;
    struct guest_sent *sent = &g->sent[g->sent_count % GUEST_SENT_MAX];

    assert_true(bytes <= sizeof(sent->data));
    sent->queue = queue;
    sent->bytes = bytes;
    memcpy(sent->data, frame, bytes);
    g->sent_count++;
}

static void interrupt(void *ctx, unsigned vector)
{
    struct guest *g = ctx;

    assert_true(vector < X82599_VECTORS);
    g->messages[vector]++;
    g->message_count++;
}

struct guest *guest_new(uint16_t device_id, uint64_t seed)
{
    struct guest *g = calloc(1, sizeof(*g));
    struct x82599_config config = {.device_id = device_id, .seed = seed, .ctx = g, .dma = dma,
                                   .transmit = transmit, .interrupt = interrupt,
                                   .mac = {0x02, 0, 0, 0, 0, 0x01}};

    assert_non_null(g);
    g->seed = seed;
    g->memory = calloc(1, GUEST_BYTES);
    g->dev = x82599_create(&config);
    assert_non_null(g->memory);
    assert_non_null(g->dev);
    return g;
}

void guest_free(struct guest *g)
{
    x82599_destroy(g->dev);
    free(g->memory);
    free(g);
}

uint32_t guest_read(struct guest *g, uint32_t offset)
{
    return x82599_read32(g->dev, offset);
}

void guest_write(struct guest *g, uint32_t offset, uint32_t value)
{
    x82599_write32(g->dev, offset, value);
}

uint64_t guest_random(struct guest *g)
{
    g->seed = g->seed * 6364136223846793005ull + 1442695040888963407ull;
    return g->seed >> 24;
}

uint64_t guest_phys(const void *p, const struct guest *g)
{
    return GUEST_BASE + (uint64_t)((const uint8_t *)p - g->memory);
}

void *guest_at(struct guest *g, uint32_t offset)
{
    assert_true(offset < GUEST_BYTES);
    return g->memory + offset;
}

uint64_t *guest_rx_desc(struct guest *g, unsigned queue, unsigned index)
{
    return guest_at(g, queue * QUEUE_BYTES + 16 * (index % GUEST_DESCS));
}

uint64_t *guest_tx_desc(struct guest *g, unsigned queue, unsigned index)
{
    return guest_at(g, queue * QUEUE_BYTES + TX_RING_AT + 16 * (index % GUEST_DESCS));
}

uint8_t *guest_rx_buffer(struct guest *g, unsigned queue, unsigned index)
{
    return guest_at(g, queue * QUEUE_BYTES + BUFFERS_AT + BUFFER_BYTES * (index % GUEST_DESCS));
}

void guest_receive_on(struct guest *g, unsigned queue, uint32_t buffer_kib,
                      uint32_t descriptor_type)
{
    uint64_t ring = guest_phys(guest_rx_desc(g, queue, 0), g);

    guest_write(g, 0x5080, 0x700); /* FCTRL: UPE, MPE, BAM */
    guest_write(g, RXQ(queue), (uint32_t)ring);
    guest_write(g, RXQ(queue) + 4, (uint32_t)(ring >> 32));
    guest_write(g, RXQ(queue) + 8, GUEST_DESCS * 16);
    guest_write(g, RXQ(queue) + 0x10, 0);
    guest_write(g, RXQ(queue) + 0x14, buffer_kib | descriptor_type << 25);
    guest_write(g, RXQ(queue) + 0x28, guest_read(g, RXQ(queue) + 0x28) | 1u << 25);
    guest_write(g, 0x3000, 1); /* RXCTRL */
    g->rx_tail[queue] = 0;
}

void guest_refill(struct guest *g, unsigned queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned at = g->rx_tail[queue];
        uint64_t *desc = guest_rx_desc(g, queue, at);

        desc[0] = guest_phys(guest_rx_buffer(g, queue, at), g);
        desc[1] = 0;
        g->rx_tail[queue] = (at + 1) % GUEST_DESCS;
    }
    guest_write(g, RXQ(queue) + 0x18, g->rx_tail[queue]);
}

void guest_transmit_on(struct guest *g, unsigned queue)
{
    uint64_t ring = guest_phys(guest_tx_desc(g, queue, 0), g);

    guest_write(g, 0x4a80, guest_read(g, 0x4a80) | 1); /* DMATXCTL.TE */
    guest_write(g, TXQ(queue), (uint32_t)ring);
    guest_write(g, TXQ(queue) + 4, (uint32_t)(ring >> 32));
    guest_write(g, TXQ(queue) + 8, GUEST_DESCS * 16);
    guest_write(g, TXQ(queue) + 0x28, 1u << 25);
    g->tx_tail[queue] = 0;
}

void guest_tx_put(struct guest *g, unsigned queue, uint64_t w0, uint64_t w1)
{
    uint64_t *desc = guest_tx_desc(g, queue, g->tx_tail[queue]);

    desc[0] = w0;
    desc[1] = w1;
    g->tx_tail[queue] = (g->tx_tail[queue] + 1) % GUEST_DESCS;
}

void guest_tx_go(struct guest *g, unsigned queue)
{
    guest_write(g, TXQ(queue) + 0x18, g->tx_tail[queue]);
}

/* ---- frames ---- */

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

uint16_t guest_sum(const uint8_t *p, uint32_t bytes, uint32_t start)
{
    uint64_t sum = start;

    for (uint32_t i = 0; i < bytes; i++)
        sum += (i & 1) != 0 ? p[i] : (uint32_t)p[i] << 8;
    while (sum > 0xffff) /* shrinks */
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint32_t ethernet(uint8_t *out, uint32_t type, int tag)
{
    static const uint8_t to_from[12] = {0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x99};
    uint32_t at = 12;

    memcpy(out, to_from, 12);
    if (tag >= 0) {
        put16(out + 12, 0x8100);
        put16(out + 14, (uint32_t)tag);
        at = 16;
    }
    put16(out + at, type);
    return at + 2;
}

static uint32_t l4_header(uint8_t protocol)
{
    return protocol == 6 ? 20 : 8;
}

static void l4(uint8_t *p, uint8_t protocol, uint32_t payload, uint32_t pseudo)
{
    uint32_t header = l4_header(protocol), bytes = header + payload;

    memset(p, 0, header);
    put16(p, 2794);
    put16(p + 2, 1766);
    if (protocol == 6) {
        put16(p + 4, 0x1234);
        put16(p + 6, 0xfffe); /* the sequence carries over 16 bits */
        p[12] = 0x50;
        p[13] = 0x19; /* FIN PSH ACK */
    } else {
        put16(p + 4, bytes);
    }
    for (uint32_t i = 0; i < payload; i++)
        p[header + i] = (uint8_t)(i * 7 + 1);
    put16(p + (protocol == 6 ? 16 : 6),
          (uint16_t)~guest_sum(p, bytes, pseudo + protocol + bytes));
}

uint32_t guest_frame_ip4(uint8_t *out, uint8_t protocol, uint32_t payload, int tag)
{
    /* the addresses and ports of the published RSS test vectors */
    static const uint8_t addresses[8] = {66, 9, 149, 187, 161, 142, 100, 80};
    uint32_t at = ethernet(out, 0x0800, tag), l4_bytes = l4_header(protocol) + payload;
    uint8_t *ip = out + at;

    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, 20 + l4_bytes);
    put16(ip + 4, 0xfffe);
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, addresses, 8);
    put16(ip + 10, (uint16_t)~guest_sum(ip, 20, 0));
    l4(ip + 20, protocol, payload, guest_sum(addresses, 8, 0));
    return at + 20 + l4_bytes;
}

uint32_t guest_frame_ip6_tcp(uint8_t *out, uint32_t payload)
{
    static const uint8_t addresses[32] = {
        0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x07,
        0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0, 0x01};
    uint32_t at = ethernet(out, 0x86dd, -1);
    uint8_t *ip = out + at;

    memset(ip, 0, 40);
    ip[0] = 0x60;
    put16(ip + 4, 20 + payload);
    ip[6] = 6;
    ip[7] = 64;
    memcpy(ip + 8, addresses, 32);
    l4(ip + 40, 6, payload, guest_sum(addresses, 32, 0));
    return at + 60 + payload;
}

void guest_assert_sums(const uint8_t *frame, uint32_t bytes)
{
    bool v4 = frame[12] == 0x08;
    const uint8_t *ip = frame + 14;
    uint32_t header = v4 ? (ip[0] & 15u) * 4 : 40;
    uint32_t l4_bytes = v4 ? (uint32_t)(ip[2] << 8 | ip[3]) - header
                           : (uint32_t)(ip[4] << 8 | ip[5]);
    uint8_t protocol = v4 ? ip[9] : ip[6];
    uint32_t pseudo = v4 ? guest_sum(ip + 12, 8, 0) : guest_sum(ip + 8, 32, 0);

    assert_true(14 + header + l4_bytes <= bytes);
    if (v4)
        assert_int_equal(guest_sum(ip, header, 0), 0xffff);
    assert_int_equal(guest_sum(ip + header, l4_bytes, pseudo + protocol + l4_bytes), 0xffff);
}
