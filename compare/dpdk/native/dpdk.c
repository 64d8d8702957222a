/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's own ixgbe driver, mempool and ring, as the distribution ships them. */
#include "dpdk_card.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_prefetch.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MBUFS_MAX 64
#define MEMORY_MB        256u
#define MTU_LONG         9000
#define POOL_ALIGN_BYTES (2u << 20)

enum features { RX_SUMS = 1, TX_SUMS = 2, LONG_FRAMES = 4, PREFETCH_ALL = 8 };

struct setting {
    enum native_lanes lane;
    const char *name;
    uint16_t rx_descs, tx_descs, tx_free_thresh;
    uint32_t mbufs, cache;
    unsigned features;
};

static const struct setting settings[] = {
    {LANE_DPDK_128, "dpdk_128", 128, 128, 32, 511, 64, 0},
    {LANE_DPDK_128_96, "dpdk_128_96", 128, 128, 96, 511, 64, 0},
    {LANE_DPDK_128_ALL, "dpdk_128_all", 128, 128, 32, 511, 64, PREFETCH_ALL},
    {LANE_DPDK_128_512, "dpdk_128_512", 128, 512, 448, 8191, 256, 0},
    {LANE_DPDK_512, "dpdk_512", 512, 512, 32, 8191, 256, 0},
    {LANE_DPDK_512_476, "dpdk_512_476", 512, 512, 476, 8191, 256, 0},
    {LANE_DPDK_1024, "dpdk_1024", 1024, 1024, 32, 8191, 256, 0},
    {LANE_DPDK_RX_CSUM, "dpdk_rx_csum", 128, 128, 32, 511, 64, RX_SUMS},
    {LANE_DPDK_CSUM, "dpdk_csum", 128, 128, 32, 511, 64, RX_SUMS | TX_SUMS},
    {LANE_DPDK_LONG, "dpdk_long", 512, 512, 32, 8191, 256, LONG_FRAMES},
};
_Static_assert(RTE_DIM(settings) <= DPDK_CARDS, "a card for each setting");

struct peer {
    uint16_t port;
    bool prefetch_all;
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

static void prefetch(struct rte_mbuf *const *p, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(p[i], void *));
}

/* Four at a time, as testpmd does it and as ours; the next four are prefetched, or all before.
 */
static void swap_all(struct rte_mbuf **p, uint16_t n, bool prefetched)
{
    uint16_t i = 0;

    for (; i + 4 <= n; i = (uint16_t)(i + 4)) {
        if (!prefetched && i + 8 <= n)
            prefetch(p + i + 4, 4);
        native_swap(rte_pktmbuf_mtod(p[i], uint8_t *));
        native_swap(rte_pktmbuf_mtod(p[i + 1], uint8_t *));
        native_swap(rte_pktmbuf_mtod(p[i + 2], uint8_t *));
        native_swap(rte_pktmbuf_mtod(p[i + 3], uint8_t *));
    }
    for (; i < n; i++)
        native_swap(rte_pktmbuf_mtod(p[i], uint8_t *));
}

static void csum_all(struct rte_mbuf **p, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        struct rte_ipv4_hdr *ip;

        if (i + 4 < n)
            prefetch(p + i + 4, 1);
        native_swap(rte_pktmbuf_mtod(p[i], uint8_t *));
        ip = rte_pktmbuf_mtod_offset(p[i], struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
        ip->hdr_checksum = 0;
        memcpy((char *)ip + rte_ipv4_hdr_len(ip) + 6, &udp_sum, sizeof(udp_sum));
        p[i]->ol_flags |=
            RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
        p[i]->l2_len = sizeof(struct rte_ether_hdr);
        p[i]->l3_len = rte_ipv4_hdr_len(ip);
    }
}

