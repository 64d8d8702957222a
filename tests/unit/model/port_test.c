/* SPDX-License-Identifier: BSD-2-Clause */
/* The model as a card on the bus of rt/host. */
#include "guest.h"

#include <model/x82599_port.h>
#include <rt/host.h>
#include <rt/pci.h>

static void found_on_the_bus(void **state)
{
    struct x82599_config config = {.device_id = X82599_ID_X540};
    struct x82599_port *port = x82599_port_add(3, &config, X82599_CALLS);
    struct hal_mmio bar0, bar4;

    assert_non_null(port);
    assert_null(x82599_port_add(3, &config, X82599_CALLS)); /* taken */
    assert_int_equal(hal_pci_read32(x82599_port_bdf(port), 0), 0x15288086);
    assert_int_equal(hal_map_mmio((phys_t){0xe0300000}, X82599_BAR_BYTES, &bar0), RT_OK);
    assert_int_equal(hal_map_mmio((phys_t){0xe0380000}, 0x4000, &bar4), RT_OK);
    assert_int_equal(hal_read32(&bar0, 0x8), UINT32_MAX); /* it decodes nothing yet */
    hal_pci_write32(x82599_port_bdf(port), 4, 2);
    assert_int_equal(hal_read32(&bar0, 0x8) & 1u << 19, 1u << 19);
    /* vector 0 through the table */
    hal_write32(&bar0, 0x880, 1);
    hal_write32(&bar0, 0x808, 1);
    assert_int_equal(x82599_port_messages(port, 0), 1); /* INTx */
    hal_pci_write32(x82599_port_bdf(port), 0x70, 1u << 31);
    hal_write32(&bar0, 0x808, 1);
    assert_int_equal(x82599_port_messages(port, 0), 1); /* masked in the table */
    assert_int_equal(hal_read32(&bar4, 0x2000) & 1, 1);
    hal_write32(&bar4, 12, 0);
    hal_write32(&bar0, 0x808, 1);
    assert_int_equal(x82599_port_messages(port, 0), 1); /* a message is DMA, which is off */
    hal_pci_write32(x82599_port_bdf(port), 4, 6);
    hal_write32(&bar0, 0x808, 1);
    assert_int_equal(x82599_port_messages(port, 0), 2);
    x82599_port_reset_all();
    (void)state;
}

static void no_dma_without_bus_mastering(void **state)
{
    static uint64_t ring[32] RT_ALIGNED(128);
    static uint8_t frame[64];
    struct x82599_config config = {0};
    struct x82599_port *port = x82599_port_add(0, &config, X82599_PLAIN);
    volatile uint32_t *bar;

    assert_non_null(port);
    bar = (volatile uint32_t *)(volatile void *)x82599_bar(x82599_port_device(port));
    bar[0x4a80 / 4] = 1;
    bar[0x6000 / 4] = (uint32_t)(uintptr_t)ring;
    bar[0x6004 / 4] = (uint32_t)((uintptr_t)ring >> 32);
    bar[0x6008 / 4] = sizeof(ring);
    bar[0x6028 / 4] = 1u << 25;
    ring[0] = (uintptr_t)frame;
    ring[1] = 60ull << 46 | 0x2b300000 | 60;
    bar[0x6018 / 4] = 1;
    assert_int_equal(x82599_tx_run(x82599_port_device(port), 0), 0);
    hal_pci_write32(x82599_port_bdf(port), 4, 4);
    assert_int_equal(x82599_tx_run(x82599_port_device(port), 0), 1);
    assert_int_equal(ring[1] >> 32, 1);
    x82599_port_reset_all();
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_on_the_bus),
        cmocka_unit_test(no_dma_without_bus_mastering),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
