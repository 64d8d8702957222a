/* SPDX-License-Identifier: BSD-2-Clause */
/* A segment of the network stack that the 82599 cuts up: each packet that leaves the card is right,
 * of both families, with a tag, and together they are what was sent. */
#include "ixgbe_port.h"

#include <string.h>

#include "ip/ip.h"
#include "link/neigh.h"
#include "state.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

#include <mempool/pool.h>
#include <tcp/net.h>

enum {
    BUFS = 5,      /* of a segment: rings of hostile builds have 8 descriptors */
    EACH = 1900,   /* bytes of a buffer: no packet ends where one does */
    DATA = BUFS * EACH,
    FIRST = 0x7fffff00, /* its sequence number: they go on behind half of the numbers */
    FLAGS = TCP_ACK | TCP_PSH | TCP_FIN,
};

static struct seen {
    uint32_t packets, bytes, l2_bytes, mss;
    uint8_t data[DATA];
    bool v6;
} seen;

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

/* Of the TCP header and what it carries, as the IP header says. */
static uint32_t l4_bytes_of(const uint8_t *ip)
{
    const struct ipv4_header *v4 = (const struct ipv4_header *)(const void *)ip;
    const struct ipv6_header *v6 = (const struct ipv6_header *)(const void *)ip;

    return seen.v6 ? be16_get(v6->payload_bytes) : be16_get(v4->total_bytes) - 20u;
}

static void check_packet(struct card *card, const uint8_t *frame, uint32_t bytes)
{
    const uint8_t *ip = frame + seen.l2_bytes;
    const uint32_t l3_bytes = seen.v6 ? 40 : 20;
    const struct tcp_header *tcp = (const struct tcp_header *)(const void *)(ip + l3_bytes);
    const uint32_t l4_bytes = l4_bytes_of(ip);
    const uint32_t now = l4_bytes - 20;
    const bool last = seen.bytes + now == DATA;
    struct ip_addr src = ip_addr_v4_of(192, 0, 2, 1), dst = ip_addr_v4_of(192, 0, 2, 2);

    if (seen.v6) {
        memcpy(&src, ((const struct ipv6_header *)(const void *)ip)->src, 16);
        memcpy(&dst, ((const struct ipv6_header *)(const void *)ip)->dst, 16);
    } else {
        assert_int_equal(csum_fold(csum_add(0, ip, 20)).raw, 0);
    }
    assert_int_equal(bytes, seen.l2_bytes + l3_bytes + l4_bytes);
    assert_int_equal(csum_fold(csum_add(csum_pseudo(&src, &dst, IP_TCP, l4_bytes), tcp,
                                        l4_bytes)).raw, 0);
    assert_int_equal(be32_get(tcp->seq), FIRST + seen.bytes);
    assert_int_equal(be16_get(tcp->offset_flags) & TCP_FLAGS, last ? FLAGS : TCP_ACK);
    assert_true(last || now == seen.mss);
    assert_true(now <= DATA - seen.bytes);
    memcpy(seen.data + seen.bytes, tcp + 1, now);
    seen.bytes += now;
    seen.packets++;
}

static void send(void *ctx, struct buf_batch *frames)
{
    struct card *card = ctx;

    nic_tx(card->nic->txq[0], frames);
}

static struct buf *segment(struct card *card)
{
    struct buf *first = NULL, **link = &first;
    struct tcp_header tcp = {
        .src = be16_put(7), .dst = be16_put(9), .seq = be32_put(FIRST),
        .offset_flags = be16_put(5 << TCP_OFFSET_SHIFT | FLAGS),
    };

    for (uint32_t i = 0; i < BUFS; i++) {
        struct buf *b = pool_take(card->pool);

        assert_non_null(b);
        for (uint32_t k = 0; k < EACH; k++)
            buf_data(b)[k] = byte_at(i * EACH + k);
        b->data_len = EACH;
        *link = b;
        link = &b->next;
    }
    first->data_off = (uint16_t)(first->data_off - sizeof(tcp));
    first->data_len = (uint16_t)(EACH + sizeof(tcp));
    memcpy(buf_data(first), &tcp, sizeof(tcp));
    first->segments = BUFS;
    first->pkt_len = DATA + sizeof(tcp);
    return first;
}

static void run(bool v6, uint16_t vlan)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};
    struct card *card = card_start(&card_config, 1);
    const struct net_config config = {.pool = card->pool, .key = "a secret of 16"};
    struct net_if_config iface = {.mac = {2, 0, 0, 0, 0, 1}, .mtu_bytes = 1500, .vlan = vlan,
                                  .tx_ip_checksum = true, .tx_l4_checksum = true,
                                  .tx_tso = true, .tx_bufs = 32, .send = send, .ctx = card};
    struct ip_addr own = ip_addr_v4_of(192, 0, 2, 1), peer = ip_addr_v4_of(192, 0, 2, 2);
    struct ip_how how = {.protocol = IP_TCP, .hops = 64, .dont_cut = true,
                         .cut_bytes = v6 ? 1440 : 1460, /* packets of 1500 */
                         .sum_offset = offsetof(struct tcp_header, checksum)};
    struct ip_route route;
    struct net *net;
    uint32_t index;

    pool_takes_fail(false);
    if (v6) {
        assert_true(ip_addr_parse("2001:db8::1", &own));
        assert_true(ip_addr_parse("2001:db8::2", &peer));
    }
    how.src = own;
    how.dst = peer;
    assert_int_equal(net_create(&config, hal_now_us(), &net), RT_OK);
    assert_int_equal(net_if_add(net, &iface, &index), RT_OK);
    route = (struct ip_route){.iface = &net->ifs[0], .next_hop = peer, .src = own};
    net->ifs[0].ip6.mtu_bytes = 1500;
    neigh_learn(route.iface, &peer, mac, true);
    seen = (struct seen){.l2_bytes = vlan != 0 ? 18 : 14, .mss = how.cut_bytes,
                          .v6 = v6};
    card->on_sent = check_packet;
    assert_int_equal((v6 ? ipv6_output : ipv4_output)(net, &how, &route, segment(card)), RT_OK);
    net_turn(net, hal_now_us());
    card_pass_us(card, 1000);
    assert_int_equal(seen.packets, DATA / seen.mss + 1);
    assert_int_equal(seen.bytes, DATA);
    for (uint32_t i = 0; i < DATA; i++)
        assert_int_equal(seen.data[i], byte_at(i));
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 0);
    net_close(net);
    pool_takes_fail(true);
    card_stop(card);
    card_free(card);
}

static void run_v4(void **state)
{
    run(false, 0);
}

static void run_v6(void **state)
{
    run(true, 0);
}

static void run_tagged(void **state)
{
    run(false, 7);
    run(true, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_v4),
        cmocka_unit_test(run_v6),
        cmocka_unit_test(run_tagged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
