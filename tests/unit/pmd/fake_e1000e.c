/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_e1000e_part.h"

#include "e1000e_reg.h"
#include "intel/intel.h"

#include <assert.h>
#include <string.h>

enum {
    DEVICES_MAX = 8,
    CONFIG_COMMAND = 1, /* dwords */
    CONFIG_BAR0 = 4,
    CONFIG_BAR3 = 7,
    CONFIG_CAPS = 13,
    CONFIG_INTERRUPT = 15,
    CONFIG_MSIX = 0xa0 / 4,
    CONFIG_MSI = 0xd0 / 4,
    BAR3_BYTES = 0x4000,
    BUS_MASTER = 4,
    INTX_OFF = 1 << 10,
};

static struct fake_e1000e *devices[DEVICES_MAX];
static unsigned device_count;

void *fake_at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

uint32_t *fake_reg(struct fake_e1000e *f, uint32_t offset)
{
    assert(offset < FAKE_BAR_BYTES && offset % 4 == 0);
    return &f->reg[offset / 4];
}

bool fake_may_dma(struct fake_e1000e *f)
{
    if ((f->config[CONFIG_COMMAND] & BUS_MASTER) != 0 && !f->gone)
        return true;
    f->dma_refused++;
    return false;
}

/* ---- interrupts ---- */

bool fake_msix_on(const struct fake_e1000e *f)
{
    return (f->config[CONFIG_MSIX] & (1u << 31)) != 0;
}

static void message(struct fake_e1000e *f, uint32_t entry)
{
    const uint32_t *e = &f->msix_table[4 * entry];

    if ((e[3] & 1) != 0)
        return;
    f->messages[entry]++;
    host_msi((uint64_t)e[1] << 32 | e[0], e[2]);
}

static void deliver_msix(struct fake_e1000e *f)
{
    static const struct {
        uint32_t cause, ivar;
    } causes[] = {{E1000E_INT_RXQ(0), E1000E_IVAR_RXQ0},
                  {E1000E_INT_RXQ(1), E1000E_IVAR_RXQ1},
                  {E1000E_INT_OTHER, E1000E_IVAR_OTHER}};

    for (size_t i = 0; i < RT_ARRAY_SIZE(causes); i++) {
        uint32_t vector = (*fake_reg(f, E1000E_IVAR) & causes[i].ivar) >>
                          FIELD_SHIFT(causes[i].ivar);

        if ((*fake_reg(f, E1000E_ICR) & *fake_reg(f, E1000E_IMS) & causes[i].cause) == 0 ||
            (vector & E1000E_IVAR_VALID) == 0)
            continue;
        message(f, vector & 7);
        if ((*fake_reg(f, E1000E_EIAC) & causes[i].cause) != 0) {
            *fake_reg(f, E1000E_ICR) &= ~causes[i].cause;
            *fake_reg(f, E1000E_IMS) &= ~causes[i].cause;
        }
    }
}

static void deliver(struct fake_e1000e *f)
{
    const uint32_t *msi = &f->config[CONFIG_MSI];

    if (fake_msix_on(f)) {
        deliver_msix(f);
    } else if ((*fake_reg(f, E1000E_ICR) & *fake_reg(f, E1000E_IMS)) != 0) {
        f->messages[0]++;
        if ((msi[0] & (1u << 16)) != 0)
            host_msi((uint64_t)msi[2] << 32 | msi[1], msi[3]);
        else if ((f->config[CONFIG_COMMAND] & INTX_OFF) == 0)
            host_line(f->config[CONFIG_INTERRUPT] & 0xff);
    }
}

void fake_raise(struct fake_e1000e *f, uint32_t causes)
{
    *fake_reg(f, E1000E_ICR) |= causes;
    deliver(f);
}

void fake_link(struct fake_e1000e *f, bool up)
{
    f->link = up;
    fake_raise(f, E1000E_INT_LSC | (fake_msix_on(f) ? E1000E_INT_OTHER : 0));
}

/* ---- registers ---- */

