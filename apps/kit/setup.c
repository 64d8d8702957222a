/* SPDX-License-Identifier: BSD-2-Clause */
/* From found ports to running queues. Core 0, before the seal. */
#include "l2fwd.h"

#include <rt/config.h>
#include <rt/log.h>

enum {
    POOL_SPARE = 256,
    LINK_POLL_MS = 10,
};

static void fill_plan_input(const struct l2fwd *app, struct l2fwd_plan_input *in)
{
    *in = (struct l2fwd_plan_input){
        .map = &app->map,
        .cores = app->core_count,
        .queues = l2fwd_options.queues,
        .queues_per_core = l2fwd_options.queues_per_core,
    };
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        const struct nic *nic = nic_get(p);

        in->rxq_max[p] = nic != NULL ? nic->caps.rxq_max : 0;
        in->txq_max[p] = nic != NULL ? nic->caps.txq_max : 0;
    }
}

static void say(void *ctx, const char *line)
{
    rt_log("%s", line);
}

static enum rt_status choose_ports(struct l2fwd *app)
{
    static struct l2fwd_card cards[NIC_PORTS_MAX];
    const struct l2fwd_wishes wishes = {
        .ports = l2fwd_options.ports,
        .portmap = l2fwd_options.portmap,
        .boot_mac = rt_config.boot_mac,
    };

    for (uint32_t p = 0; p < nic_count(); p++) {
        const struct nic *nic = nic_get(p);

        cards[p].failed = nic->failed != NULL;
        nic_bdf(nic->pci, cards[p].bdf);
        __builtin_memcpy(cards[p].mac, nic->mac, sizeof(cards[p].mac));
    }
    return l2fwd_roles_make(&wishes, cards, nic_count(), &app->map, say, NULL);
}

enum l2fwd_exit l2fwd_setup_plan(struct l2fwd *app)
{
    struct l2fwd_plan_input in;
    char error[L2FWD_ERROR_BYTES];

    if (choose_ports(app) != RT_OK)
        return L2FWD_EXIT_PLAN;
    fill_plan_input(app, &in);
    if (l2fwd_plan_make(&in, &app->plan, error) != RT_OK) {
        rt_log("l2fwd error=queues %s", error);
        return L2FWD_EXIT_PLAN;
    }
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (app->map.peer[p] == L2FWD_NO_PORT)
            continue;
        app->ports[p] = nic_get(p);
        if (app->map.peer[p] == p)
            rt_log("l2fwd port=%u warning=\"sends back out what it receives, as asked\"", p);
        rt_log("l2fwd port=%u to=%u rx_queues=%u tx_queues=%u", p, app->map.peer[p],
               app->plan.rxqs[p], app->plan.txqs[p]);
    }
    return L2FWD_EXIT_OK;
}

/* Below this the core ends up without a buffer to receive into: rings are full, sent buffers
 * wait for frames that would push them out, and each path needs a batch to work with. */