static uint32_t step(void *ctx, enum native_work work, uint32_t ask)
{
    const struct peer *peer = ctx;
    struct rte_mbuf *p[MBUFS_MAX];
    uint16_t n = rx_all(peer->port, p, (uint16_t)ask), sent;

    if (peer->prefetch_all)
        prefetch(p, n);
    if (work == WORK_SWAP)
        swap_all(p, n, peer->prefetch_all);
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

static void pool_bulk_step(void *ctx)
{
    struct rte_mbuf *p[NATIVE_BULK];

    if (rte_pktmbuf_alloc_bulk(spare_pool, p, NATIVE_BULK) == 0)
        rte_pktmbuf_free_bulk(p, NATIVE_BULK);
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

/* ---- memory ---- */

static bool huge_pages; /* the machine has enough of them reserved */

static bool huge_pages_free(void)
{
    unsigned long long pages = 0, page_kb = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        (void)sscanf(line, "HugePages_Free: %llu", &pages);
        (void)sscanf(line, "Hugepagesize: %llu", &page_kb);
    }
    if (f != NULL)
        fclose(f);
    return pages * page_kb >= MEMORY_MB * 1024;
}

/* Buffers one behind the other, as on huge pages. rte_pktmbuf_pool_create() lets none cross a
 * page; on pages of 4 KiB all headers would fall into one set of an L1 cache. */
static struct rte_mempool *packed_pool(const char *name, uint32_t mbufs, uint32_t cache)
{
    struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size =
                                                   RTE_MBUF_DEFAULT_BUF_SIZE};
    struct rte_mempool *pool;
    size_t chunk, align;
    ssize_t bytes;
    char *memory;

    pool = rte_mempool_create_empty(
        name, mbufs, (unsigned)sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE, cache,
        sizeof(private), (int)rte_socket_id(), RTE_MEMPOOL_F_NO_IOVA_CONTIG);
    if (pool == NULL ||
        rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) != 0)
        return NULL;
    rte_pktmbuf_pool_init(pool, &private);
    bytes = rte_mempool_op_calc_mem_size_helper(pool, mbufs, 0, 0, &chunk, &align);
    memory = bytes > 0 ? rte_malloc(name, (size_t)bytes, POOL_ALIGN_BYTES) : NULL;
    if (memory == NULL || rte_mempool_populate_iova(pool, memory, (rte_iova_t)(uintptr_t)memory,
                                                    (size_t)bytes, NULL, NULL) < (int)mbufs)
        return NULL;
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

static struct rte_mempool *make_pool(const char *name, uint32_t mbufs, uint32_t cache,
                                     bool paged)
{
    return huge_pages || paged
               ? rte_pktmbuf_pool_create(name, mbufs, cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0)
               : packed_pool(name, mbufs, cache);
}

static void lay_out(struct rte_mempool *pool, void *layout, void *mbuf, unsigned number)
{
    native_layout_add(layout, mbuf);
}

/* ---- ports ---- */

/* What the driver said when it chose its burst functions. */
static void chosen(struct native_lane *lane, const char *log)
{
    static const struct {
        const char *words, *name;
    } rx[] = {{"Vector rx enabled", "vector"},
              {"Using Vector Scattered Rx", "vector scattered"},
              {"Rx Burst Bulk Alloc function will be used", "bulk"},
              {"Using Regular (non-vector, single allocation) Scattered Rx", "scattered"},
              {"Using a Scattered with bulk allocation callback", "bulk scattered"}},
      tx[] = {{"Vector tx enabled", "vector"},
              {"Using simple tx code path", "simple"},
              {"Using full-featured tx code path", "full-featured"}};

    snprintf(lane->burst_rx, sizeof(lane->burst_rx), "unknown");
    snprintf(lane->burst_tx, sizeof(lane->burst_tx), "unknown");
    for (unsigned i = 0; i < RTE_DIM(rx); i++)
        if (strstr(log, rx[i].words) != NULL)
            snprintf(lane->burst_rx, sizeof(lane->burst_rx), "%s", rx[i].name);
    for (unsigned i = RTE_DIM(tx); i > 0; i--) /* vector says so after simple */
        if (strstr(log, tx[i - 1].words) != NULL)
            snprintf(lane->burst_tx, sizeof(lane->burst_tx), "%s", tx[i - 1].name);
}