static void reset(struct fake_e1000e *f)
{
    uint32_t pba = *fake_reg(f, E1000E_PBA);

    memset(f->reg, 0, sizeof(f->reg));
    *fake_reg(f, E1000E_PBA) = pba;
    *fake_reg(f, E1000E_RAL(0)) = (uint32_t)f->nvm[0] | (uint32_t)f->nvm[1] << 16;
    *fake_reg(f, E1000E_RAH(0)) = f->nvm[2] | E1000E_RAH_AV;
    *fake_reg(f, E1000E_TCTL) = E1000E_TCTL_MULR | FIELD_PUT(E1000E_TCTL_RRTHRESH, 1) |
                           FIELD_PUT(E1000E_TCTL_COLD, 0x3f) | FIELD_PUT(E1000E_TCTL_CT, 0x0f) |
                           E1000E_TCTL_PSP;
    *fake_reg(f, E1000E_TARC(0)) = E1000E_TARC_QUEUE_ENABLE;
    *fake_reg(f, E1000E_TARC(1)) = E1000E_TARC_QUEUE_ENABLE;
    f->tx.bytes = 0;
    memset(f->tx_reported, 0, sizeof(f->tx_reported));
    f->resets++;
}

static uint32_t status_reg(const struct fake_e1000e *f)
{
    uint32_t value = 2u << 6 | E1000E_STATUS_FD;

    if (f->link)
        value |= E1000E_STATUS_LU;
    if (f->stuck_master || (f->reg[E1000E_CTRL / 4] & E1000E_CTRL_GIO_MASTER_DISABLE) == 0)
        value |= E1000E_STATUS_GIO_MASTER_ENABLE;
    return value;
}

static void run_hook(struct fake_e1000e *f, uint32_t offset)
{
    void (*hook)(struct fake_e1000e *) = f->hook;

    if (hook == NULL || f->hook_offset != offset)
        return;
    f->hook = NULL;
    hook(f);
}

static uint32_t read32(void *ctx, uint32_t offset)
{
    struct fake_e1000e *f = ctx;
    uint32_t value;

    f->reads++;
    if (f->gone)
        return UINT32_MAX;
    run_hook(f, offset);
    value = *fake_reg(f, offset);
    if (offset == E1000E_STATUS)
        return status_reg(f);
    if (offset == E1000E_EECD)
        return f->stuck_reset ? 0 : E1000E_EECD_AUTO_RD;
    if (offset == E1000E_ICS)
        return *fake_reg(f, E1000E_ICR);
    if (offset == E1000E_SWSM)
        *fake_reg(f, offset) = value | E1000E_SWSM_SMBI;
    if (offset == E1000E_ICR || (offset >= E1000E_STATS_FIRST && offset <= E1000E_STATS_LAST))
        *fake_reg(f, offset) = 0;
    return value;
}

static void nvm_start(struct fake_e1000e *f, uint32_t value)
{
    uint32_t word = FIELD_GET(INTEL_EERD_ADDR, value);

    if (!f->stuck_nvm && word < 64)
        *fake_reg(f, E1000E_EERD) = value | INTEL_EERD_DONE | (uint32_t)f->nvm[word] << 16;
}

static void mdic_start(struct fake_e1000e *f, uint32_t value)
{
    uint32_t number = FIELD_GET(E1000E_MDIC_REG, value);

    assert((*fake_reg(f, E1000E_EXTCNF_CTRL) & E1000E_EXTCNF_CTRL_MDIO_SW) != 0);
    if (f->stuck_phy)
        return;
    if (FIELD_GET(E1000E_MDIC_OP, value) == E1000E_MDIC_OP_WRITE)
        f->phy[number] = (uint16_t)value;
    *fake_reg(f, E1000E_MDIC) = (value & ~E1000E_MDIC_DATA) | f->phy[number] | E1000E_MDIC_READY |
                           (f->phy_error ? E1000E_MDIC_ERROR : 0);
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
    struct fake_e1000e *f = ctx;

    if (f->write_count < FAKE_WRITES_MAX)
        f->writes[f->write_count++] = (struct fake_write){offset, value};
    if (f->gone)
        return;
    run_hook(f, offset);
    if (offset == E1000E_ICR) {
        *fake_reg(f, E1000E_ICR) &= ~value;
    } else if (offset == E1000E_ICS) {
        fake_raise(f, value);
    } else if (offset == E1000E_IMS) {
        *fake_reg(f, E1000E_IMS) |= value;
        deliver(f); /* a cause that was raised while masked fires now */
    } else if (offset == E1000E_IMC) {
        *fake_reg(f, E1000E_IMS) &= ~value;
    } else if (offset == E1000E_EXTCNF_CTRL && f->stuck_semaphore) {
        *fake_reg(f, offset) = value & ~E1000E_EXTCNF_CTRL_MDIO_SW;
    } else {
        *fake_reg(f, offset) = value;
    }
    if (offset == E1000E_CTRL && (value & E1000E_CTRL_RST) != 0)
        reset(f);
    if (offset == E1000E_EERD)
        nvm_start(f, value);
    if (offset == E1000E_MDIC)
        mdic_start(f, value);
    if (offset == E1000E_TDT(0))
        fake_tx_run(f, 0);
    if (offset == E1000E_TDT(1))
        fake_tx_run(f, 1);
}

