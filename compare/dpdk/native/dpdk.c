/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's own ixgbe driver, mempool and ring, as the distribution ships them. */
#include "dpdk_card.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFETCH_AHEAD 4
#define MBUFS_MAX 64

struct setting {
    enum native_lanes lane;
    const char *name;
    uint16_t rx_descs, tx_descs, tx_free_thresh;
    uint32_t mbufs, cache;
    bool csum;
};

static const struct setting settings[] = {
    {LANE_DPDK_128, "dpdk_128", 128, 128, 32, 511, 64, false},
    {LANE_DPDK_128_512, "dpdk_128_512", 128, 512, 448, 8191, 256, false},
    {LANE_DPDK_DEFAULT, "dpdk_default", 512, 512, 32, 8191, 256, false},
    {LANE_DPDK_1024, "dpdk_1024", 1024, 1024, 32, 8191, 256, false},
    {LANE_DPDK_CSUM, "dpdk_csum", 128, 128, 32, 511, 64, true},
};
_Static_assert(RTE_DIM(settings) <= DPDK_CARDS, "a card for each setting");

struct peer {
    uint16_t port;
};

static struct peer peers[RTE_DIM(settings)];
static struct rte_mempool *spare_pool;
static struct rte_ring *ring;
static uint16_t udp_sum;

static uint16_t rx_all(uint16_t port, struct rte_mbuf **p, uint16_t ask)
{
    uint16_t n = 0, got;

    do { /* the vector path gives at most 32 a call */
        got = rte_eth_rx_burst(port, 0, p + n, (uint16_t)(ask - n));
        n = (uint16_t)(n + got);
    } while (n < ask && got >= 32);
    return n;
}

static void swap_all(struct rte_mbuf **p, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        if (i + PREFETCH_AHEAD < n)
            rte_prefetch0(rte_pktmbuf_mtod(p[i + PREFETCH_AHEAD], void *));
        native_swap(rte_pktmbuf_mtod(p[i], uint8_t *));
    }
}

static void csum_all(struct rte_mbuf **p, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        struct rte_ipv4_hdr *ip;

        if (i + PREFETCH_AHEAD < n)
            rte_prefetch0(rte_pktmbuf_mtod(p[i + PREFETCH_AHEAD], void *));
        native_swap(rte_pktmbuf_mtod(p[i], uint8_t *));
        ip = rte_pktmbuf_mtod_offset(p[i], struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
        ip->hdr_checksum = 0;
        memcpy((char *)(ip + 1) + 6, &udp_sum, sizeof(udp_sum));
        p[i]->ol_flags |=
            RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
        p[i]->l2_len = sizeof(struct rte_ether_hdr);
        p[i]->l3_len = sizeof(struct rte_ipv4_hdr);
    }
}

static uint32_t step(void *ctx, enum native_work work, uint32_t ask)
{
    const struct peer *peer = ctx;
    struct rte_mbuf *p[MBUFS_MAX];
    uint16_t n = rx_all(peer->port, p, (uint16_t)ask), sent;

    if (work == WORK_SWAP)
        swap_all(p, n);
    else if (work == WORK_CSUM)
        csum_all(p, n);
    sent = n > 0 ? rte_eth_tx_burst(peer->port, 0, p, n) : 0;
    if (sent < n) /* its ring frees one block a call: the rest in a second one */
        sent = (uint16_t)(sent + rte_eth_tx_burst(peer->port, 0, p + sent, n - sent));
    for (uint16_t i = sent; i < n; i++)
        rte_pktmbuf_free(p[i]);
    return sent;
}

static void empty(void *ctx)
{
    const struct peer *peer = ctx;
    struct rte_mbuf *p[MBUFS_MAX];

    for (unsigned i = 0; i < NATIVE_POLLS; i++)
        (void)rte_eth_rx_burst(peer->port, 0, p, 32);
}