static uint32_t least_buffers(const struct l2fwd *app, unsigned core)
{
    uint32_t segments = (l2fwd_options.frame_max + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES;
    uint32_t least = 0;

    for (uint32_t i = 0; i < app->plan.count; i++) {
        const struct l2fwd_path_plan *plan = &app->plan.path[i];

        if (plan->core == core)
            least += l2fwd_options.rx_descs + app->ports[plan->tx_port]->caps.tx_held_max +
                     l2fwd_options.batch * segments;
    }
    return least;
}

/* All rings of this core full, its batches in flight, and some to spare. DPDK's formula
 * without its floor of 8192: a larger pool costs boot time and cache. */
static uint32_t pool_buffers(const struct l2fwd *app, unsigned core)
{
    uint32_t paths = app->plan.core_paths[core];
    uint32_t segments = (l2fwd_options.frame_max + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES;
    uint32_t per_path = l2fwd_options.rx_descs + l2fwd_options.tx_descs +
                        2 * l2fwd_options.batch * segments;

    if (l2fwd_options.pool_size != 0)
        return l2fwd_options.pool_size;
    return RT_MAX(paths * per_path + POOL_SPARE, least_buffers(app, core));
}

static enum l2fwd_exit too_few(unsigned core, uint32_t least)
{
    rt_log("l2fwd error=pool_size core=%u buffers=%u least=%u remedy=\"pool_size=%u or more, or"
           " a smaller rx_descs=\"",
           core, l2fwd_options.pool_size, least, least);
    return L2FWD_EXIT_PLAN;
}

static enum l2fwd_exit no_memory(const char *what, uint32_t buffers)
{
    rt_log("l2fwd error=no_memory what=%s buffers=%u bytes_free=%lu remedy=\"take a smaller"
           " pool_size=, rx_descs= or tx_descs=, or more memory\"",
           what, buffers, hal_memory_free_bytes());
    return L2FWD_EXIT_MEMORY;
}

static void init_path(struct l2fwd *app, struct l2fwd_core *core,
                      const struct l2fwd_path_plan *plan)
{
    struct l2fwd_path *path = &core->paths[core->path_count++];
    struct nic *tx_nic = app->ports[plan->tx_port];

    path->mode = l2fwd_mode_of(&l2fwd_options);
    path->vlan_strip = l2fwd_options.vlan_strip;
    path->batch_max = l2fwd_options.batch;
    path->drain_us = l2fwd_options.drain_us;
    path->pool = core->pool;
    path->rewrite = l2fwd_rewrite_make(plan->tx_port, tx_nic->mac);
    l2fwd_txgen_init(&path->txgen, &l2fwd_options, tx_nic->mac, plan->tx_port);
}

static enum l2fwd_exit make_core(struct l2fwd *app, unsigned id)
{
    uint32_t paths = app->plan.core_paths[id];
    struct l2fwd_core *core = hal_alloc(sizeof(*core), RT_CACHE_LINE, "l2fwd core");

    if (core == NULL)
        return no_memory("core", 0);
    core->core = id;
    rt_loop_init(&core->loop, l2fwd_options.batch, hal_now_us());
    app->cores[id] = core;
    if (paths == 0)
        return L2FWD_EXIT_OK;
    core->paths = hal_alloc(paths * sizeof(*core->paths), RT_CACHE_LINE, "l2fwd paths");
    if (core->paths == NULL)
        return no_memory("paths", 0);
    if (pool_buffers(app, id) < least_buffers(app, id))
        return too_few(id, least_buffers(app, id));
    if (pool_create("l2fwd", id, app->core_count, pool_buffers(app, id), &core->pool) != RT_OK)
        return no_memory("pool", pool_buffers(app, id));
    for (uint32_t i = 0; i < app->plan.count; i++) {
        if (app->plan.path[i].core == id)
            init_path(app, core, &app->plan.path[i]);
    }
    return L2FWD_EXIT_OK;
}

enum l2fwd_exit l2fwd_setup_memory(struct l2fwd *app)
{
    for (unsigned id = 0; id < app->core_count; id++) {
        enum l2fwd_exit e = make_core(app, id);

        if (e != L2FWD_EXIT_OK)
            return e;
    }
    return L2FWD_EXIT_OK;
}

static enum l2fwd_exit device_error(const struct nic *nic, const char *what, enum rt_status st)
{
    if (st == RT_NO_MEMORY)
        return no_memory(what, 0);
    rt_log("%s error=%s what=%s", nic->name, rt_status_name(st), what);
    return L2FWD_EXIT_DEVICE;
}

static enum l2fwd_exit configure_port(const struct l2fwd *app, uint32_t port)
{
    struct nic *nic = app->ports[port];
    const struct nic_config config = {
        .rxqs = app->plan.rxqs[port],
        .txqs = app->plan.txqs[port],
        .rx_descs = (uint16_t)l2fwd_options.rx_descs,
        .tx_descs = (uint16_t)l2fwd_options.tx_descs,
        .frame_max_bytes = (uint16_t)l2fwd_options.frame_max,
        .moderation_us = rt_config.poll.moderation_us,
        .irq_mode = l2fwd_options.irq,
        .promiscuous = l2fwd_options.promiscuous,
        .vlan_strip = l2fwd_options.vlan_strip,
        .rx_checksum = l2fwd_options.rx_checksum,
    };
    enum rt_status st = nic_configure(nic, &config);

    return st == RT_OK ? L2FWD_EXIT_OK : device_error(nic, "configure", st);
}

/* The queues of one path; two paths of a core to one port share its transmit queue. */
static enum l2fwd_exit setup_path(struct l2fwd *app, const struct l2fwd_path_plan *plan,
                                  struct l2fwd_path *path, bool *txq_made)
{
    struct nic *rx = app->ports[plan->rx_port];
    struct nic *tx = app->ports[plan->tx_port];
    enum rt_status st = nic_rxq_setup(rx, plan->rx_queue, plan->core, path->pool);

    if (st != RT_OK)
        return device_error(rx, "rx_queue", st);
    if (!*txq_made) {
        st = nic_txq_setup(tx, plan->tx_queue, plan->core, path->pool);
        if (st != RT_OK)
            return device_error(tx, "tx_queue", st);
        *txq_made = true;
    }
    path->rxq = rx->rxq[plan->rx_queue];
    path->txq = tx->txq[plan->tx_queue];
    return L2FWD_EXIT_OK;
}

/* A core alone has nobody who wants something of it. */
static enum l2fwd_exit hear_others(struct l2fwd *app)
{
    for (uint32_t i = 0; i < app->core_count && app->core_count > 1; i++) {
        struct l2fwd_core *core = app->cores[i];
        struct loop_source source = l2fwd_others_source(core->pool);

        if (core->pool != NULL && rt_loop_add(&core->loop, &source) != RT_OK)
            return L2FWD_EXIT_PLAN; /* the plan bounds it: cannot happen */
    }
    return L2FWD_EXIT_OK;
}

static enum l2fwd_exit setup_queues(struct l2fwd *app)
{
    bool txq_made[NIC_PORTS_MAX][NIC_QUEUES_MAX] = {{false}};
    uint32_t done[HAL_CORES_MAX] = {0};

    for (uint32_t i = 0; i < app->plan.count; i++) {
        const struct l2fwd_path_plan *plan = &app->plan.path[i];
        struct l2fwd_core *core = app->cores[plan->core];
        struct l2fwd_path *path = &core->paths[done[plan->core]++];
        enum l2fwd_exit e =
            setup_path(app, plan, path, &txq_made[plan->tx_port][plan->tx_queue]);

        if (e != L2FWD_EXIT_OK)
            return e;
    }
    return L2FWD_EXIT_OK;
}

/* Every path whose two ports run becomes a source of its core's loop. Now that the ports have
 * started it is known whether a queue's interrupt reaches its core. */
static enum l2fwd_exit add_sources(struct l2fwd *app)
{
    uint32_t done[HAL_CORES_MAX] = {0};

    for (uint32_t i = 0; i < app->plan.count; i++) {
        const struct l2fwd_path_plan *plan = &app->plan.path[i];
        struct l2fwd_core *core = app->cores[plan->core];
        struct l2fwd_path *path = &core->paths[done[plan->core]++];
        struct loop_source source;

        if (app->ports[plan->rx_port] == NULL)
            continue;
        source = l2fwd_worker_source(path);
        if (rt_loop_add(&core->loop, &source) != RT_OK)
            return L2FWD_EXIT_PLAN; /* the plan bounds it: cannot happen */
    }
    return L2FWD_EXIT_OK;
}

static void leave_port(struct l2fwd *app, uint32_t port)
{
    nic_stop(app->ports[port]);
    app->ports[port] = NULL;
    app->map.peer[port] = L2FWD_NO_PORT;
}

/* A port that does not start stops its pair; the others go on. */
static enum l2fwd_exit start_ports(struct l2fwd *app)
{
    uint32_t running = 0;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        uint32_t partner = app->map.peer[p];

        if (app->ports[p] == NULL || nic_start(app->ports[p]) == RT_OK)
            continue;
        leave_port(app, p);
        if (partner != p)
            leave_port(app, partner);
        rt_log("l2fwd port=%u to=%u state=idle reason=\"nic%u did not start, see above\"",
               RT_MIN(p, partner), RT_MAX(p, partner), p);
    }
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++)
        running += app->ports[p] != NULL;
    return running != 0 ? L2FWD_EXIT_OK : L2FWD_EXIT_DEVICE;
}