/* ---- PCI ---- */

static struct fake_e1000e *device_at(uint32_t bdf)
{
    for (unsigned i = 0; i < device_count; i++)
        if (devices[i]->bdf == bdf)
            return devices[i];
    return NULL;
}

static uint32_t config_read(void *ctx, uint32_t bdf, uint32_t offset)
{
    const struct fake_e1000e *f = device_at(bdf);

    return f == NULL || offset >= 256 ? UINT32_MAX : f->config[offset / 4];
}

static void config_write(void *ctx, uint32_t bdf, uint32_t offset, uint32_t value)
{
    struct fake_e1000e *f = device_at(bdf);
    uint32_t mask;

    if (f == NULL || offset >= 256)
        return;
    mask = f->config_mask[offset / 4];
    f->config[offset / 4] = (f->config[offset / 4] & ~mask) | (value & mask);
}

void fake_mac(struct fake_e1000e *f, const uint8_t mac[6])
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 3; i++)
        f->nvm[i] = (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
    for (unsigned i = 0; i < 63; i++)
        sum += f->nvm[i];
    f->nvm[63] = (uint16_t)(0xbaba - sum);
}

static void config_init(struct fake_e1000e *f, uint16_t device)
{
    f->config[0] = (uint32_t)device << 16 | 0x8086;
    f->config[CONFIG_COMMAND] = 1u << 20; /* capability list */
    f->config_mask[CONFIG_COMMAND] = 0xffff;
    f->config[2] = 0x02000000;
    f->config[CONFIG_BAR0] = (uint32_t)f->bar0;
    f->config_mask[CONFIG_BAR0] = ~(uint32_t)(FAKE_BAR_BYTES - 1);
    f->config[CONFIG_BAR3] = (uint32_t)f->bar3;
    f->config_mask[CONFIG_BAR3] = ~(uint32_t)(BAR3_BYTES - 1);
    f->config[CONFIG_CAPS] = f->no_msix ? (f->no_msi ? 0 : 0xd0) : 0xa0;
    f->config[CONFIG_INTERRUPT] = 0x010b;
    f->config[CONFIG_MSIX] = (FAKE_VECTORS - 1u) << 16 | (f->no_msi ? 0u : 0xd000u) | 0x11;
    f->config_mask[CONFIG_MSIX] = 0xc0000000;
    f->config[CONFIG_MSIX + 1] = 3; /* table at the start of BAR 3 */
    f->config[CONFIG_MSIX + 2] = 0x2003;
    f->config[CONFIG_MSI] = 1u << 23 | 0x05;
    f->config_mask[CONFIG_MSI] = 1u << 16 | 7u << 20;
    for (unsigned i = 1; i <= 3; i++)
        f->config_mask[CONFIG_MSI + i] = UINT32_MAX;
}

void fake_add(struct fake_e1000e *f, unsigned slot, uint16_t device)
{
    static const struct hal_mmio_ops ops = {read32, write32};
    static const struct host_pci_ops pci = {config_read, config_write};

    assert(device_count < DEVICES_MAX);
    f->bdf = slot << 3;
    f->bar0 = 0xf0000000 + slot * 0x100000u;
    f->bar3 = f->bar0 + 0x80000;
    f->link = true;
    fake_mac(f, (const uint8_t[]){0x02, 0x00, 0x4d, 0x52, 0x00, (uint8_t)slot});
    f->phy[0] = E1000E_BMCR_AN_ENABLE;
    f->phy[2] = 0x0141;
    f->phy[3] = 0x0cb1;
    f->phy[4] = 0x0de1;
    f->phy[5] = 0x0de1;
    config_init(f, device);
    reset(f);
    f->resets = 0;
    for (unsigned i = 0; i < 64; i += 4)
        f->msix_table[i + 3] = 1;
    devices[device_count++] = f;
    host_pci(&pci, NULL, 0);
    assert(host_mmio_add(f->bar0, FAKE_BAR_BYTES, &ops, f) == RT_OK);
    assert(host_mmio_add(f->bar3, BAR3_BYTES, NULL, f->msix_table) == RT_OK);
}

void fake_reset_all(void)
{
    device_count = 0;
    host_mmio_reset();
}

uint32_t fake_wrote(const struct fake_e1000e *f, uint32_t offset, uint32_t from)
{
    for (uint32_t i = from; i < f->write_count; i++)
        if (f->writes[i].offset == offset)
            return i;
    return UINT32_MAX;
}
