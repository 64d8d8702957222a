/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding cards: the table of drivers, and three steps that all of them take together. Core
 * 0. */
#include "nic_card.h"

#include <rt/assert.h>
#include <rt/log.h>
#include <rt/quiesce.h>

#define PCI_CLASS_NETWORK 0x02

static const struct nic_driver *const drivers[] = {&e1000e_driver, &ixgbe_driver};

static const struct nic_driver *port_driver[NIC_PORTS_MAX];

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

    RT_ASSERT(nic->failed == NULL); /* the first reason is the reason */
    nic->failed = reason;
    pci_bus_master(pci, false);
    rt_log("%s pci=%s id=%04x:%04x state=failed reason=\"%s\" name=\"%s %s\"", nic->name,
           nic_bdf(pci, bdf), pci->vendor, pci->device, reason, pci_vendor_name(pci->vendor),
           pci_device_name(pci->vendor, pci->device));
}

static const struct nic_driver *driver_of(const struct pci_dev *pci)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(drivers); i++)
        if (drivers[i]->model_of(pci) != NULL)
            return drivers[i];
    return NULL;
}

static void settle(uint32_t us)
{
    if (us > 0)
        hal_delay_us(us);
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
        if (nic_count() == NIC_PORTS_MAX) {
            skipped(pci, "more ports than this build handles");
            continue;
        }
        nic = nic_port_add(pci, driver->name); /* its number, whatever becomes of it */
        port_driver[nic->port] = driver;
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

    RT_ASSERT_LE(nic_count(), (uint32_t)NIC_PORTS_MAX);
    for (uint32_t i = 0; i < nic_count(); i++) {
        struct nic *nic = nic_get(i);

        if (nic->failed != NULL)
            continue;
        if (nic_card_steps(nic, nic->ops->card->reset) == RT_OK)
            settle_us = RT_MAX(settle_us, nic->ops->card->reset_settle_us);
        else
            failed(nic, "reset failed, see above");
    }
    settle(settle_us);
}

static void describe(const struct nic *nic)
{
    const struct pci_dev *pci = nic->pci;
    char bdf[NIC_BDF_BYTES];
    phys_t base = {0};
    size_t bytes = 0;

    RT_ASSERT(nic->failed == NULL);
    if (pci_bar(pci, 0, &base, &bytes) != RT_OK)
        base.v = 0;
    rt_log("%s pci=%s id=%04x:%04x rev=%u bar0=0x%llx mac=%02x:%02x:%02x:%02x:%02x:%02x "
           "rxqs_max=%u txqs_max=%u msix=%u driver=%s name=\"%s %s\"",
           nic->name, nic_bdf(pci, bdf), pci->vendor, pci->device, pci->revision,
           (unsigned long long)base.v, nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3],
           nic->mac[4], nic->mac[5], nic->caps.rxq_max, nic->caps.txq_max,
           pci_msix_count(pci), nic->driver_name, pci_vendor_name(pci->vendor),
           pci_device_name(pci->vendor, pci->device));
}

static void quiesce(void *ctx)
{
    struct nic *nic = ctx;

    if (nic->port < nic_count()) /* a probe that is under way has it silent anyway */
        nic->ops->quiesce(nic);
}

uint32_t nic_probe_all(void)
{
    uint32_t usable = 0;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    nic_ports_forget();
    attach_all();
    reset_all();
    for (uint32_t i = 0; i < nic_count(); i++) {
        struct nic *nic = nic_get(i);

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
