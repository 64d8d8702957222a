/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports: the probe table, checks that every driver wants done, names. */
#include "nic_driver.h"

#include <rt/assert.h>
#include <rt/log.h>
#include <rt/quiesce.h>

#define PCI_CLASS_NETWORK 0x02

static const struct nic_driver *const drivers[] = {&e1000e_driver, &ixgbe_driver};

static struct nic ports[NIC_PORTS_MAX];
static const struct nic_driver *port_driver[NIC_PORTS_MAX];
static uint32_t port_count;

const char *nic_bdf(const struct pci_dev *pci, char text[NIC_BDF_BYTES])
{
    const uint32_t segment = pci->bdf >> 16;
    size_t used = 0;

    if (segment != 0)
        used = rt_snprintf(text, NIC_BDF_BYTES, "%04x:", segment);
    rt_snprintf(text + used, NIC_BDF_BYTES - used, "%02x:%02x.%u", (pci->bdf >> 8) & 0xff,
                (pci->bdf >> 3) & 0x1f, pci->bdf & 7);
    return text;
}

enum rt_status nic_check_mac(const struct nic *nic)
{
    const uint8_t *mac = nic->mac;
    char bdf[NIC_BDF_BYTES];

    if ((mac[0] & 1) == 0 && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) != 0)
        return RT_OK;
    rt_log("nic pci=%s error=mac-invalid mac=%02x:%02x:%02x:%02x:%02x:%02x remedy=\"write a "
           "station address into the card's NVM\"",
           nic_bdf(nic->pci, bdf), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return RT_IO;
}

uint32_t nic_count(void)
{
    return port_count;
}

struct nic *nic_get(uint32_t port)
{
    return port < port_count ? &ports[port] : NULL;
}

static void skipped(const struct pci_dev *pci, const char *reason)
{
    char bdf[NIC_BDF_BYTES];

    rt_log("nic pci=%s id=%04x:%04x state=skipped reason=\"%s\" name=\"%s %s\"",
           nic_bdf(pci, bdf), pci->vendor, pci->device, reason, pci_vendor_name(pci->vendor),
           pci_device_name(pci->vendor, pci->device));
}

static void failed(struct nic *nic, const char *reason)
{
    const struct pci_dev *pci = nic->pci;
    char bdf[NIC_BDF_BYTES];

    nic->failed = reason;
    pci_bus_master(pci, false);
    rt_log("%s pci=%s id=%04x:%04x state=failed reason=\"%s\" name=\"%s %s\"", nic->name,
           nic_bdf(pci, bdf), pci->vendor, pci->device, reason, pci_vendor_name(pci->vendor),
           pci_device_name(pci->vendor, pci->device));
}

static const struct nic_driver *driver_of(const struct pci_dev *pci)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(drivers); i++)
        if (drivers[i]->match(pci))
            return drivers[i];
    return NULL;
}

static void settle(uint32_t us)
{
    if (us > 0)
        hal_delay_us(us);
}

/* The next number belongs to this card from now on, whatever becomes of it. */
static struct nic *number_card(struct pci_dev *pci, const struct nic_driver *driver)
{
    struct nic *nic = &ports[port_count];

    *nic = (struct nic){
        .pci = pci,
        .port = (uint16_t)port_count,
        .driver_name = driver->name,
    };
    rt_snprintf(nic->name, sizeof(nic->name), "nic%u", port_count);
    port_driver[port_count++] = driver;
    return nic;
}

/* First step on every function that a driver knows. */
static void attach_all(void)
{
    uint32_t settle_us = 0;

    for (uint32_t i = 0; i < pci_table.count && i < PCI_DEVICES_MAX; i++) {
        struct pci_dev *pci = &pci_table.dev[i];
        const struct nic_driver *driver = driver_of(pci);
        struct nic *nic;
        uint32_t us = 0;

        if (driver == NULL) {
            if (pci->class_code == PCI_CLASS_NETWORK)
                skipped(pci, "no driver for this device");
            continue;
        }
        if (port_count == NIC_PORTS_MAX) {
            skipped(pci, "more ports than this build handles");
            continue;
        }
        nic = number_card(pci, driver);
        if (driver->attach(nic, &us) == RT_OK)
            settle_us = RT_MAX(settle_us, us);
        else
            failed(nic, "attach failed, see above");
    }
    settle(settle_us);
}

static void reset_all(void)
{
    uint32_t settle_us = 0;

    for (uint32_t i = 0; i < port_count; i++) {
        uint32_t us = 0;

        if (ports[i].failed != NULL)
            continue;
        if (port_driver[i]->reset(&ports[i], &us) == RT_OK)
            settle_us = RT_MAX(settle_us, us);
        else
            failed(&ports[i], "reset failed, see above");
    }
    settle(settle_us);
}

