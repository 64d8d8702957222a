/* SPDX-License-Identifier: BSD-2-Clause */
/* The wire of a lane: the frames that arrive, and what must leave. */
#include "native.h"

#include <string.h>

#define ETH 14u
#define IP 20u
#define FRAME_BYTES_MIN 60u
#define FRAME_BYTES_MAX 3000u
#define SHAPE_AT        (FRAME_BYTES_MIN - 1) /* the byte of the payload that names the shape */
#define TURN_MAX        12u                   /* shapes in one turn of a traffic */

enum shapes {
    SHAPE_PLAIN,
    SHAPE_WRONG_SUM,
    SHAPE_OPTIONS_4,
    SHAPE_OPTIONS_8,
    SHAPE_OPTIONS_12,
    SHAPE_590,
    SHAPE_1514,
    SHAPE_3000,
    SHAPES
};

static const struct {
    uint16_t bytes;
    uint8_t options_bytes; /* in the IP header */
    uint8_t sum_error;
} shapes[SHAPES] = {
    [SHAPE_PLAIN] = {60, 0, 0},       [SHAPE_WRONG_SUM] = {60, 0, 1},
    [SHAPE_OPTIONS_4] = {60, 4, 0},   [SHAPE_OPTIONS_8] = {60, 8, 0},
    [SHAPE_OPTIONS_12] = {60, 12, 0}, [SHAPE_590] = {590, 0, 0},
    [SHAPE_1514] = {1514, 0, 0},      [SHAPE_3000] = {3000, 0, 0},
};

static const struct {
    uint32_t count;
    uint8_t shape[TURN_MAX];
} turns[TRAFFICS] = {
    [TRAFFIC_PLAIN] = {1, {SHAPE_PLAIN}},
    [TRAFFIC_WRONG_SUM] = {1, {SHAPE_WRONG_SUM}},
    [TRAFFIC_HEADERS_2] = {2, {SHAPE_PLAIN, SHAPE_OPTIONS_4}},
    [TRAFFIC_HEADERS_4] = {4,
                           {SHAPE_PLAIN, SHAPE_OPTIONS_4, SHAPE_OPTIONS_8, SHAPE_OPTIONS_12}},
    [TRAFFIC_IMIX] = {12,
                      {SHAPE_PLAIN, SHAPE_590, SHAPE_PLAIN, SHAPE_PLAIN, SHAPE_590, SHAPE_PLAIN,
                       SHAPE_1514, SHAPE_PLAIN, SHAPE_590, SHAPE_PLAIN, SHAPE_590,
                       SHAPE_PLAIN}},
    [TRAFFIC_TWO_BUFFERS] = {1, {SHAPE_3000}},
};

static uint8_t frames[SHAPES][FRAME_BYTES_MAX];
static uint16_t pseudo_sum;
static bool filled;

static uint32_t sum16(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < bytes; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Ethernet, IPv4, UDP, payload. The last byte of the target address makes up for what options
 * take from UDP's length: all shapes of 60 bytes have one pseudo header sum. */
static void fill_shape(unsigned shape)
{
    static const uint8_t head[ETH] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    uint32_t options = shapes[shape].options_bytes, bytes = shapes[shape].bytes;
    uint8_t *f = frames[shape], *ip = f + ETH, *udp = ip + IP + options;
    uint32_t udp_bytes = bytes - ETH - IP - options;

    memcpy(f, head, sizeof(head));
    ip[0] = (uint8_t)(0x40 | (IP + options) / 4);
    put16(ip + 2, bytes - ETH);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
    ip[19] = (uint8_t)(ip[19] + options);
    memset(ip + IP, 1, options); /* no operation */
    put16(udp, 1234);
    put16(udp + 2, 5678);
    put16(udp + 4, udp_bytes);
    for (uint32_t i = 8; i < udp_bytes; i++)
        udp[i] = (uint8_t)(i * 17);
    f[SHAPE_AT] = (uint8_t)shape;
    put16(ip + 10, (uint16_t)~fold(sum16(ip, IP + options, 0)));
    put16(udp + 6, fold(sum16(ip + 12, 8, 17 + udp_bytes)));
    if (bytes == FRAME_BYTES_MIN)
        pseudo_sum = fold(sum16(ip + 12, 8, 17 + udp_bytes));
    put16(udp + 6, (uint16_t)~fold(sum16(udp, udp_bytes, 0)));
    udp[7] ^= shapes[shape].sum_error;
}

static void fill(void)
{
    for (unsigned shape = 0; shape < SHAPES && !filled; shape++)
        fill_shape(shape);
    filled = true;
}

uint16_t native_pseudo_sum(void)
{
    fill();
    return __builtin_bswap16(pseudo_sum);
}

bool native_arrive(struct native_card *card, enum native_traffic traffic)
{
    unsigned shape = turns[traffic].shape[card->arrived % turns[traffic].count];

    if (x82599_receive(card->dev, frames[shape], shapes[shape].bytes) != X82599_RX_ACCEPTED)
        return false;
    card->arrived++;
    return true;
}

/* Byte by byte what arrived, with the addresses as the work leaves them. */
static bool as_it_must(enum native_work work, const uint8_t *frame, uint32_t bytes)
{
    unsigned shape = bytes >= FRAME_BYTES_MIN ? frame[SHAPE_AT] : (unsigned)SHAPES;
    const uint8_t *was;

    if (shape >= SHAPES || bytes != shapes[shape].bytes)
        return false;
    was = frames[shape];
    if (memcmp(frame + 12, was + 12, bytes - 12) != 0)
        return false;
    if (work == WORK_IO)
        return memcmp(frame, was, 12) == 0;
    return memcmp(frame, was + 6, 6) == 0 && memcmp(frame + 6, was, 6) == 0;
}

static void transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct native_card *card = ctx;

    card->sent++;
    if (!as_it_must(card->work, frame, bytes))
        card->corrupt++;
}

struct x82599_config native_card_config(struct native_card *card)
{
    fill();
    return (struct x82599_config){.ctx = card, .transmit = transmit, .wrote = native_wrote};
}
