/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports: which there are, their names, and what a driver asks about them. */
#include "nic_driver.h"

#include <rt/assert.h>
#include <rt/log.h>

_Static_assert(NIC_BDF_BYTES <= NIC_PLACE_BYTES, "a card's place is its address");

static struct nic ports[NIC_PORTS_MAX];
static uint32_t port_count;

uint32_t nic_count(void)
{
    return port_count;
}

struct nic *nic_get(uint32_t port)
{
    return port < port_count ? &ports[port] : NULL;
}

void nic_ports_forget(void)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    port_count = 0;
}

struct nic *nic_port_add(struct pci_dev *pci, const char *driver_name)
{
    struct nic *nic = &ports[port_count];

    RT_ASSERT_LT(port_count, (uint32_t)NIC_PORTS_MAX);
    *nic = (struct nic){
        .pci = pci,
        .port = (uint16_t)port_count,
        .driver_name = driver_name,
        .link_due_us = UINT64_MAX,
    };
    rt_snprintf(nic->name, sizeof(nic->name), "nic%u", port_count++);
    if (pci != NULL)
        nic_bdf(pci, nic->place);
    return nic;
}

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

bool nic_mac_is_station(const uint8_t mac[6])
{
    return (mac[0] & 1) == 0 && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) != 0;
}

enum rt_status nic_check_mac(const struct nic *nic)
{
    const uint8_t *mac = nic->mac;
    char bdf[NIC_BDF_BYTES];

    RT_ASSERT(nic->pci != NULL); /* a card's: ours is always right */
    if (nic_mac_is_station(mac))
        return RT_OK;
    rt_log("nic pci=%s error=mac-invalid mac=%02x:%02x:%02x:%02x:%02x:%02x remedy=\"write a "
           "station address into the card's NVM\"",
           nic_bdf(nic->pci, bdf), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return RT_IO;
}

void nic_complain(const struct nic *nic, const char *what, const char *reg, uint32_t value)
{
    char bdf[NIC_BDF_BYTES];

    RT_ASSERT(nic->pci != NULL);
    rt_log("nic pci=%s error=%s %s=0x%08x", nic_bdf(nic->pci, bdf), what, reg, value);
}
