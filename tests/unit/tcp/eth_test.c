/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames at the door: whose they are, their tags, and what is cut short. */
#include "station.h"

#include "wire/eth.h"

#include <string.h>

static uint64_t pings_answered(struct station *s)
{
    uint64_t answered = 0;

    while (station_next(s) != NULL)
        answered++;
    return answered;
}

static void run_addresses(void **state)
{
    static const uint8_t other[6] = {0x02, 0, 0, 0, 0, 9}, group[6] = {1, 0, 0x5e, 0, 0, 9},
                         odd_group[6] = {0x03, 0, 0, 0, 0, 1};
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, ip_addr_v4_of(PEER_IP));
    frame_ping(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), 10);
    station_give(&s, &f, 0);
    assert_int_equal(pings_answered(&s), 1);
    memcpy(f.data, other, 6);
    station_give(&s, &f, 0);
    memcpy(f.data, odd_group, 6);
    station_give(&s, &f, 0);
    assert_int_equal(net_counters(s.net)->eth_not_for_us, 2);
    memcpy(f.data, group, 6); /* to a group, by the link: IP looks at it, nobody answers */
    station_give(&s, &f, 0);
    assert_int_equal(net_counters(s.net)->eth_not_for_us, 2);
    station_silent(&s);
    station_stop(&s);
}

/* Every length that a frame can be cut to: dropped and counted once, nothing read beyond. */
static void run_short(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, ip_addr_v4_of(PEER_IP));
    for (uint32_t bytes = 0; bytes < 14 + 20 + 8; bytes++) {
        frame_ping(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), 0);
        f.bytes = bytes;
        station_give(&s, &f, 0);
        station_silent(&s);
    }
    assert_int_equal(net_counters(s.net)->eth_short, 14);
    assert_int_equal(net_counters(s.net)->ip_in_hdr_errors +
                         net_counters(s.net)->ip_in_truncated,
                     28);
    station_stop(&s);
}

static void put_tag(struct frame *f, uint16_t tci)
{
    const struct eth_vlan_tag tag = {be16_put(tci), {0}};

    memmove(f->data + 16, f->data + 12, f->bytes - 12);
    memcpy(f->data + 12, &(uint16_t){__builtin_bswap16(ETH_VLAN)}, 2);
    memcpy(f->data + 14, &tag.tci, 2);
    f->bytes += 4;
}

/* A tag of 0 is a priority only; any other is somebody else's, unless it is ours. */
static void run_tags(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 64);
    station_meet(&s, ip_addr_v4_of(PEER_IP));
    for (uint32_t i = 0; i < 3; i++) {
        frame_ping(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), 10);
        put_tag(&f, i == 0 ? 0xe000 : (uint16_t)i);
        station_give(&s, &f, 0);
        assert_int_equal(pings_answered(&s), i == 0);
    }
    frame_ping(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), 10);
    put_tag(&f, 0);
    put_tag(&f, 0); /* a tag in a tag */
    station_give(&s, &f, 0);
    f.bytes = 16; /* a tag cut short */
    station_give(&s, &f, 0);
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->eth_other_vlan, 2);
    assert_int_equal(net_counters(s.net)->eth_unknown_type, 1);
    assert_int_equal(net_counters(s.net)->eth_short, 1);
    station_stop(&s);
}

static void run_our_tag(void **state)
{
    struct station s;
    struct frame f;
    const struct frame *answer;

    station_start_with(&s, 64, (struct net_if_config){.mtu_bytes = 1500, .vlan = 7});
    frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP));
    station_give(&s, &f, 0); /* without a tag: not ours */
    station_silent(&s);
    put_tag(&f, 0x2007);
    station_give(&s, &f, 0);
    answer = station_next(&s);
    assert_non_null(answer);
    assert_int_equal(answer->data[12] << 8 | answer->data[13], ETH_VLAN);
    assert_int_equal(answer->data[14] << 8 | answer->data[15], 7);
    assert_int_equal(answer->data[16] << 8 | answer->data[17], ETH_ARP);
    assert_int_equal(net_counters(s.net)->eth_other_vlan, 1);
    station_stop(&s);
}

/* What the device would not take waits, in order; what has no room is dropped and counted. */
static void run_device_full(void **state)
{
    struct station s;
    struct frame f;

    station_start(&s, 256);
    station_meet(&s, ip_addr_v4_of(PEER_IP));
    s.accepts = 0;
    for (uint32_t i = 0; i < BUF_BATCH_MAX + 3; i++) {
        frame_ping(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), i);
        station_give(&s, &f, 0);
    }
    station_silent(&s);
    assert_int_equal(net_counters(s.net)->ip_out_discards, 3);
    s.accepts = 5;
    station_advance_us(&s, 1);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(station_next(&s)->bytes, 14 + 20 + 8 + i);
    station_silent(&s);
    s.accepts = UINT32_MAX;
    station_advance_us(&s, 1);
    for (uint32_t i = 5; i < BUF_BATCH_MAX; i++)
        assert_int_equal(station_next(&s)->bytes, 14 + 20 + 8 + i);
    station_silent(&s);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_addresses),
        cmocka_unit_test(run_short),
        cmocka_unit_test(run_tags),
        cmocka_unit_test(run_our_tag),
        cmocka_unit_test(run_device_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
