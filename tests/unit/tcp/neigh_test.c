/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP and the table of neighbours (RFC 826, RFC 1122 2.3.2, RFC 5227). */
#include "station.h"

#include "ip/ip.h"
#include "link/neigh.h"
#include "state.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/pool.h>
#include <string.h>

static const struct arp_header *arp_of(const struct frame *f)
{
    assert_non_null(f);
    assert_int_equal(f->data[12] << 8 | f->data[13], ETH_ARP);
    assert_int_equal(f->bytes, 42);
    return (const struct arp_header *)(const void *)(f->data + 14);
}

/* Sends a datagram of `bytes` bytes; its status. */
static enum rt_status send_to(struct station *s, struct ip_addr dst, uint16_t bytes)
{
    const struct ip_how how = {.dst = dst, .protocol = 253, .hops = 64, .sum_offset = IP_NO_SUM};
    struct buf *b = pool_take(s->pool);
    enum rt_status st;

    assert_non_null(b);
    memset(buf_data(b), 0, bytes);
    b->data_len = bytes;
    b->pkt_len = bytes;
    st = ip_send(s->net, &how, b);
    net_turn(s->net, s->now_us);
    return st;
}

static void answer(struct station *s, struct ip_addr who)
{
    struct frame f;

    frame_arp(&f, ARP_REPLY, who, ip_addr_v4_of(OUR_IP));
    station_give(s, &f, 0);
}

static void run_answers(void **state)
{
    struct station s;
    struct frame f;
    const struct arp_header *arp;

    station_start(&s, 64);
    frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP));
    frame_pad(&f);
    station_give(&s, &f, 0);
    arp = arp_of(station_next(&s));
    assert_int_equal(be16_get(arp->op), ARP_REPLY);
    assert_memory_equal(arp->sender_mac, our_mac, 6);
    assert_memory_equal(arp->target_mac, peer_mac, 6);
    assert_int_equal(be32_get(arp->sender), 0xc0000201);
    assert_int_equal(be32_get(arp->target), 0xc0000202);
    frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(192, 0, 2, 3));
    station_give(&s, &f, 0);
    station_silent(&s); /* not ours */
    station_stop(&s);
}

/* Each field that can be wrong: dropped, counted, not answered. */
static void run_bad(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    for (uint32_t i = 0; i < 6; i++) {
        struct arp_header *arp;

        frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP));
        arp = (struct arp_header *)(void *)(f.data + 14);
        if (i == 0)
            arp->hardware = be16_put(6);
        else if (i == 1)
            arp->protocol = be16_put(ETH_IPV6);
        else if (i == 2)
            arp->hardware_bytes = 8;
        else if (i == 3)
            arp->protocol_bytes = 16;
        else if (i == 4)
            arp->sender_mac[0] |= 1;
        else
            f.bytes--;
        station_give(&s, &f, 0);
        station_silent(&s);
    }
    assert_int_equal(net_counters(s.net)->arp_bad, 6);
    station_stop(&s);
}

/* Answers nobody asked for make no entry: a packet afterwards asks first. */
static void run_unsolicited(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    frame_arp(&f, ARP_REPLY, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(192, 0, 2, 9));
    station_give(&s, &f, 0);
    frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(PEER_IP)); /* announced */
    station_give(&s, &f, 0);
    assert_int_equal(send_to(&s, ip_addr_v4_of(PEER_IP), 20), RT_OK);
    assert_int_equal(be16_get(arp_of(station_next(&s))->op), ARP_REQUEST);
    station_silent(&s);
    station_stop(&s);
}

/* Asked at 0, 1 and 2 s, failed at 3 s, refused until 6 s, then asked anew. The newest packet is
 * the one that is kept. Another neighbour is on its own clock. */