static void describe(const struct nic *nic)
{
    const struct pci_dev *pci = nic->pci;
    char bdf[NIC_BDF_BYTES];
    phys_t base = {0};
    size_t bytes = 0;

    if (pci_bar(pci, 0, &base, &bytes) != RT_OK)
        base.v = 0;
    rt_log("%s pci=%s id=%04x:%04x rev=%u bar0=0x%llx mac=%02x:%02x:%02x:%02x:%02x:%02x "
           "rxqs_max=%u txqs_max=%u msix=%u driver=%s name=\"%s %s\"",
           nic->name, nic_bdf(pci, bdf), pci->vendor, pci->device, pci->revision,
           (unsigned long long)base.v, nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3],
           nic->mac[4], nic->mac[5], nic->caps.rxq_max, nic->caps.txq_max,
           (unsigned)pci_msix_count(pci), nic->driver_name, pci_vendor_name(pci->vendor),
           pci_device_name(pci->vendor, pci->device));
}

static void quiesce(void *ctx)
{
    struct nic *nic = ctx;

    if (nic->port < port_count) /* a probe that is under way has it silent anyway */
        nic->ops->quiesce(nic);
}

uint32_t nic_probe_all(void)
{
    uint32_t usable = 0;

    port_count = 0;
    attach_all();
    reset_all();
    for (uint32_t i = 0; i < port_count; i++) {
        struct nic *nic = &ports[i];

        if (nic->failed != NULL)
            continue;
        if (nic_irq_init(nic) != RT_OK || port_driver[i]->probe(nic) != RT_OK) {
            failed(nic, "probe failed, see above");
            continue;
        }
        if (rt_quiesce_add(quiesce, nic) != RT_OK)
            rt_panic("more ports than devices to silence");
        nic->pci->owned = true;
        describe(nic);
        usable++;
    }
    return usable;
}

/* One line that names the thing, the wrong value and what would be right. */
static enum rt_status out_of_range(const struct nic *nic, const char *what, uint32_t value,
                                   uint32_t min, uint32_t max)
{
    rt_log("%s error=configure %s=%u allowed=%u..%u", nic->name, what, (unsigned)value,
           (unsigned)min, (unsigned)max);
    return RT_INVALID;
}

static enum rt_status check_ring(const struct nic *nic, const char *what, uint32_t descs)
{
    const struct nic_caps *caps = &nic->caps;

    if (descs < caps->ring_min || descs > caps->ring_max)
        return out_of_range(nic, what, descs, caps->ring_min, caps->ring_max);
    if (descs % caps->ring_multiple != 0) {
        rt_log("%s error=configure %s=%u remedy=\"use a multiple of %u, such as %u\"",
               nic->name, what, (unsigned)descs, caps->ring_multiple,
               (unsigned)RT_ALIGN_UP(descs, (uint32_t)caps->ring_multiple));
        return RT_INVALID;
    }
    return RT_OK;
}

enum rt_status nic_configure(struct nic *nic, const struct nic_config *config)
{
    const struct nic_caps *caps = &nic->caps;
    enum rt_status st;

    if (nic->failed != NULL) {
        rt_log("%s error=configure reason=\"%s\"", nic->name, nic->failed);
        return RT_IO;
    }
    if (nic->started) {
        rt_log("%s error=configure reason=\"port is started\" remedy=\"stop it first\"",
               nic->name);
        return RT_BUSY;
    }
    if (config->rxqs < 1 || config->rxqs > caps->rxq_max)
        return out_of_range(nic, "rxqs", config->rxqs, 1, caps->rxq_max);
    if (config->txqs < 1 || config->txqs > caps->txq_max)
        return out_of_range(nic, "txqs", config->txqs, 1, caps->txq_max);
    if (config->frame_max_bytes < NIC_FRAME_BYTES_MIN ||
        config->frame_max_bytes > caps->frame_max_bytes)
        return out_of_range(nic, "frame_max_bytes", config->frame_max_bytes,
                            NIC_FRAME_BYTES_MIN, caps->frame_max_bytes);
    if (config->irq_mode > NIC_IRQ_NONE)
        return out_of_range(nic, "irq_mode", config->irq_mode, 0, NIC_IRQ_NONE);
    nic->config = *config;
    if (POOL_HOSTILE) {
        nic->config.rx_descs = caps->ring_min;
        nic->config.tx_descs = caps->ring_min;
    }
    st = check_ring(nic, "rx_descs", nic->config.rx_descs);
    if (st == RT_OK)
        st = check_ring(nic, "tx_descs", nic->config.tx_descs);
    if (st == RT_OK)
        st = nic->ops->configure(nic);
    return st;
}

static enum rt_status check_queue(const struct nic *nic, const char *what, uint32_t queue,
                                  uint32_t queues, unsigned core, const struct pool *pool)
{
    if (nic->started)
        return RT_BUSY;
    if (queue >= queues) {
        rt_log("%s error=queue %s=%u configured=%u", nic->name, what, (unsigned)queue,
               (unsigned)queues);
        return RT_INVALID;
    }
    if (pool->core != core) {
        rt_log("%s error=queue %s=%u core=%u pool=%s pool_core=%u remedy=\"a queue's pool "
               "belongs to the queue's core\"",
               nic->name, what, (unsigned)queue, core, pool->name, pool->core);
        return RT_INVALID;
    }
    return RT_OK;
}

