/* SPDX-License-Identifier: BSD-2-Clause */
/* A bad line over any port; see <pmd/link.h>: set-up, start, stop, settings. */
#include "link/link_port.h"

#include <rt/log.h>

#define NS_IN_US 1000u
#define FRAMES_SPARE 64u /* ... on their way through a pool of the link's, beside the rings */
#define BUFS_SPARE 256u

/* Rows of nic->counters; those of `out` follow those of `in`. */
static const struct nic_counter_reg rows[] = {
    {.name = "link_in_lost"},        {.name = "link_in_duplicated"},
    {.name = "link_in_corrupted"},   {.name = "link_in_reordered"},
    {.name = "link_in_overflowed"},  {.name = "link_in_too_long"},
    {.name = "link_out_lost"},       {.name = "link_out_duplicated"},
    {.name = "link_out_corrupted"},  {.name = "link_out_reordered"},
    {.name = "link_out_overflowed"}, {.name = "link_out_too_long"},
};
#define ROWS_A_WAY (RT_ARRAY_SIZE(rows) / 2)

/* ---- set-up ---- */

/* A ring of the port below has its own rules. */
static uint16_t descs_below(const struct nic_caps *caps, uint32_t descs)
{
    descs = RT_ALIGN_UP(descs, (uint32_t)caps->ring_multiple);
    return (uint16_t)RT_MIN(RT_MAX(descs, (uint32_t)caps->ring_min),
                            (uint32_t)caps->ring_max);
}

/* Memory of both ways, for frames of the port's configuration. */
static enum rt_status reserve(struct link_port *link, const struct link_config *config)
{
    const uint32_t frame_bytes =
        (uint32_t)link->port.nic->config.frame_max_bytes + NIC_VLAN_BYTES;
    enum rt_status st = wire_reserve(&link->in, &config->in, frame_bytes);

    return st == RT_OK ? wire_reserve(&link->out, &config->out, frame_bytes) : st;
}

static enum rt_status link_configure(struct nic *nic)
{
    struct link_port *link = link_of(nic);
    const struct nic_caps *caps = &link->below->caps;
    struct nic_config config = nic->config;
    enum rt_status st;

    config.rx_descs = descs_below(caps, config.rx_descs);
    config.tx_descs = descs_below(caps, config.tx_descs);
    config.vlan_strip = false; /* the frame as it is on the line */
    config.rx_checksum = false;
    st = reserve(link, &link->config);
    return st == RT_OK ? nic_configure(link->below, &config) : st;
}

/* The pool of a queue below, made once for a core; a larger ring needs another one. */
static enum rt_status own_pool(struct pool **pool, const struct nic *nic, unsigned core,
                               uint32_t descs)
{
    const uint32_t frame_bufs = nic->config.frame_max_bytes / BUF_ROOM_BYTES + 1u;
    const uint32_t bufs = descs + BUFS_SPARE + FRAMES_SPARE * frame_bufs;

    if (*pool != NULL && (*pool)->core == core && (POOL_HOSTILE || (*pool)->total >= bufs))
        return RT_OK;
    return pool_create("link", core, hal_core_count(), bufs, pool);
}

static enum rt_status link_rxq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                     struct pool *pool)
{
    struct link_port *link = link_of(nic);
    enum rt_status st = own_pool(&link->in_pool, nic, core, link->below->config.rx_descs);

    if (st == RT_OK)
        st = nic_rxq_setup(link->below, queue, core, link->in_pool);
    return st == RT_OK ? soft_rxq_setup(nic, queue, core, pool) : st;
}

static enum rt_status link_txq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                     struct pool *pool)
{
    struct link_port *link = link_of(nic);
    enum rt_status st = own_pool(&link->out_pool, nic, core, link->below->config.tx_descs);

    if (st == RT_OK)
        st = nic_txq_setup(link->below, queue, core, link->out_pool);
    return st == RT_OK ? soft_txq_setup(nic, queue, core, pool) : st;
}

/* ---- start and stop ---- */

static enum rt_status link_start(struct nic *nic)
{
    struct link_port *link = link_of(nic);
    enum rt_status st;

    RT_ASSERT(!nic->started);
    if (nic->rxq[0]->core != nic->txq[0]->core) {
        rt_log("%s error=start rx_core=%u tx_core=%u remedy=\"cores=1: a link's queues are on one"
               " core\"", nic->name, (unsigned)nic->rxq[0]->core, (unsigned)nic->txq[0]->core);
        return RT_INVALID;
    }
    wire_reset(&link->in, &link->config.in);
    wire_reset(&link->out, &link->config.out);
    st = nic_start(link->below);
    if (st != RT_OK)
        return st;
    st = soft_start(nic);
    if (st != RT_OK) {
        nic_stop(link->below);
        return st;
    }
    nic->rxq[0]->irq = link->below->rxq[0]->irq;
    nic->rxq[0]->irq_reaches = link->below->rxq[0]->irq_reaches;
    nic->irq_mode = link->below->irq_mode;
    return RT_OK;
}