static void run_no_answer(void **state)
{
    struct station s;

    station_start(&s, 64);
    assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, 99), 20), RT_OK);
    assert_int_equal(send_to(&s, ip_addr_v4_of(PEER_IP), 20), RT_OK);
    arp_of(station_next(&s));
    arp_of(station_next(&s)); /* the first one's failure delays nobody */
    assert_int_equal(send_to(&s, ip_addr_v4_of(PEER_IP), 33), RT_OK);
    assert_int_equal(net_counters(s.net)->neigh_dropped, 1);
    station_silent(&s);
    station_advance_us(&s, 1000100);
    arp_of(station_next(&s));
    arp_of(station_next(&s));
    station_silent(&s);
    answer(&s, ip_addr_v4_of(PEER_IP));
    assert_int_equal(station_next(&s)->bytes, 14 + 20 + 33); /* the newest left with the answer */
    station_silent(&s);
    station_advance_us(&s, 1000100);
    assert_int_equal(be32_get(arp_of(station_next(&s))->target), 0xc0000263);
    station_advance_us(&s, 1000100);
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->neigh_failed, 1);
    assert_int_equal(net_counters(s.net)->neigh_dropped, 2);
    assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, 99), 20), RT_NOT_FOUND);
    station_silent(&s);
    station_advance_us(&s, NEIGH_FAILED_US + 100);
    assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, 99), 20), RT_OK);
    arp_of(station_next(&s));
    station_stop(&s);
}

/* A neighbour that was not heard of for long is asked by unicast, while packets go on to it; the
 * answer, or one from its new place, is believed. */
static void run_stale(void **state)
{
    struct station s;
    struct frame f;
    const struct frame *packet;

    station_start(&s, 64);
    station_meet(&s, ip_addr_v4_of(PEER_IP));
    station_advance_us(&s, NEIGH_REACHABLE_US + 1000);
    station_silent(&s);
    assert_int_equal(send_to(&s, ip_addr_v4_of(PEER_IP), 20), RT_OK);
    packet = station_next(&s);
    arp_of(packet);
    assert_memory_equal(packet->data, peer_mac, 6);
    assert_int_equal(station_next(&s)->bytes, 54);
    frame_arp(&f, ARP_REPLY, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP));
    f.data[14 + 8 + 5] = 0x77; /* moved */
    station_give(&s, &f, 0);
    station_advance_us(&s, 5000000);
    station_silent(&s); /* not asked again */
    assert_int_equal(send_to(&s, ip_addr_v4_of(PEER_IP), 20), RT_OK);
    assert_int_equal(station_next(&s)->data[5], 0x77);
    station_stop(&s);
}

/* One that is gone is asked by unicast, then, as it may have another MAC, everybody is; packets
 * wait meanwhile, and the one of the new place gets them. */
static void run_moved_silently(void **state)
{
    struct station s;
    const struct frame *f;

    station_start(&s, 64);
    station_meet(&s, peer());
    station_advance_us(&s, NEIGH_REACHABLE_US + 1000);
    assert_int_equal(send_to(&s, peer(), 20), RT_OK);
    arp_of(station_next(&s));
    assert_int_equal(station_next(&s)->bytes, 54);
    station_advance_us(&s, 2000200);
    for (uint32_t i = 0; i < 2; i++) {
        f = station_next(&s);
        arp_of(f);
        assert_memory_equal(f->data, peer_mac, 6);
    }
    station_advance_us(&s, 1000200);
    f = station_next(&s);
    arp_of(f);
    assert_int_equal(f->data[0], 0xff);
    assert_int_equal(send_to(&s, peer(), 33), RT_OK);
    station_silent(&s);
    answer(&s, peer());
    assert_int_equal(station_next(&s)->bytes, 14 + 20 + 33);
    assert_int_equal(net_counters(s.net)->neigh_failed, 0);
    station_stop(&s);
}

/* A host that moves on behind a gateway says that the gateway lives. */
static void run_confirmed(void **state)
{
    const struct ip_addr far = ip_addr_v4_of(FAR_IP);
    struct station s;

    station_start(&s, 64);
    station_meet(&s, ip_addr_v4_of(GATEWAY_IP));
    station_advance_us(&s, NEIGH_REACHABLE_US + 1000);
    assert_int_equal(send_to(&s, ip_addr_v4_of(FAR_IP), 20), RT_OK);
    arp_of(station_next(&s)); /* STALE: asked */
    assert_int_equal(station_next(&s)->bytes, 54);
    ip_confirm(s.net, &far);
    station_advance_us(&s, 10000000);
    station_silent(&s); /* not again */
    assert_int_equal(send_to(&s, ip_addr_v4_of(FAR_IP), 20), RT_OK);
    assert_int_equal(station_next(&s)->bytes, 54);
    station_silent(&s);
    station_stop(&s);
}

