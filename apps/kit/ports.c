/* SPDX-License-Identifier: BSD-2-Clause */
/* From found ports to running queues. Core 0, before the seal. */
#include "state.h"

#include <rt/assert.h>
#include <rt/config.h>
#include <rt/log.h>

/* Ports that ports= names and that are no cards. */
static enum rt_status open_named(const char *ports)
{
    const char *at = ports + 1;
    char name[KIT_CARD_NAME_BYTES];
    enum rt_status st = RT_NOT_FOUND;

    if (ports[0] != '(')
        return RT_OK;
    for (char end = ','; end == ',';) { /* each name moves `at` */
        end = kit_cards_name(&at, name);
        if (end != '\0')
            st = nic_open(name);
        if (st != RT_OK && st != RT_NOT_FOUND)
            return st;
    }
    return RT_OK; /* what cannot be read is said where names are looked up */
}

enum kit_exit kit_find_ports(void)
{
    uint32_t usable = nic_probe_all(), cards = nic_count();

    if (open_named(kit_options.ports) != RT_OK)
        return KIT_EXIT_DEVICE;
    if (usable + nic_count() - cards != 0)
        return KIT_EXIT_OK;
    rt_log("%s error=no_ports remedy=\"no card was found that a driver knows: see the"
           " pci lines above and docs/hardware.md; a Linux process has ports by name, as"
           " ports=(tap:tap0)\" ports=\"%s\"", rt_app.name, kit_options.ports);
    return KIT_EXIT_NO_NIC;
}

static void say(void *ctx, const char *line)
{
    rt_log("%s", line);
}

/* Who sends where: the application's choice among what the user lets it have. */
static enum rt_status map_ports(struct kit *kit)
{
    static struct kit_card card[NIC_PORTS_MAX];
    struct kit_cards cards = {
        .app = rt_app.name, .card = card, .count = nic_count(), .report = say};
    enum rt_status st;

    for (uint32_t p = 0; p < cards.count; p++) {
        const struct nic *nic = nic_get(p);

        card[p].failed = nic->failed != NULL;
        __builtin_memcpy(card[p].place, nic->place, sizeof(card[p].place));
        __builtin_memcpy(card[p].mac, nic->mac, sizeof(card[p].mac));
    }
    __builtin_memset(kit->map.peer, KIT_NO_PORT, sizeof(kit->map.peer));
    st = kit_cards_choose(&cards, kit_options.ports, rt_config.boot_mac);
    if (st == RT_OK)
        st = kit->app->map_ports != NULL ? kit->app->map_ports(&cards, &kit->map)
                                         : kit_cards_to_self(&cards, &kit->map);
    return st;
}

/* What the application chose are pairs, or ports that are their own partner. */
static void take_ports(struct kit *kit)
{
    kit->map.used = 0;
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        uint8_t peer = kit->map.peer[p];

        if (peer == KIT_NO_PORT)
            continue;
        RT_ASSERT_LT(p, nic_count());
        RT_ASSERT_LT(peer, NIC_PORTS_MAX);
        RT_ASSERT_EQ(kit->map.peer[peer], p);
        kit->ports[p] = nic_get(p);
        kit->map.used++;
    }
    RT_ASSERT_NE(kit->map.used, 0u);
}

static enum rt_status make_plan(struct kit *kit)
{
    char error[KIT_ERROR_BYTES];
    struct kit_plan_input in = {
        .map = &kit->map,
        .cores = kit->core_count,
        .queues = kit_options.queues,
        .queues_per_core = kit_options.queues_per_core,
        .ports_a_core = kit->app->ports_a_core,
    };
    enum rt_status st;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        const struct nic *nic = nic_get(p);

        in.rxq_max[p] = nic != NULL ? nic->caps.rxq_max : 0;
        in.txq_max[p] = nic != NULL ? nic->caps.txq_max : 0;
    }
    st = kit_plan_make(&in, &kit->plan, error);
    if (st != RT_OK)
        rt_log("%s error=queues %s", rt_app.name, error);
    return st;
}

enum kit_exit kit_setup_plan(struct kit *kit)
{
    if (map_ports(kit) != RT_OK)
        return KIT_EXIT_PLAN;
    take_ports(kit);
    if (make_plan(kit) != RT_OK)
        return KIT_EXIT_PLAN;
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (kit->ports[p] == NULL)
            continue;
        rt_log("%s port=%u to=%u rx_queues=%u tx_queues=%u", rt_app.name, p,
               kit->map.peer[p], kit->plan.rxqs[p], kit->plan.txqs[p]);
    }
    return KIT_EXIT_OK;
}

static enum kit_exit device_error(const struct nic *nic, const char *what, enum rt_status st)
{
    if (st == RT_NO_MEMORY)
        return kit_no_memory(what, 0);
    rt_log("%s error=%s what=%s", nic->name, rt_status_name(st), what);
    return KIT_EXIT_DEVICE;
}