/* What was under way is lost. The queues' core is out of its loop: this one plays it. */
static void link_stop(struct nic *nic)
{
    struct link_port *link = link_of(nic);

    RT_ASSERT(nic->started);
    nic_stop(link->below);
    soft_stop(nic);
    buf_batch_free(&link->waiting);
    (void)pool_collect(link->in_pool);
    (void)pool_collect(link->out_pool);
    link->in.count = 0;
    link->out.count = 0;
}

static void link_poll_link(struct nic *nic)
{
    struct nic *below = link_of(nic)->below;

    nic_poll_link(below);
    nic->link = below->link;
}

static void set_rows(struct nic_counter *row, const struct link_counts *counts)
{
    const uint64_t values[] = {counts->lost, counts->duplicated, counts->corrupted,
                               counts->reordered, counts->overflowed, counts->too_long};

    _Static_assert(RT_ARRAY_SIZE(values) == ROWS_A_WAY, "a value a row");
    for (unsigned i = 0; i < ROWS_A_WAY; i++)
        row[i].value = values[i];
}

/* Of the queues' core, which counts on meanwhile. */
RT_UNSYNCHRONISED static struct link_counts counts_of(const struct wire *w)
{
    return *(const volatile struct link_counts *)&w->counts;
}

static void link_poll_stats(struct nic *nic, uint32_t count)
{
    const struct link_counts in = link_counts_in(nic), out = link_counts_out(nic);
    struct nic *below = link_of(nic)->below;

    nic_poll_stats(below, count);
    nic->stats = below->stats;
    set_rows(nic->counters, &in);
    set_rows(nic->counters + ROWS_A_WAY, &out);
}

static enum rt_status link_set_promiscuous(struct nic *nic, bool on)
{
    nic->config.promiscuous = on;
    return nic_set_promiscuous(link_of(nic)->below, on);
}

static enum rt_status link_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    return nic_add_multicast(link_of(nic)->below, mac);
}

static enum rt_status link_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    return nic_set_vlan_filter(link_of(nic)->below, vlan, on);
}

static const struct nic_ops link_ops = {
    .rings = &soft_rings,
    .configure = link_configure,
    .rxq_setup = link_rxq_setup,
    .txq_setup = link_txq_setup,
    .start = link_start,
    .stop = link_stop,
    SOFT_WATCHED,
    .poll_link = link_poll_link,
    .poll_stats = link_poll_stats,
    .set_promiscuous = link_set_promiscuous,
    .add_multicast = link_add_multicast,
    .set_vlan_filter = link_set_vlan_filter,
    .rxq_run = link_rxq_run,
    .txq_run = link_txq_run,
};

/* ---- the public calls ---- */

static enum rt_status check(const struct link_config *config)
{
    enum rt_status st = wire_check(&config->in, "in");

    return st == RT_OK ? wire_check(&config->out, "out") : st;
}

enum rt_status link_over(struct nic *below, const struct link_config *config, struct nic **nic)
{
    struct link_port *link;
    enum rt_status st = check(config);

    RT_ASSERT(!below->started);
    if (st != RT_OK)
        return st;
    link = hal_alloc(sizeof(*link), RT_CACHE_LINE, "link");
    if (link == NULL)
        return RT_NO_MEMORY;
    link->below = below;
    link->config = *config;
    st = soft_port_add(&link->port, "link", &link_ops);
    if (st != RT_OK)
        return st;
    *nic = link->port.nic;
    (*nic)->caps.frame_max_bytes = RT_MIN(below->caps.frame_max_bytes, SOFT_FRAME_BYTES_MAX);
    __builtin_memcpy((*nic)->mac, below->mac, sizeof((*nic)->mac));
    return nic_counters_alloc(*nic, rows, RT_ARRAY_SIZE(rows));
}

enum rt_status link_set(struct nic *nic, const struct link_config *config)
{
    struct link_port *link = link_of(nic);
    enum rt_status st = check(config);

    if (nic->started)
        return RT_BUSY;
    if (st == RT_OK)
        st = reserve(link, config);
    if (st == RT_OK)
        link->config = *config;
    return st;
}

struct link_counts link_counts_in(const struct nic *nic)
{
    return counts_of(&link_of(nic)->in);
}

struct link_counts link_counts_out(const struct nic *nic)
{
    return counts_of(&link_of(nic)->out);
}

uint64_t link_next_us(const struct nic *nic)
{
    const struct link_port *link = link_of(nic);
    uint64_t next_ns = RT_MIN(wire_next_ns(&link->in), wire_next_ns(&link->out));

    return next_ns == UINT64_MAX ? UINT64_MAX : (next_ns + NS_IN_US - 1) / NS_IN_US;
}