/* Drivers receive into the usual room, behind the usual headroom. */
static bool receives_into(const struct nic *nic, uint32_t queue, const struct pool *pool)
{
    if (pool->headroom_bytes == BUF_HEADROOM_BYTES && pool->room_bytes >= BUF_ROOM_BYTES)
        return true;
    rt_log("%s error=queue rxq=%u pool=%s headroom_bytes=%u room_bytes=%u remedy=\"a receive "
           "queue's pool has %u and at least %u\"",
           nic->name, (unsigned)queue, pool->name, (unsigned)pool->headroom_bytes,
           (unsigned)pool->room_bytes, (unsigned)BUF_HEADROOM_BYTES, (unsigned)BUF_ROOM_BYTES);
    return false;
}

enum rt_status nic_rxq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool)
{
    enum rt_status st = check_queue(nic, "rxq", queue, nic->config.rxqs, core, pool);

    if (st == RT_OK && !receives_into(nic, queue, pool))
        st = RT_INVALID;
    return st == RT_OK ? nic->ops->rxq_setup(nic, queue, core, pool) : st;
}

enum rt_status nic_txq_setup(struct nic *nic, uint16_t queue, unsigned core, struct pool *pool)
{
    enum rt_status st = check_queue(nic, "txq", queue, nic->config.txqs, core, pool);

    return st == RT_OK ? nic->ops->txq_setup(nic, queue, core, pool) : st;
}

uint32_t nic_tx_unreported_max(const struct nic_txq *txq)
{
    uint32_t rx_descs = 0, txqs = 0;

    for (uint32_t p = 0; p < port_count; p++) {
        const struct nic *nic = &ports[p];

        for (uint16_t q = 0; q < NIC_QUEUES_MAX; q++) {
            if (nic->rxq[q] != NULL && nic->rxq[q]->pool == txq->pool)
                rx_descs += nic->config.rx_descs;
            txqs += nic->txq[q] != NULL && nic->txq[q]->pool == txq->pool;
        }
    }
    RT_ASSERT_LT(0u, txqs);
    if (txq->pool->total <= rx_descs)
        return 1; /* the receive rings will not be filled, and the start fails */
    return RT_MAX((txq->pool->total - rx_descs) / (2 * txqs), 1u);
}

static bool all_set_up(const struct nic *nic)
{
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        if (nic->rxq[q] == NULL) {
            rt_log("%s error=start rxq=%u reason=\"not set up\"", nic->name, q);
            return false;
        }
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        if (nic->txq[q] == NULL) {
            rt_log("%s error=start txq=%u reason=\"not set up\"", nic->name, q);
            return false;
        }
    }
    return nic->config.rxqs != 0;
}

enum rt_status nic_start(struct nic *nic)
{
    enum rt_status st;

    if (nic->started)
        return RT_BUSY;
    if (!all_set_up(nic))
        return RT_INVALID;
    nic->link = (struct nic_link){.up = false};
    st = nic->ops->start(nic);
    if (st != RT_OK) {
        rt_log("%s error=start status=%s", nic->name, rt_status_name(st));
        return st;
    }
    nic->ops->poll_link(nic);
    nic->ops->poll_stats(nic, NIC_STATS_ALL); /* clears what the device counted before */
    for (uint32_t i = 0; i < nic->counter_count; i++)
        nic->counters[i].value = 0;
    nic->stats = (struct nic_stats){0};
    nic_watch_start(nic);
    nic->started = true;
    return RT_OK;
}

void nic_stop(struct nic *nic)
{
    if (!nic->started)
        return;
    nic_watch_stop(nic);
    nic->ops->stop(nic);
    nic->started = false;
}

void nic_poll_link(struct nic *nic)
{
    if (!nic->started)
        return;
    nic_watch_poll(nic);
    if (nic_watch_calm(nic))
        nic->ops->poll_link(nic);
}

uint64_t nic_next_us(const struct nic *nic)
{
    return nic->started ? nic_watch_next_us(nic) : UINT64_MAX;
}

void nic_poll_stats(struct nic *nic, uint32_t rows)
{
    if (nic->started && nic_watch_calm(nic))
        nic->ops->poll_stats(nic, rows);
}

enum rt_status nic_set_promiscuous(struct nic *nic, bool on)
{
    return nic->ops->set_promiscuous(nic, on);
}

enum rt_status nic_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    if ((mac[0] & 1) == 0) {
        rt_log("%s error=multicast mac=%02x:%02x:%02x:%02x:%02x:%02x reason=\"not a multicast "
               "address\"",
               nic->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        return RT_INVALID;
    }
    return nic->ops->add_multicast(nic, mac);
}

enum rt_status nic_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    if (vlan > NIC_VLAN_MAX)
        return out_of_range(nic, "vlan", vlan, 0, NIC_VLAN_MAX);
    return nic->ops->set_vlan_filter(nic, vlan, on);
}