enum l2fwd_exit l2fwd_setup_ports(struct l2fwd *app)
{
    enum l2fwd_exit e = L2FWD_EXIT_OK;

    for (uint32_t p = 0; p < NIC_PORTS_MAX && e == L2FWD_EXIT_OK; p++) {
        if (app->ports[p] != NULL)
            e = configure_port(app, p);
    }
    if (e == L2FWD_EXIT_OK)
        e = setup_queues(app);
    if (e == L2FWD_EXIT_OK)
        e = start_ports(app);
    if (e == L2FWD_EXIT_OK)
        e = add_sources(app);
    return e == L2FWD_EXIT_OK ? hear_others(app) : e;
}

static uint32_t links_down(struct l2fwd *app)
{
    uint32_t down = 0;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (app->ports[p] == NULL)
            continue;
        nic_poll_link(app->ports[p]);
        down += !app->ports[p]->link.up;
    }
    return down;
}

void l2fwd_wait_links(struct l2fwd *app, uint32_t timeout_ms)
{
    for (uint32_t ms = 0; ms < timeout_ms; ms += LINK_POLL_MS) {
        if (links_down(app) == 0)
            return;
        hal_delay_us(LINK_POLL_MS * 1000);
    }
    if (timeout_ms != 0 && links_down(app) != 0)
        rt_log("l2fwd warning=\"%u links are still down, going on\"", links_down(app));
}
