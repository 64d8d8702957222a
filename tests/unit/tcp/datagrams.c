/* SPDX-License-Identifier: BSD-2-Clause */
#include "datagrams.h"

#include "wire/checksum.h"
#include "wire/ip.h"

#include <string.h>

static void on_received(struct udp_sock *sock, struct buf *chain_owned, const struct udp_way *way)
{
    struct seen *seen = udp_ctx(sock);
    struct buf *chain = chain_owned;

    seen->received++;
    seen->way = *way;
    seen->bytes = 0;
    for (const struct buf *b = chain; b != NULL; b = b->next) {
        assert_int_equal(*b->owner, BUF_APP);
        memcpy(seen->data + seen->bytes, buf_data(b), b->data_len);
        seen->bytes += b->data_len;
    }
    assert_int_equal(seen->bytes, chain->pkt_len);
    if (seen->keep) {
        seen->kept = chain;
        return;
    }
    if (seen->echo && udp_try_send(sock, way, &chain) == RT_OK)
        return;
    udp_give_back(seen->net, chain);
    if (seen->close)
        udp_close(sock);
}

static void on_failed(struct udp_sock *sock, const struct udp_way *way, enum udp_error error)
{
    struct seen *seen = udp_ctx(sock);

    seen->failed++;
    seen->way = *way;
    seen->error = error;
}

const struct udp_ops seen_ops = {.received = on_received, .failed = on_failed};

void datagrams_start(struct station *s, uint32_t buffers)
{
    const struct udp_config config = {.socks = 4};

    station_start(s, buffers);
    assert_int_equal(udp_create(s->net, &config), RT_OK);
}

struct udp_sock *datagrams_open(struct station *s, struct seen *seen, uint16_t port)
{
    const struct udp_open how = {.port = port, .ops = &seen_ops, .ctx = seen};
    struct udp_sock *sock;

    *seen = (struct seen){.net = s->net};
    assert_int_equal(udp_open(s->net, &how, &sock), RT_OK);
    return sock;
}

struct udp_header *frame_udp(struct frame *f, struct ip_addr dst, uint16_t dst_port,
                             uint32_t bytes)
{
    struct udp_header udp = {
        .src_port = be16_put(PEER_PORT),
        .dst_port = be16_put(dst_port),
        .bytes = be16_put((uint16_t)(sizeof(udp) + bytes)),
    };
    const struct ip_addr src = peer();
    uint8_t data[STATION_FRAME_BYTES];
    uint32_t at;
    csum_t sum = csum_pseudo(&src, &dst, IP_UDP, (uint32_t)sizeof(udp) + bytes);

    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 5 + 1);
    udp.checksum = csum_fold(csum_add(csum_add(sum, &udp, sizeof(udp)), data, bytes));
    if (udp.checksum.raw == 0)
        udp.checksum.raw = UINT16_MAX;
    frame_ip(f, src, dst, IP_UDP, (uint32_t)sizeof(udp) + bytes);
    at = f->bytes;
    frame_add(f, &udp, sizeof(udp));
    frame_add(f, data, bytes);
    return (struct udp_header *)(void *)(f->data + at);
}

const struct udp_header *udp_of(const struct frame *f)
{
    const struct ipv4_header *ip;
    const struct udp_header *udp;
    struct ip_addr src, dst;
    uint32_t bytes;
    csum_t sum;

    assert_non_null(f);
    ip = (const void *)(f->data + 14);
    udp = (const void *)(f->data + 34);
    assert_int_equal(ip->protocol, IP_UDP);
    assert_int_equal(csum_fold(csum_add(0, ip, 20)).raw, 0);
    src = ip_addr_v4(ip->src);
    dst = ip_addr_v4(ip->dst);
    bytes = be16_get(ip->total_bytes) - 20u;
    assert_int_equal(be16_get(udp->bytes), bytes);
    sum = csum_pseudo(&src, &dst, IP_UDP, bytes);
    assert_int_equal(csum_fold(csum_add(sum, udp, bytes)).raw, 0);
    return udp;
}

void datagrams_give(struct station *s, const struct frame *f, uint32_t count)
{
    struct buf_batch batch = {.count = count};

    for (uint32_t i = 0; i < count; i++) {
        batch.buf[i] = filled(s, f->bytes);
        memcpy(buf_data(batch.buf[i]), f->data, f->bytes);
        batch.buf[i]->pkt_len = f->bytes;
    }
    net_input(s->net, 0, &batch, s->now_us);
}

struct buf *filled(struct station *s, uint32_t bytes)
{
    struct buf *b = pool_take(s->pool);

    assert_non_null(b);
    for (uint32_t i = 0; i < bytes; i++)
        buf_data(b)[i] = (uint8_t)(i * 3);
    b->data_len = (uint16_t)bytes;
    return b;
}

struct udp_way to_peer(void)
{
    return (struct udp_way){.peer = peer(), .port = PEER_PORT};
}
