/* SPDX-License-Identifier: BSD-2-Clause */
/* A device that is nothing but a table of functions, on the bus of rt/host: what a second kind of
 * device finds there. */
#include "bus/port.h"

#include <rt/host.h>
#include <rt/pci.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLOT 2u
#define REGISTER_BYTES 0x4000u
#define BAR0 0xe0200000u
#define BAR4 0xe0280000u
#define VECTORS 8u
#define ID 0x00018086u

struct fake {
    uint32_t word;
    uint64_t now_ns;
    unsigned calls, resets, destroyed;
    enum model_irq irq;
};

static struct fake fake;

static void fake_space(const void *dev, struct pci_space *space)
{
    pci_space_set(space, PCI_SPACE_IDS, ID, 0);
    pci_space_set(space, PCI_SPACE_CLASS, 0x01080201, 0); /* NVM Express */
    pci_space_set(space, PCI_SPACE_PCIE, 0x00020010, 0);
    (void)dev;
}

static void fake_replug(void *dev)
{
    ((struct fake *)dev)->resets++;
}

static void fake_destroy(void *dev)
{
    ((struct fake *)dev)->destroyed++;
}

static uint32_t fake_read32(void *dev, uint32_t offset)
{
    ((struct fake *)dev)->calls++;
    return ((struct fake *)dev)->word + offset;
}

static void fake_write32(void *dev, uint32_t offset, uint32_t value)
{
    ((struct fake *)dev)->calls++;
    ((struct fake *)dev)->word = value - offset;
}

static void fake_irq_mode(void *dev, enum model_irq mode)
{
    ((struct fake *)dev)->irq = mode;
}

static void fake_clock(void *dev, uint64_t now_ns)
{
    ((struct fake *)dev)->now_ns = now_ns;
}

static const struct model_ops ops = {
    .register_bytes = REGISTER_BYTES, .vectors = VECTORS, .space = fake_space,
    .replug = fake_replug, .destroy = fake_destroy, .read32 = fake_read32,
    .write32 = fake_write32, .irq_mode = fake_irq_mode, .clock = fake_clock};

static int setup(void **state)
{
    struct model_port *port = calloc(1, sizeof(*port));

    memset(&fake, 0, sizeof(fake));
    assert_true(model_port_free(SLOT));
    assert_true(model_port_plug(port, SLOT, &ops, &fake, NULL));
    assert_false(model_port_free(SLOT));
    *state = port;
    return 0;
}

static int teardown(void **state)
{
    model_port_reset_all();
    assert_int_equal(fake.destroyed, 1);
    assert_true(model_port_free(SLOT));
    (void)state;
    return 0;
}

static void a_scan_finds_it(void **state)
{
    const struct model_port *port = *state;

    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_IDS), ID);
    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_BAR2), 0); /* it has no I/O window */
    hal_pci_write32(port->bdf, PCI_SPACE_BAR0, UINT32_MAX);
    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_BAR0) & ~0xfu, ~(REGISTER_BYTES - 1));
    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_MSIX) >> 16 & 0x7ff, VECTORS - 1);
}

static void registers_are_its_functions(void **state)
{
    const struct model_port *port = *state;
    struct hal_mmio bar0;

    assert_int_equal(hal_map_mmio((phys_t){BAR0}, REGISTER_BYTES, &bar0), RT_OK);
    fake.word = 7;
    assert_int_equal(hal_read32(&bar0, 8), UINT32_MAX); /* nothing is decoded */
    hal_write32(&bar0, 8, 100);
    assert_int_equal(fake.calls, 0);
    hal_pci_write32(port->bdf, PCI_SPACE_COMMAND, PCI_COMMAND_MEMORY);
    assert_int_equal(hal_read32(&bar0, 8), 15);
    hal_write32(&bar0, 8, 100);
    assert_int_equal(fake.word, 92);
    assert_int_equal(fake.calls, 2);
    assert_true(fake.now_ns > 0); /* it knew the time */
}

/* Each way, and each with what holds it back. */
static void interrupts_follow_configuration_space(void **state)
{
    struct model_port *port = *state;
    struct hal_mmio bar4;

    assert_int_equal(hal_map_mmio((phys_t){BAR4}, PCI_BAR4_BYTES, &bar4), RT_OK);
    model_port_interrupt(port, 3);
    assert_int_equal(port->messages[0], 1); /* the line */
    hal_pci_write32(port->bdf, PCI_SPACE_COMMAND, PCI_COMMAND_NO_INTX);
    model_port_interrupt(port, 3);
    assert_int_equal(port->messages[0], 1);
    hal_pci_write32(port->bdf, PCI_SPACE_MSI, PCI_MSI_ENABLE);
    assert_int_equal(fake.irq, MODEL_IRQ_MSI);
    model_port_interrupt(port, 3);
    assert_int_equal(port->messages[0], 1); /* a message is DMA */
    hal_pci_write32(port->bdf, PCI_SPACE_COMMAND, PCI_COMMAND_MASTER);
    model_port_interrupt(port, 3);
    assert_int_equal(port->messages[0], 2);
    hal_pci_write32(port->bdf, PCI_SPACE_MSIX, PCI_MSIX_ENABLE);
    assert_int_equal(fake.irq, MODEL_IRQ_MSIX);
    model_port_interrupt(port, 3);
    assert_int_equal(port->messages[3], 0); /* masked in the table: it is pending */
    assert_int_equal(hal_read32(&bar4, PCI_MSIX_PBA), 1u << 3);
    hal_write32(&bar4, 3 * 16 + 12, 0);
    model_port_interrupt(port, 3);
    assert_int_equal(port->messages[3], 1);
}

static void plugged_in_again_it_knows_nothing(void **state)
{
    struct model_port *port = *state;

    hal_pci_write32(port->bdf, PCI_SPACE_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    hal_pci_write32(port->bdf, PCI_SPACE_MSIX, PCI_MSIX_ENABLE);
    model_port_replug(port);
    assert_int_equal(fake.resets, 1);
    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_COMMAND) & 0xffff, 0);
    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_BAR0) & ~0xfu, 0);
    assert_int_equal(hal_pci_read32(port->bdf, PCI_SPACE_MSIX) & PCI_MSIX_ENABLE, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_scan_finds_it, setup, teardown),
        cmocka_unit_test_setup_teardown(registers_are_its_functions, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts_follow_configuration_space, setup, teardown),
        cmocka_unit_test_setup_teardown(plugged_in_again_it_knows_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
