/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes no further is counted, under one name, by one each time: nothing vanishes. */
#include "talk.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/udp.h"

#include <string.h>
#include <tcp/udp.h>

static const struct tcp_config config = {.conns = 8};

/* What came and what left is no reason. */
static const char *const traffic[] = {
    "arp_in", "arp_out", "ip_in_receives", "ip_in_delivers", "ip_out_requests", "icmp_in_msgs",
    "icmp_out_msgs", "if_out_frames", "tcp_in_segs", "tcp_out_segs", "tcp_passive_opens",
};

static bool is_traffic(const char *name)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(traffic); i++)
        if (strcmp(name, traffic[i]) == 0)
            return true;
    return false;
}

static struct net_counters before;

static void note(const struct talk *t)
{
    before = *net_counters(t->s.net);
}

/* Since note() this counter went up by one, and no other that is a reason; `also`: but this. */
static void expect_moved(const struct talk *t, const char *name, const char *also)
{
    const uint64_t *now = (const uint64_t *)net_counters(t->s.net);
    const uint64_t *then = (const uint64_t *)&before;

    for (uint32_t i = 0; i < NET_COUNTERS; i++) {
        const char *row = net_counter_rows[i].name;
        const bool wanted = strcmp(row, name) == 0 || (also != NULL && strcmp(row, also) == 0);

        if (!is_traffic(row) && now[i] - then[i] != wanted)
            fail_msg("%s: %s moved by %llu", name, row, (unsigned long long)(now[i] - then[i]));
    }
}

static void start(struct talk *t)
{
    talk_start(t, &config, (struct tcp_listen){.backlog = 4});
}

/* A segment of the peer's. */
struct gives {
    uint16_t flags;
    uint32_t seq, ack, bytes;
};

/* It moves this counter, and no other. */
static void give(struct talk *t, const char *name, const char *also, struct gives g)
{
    note(t);
    talk_give(t, g.flags, g.seq, g.ack, g.bytes);
    expect_moved(t, name, also);
    talk_drop_all(t);
}

/* ---- TCP, by state ---- */

static void run_listener(void **state)
{
    struct talk t;

    start(&t);
    give(&t, "tcp_in_ignored", NULL, (struct gives){R, 1, 0, 0});
    give(&t, "tcp_in_ignored", NULL, (struct gives){0, 1, 0, 5});
    give(&t, "tcp_in_ignored", NULL, (struct gives){S | F, 1, 0, 0});
    give(&t, "tcp_out_rsts", NULL, (struct gives){S | A, 1, 1, 0});
    give(&t, "tcp_out_rsts", NULL, (struct gives){A, 1, 1, 0});
    t.options.mss = 63;
    give(&t, "tcp_mss_refused", NULL, (struct gives){S, 0, 0, 0});
    t.options.mss = 64;
    give(&t, "tcp_syn_data", NULL, (struct gives){S, 0, 0, 10});
    talk_new(&t, 1001);
    tcp_pause(t.listener, true);
    give(&t, "tcp_syn_dropped", NULL, (struct gives){S, 0, 0, 0});
    talk_stop(&t);
}

static void run_syn_sent(void **state)
{
    struct talk t;

    start(&t);
    talk_connect(&t);
    give(&t, "tcp_unacceptable", "tcp_out_rsts", (struct gives){A, 5, 9, 0});
    give(&t, "tcp_unacceptable", NULL, (struct gives){R | A, 5, 9, 0});
    give(&t, "tcp_in_ignored", NULL, (struct gives){R, 5, 0, 0});
    give(&t, "tcp_in_ignored", NULL, (struct gives){F, 5, 0, 0});
    give(&t, "tcp_in_ignored", NULL, (struct gives){A, 5, 1, 0});
    assert_int_equal(told.closed, 0);
    give(&t, "tcp_syn_data", "tcp_active_opens", (struct gives){S | A, 0, 1, 10});
    talk_stop(&t);
}

static void run_established(void **state)
{
    struct talk t;

    start(&t);
    talk_accept(&t, 1000);
    give(&t, "tcp_in_ignored", NULL, (struct gives){P, 1, 0, 10});
    give(&t, "tcp_unacceptable", "tcp_challenges", (struct gives){A, 1 + 70000 * 8, 1, 0});
    give(&t, "tcp_unacceptable", NULL, (struct gives){R, 1 + 70000 * 8, 0, 0});
    give(&t, "tcp_challenges", NULL, (struct gives){R, 2, 0, 0});
    give(&t, "tcp_challenges", NULL, (struct gives){A, 1, 500, 10});
    talk_give(&t, A, 1, 1, 10);
    give(&t, "tcp_unacceptable", "tcp_twice", (struct gives){A, 1, 1, 10});
    talk_give(&t, A, 101, 1, 10);
    give(&t, "tcp_twice", NULL, (struct gives){A, 101, 1, 10});
    talk_give(&t, A, 11, 1, 90);
    talk_give(&t, F | A, 111, 1, 0);
    assert_int_equal(told.ended, 1);
    talk_drop_all(&t);
    give(&t, "tcp_late_data", NULL, (struct gives){A, 112, 1, 10});
    talk_stop(&t);
}

/* ---- ICMP ---- */