static enum kit_exit configure_port(const struct kit *kit, uint32_t port)
{
    struct nic *nic = kit->ports[port];
    const struct nic_config config = {
        .rxqs = kit->plan.rxqs[port],
        .txqs = kit->plan.txqs[port],
        .rx_descs = (uint16_t)kit_options.rx_descs,
        .tx_descs = (uint16_t)kit_options.tx_descs,
        .frame_max_bytes = (uint16_t)kit_options.frame_max,
        .moderation_us = kit_options.moderation_us,
        .irq_mode = kit_options.irq,
        .promiscuous = kit_options.promiscuous,
        .vlan_strip = kit_options.vlan_strip,
        .rx_checksum = kit_options.rx_checksum,
    };
    enum rt_status st = nic_configure(nic, &config);

    return st == RT_OK ? KIT_EXIT_OK : device_error(nic, "configure", st);
}

/* The queues of one path; two paths of a core to one port share its transmit queue. */
static enum kit_exit setup_path(struct kit *kit, const struct kit_path_plan *plan,
                                struct kit_path *path)
{
    struct nic *rx = kit->ports[plan->rx_port];
    struct nic *tx = kit->ports[plan->tx_port];
    enum rt_status st = RT_OK;

    RT_ASSERT_LT(plan->tx_queue, kit->plan.txqs[plan->tx_port]);
    if (plan->rx_queue != KIT_NO_QUEUE)
        st = nic_rxq_setup(rx, plan->rx_queue, plan->core, path->pool);
    if (st != RT_OK)
        return device_error(rx, "rx_queue", st);
    if (tx->txq[plan->tx_queue] == NULL) {
        st = nic_txq_setup(tx, plan->tx_queue, plan->core, path->pool);
        if (st != RT_OK)
            return device_error(tx, "tx_queue", st);
    }
    path->rxq = plan->rx_queue != KIT_NO_QUEUE ? rx->rxq[plan->rx_queue] : NULL;
    path->txq = tx->txq[plan->tx_queue];
    RT_ASSERT_EQ(path->txq->core, path->core);
    return KIT_EXIT_OK;
}

static void leave_port(struct kit *kit, uint32_t port)
{
    RT_ASSERT(kit->ports[port] != NULL);
    nic_stop(kit->ports[port]);
    kit->ports[port] = NULL;
    kit->map.peer[port] = KIT_NO_PORT;
}

/* A port that does not start stops its pair; the others go on. */
static enum kit_exit start_ports(struct kit *kit)
{
    uint32_t running = 0;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        uint32_t partner = kit->map.peer[p];

        if (kit->ports[p] == NULL || nic_start(kit->ports[p]) == RT_OK)
            continue;
        leave_port(kit, p);
        if (partner != p)
            leave_port(kit, partner);
        rt_log("%s port=%u to=%u state=idle reason=\"nic%u did not start, see above\"",
               rt_app.name, RT_MIN(p, partner), RT_MAX(p, partner), p);
    }
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++)
        running += kit->ports[p] != NULL;
    return running != 0 ? KIT_EXIT_OK : KIT_EXIT_DEVICE;
}

/* The plan bounds the sources of a core. */
static void add_source(struct kit_core *core, const struct loop_source *source)
{
    enum rt_status st = rt_loop_add(&core->loop, source);

    RT_ASSERT_EQ(st, RT_OK);
}

/* Every path whose two ports run becomes a source of its core's loop. Now that the ports have
 * started it is known whether a queue's interrupt reaches its core. */
static void add_paths(struct kit *kit)
{
    for (uint32_t i = 0; i < kit->plan.count; i++) {
        struct kit_path *path = kit->paths[i];
        struct loop_source source = {
            .name = "path",
            .poll = kit->app->poll,
            .arm = kit_path_arm,
            .disarm = kit_path_disarm,
            .never_sleeps = path->rxq != NULL && !path->rxq->irq_reaches,
            .ctx = path,
        };

        if (kit->ports[path->rx_port] == NULL)
            continue;
        if (kit->app->path_begin != NULL)
            kit->app->path_begin(path, &source);
        kit->refused = path->refused;
        if (kit->refused != KIT_EXIT_OK)
            return; /* its line is said once: others would say the same */
        add_source(kit->cores[path->core], &source);
    }
}

/* A core alone has nobody who wants something of it. */
static void hear_others(struct kit *kit)
{
    for (uint32_t i = 0; i < kit->core_count && kit->core_count > 1; i++) {
        struct kit_core *core = kit->cores[i];
        struct loop_source others = kit_others_source(core->pool);
        struct loop_source pools = kit_pools_source(core);

        if (core->pool != NULL)
            add_source(core, &others);
        if (kit_has_more_pools(core))
            add_source(core, &pools);
    }
}

enum kit_exit kit_setup_ports(struct kit *kit)
{
    enum kit_exit e = KIT_EXIT_OK;

    for (uint32_t p = 0; p < NIC_PORTS_MAX && e == KIT_EXIT_OK; p++) {
        if (kit->ports[p] != NULL)
            e = configure_port(kit, p);
    }
    for (uint32_t i = 0; i < kit->plan.count && e == KIT_EXIT_OK; i++)
        e = setup_path(kit, &kit->plan.path[i], kit->paths[i]);
    if (e == KIT_EXIT_OK)
        e = start_ports(kit);
    if (e != KIT_EXIT_OK)
        return e;
    add_paths(kit);
    hear_others(kit);
    return KIT_EXIT_OK;
}
