/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the frames of mode txonly; see the header. */
#include "txgen.h"

#include <rt/assert.h>

enum {
    ETH_BYTES = 14,
    IP_BYTES = 20,
    UDP_BYTES = 8,
    SPORT_AT = ETH_BYTES + IP_BYTES,
    SEQUENCE_AT = ETH_BYTES + IP_BYTES + UDP_BYTES,
    SPORT_FIRST = 1024,
    DPORT = 9, /* discard, RFC 863 */
};
_Static_assert(L2FWD_TXGEN_BYTES_MAX <= BUF_ROOM_BYTES, "a frame fits in one buffer");

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *at, uint32_t bytes)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i + 1 < bytes; i += 2)
        sum += (uint32_t)at[i] << 8 | at[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void l2fwd_txgen_init(struct l2fwd_txgen *gen, const struct l2fwd_options *options,
                      const uint8_t port_mac[6], uint32_t port)
{
    uint8_t *ip = gen->frame + ETH_BYTES;
    uint32_t ip_bytes = options->tx_size - ETH_BYTES;

    RT_ASSERT_LE(options->tx_size, (uint32_t)L2FWD_TXGEN_BYTES_MAX);
    RT_ASSERT_LE((uint32_t)SEQUENCE_AT + 4, options->tx_size);
    RT_ASSERT_NE(options->tx_flows, 0u);
    __builtin_memset(gen, 0, sizeof(*gen));
    gen->bytes = options->tx_size;
    gen->flows = options->tx_flows;
    gen->left = options->tx_count;
    gen->endless = options->tx_count == 0;
    gen->frame[0] = 2;
    gen->frame[5] = (uint8_t)port;
    __builtin_memcpy(gen->frame + 6, port_mac, 6);
    put16(gen->frame + 12, 0x0800);
    ip[0] = 0x45; /* RFC 791 3.1: version 4, header of 5 words */
    put16(ip + 2, ip_bytes);
    ip[8] = 64; /* time to live */
    ip[9] = 17; /* UDP */
    put32(ip + 12, 0xc6120001 + (port << 8));
    put32(ip + 16, 0xc6130001 + (port << 8));
    put16(ip + 10, checksum(ip, IP_BYTES));
    put16(ip + IP_BYTES + 2, DPORT);
    put16(ip + IP_BYTES + 4, ip_bytes - IP_BYTES); /* UDP checksum 0: none, RFC 768 */
}

bool l2fwd_txgen_left(const struct l2fwd_txgen *gen)
{
    return gen->endless || gen->left != 0;
}

static void make_frame(struct l2fwd_txgen *gen, struct buf *b)
{
    uint8_t *frame = buf_data(b);

    RT_INVARIANT(gen->endless || gen->left != 0);
    __builtin_memcpy(frame, gen->frame, gen->bytes);
    put16(frame + SPORT_AT, SPORT_FIRST + gen->next % gen->flows);
    put32(frame + SEQUENCE_AT, gen->next);
    gen->next++;
    gen->left -= !gen->endless;
    b->data_len = (uint16_t)gen->bytes;
    b->pkt_len = gen->bytes;
    b->segments = 1;
}

uint32_t l2fwd_txgen_fill(struct l2fwd_txgen *gen, struct pool *pool, struct buf_batch *batch,
                          uint32_t max)
{
    while (batch->count < max && l2fwd_txgen_left(gen)) {
        struct buf *b = pool_take(pool);

        if (b == NULL)
            return 1;
        make_frame(gen, b);
        batch->buf[batch->count++] = b;
    }
    return 0;
}
