/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel: addresses, VLAN, receive scaling (82574 10.2.5, 82599 8.2.3.7). Core 0. */
#include "intel.h"

#include <pmd/rss.h>

#define TABLE_WORDS 128
#define ADDRESS_VALID RT_BIT(31)

static uint32_t word_of(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

void intel_rss_write_key(const struct nic *nic, uint32_t first_reg)
{
    RT_ASSERT_LE(first_reg + NIC_RSS_KEY_BYTES, nic->mmio.bytes);
    for (uint32_t i = 0; i < NIC_RSS_KEY_BYTES; i += 4)
        hal_write32(&nic->mmio, first_reg + i, word_of(&nic_rss_key[i]));
}

void intel_filter_init(const struct nic *nic)
{
    const struct intel_filter_regs *regs = nic->ops->filters;
    const uint8_t *mac = nic->mac;

    RT_ASSERT_LE(regs->address + 8 * regs->addresses, nic->mmio.bytes);
    for (uint32_t i = 0; i < TABLE_WORDS; i++) {
        hal_write32(&nic->mmio, regs->multicast + 4 * i, 0);
        hal_write32(&nic->mmio, regs->vlan + 4 * i, 0);
    }
    hal_write32(&nic->mmio, regs->address, word_of(mac));
    hal_write32(&nic->mmio, regs->address + 4,
                (uint32_t)mac[4] | (uint32_t)mac[5] << 8 | ADDRESS_VALID);
    for (uint32_t i = 1; i < regs->addresses; i++) {
        /* high first: the entry is not valid from here on */
        hal_write32(&nic->mmio, regs->address + 8 * i + 4, 0);
        hal_write32(&nic->mmio, regs->address + 8 * i, 0);
    }
}

bool intel_read_mac(struct nic *nic)
{
    const struct intel_filter_regs *regs = nic->ops->filters;
    uint32_t low = hal_read32(&nic->mmio, regs->address);
    uint32_t high = hal_read32(&nic->mmio, regs->address + 4);

    RT_ASSERT_LE(regs->address + 8, nic->mmio.bytes);
    for (unsigned i = 0; i < 6; i++)
        nic->mac[i] = (uint8_t)((i < 4 ? low : high) >> (8 * (i % 4)));
    return (high & ADDRESS_VALID) != 0 && nic_mac_is_station(nic->mac);
}

static void change(const struct nic *nic, uint32_t reg, uint32_t bits, bool on)
{
    uint32_t value = hal_read32(&nic->mmio, reg);

    RT_ASSERT_LT(reg, nic->mmio.bytes);
    hal_write32(&nic->mmio, reg, on ? value | bits : value & ~bits);
}

enum rt_status intel_set_promiscuous(struct nic *nic, bool on)
{
    const struct intel_filter_regs *regs = nic->ops->filters;

    nic->config.promiscuous = on;
    if (nic->started)
        change(nic, regs->all.reg, regs->all.bits, on);
    return RT_OK;
}

/* The hash is bits 47:36 of the address, as the chip is set. */
enum rt_status intel_add_multicast(struct nic *nic, const uint8_t mac[6])
{
    const struct intel_filter_regs *regs = nic->ops->filters;
    uint32_t hash = ((uint32_t)mac[4] >> 4 | (uint32_t)mac[5] << 4) & 0xfff;

    RT_ASSERT((mac[0] & 1) != 0);
    if (!nic->started)
        return RT_BUSY;
    if (regs->hashing.bits != 0)
        change(nic, regs->hashing.reg, regs->hashing.bits, true);
    change(nic, regs->multicast + 4 * (hash >> 5), RT_BIT(hash & 31), true);
    return RT_OK;
}

/* The filter drops everything not let in as soon as one VLAN is. */
enum rt_status intel_set_vlan_filter(struct nic *nic, uint16_t vlan, bool on)
{
    const struct intel_filter_regs *regs = nic->ops->filters;
    bool any = false;

    RT_ASSERT_LE(vlan, NIC_VLAN_MAX);
    if (!nic->started)
        return RT_BUSY;
    change(nic, regs->vlan + 4 * ((uint32_t)vlan >> 5), RT_BIT(vlan & 31), on);
    for (uint32_t i = 0; i < TABLE_WORDS && !any; i++)
        any = hal_read32(&nic->mmio, regs->vlan + 4 * i) != 0;
    change(nic, regs->tagged.reg, regs->tagged.bits, any);
    return RT_OK;
}
