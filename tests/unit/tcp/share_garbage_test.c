/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of every kind that stacks with one address send each other, spoiled, by any queue:
 * nothing falls, and every buffer comes home. share_garbage_test SEEDS [FIRST] runs others. */
#include "datagrams.h"
#include "stacks.h"
#include "station6.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/nd.h"

#include <stdlib.h>
#include <string.h>

enum { L3 = 14, FRAMES = 400, STEP_US = 50000 };

static uint32_t seeds = 40, first_seed = 1;
static uint64_t state_of_draws;

static uint32_t draw(uint32_t below)
{
    state_of_draws ^= state_of_draws << 13;
    state_of_draws ^= state_of_draws >> 7;
    state_of_draws ^= state_of_draws << 17;
    return (uint32_t)(state_of_draws >> 16) % below;
}

/* An error about a packet of ours, as a router sends it. */
static void error_about(struct frame *f, const struct frame *ours_out)
{
    struct icmp_header icmp = {.type = ICMP_UNREACHABLE, .code = (uint8_t)draw(5),
                               .sequence = be16_put(1000)};
    const uint32_t bytes = RT_MIN(ours_out->bytes, 14u + 28u) - L3;

    icmp.checksum =
        csum_fold(csum_add(csum_add(0, &icmp, sizeof(icmp)), ours_out->data + L3, bytes));
    frame_ip(f, ip_addr_v4_of(FAR_IP), ours(), IP_ICMP, (uint32_t)sizeof(icmp) + bytes);
    frame_add(f, &icmp, sizeof(icmp));
    frame_add(f, ours_out->data + L3, bytes);
}

static void about_neighbours(struct frame *f)
{
    static const uint8_t types[] = {ICMP6_NEIGH_SOLICIT, ICMP6_NEIGH_ADVERT, ICMP6_ROUTER_ADVERT,
                                    ICMP6_MLD_QUERY, ICMP6_REDIRECT};
    const struct icmp_header icmp = {.type = types[draw(RT_ARRAY_SIZE(types))]};
    uint8_t data[64];

    for (uint32_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)draw(draw(2) != 0 ? 256 : 3);
    frame_icmp6(f, addr_of(PEER6_LINK), addr_of("ff02::1"), icmp, data, 8 * draw(9));
    f->data[L3 + 7] = 255;
}

static void make_frame(struct frame *f, const struct frame *ours_out)
{
    const uint16_t port = (uint16_t)(4000 + draw(6));

    switch (draw(7)) {
    case 0:
        frame_tcp(f, port, STACKS_PORT, TCP_SYN, 1000, 0);
        return;
    case 1:
        frame_tcp_data(f, port, STACKS_PORT, 1001, draw(UINT32_MAX), draw(1000));
        return;
    case 2:
        frame_udp(f, ours(), (uint16_t)(OUR_PORT + draw(2)), draw(1000));
        return;
    case 3:
        frame_arp(f, draw(2) != 0 ? ARP_REQUEST : ARP_REPLY, peer(), ours());
        return;
    case 4:
        error_about(f, ours_out);
        return;
    case 5:
        frame_ping6(f, PEER6_LINK, OUR6_LINK, draw(1000));
        return;
    default:
        about_neighbours(f);
    }
}

/* Some bytes are others, or the frame is shorter than it was; or it is left as it is. */
static void spoil(struct frame *f)
{
    if (draw(8) == 0)
        f->bytes = draw(f->bytes + 1);
    for (uint32_t n = draw(4); n > 0 && f->bytes > L3; n--)
        f->data[L3 + draw(f->bytes - L3)] = (uint8_t)draw(256);
}

/* The checksum of an IPv4 header is right again. */
static void mend_sum(struct frame *f)
{
    const bool v4 = f->data[12] == 0x08 && f->data[13] == 0x00 && f->bytes >= L3 + 60;

    if (v4 && f->data[L3] >> 4 == 4 && (f->data[L3] & 15) >= 5)
        frame_ip_sum((struct ipv4_header *)(void *)(f->data + L3));
}

static void run_seed(uint64_t seed)
{
    struct stacks *t = stacks_start_ready(2 + (uint32_t)(seed % 2));
    struct seen seen = {.net = t->one[1].net};
    const struct udp_open open = {.port = OUR_PORT, .ops = &seen_ops, .ctx = &seen};
    static struct frame f, ours_out;
    const struct frame *out;
    struct udp_sock *sock;
    uint32_t by;

    state_of_draws = seed * 2 + 1;
    ours_out.bytes = L3 + 28;
    assert_int_equal(udp_open(stacks_on(t, 1), &open, &sock), RT_OK);
    assert_int_equal(net_ip6_start(stacks_on(t, 0), 0, true), RT_OK);
    for (uint32_t i = 0; i < FRAMES; i++) {
        t->mail_room = draw(10) == 0 ? 1 : STACKS_MAIL;
        make_frame(&f, &ours_out);
        spoil(&f);
        if (draw(2) != 0)
            mend_sum(&f);
        stacks_give(t, draw(t->count), &f);
        while ((out = stacks_next(t, &by)) != NULL)
            ours_out = *out;
        if (draw(4) == 0)
            stacks_wait_us(t, draw(STEP_US));
    }
    stacks_stop(t);
}

static void run_seeds(void **state)
{
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
        run_seed(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_seeds)};

    if (argc > 1)
        seeds = (uint32_t)strtoul(argv[1], NULL, 0);
    if (argc > 2)
        first_seed = (uint32_t)strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
