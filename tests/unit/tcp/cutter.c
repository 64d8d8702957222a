/* SPDX-License-Identifier: BSD-2-Clause */
#include "cutter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

uint32_t cutter_flatten(const struct buf *frame, uint8_t bytes[CUTTER_BYTES_MAX])
{
    uint32_t count = 0, segments = 0;

    for (const struct buf *b = frame; b != NULL; b = b->next, segments++) {
        assert_true(buf_bytes(b) != 0 && buf_bytes(b) <= CUTTER_BYTES_MAX - count);
        memcpy(bytes + count, buf_start(b), buf_bytes(b));
        count += buf_bytes(b);
    }
    assert_int_equal(count, frame->pkt_len);
    assert_int_equal(segments, frame->segments);
    return count;
}

static bool is_v4(const uint8_t *ip)
{
    return ip[0] >> 4 == 4;
}

/* The pseudo header's sum with this length. */
static csum_t pseudo(const uint8_t *ip, uint32_t bytes)
{
    struct ip_addr src = ip_addr_v4_of(0, 0, 0, 0), dst = src;

    memcpy(is_v4(ip) ? &src.bytes[12] : src.bytes, ip + (is_v4(ip) ? 12 : 8), is_v4(ip) ? 4 : 16);
    memcpy(is_v4(ip) ? &dst.bytes[12] : dst.bytes, ip + (is_v4(ip) ? 16 : 24),
           is_v4(ip) ? 4 : 16);
    return csum_pseudo(&src, &dst, IP_TCP, bytes);
}

/* One packet: headers of the frame, and bytes [done, done + now) of what it carries. */
static void make(const struct buf *frame, uint8_t *packet, uint32_t done, uint32_t now,
                 bool last)
{
    uint8_t *ip = packet + frame->l2_bytes;
    struct tcp_header *tcp = (struct tcp_header *)(void *)(ip + frame->l3_bytes);
    const uint32_t l4_bytes = frame->l4_bytes + now;
    uint16_t drop = 0;

    if (is_v4(ip)) {
        struct ipv4_header *v4 = (struct ipv4_header *)(void *)ip;

        v4->total_bytes = be16_put((uint16_t)(frame->l3_bytes + l4_bytes));
        v4->checksum = be16_put(0);
        v4->checksum = csum_fold(csum_add(0, ip, frame->l3_bytes));
    } else {
        ((struct ipv6_header *)(void *)ip)->payload_bytes =
            be16_put((uint16_t)(frame->l3_bytes - sizeof(struct ipv6_header) + l4_bytes));
    }
    tcp->seq = be32_put(be32_get(tcp->seq) + done);
    drop |= !last ? TCP_FIN | TCP_PSH : 0;
    drop |= done != 0 ? TCP_CWR : 0;
    tcp->offset_flags = be16_put((uint16_t)(be16_get(tcp->offset_flags) & ~drop));
    tcp->checksum = be16_put(0);
    tcp->checksum = csum_fold(csum_add(pseudo(ip, l4_bytes), tcp, l4_bytes));
}

void cutter_cut(const struct buf *frame, cutter_fn *fn, void *ctx)
{
    static uint8_t all[CUTTER_BYTES_MAX];
    const uint32_t bytes = cutter_flatten(frame, all);
    const uint32_t headers = (uint32_t)frame->l2_bytes + frame->l3_bytes + frame->l4_bytes;
    const struct tcp_header *tcp;
    be16_t begin;

    if ((frame->flags & BUF_TX_TSO) == 0) {
        fn(ctx, all, bytes);
        return;
    }
    tcp = (const struct tcp_header *)(const void *)(all + frame->l2_bytes + frame->l3_bytes);
    begin = csum_partial(pseudo(all + frame->l2_bytes, 0));
    assert_true((frame->flags & BUF_TX_TCP_CSUM) != 0);
    assert_int_equal((be16_get(tcp->offset_flags) >> TCP_OFFSET_SHIFT) * 4, frame->l4_bytes);
    assert_int_equal(tcp->checksum.raw, begin.raw);
    assert_true(headers <= frame->data_len); /* headers lie in the first buffer */
    assert_true(bytes - headers > frame->mss_bytes && bytes - frame->l2_bytes <= UINT16_MAX);
    assert_true(headers + frame->mss_bytes <= CUTTER_PACKET_MAX);
    for (uint32_t done = 0; done < bytes - headers; done += frame->mss_bytes) {
        const uint32_t now = RT_MIN(bytes - headers - done, (uint32_t)frame->mss_bytes);
        uint8_t packet[CUTTER_PACKET_MAX];

        memcpy(packet, all, headers);
        memcpy(packet + headers, all + headers + done, now);
        make(frame, packet, done, now, done + now == bytes - headers);
        fn(ctx, packet, headers + now);
    }
}
