/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_TYPE = 12,
    AT_IP = 14,
    AT_UDP = 34,
    AT_NAME = 42, /* the bytes that name the frame */
    AT_SUM = 56,
    AT_PATTERN = 60,
    IP_BYTES = 20,
    UDP_BYTES = 8,
    ETH_TYPE_IPV4 = 0x0800,
    IP_PROTO_UDP = 17,
    PORT_BASE = 0x4d00,
    LANE_SHIFT = 12,
};
_Static_assert(AT_PATTERN == FRAME_MIN_BYTES, "the smallest frame just holds its name");
_Static_assert(FRAME_FLOWS_MAX == 1 << LANE_SHIFT, "lane and flow share 16 bits");
_Static_assert(FRAME_LANES_MAX <= 16, "lane and flow share 16 bits");

#define TIME_MASK ((UINT64_C(1) << 48) - 1)

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

/* Finalizer of splitmix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t v)
{
    v += UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

/* RFC 1071 over the IPv4 header. */
static uint32_t ip_checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < IP_BYTES; i += 2)
        sum += get16(header + i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

void frame_expect(struct frame_plan *plan, enum frame_mode mode, unsigned to_port,
                  const uint8_t to_mac[6])
{
    static const uint8_t mac_prefix[5] = {0x02, 0, 0, 0, 0};
    switch (mode) {
    case FRAME_MAC: /* as DPDK's l2fwd: 02:00:00:00:00:<port>, from the port's own address */
        memcpy(plan->back_dst, mac_prefix, sizeof(mac_prefix));
        plan->back_dst[5] = (uint8_t)to_port;
        memcpy(plan->back_src, to_mac, 6);
        break;
    case FRAME_MACSWAP:
        memcpy(plan->back_dst, plan->src, 6);
        memcpy(plan->back_src, plan->dst, 6);
        break;
    case FRAME_IO:
        memcpy(plan->back_dst, plan->dst, 6);
        memcpy(plan->back_src, plan->src, 6);
        break;
    }
}

static uint32_t flow_of(const struct frame_plan *plan, uint32_t seq)
{
    return seq % plan->flows;
}

/* Different addresses and ports a flow, so that receive-side scaling spreads them. */
static void put_headers(uint8_t *out, uint32_t lane, uint32_t flow, uint32_t seq, size_t bytes)
{
    uint8_t *ip = out + AT_IP;
    put16(out + AT_TYPE, ETH_TYPE_IPV4);
    put16(ip, 0x4500); /* version 4, 5 words, no service */
    put16(ip + 2, (uint32_t)(bytes - AT_IP));
    put16(ip + 4, seq & 0xffff);
    put16(ip + 6, 0x4000); /* do not fragment */
    put16(ip + 8, 64u << 8 | IP_PROTO_UDP);
    put16(ip + 10, 0);
    put32(ip + 12, UINT32_C(0x0a000000) | lane << 16 | (flow & 0xffff));
    put32(ip + 16, UINT32_C(0x0a800000) | lane << 16 | (flow * 13 & 0xffff));
    put16(ip + 10, ip_checksum(ip));
    put16(out + AT_UDP, PORT_BASE + (flow * 7 & 0xfff));
    put16(out + AT_UDP + 2, PORT_BASE + (flow & 0xff));
    put16(out + AT_UDP + 4, (uint32_t)(bytes - AT_UDP));
    put16(out + AT_UDP + 6, 0); /* no checksum */
}

static uint32_t name_sum(const uint8_t *frame)
{
    uint64_t sum = mix((uint64_t)get32(frame + AT_NAME) << 32 | get32(frame + AT_NAME + 4));
    sum = mix(sum ^ get32(frame + AT_NAME + 8)) ^ get16(frame + AT_NAME + 12);
    return (uint32_t)mix(sum);
}

static void put_pattern(uint8_t *out, size_t bytes, uint64_t seed)
{
    for (size_t at = AT_PATTERN; at < bytes; at += sizeof(seed)) {
        seed = mix(seed);
        memcpy(out + at, &seed, bytes - at < sizeof(seed) ? bytes - at : sizeof(seed));
    }
}

size_t frame_build(const struct frame_plan *plan, uint32_t seq, uint64_t now_ns, uint8_t *out)
{
    uint32_t flow = flow_of(plan, seq);
    size_t bytes = plan->sizes[seq % plan->size_count];
    memcpy(out, plan->dst, 6);
    memcpy(out + 6, plan->src, 6);
    put_headers(out, plan->lane, flow, seq, bytes);
    put16(out + AT_NAME, plan->trial);
    put16(out + AT_NAME + 2, (uint32_t)plan->lane << LANE_SHIFT | flow);
    put32(out + AT_NAME + 4, seq);
    put16(out + AT_NAME + 8, (uint32_t)(now_ns >> 32) & 0xffff);
    put32(out + AT_NAME + 10, (uint32_t)now_ns);
    put32(out + AT_SUM, name_sum(out));
    put_pattern(out, bytes, (uint64_t)plan->trial << 48 | (uint64_t)plan->lane << 32 | seq);
    return bytes;
}

enum frame_verdict frame_identify(const uint8_t *frame, size_t bytes, struct frame_id *id)
{
    if (bytes < FRAME_MIN_BYTES || get16(frame + AT_TYPE) != ETH_TYPE_IPV4)
        return FRAME_FOREIGN;
    if (frame[AT_IP + 9] != IP_PROTO_UDP || frame[AT_IP + 12] != 0x0a)
        return FRAME_FOREIGN;
    if (get32(frame + AT_SUM) != name_sum(frame))
        return FRAME_CORRUPT;
    uint32_t lane_flow = get16(frame + AT_NAME + 2);
    id->trial = (uint16_t)get16(frame + AT_NAME);
    id->lane = (uint16_t)(lane_flow >> LANE_SHIFT);
    id->flow = lane_flow & (FRAME_FLOWS_MAX - 1);
    id->seq = get32(frame + AT_NAME + 4);
    id->sent_ns = (uint64_t)get16(frame + AT_NAME + 8) << 32 | get32(frame + AT_NAME + 10);
    return FRAME_GOOD;
}

enum frame_verdict frame_check(const struct frame_plan *plan, const uint8_t *frame, size_t bytes,
                               const struct frame_id *id)
{
    uint8_t want[FRAME_MAX_BYTES + 8];
    if (id->trial != plan->trial)
        return FRAME_STALE;
    size_t want_bytes = frame_build(plan, id->seq, id->sent_ns & TIME_MASK, want);
    memcpy(want, plan->back_dst, 6);
    memcpy(want + 6, plan->back_src, 6);
    bool same = id->lane == plan->lane && bytes == want_bytes && memcmp(frame, want, bytes) == 0;
    return same ? FRAME_GOOD : FRAME_CORRUPT;
}

static uint32_t ramp(long from, long to, uint16_t sizes[FRAME_SIZES_MAX])
{
    for (long i = 0; i < FRAME_SIZES_MAX; i++)
        sizes[i] = (uint16_t)(from + (to - from) * i / (FRAME_SIZES_MAX - 1));
    return FRAME_SIZES_MAX;
}

static bool size_is_good(long bytes)
{
    return bytes >= FRAME_MIN_BYTES && bytes <= FRAME_MAX_BYTES;
}

uint32_t frame_parse_sizes(const char *text, uint16_t sizes[FRAME_SIZES_MAX])
{
    static const uint16_t imix[12] = {60, 594, 60, 60, 594, 60, 1514, 60, 594, 60, 594, 60};
    uint32_t count = 0;
    if (strcmp(text, "imix") == 0) { /* 7 small : 4 medium : 1 large */
        memcpy(sizes, imix, sizeof(imix));
        return sizeof(imix) / sizeof(imix[0]);
    }
    while (count < FRAME_SIZES_MAX) {
        char *end;
        long bytes = strtol(text, &end, 10);
        if (end == text || !size_is_good(bytes))
            return 0;
        if (*end == '-' && count == 0) {
            long last = strtol(end + 1, &end, 10);
            return *end == 0 && size_is_good(last) ? ramp(bytes, last, sizes) : 0;
        }
        sizes[count++] = (uint16_t)bytes;
        if (*end == 0)
            return count;
        if (*end != ',')
            return 0;
        text = end + 1;
    }
    return 0;
}