static void pool_step(void *ctx)
{
    struct rte_mbuf *p[NATIVE_BULK];

    for (unsigned i = 0; i < NATIVE_BULK; i++)
        p[i] = rte_pktmbuf_alloc(spare_pool);
    for (unsigned i = 0; i < NATIVE_BULK; i++)
        rte_pktmbuf_free(p[i]);
}

static void ring_step(void *ctx)
{
    void *items[NATIVE_BULK] = {0};

    (void)rte_ring_sp_enqueue_burst(ring, items, NATIVE_BULK, NULL);
    (void)rte_ring_sc_dequeue_burst(ring, items, NATIVE_BULK, NULL);
}

static void ring_one_step(void *ctx)
{
    void *item = NULL;

    for (unsigned i = 0; i < NATIVE_BULK; i++) {
        (void)rte_ring_sp_enqueue(ring, item);
        (void)rte_ring_sc_dequeue(ring, &item);
    }
}

static bool port_start(const struct setting *s, uint16_t port)
{
    struct rte_eth_conf conf = {0};
    struct rte_eth_dev_info info;
    struct rte_eth_rxconf rxconf;
    struct rte_eth_txconf txconf;
    struct rte_mempool *pool;

    pool = rte_pktmbuf_pool_create(s->name, s->mbufs, s->cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == NULL || rte_eth_dev_info_get(port, &info) != 0)
        return false;
    if (s->csum) {
        conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM;
        conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    }
    rxconf = info.default_rxconf;
    rxconf.offloads = conf.rxmode.offloads;
    txconf = info.default_txconf;
    txconf.tx_free_thresh = s->tx_free_thresh;
    txconf.offloads = conf.txmode.offloads;
    return rte_eth_dev_configure(port, 1, 1, &conf) == 0 &&
           rte_eth_rx_queue_setup(port, 0, s->rx_descs, 0, &rxconf, pool) == 0 &&
           rte_eth_tx_queue_setup(port, 0, s->tx_descs, 0, &txconf) == 0 &&
           rte_eth_promiscuous_enable(port) == 0 && rte_eth_dev_start(port) == 0;
}

bool native_dpdk_start(struct native *native, unsigned cpu)
{
    struct native_card *cards[RTE_DIM(settings)];
    char words[][24] = {"native_bench", "--no-huge", "-m", "256", "--iova-mode=va",
                        "--no-shconf", "--no-telemetry", "--log-level=error", "-l", "cpu"};
    char *argv[RTE_DIM(words) + 1] = {0};

    for (unsigned i = 0; i < RTE_DIM(words); i++)
        argv[i] = words[i];
    snprintf(argv[RTE_DIM(words) - 1], sizeof(words[0]), "%u", cpu);
    for (unsigned i = 0; i < RTE_DIM(settings); i++)
        cards[i] = &native->lane[settings[i].lane].card;
    if (!dpdk_cards_plug(cards, RTE_DIM(settings)))
        return false;
    if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0) {
        fprintf(stderr, "dpdk=none reason=\"rte_eal_init failed\"\n");
        dpdk_cards_forget();
        return false;
    }
    dpdk_cards_forget();
    udp_sum = native_pseudo_sum();
    for (unsigned i = 0; i < RTE_DIM(settings); i++) {
        struct native_lane *lane = &native->lane[settings[i].lane];

        peers[i].port = (uint16_t)i;
        if (!port_start(&settings[i], peers[i].port)) {
            fprintf(stderr, "dpdk=none reason=\"port %u does not start\"\n", i);
            return false;
        }
        *lane = (struct native_lane){settings[i].name, lane->card, &peers[i], step, empty};
    }
    spare_pool = rte_pktmbuf_pool_create("spare", 511, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    ring = rte_ring_create("ring", 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (spare_pool == NULL || ring == NULL)
        return false;
    native->pool[OBJECT_DPDK].step = pool_step;
    native->ring[OBJECT_DPDK].step = ring_step;
    native->ring_one[OBJECT_DPDK].step = ring_one_step;
    return true;
}