static bool port_start(const struct setting *s, uint16_t port, struct rte_mempool *pool)
{
    struct rte_eth_conf conf = {0};
    struct rte_eth_dev_info info;
    struct rte_eth_rxconf rxconf;
    struct rte_eth_txconf txconf;

    if (rte_eth_dev_info_get(port, &info) != 0)
        return false;
    if (s->features & RX_SUMS)
        conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM;
    if (s->features & TX_SUMS)
        conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    if (s->features & LONG_FRAMES) {
        conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER;
        conf.rxmode.mtu = MTU_LONG;
        conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
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

static bool lane_start(struct native_lane *lane, const struct setting *s, uint16_t port,
                       bool paged)
{
    struct rte_mempool *pool = make_pool(s->name, s->mbufs, s->cache, paged);
    struct peer *peer = &peers[port];
    char *log = NULL;
    size_t log_bytes = 0;
    FILE *stream = open_memstream(&log, &log_bytes);
    bool good;

    if (pool == NULL || stream == NULL) {
        fprintf(stderr, "dpdk=none reason=\"no memory for lane %s\"\n", s->name);
        return false;
    }
    rte_openlog_stream(stream);
    rte_log_set_global_level(RTE_LOG_DEBUG);
    good = port_start(s, port, pool);
    rte_log_set_global_level(RTE_LOG_ERR);
    rte_openlog_stream(NULL);
    fclose(stream);
    if (!good)
        fprintf(stderr, "%sdpdk=none reason=\"port %s does not start\"\n", log, s->name);
    *peer = (struct peer){port, (s->features & PREFETCH_ALL) != 0};
    *lane = (struct native_lane){s->name, lane->card, peer, step, empty};
    chosen(lane, log);
    free(log);
    rte_mempool_obj_iter(pool, lay_out, &lane->layout);
    lane->layout.huge_kb = native_huge_kb(STAILQ_FIRST(&pool->elt_list));
    return good;
}

static bool objects_start(struct native *native, bool paged)
{
    spare_pool = make_pool("spare", 511, 64, paged);
    ring = rte_ring_create("ring", 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (spare_pool == NULL || ring == NULL)
        return false;
    native->pool[OBJECT_DPDK].step = pool_step;
    native->pool_bulk[OBJECT_DPDK].step = pool_bulk_step;
    native->ring[OBJECT_DPDK].step = ring_step;
    native->ring_one[OBJECT_DPDK].step = ring_one_step;
    return true;
}

static bool eal_start(unsigned cpu)
{
    static const char *const both[] = {"native_bench", "--iova-mode=va", "--no-telemetry",
                                       "--log-level=error", "--no-shconf"};
    char words[RTE_DIM(both)][24], pages[16], memory[16], cpus[16];
    char *argv[16] = {0};
    int argc = 0;

    huge_pages = huge_pages_free();
    for (unsigned i = 0; i < RTE_DIM(both); i++) {
        snprintf(words[i], sizeof(words[i]), "%s", both[i]);
        argv[argc++] = words[i];
    }
    snprintf(pages, sizeof(pages), "%s", huge_pages ? "--in-memory" : "--no-huge");
    argv[argc++] = pages;
    snprintf(memory, sizeof(memory), "%u", MEMORY_MB);
    snprintf(cpus, sizeof(cpus), "%u", cpu);
    argv[argc++] = (char[]){"-m"};
    argv[argc++] = memory;
    argv[argc++] = (char[]){"-l"};
    argv[argc++] = cpus;
    return rte_eal_init(argc, argv) >= 0;
}

bool native_dpdk_start(struct native *native, unsigned cpu, bool paged)
{
    struct native_card *cards[RTE_DIM(settings)];
    bool good;

    for (unsigned i = 0; i < RTE_DIM(settings); i++)
        cards[i] = &native->lane[settings[i].lane].card;
    if (!dpdk_cards_plug(cards, RTE_DIM(settings)))
        return false;
    good = eal_start(cpu);
    dpdk_cards_forget();
    if (!good) {
        fprintf(stderr, "dpdk=none reason=\"rte_eal_init failed\"\n");
        return false;
    }
    (void)rte_log_set_level_pattern("pmd.net.ixgbe.init", RTE_LOG_DEBUG);
    udp_sum = native_pseudo_sum();
    for (unsigned i = 0; i < RTE_DIM(settings); i++)
        if (!lane_start(&native->lane[settings[i].lane], &settings[i], (uint16_t)i, paged))
            return false;
    return objects_start(native, paged);
}
