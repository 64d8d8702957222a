/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <mempool/pool.h>
#include <string.h>

enum { BUFFERS_MIN = 40, BUFFERS_MAX = 160, IPV6_MTU_MIN = 1280 };

struct ip_addr side_addr(const struct sim *sim, unsigned number)
{
    const struct ip_addr v6 = {
        .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(1 + number)}};

    return sim->v6 ? v6 : ip_addr_v4_of(192, 0, 2, (uint8_t)(1 + number));
}

static void expect(struct sim *sim, enum rt_status status, const char *what)
{
    if (status != RT_OK)
        sim_fail(sim, "%s", what);
}

void side_start(struct side *s, struct sim *sim, unsigned number)
{
    struct net_if_config iface = {
        .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + number)},
        .mtu_bytes = (uint16_t)(sim_random(sim, 4) == 0 ? 576 + sim_random(sim, 900) : 1500),
    };
    const struct tcp_config tcp = {
        .conns = SIM_PAIRS_MAX * 2,
        .rx_window = 3000 + sim_random(sim, sim_random(sim, 2) != 0 ? 10000 : 300000),
        .tx_room = 4096 + sim_random(sim, 60000),
        .congestion = sim->seed % 2 != 0 ? TCP_CUBIC : TCP_NEWRENO,
        .ecn = sim->seed % 4 == 3 ? TCP_ECN_ASK : TCP_ECN_ACCEPT,
    };
    const uint32_t buffers =
        device_buffers() + BUFFERS_MIN + sim_random(sim, BUFFERS_MAX - BUFFERS_MIN);
    const struct ip_addr addr = side_addr(sim, number);
    struct net_config config = {.neighs = 8, .key = "key of one side"};
    uint32_t index;

    if (sim->v6)
        iface.mtu_bytes = RT_MAX(iface.mtu_bytes, (uint16_t)IPV6_MTU_MIN);
    s->sim = sim;
    s->number = number;
    memset(s->generation, 0, sizeof(s->generation));
    expect(sim, pool_create("side", 0, 1, buffers, &s->pool), "no pool");
    device_start(s, &iface);
    config.pool = s->pool;
    config.key[0] = (uint8_t)sim_random(sim, 256);
    config.key[15] = (uint8_t)number;
    expect(sim, net_create(&config, sim->now_us, &s->net), "no stack");
    expect(sim, net_if_add(s->net, &iface, &index), "no interface");
    if (sim->v6)
        expect(sim, net_ip6_start(s->net, 0, false), "no IPv6");
    expect(sim, net_addr_add(s->net, 0, &addr, sim->v6 ? 64 : 24), "no address");
    expect(sim, tcp_create(s->net, &tcp), "no TCP");
}

void side_turn(struct side *side)
{
    device_turn(side);
    net_turn(side->net, side->sim->now_us);
}

uint64_t side_next_us(const struct side *side)
{
    return RT_MIN(net_next_us(side->net), device_next_us(side));
}