static void give_icmp(struct talk *t, uint8_t type, struct ip_addr dst, const void *data,
                      uint32_t bytes)
{
    struct icmp_header icmp = {.type = type, .code = type == ICMP_UNREACHABLE ? 3 : 0};
    struct frame f;

    icmp.checksum = csum_fold(csum_add(csum_add(0, &icmp, sizeof(icmp)), data, bytes));
    frame_ip(&f, t->from, dst, IP_ICMP, (uint32_t)sizeof(icmp) + bytes);
    frame_add(&f, &icmp, sizeof(icmp));
    frame_add(&f, data, bytes);
    note(t);
    station_give(&t->s, &f, 0);
}

static void run_icmp(void **state)
{
    static const uint8_t text[8] = {1, 2, 3};
    struct frame quote;
    struct talk t;

    start(&t);
    talk_accept(&t, 1000);
    give_icmp(&t, 13, ours(), text, 8); /* timestamp */
    expect_moved(&t, "icmp_in_ignored", NULL);
    give_icmp(&t, ICMP_ECHO_REQUEST, ip_addr_v4_of(192, 0, 2, 255), text, 8);
    expect_moved(&t, "icmp_in_ignored", NULL);
    give_icmp(&t, ICMP_ECHO_REPLY, ours(), text, 8);
    expect_moved(&t, "icmp_in_ignored", NULL);
    give_icmp(&t, ICMP_UNREACHABLE, ours(), text, 8);
    expect_moved(&t, "icmp_in_errors", NULL);
    frame_ip(&quote, ours(), t.from, IP_TCP, 8);
    frame_add(&quote, (uint8_t[]){0, TALK_PORT, 1000 >> 8, 1000 & 0xff, 1, 2, 3, 4}, 8);
    give_icmp(&t, ICMP_UNREACHABLE, ours(), quote.data + 14, 28);
    expect_moved(&t, "icmp_in_unbelieved", NULL);
    talk_stop(&t);
}

/* ---- to many, or from nobody: silence (RFC 9293 3.9.2.3, RFC 1122 3.2.1.3, 3.2.2) ---- */

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* A SYN, or a datagram for a port that nobody has. */
static void give_between(struct talk *t, struct ip_addr src, struct ip_addr dst, uint8_t protocol,
                         const uint8_t mac[6])
{
    const struct tcp_header syn = {
        .src = be16_put(1234),
        .dst = be16_put(TALK_PORT),
        .offset_flags = be16_put(5 << TCP_OFFSET_SHIFT | S),
    };
    const struct udp_header datagram = {be16_put(1234), be16_put(9), be16_put(8), {0}};
    struct frame f;

    if (protocol == IP_TCP) {
        frame_ip(&f, src, dst, protocol, sizeof(syn));
        frame_add(&f, &syn, sizeof(syn));
    } else {
        frame_ip(&f, src, dst, protocol, sizeof(datagram));
        frame_add(&f, &datagram, sizeof(datagram));
    }
    memcpy(f.data, mac, 6);
    station_give_flags(&t->s, &f, 0, BUF_RX_L4_GOOD);
    station_silent(&t->s);
}

static void run_groups(void **state)
{
    static const uint8_t many[][4] = {{255, 255, 255, 255}, {192, 0, 2, 255}, {224, 0, 0, 1},
                                      {0, 0, 0, 0}, {127, 0, 0, 1}, {OUR_IP}};
    static const uint8_t protocols[] = {IP_TCP, IP_UDP};
    struct talk t;

    start(&t);
    assert_int_equal(udp_create(t.s.net, &(struct udp_config){.socks = 1}), RT_OK);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(many); i++)
        for (uint32_t k = 0; k < RT_ARRAY_SIZE(protocols); k++) {
            const struct ip_addr addr =
                ip_addr_v4_of(many[i][0], many[i][1], many[i][2], many[i][3]);

            give_between(&t, addr, ours(), protocols[k], our_mac);
            give_between(&t, peer(), i < 5 ? addr : ours(), protocols[k], everybody);
            if (i < 5)
                give_between(&t, peer(), addr, protocols[k], our_mac);
        }
    assert_int_equal(t.s.net->tcp->open, 0);
    assert_int_equal(net_counters(t.s.net)->icmp_out_msgs, 0);
    talk_accept(&t, 1234); /* the same, from a host */
    talk_stop(&t);
}

/* ---- what could not be said ---- */

static void run_no_buffer(void **state)
{
    struct buf *taken = NULL;
    struct talk t;
    struct frame f;

    start(&t);
    while (t.s.pool->free > 1) {
        struct buf *b = pool_take(t.s.pool);

        b->user = (uintptr_t)taken;
        taken = b;
    }
    frame_ip(&f, peer(), ours(), 200, 0);
    note(&t);
    station_give(&t.s, &f, 0);
    expect_moved(&t, "ip_in_unknown_protos", "icmp_out_errors");
    frame_arp(&f, ARP_REQUEST, peer(), ours());
    note(&t);
    station_give(&t.s, &f, 0);
    expect_moved(&t, "bufs_missing", NULL);
    while (taken != NULL) {
        struct buf *b = taken;

        taken = (struct buf *)(uintptr_t)b->user;
        buf_free(b);
    }
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_listener), cmocka_unit_test(run_syn_sent),
        cmocka_unit_test(run_established), cmocka_unit_test(run_icmp),
        cmocka_unit_test(run_groups),
        cmocka_unit_test(run_no_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