/* Off the subnet: the gateway is asked for, not the host. */
static void run_gateway(void **state)
{
    struct station s;
    const struct frame *packet;

    station_start(&s, 64);
    assert_int_equal(send_to(&s, ip_addr_v4_of(FAR_IP), 20), RT_OK);
    assert_int_equal(be32_get(arp_of(station_next(&s))->target), 0xc00002fe);
    answer(&s, ip_addr_v4_of(GATEWAY_IP));
    packet = station_next(&s);
    assert_int_equal(packet->bytes, 54);
    assert_memory_equal(packet->data + 30, ((uint8_t[]){FAR_IP}), 4);
    station_stop(&s);
}

/* More neighbours than there is room for: who is being asked keeps his place, the one used longest
 * ago makes room. */
static void run_full(void **state)
{
    struct station s;

    station_start(&s, 64);
    for (uint8_t i = 0; i < 8; i++)
        assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, (uint8_t)(10 + i)), 20), RT_OK);
    assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, 30), 20), RT_FULL);
    assert_int_equal(net_counters(s.net)->neigh_full, 1);
    for (uint32_t i = 0; i < 8; i++)
        arp_of(station_next(&s));
    answer(&s, ip_addr_v4_of(192, 0, 2, 12));
    assert_int_equal(station_next(&s)->bytes, 54);
    assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, 30), 20), RT_OK);
    arp_of(station_next(&s));
    station_stop(&s);
}

/* Ten thousand hosts of the subnet ask for us: the table keeps its size, and whom we ask his place.
 * What nobody asked for changes a MAC that is known, makes none, and ours never. */
static void run_flood(void **state)
{
    struct station s;
    struct frame f;
    uint32_t used = 0;

    station_start(&s, 64);
    assert_int_equal(send_to(&s, ip_addr_v4_of(192, 0, 2, 99), 20), RT_OK);
    arp_of(station_next(&s));
    for (uint32_t i = 0; i < 10000; i++) {
        const uint8_t host = (uint8_t)(100 + i % 100);

        frame_arp(&f, i % 2 == 0 ? ARP_REQUEST : ARP_REPLY, ip_addr_v4_of(192, 0, 2, host),
                  i % 2 == 0 ? ours() : ip_addr_v4_of(192, 0, 2, 77));
        station_give(&s, &f, 0);
        s.seen = s.sent;
    }
    for (uint32_t i = 0; i < s.net->neighs.count; i++) {
        used += s.net->neighs.entries[i].state != NEIGH_FREE;
        assert_true(s.net->neighs.entries[i].addr.bytes[15] % 2 == 0 ||
                    s.net->neighs.entries[i].addr.bytes[15] == 99);
    }
    assert_int_equal(used, 8);
    answer(&s, ip_addr_v4_of(192, 0, 2, 99));
    assert_int_equal(station_next(&s)->bytes, 54);
    station_stop(&s);
}

/* Another host with our address: said once more that it is ours, and counted. */
static void run_conflict(void **state)
{
    struct station s;
    struct frame f;
    const struct arp_header *arp;

    station_start(&s, 64);
    frame_arp(&f, ARP_REPLY, ip_addr_v4_of(OUR_IP), ip_addr_v4_of(PEER_IP));
    station_give(&s, &f, 0);
    arp = arp_of(station_next(&s));
    assert_int_equal(be32_get(arp->sender), be32_get(arp->target));
    assert_memory_equal(arp->sender_mac, our_mac, 6);
    assert_int_equal(net_counters(s.net)->arp_conflicts, 1);
    station_silent(&s);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_answers),    cmocka_unit_test(run_bad),
        cmocka_unit_test(run_unsolicited), cmocka_unit_test(run_no_answer),
        cmocka_unit_test(run_stale),      cmocka_unit_test(run_gateway),
        cmocka_unit_test(run_moved_silently), cmocka_unit_test(run_confirmed),
        cmocka_unit_test(run_full),       cmocka_unit_test(run_conflict),
        cmocka_unit_test(run_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
