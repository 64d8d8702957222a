/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power-off and reset. Both try what the tables say, then what usually works, each with a
 * short wait, and never return. Sections of ACPI 6.5.
 */
#include <rt/hal.h>
#include <rt/log.h>

#include "cpu.h"
#include "power.h"
#include "x86.h"

/* PM1 control register, 4.8.3.2.1 */
#define PM1_SCI_EN RT_BIT(0)
#define PM1_SLP_TYP RT_BITS(12, 10)
#define PM1_SLP_EN RT_BIT(13)
/* Sleep control register of hardware-reduced machines, 4.8.3.7 */
#define SLEEP_TYP RT_BITS(4, 2)
#define SLEEP_EN RT_BIT(5)

enum {
    RESET_CONTROL_PORT = 0xcf9,
    RESET_CONTROL_HARD = 0x02,
    RESET_CONTROL_PULSE = 0x04,
    KBC_STATUS_PORT = 0x64,
    KBC_STATUS_INPUT_FULL = 0x02,
    KBC_PULSE_RESET = 0xfe,
    POWER_WAIT_US = 100 * 1000,
    ACPI_ENABLE_WAIT_US = 300 * 1000,
    WAIT_STEP_US = 100,
    WAIT_STEPS_MAX_PER_S = 100000, /* some machines decode the port in 0.1 us */
    DELAY_PORT = 0x80, /* a write to it takes about a microsecond on every PC */
};

/* Where virtual machines without usable tables listen: PIIX4 PM1a of QEMU's pc and old
 * Bochs, ICH9's of q35. The value is SLP_EN with SLP_TYP 0, which both take as S5. */
static const uint16_t vm_ports[] = {0x604, 0xb004};

/* A byte register of the tables, in port or in memory space. */
struct byte_register {
    struct acpi_gas gas;
    struct hal_mmio page; /* bytes 0: not in memory, or not mapped */
};

static struct acpi_fadt fadt;
static struct byte_register reset_register, sleep_register;

/* Not hal_delay_us(): this must work when the clock never came up, or is what broke. */
static void delay_us(uint32_t us)
{
    for (uint32_t i = 0; i < us; i++)
        x86_out8(DELAY_PORT, 0);
}

void power_wait_s(uint32_t s)
{
    const uint64_t end_us = hal_now_us() + s * UINT64_C(1000000);

    /* The count ends it where the clock stands still. */
    for (uint32_t i = 0; i < s * WAIT_STEPS_MAX_PER_S && hal_now_us() < end_us; i++)
        delay_us(WAIT_STEP_US);
}

static bool port_usable(const struct acpi_gas *gas)
{
    return gas->space == ACPI_SPACE_IO && gas->address != 0 && gas->address <= UINT16_MAX;
}

/* Maps the register when it is in memory. False when it cannot be used. */
static bool register_open(struct byte_register *reg, const struct acpi_gas *gas,
                          const char *name)
{
    *reg = (struct byte_register){.gas = *gas};
    if (gas->address == 0 || gas->space != ACPI_SPACE_MEMORY)
        return port_usable(gas);
    uint64_t page = RT_ALIGN_DOWN(gas->address, RT_PAGE_BYTES);
    enum rt_status st = hal_map_mmio((phys_t){page}, RT_PAGE_BYTES, &reg->page);
    if (st == RT_OK)
        return true;
    reg->page = (struct hal_mmio){0};
    rt_log("power register=%s address=0x%lx state=unused reason=%s", name, gas->address,
           rt_status_name(st));
    return false;
}

static void register_write(const struct byte_register *reg, uint8_t value)
{
    if (port_usable(&reg->gas))
        x86_out8((uint16_t)reg->gas.address, value);
    else if (reg->page.bytes != 0)
        reg->page.base[reg->gas.address % RT_PAGE_BYTES] = value;
}

void power_init(const struct acpi_info *info)
{
    fadt = info->fadt;
    if (fadt.reset_supported)
        fadt.reset_supported = register_open(&reset_register, &fadt.reset, "reset");
    if (fadt.hardware_reduced)
        (void)register_open(&sleep_register, &fadt.sleep_control, "sleep");
}

/* Firmware may still own the PM registers (legacy mode): ask for them first, 4.8.2.5. */
static void enter_acpi_mode(uint16_t pm1a)
{
    if (fadt.smi_command == 0 || fadt.smi_command > UINT16_MAX || fadt.acpi_enable == 0)
        return;
    if ((x86_in16(pm1a) & PM1_SCI_EN) != 0)
        return;
    x86_out8((uint16_t)fadt.smi_command, fadt.acpi_enable);
    for (uint32_t us = 0; us < ACPI_ENABLE_WAIT_US; us++) {
        if ((x86_in16(pm1a) & PM1_SCI_EN) != 0)
            return;
        delay_us(1);
    }
}

/* Keeps the other bits of the register; SLP_TYP first, then with SLP_EN, 16.1.7. */
static void pm1_sleep(const struct acpi_gas *control, uint8_t type)
{
    if (!port_usable(control))
        return;
    uint16_t port = (uint16_t)control->address;
    uint32_t value = x86_in16(port) & ~(PM1_SLP_TYP | PM1_SLP_EN);
    value |= FIELD_PUT(PM1_SLP_TYP, type);
    x86_out16(port, (uint16_t)value);
    x86_out16(port, (uint16_t)(value | PM1_SLP_EN));
}

static void acpi_off(void)
{
    if (!fadt.s5_found)
        return;
    if (fadt.hardware_reduced) {
        uint32_t value = FIELD_PUT(SLEEP_TYP, fadt.s5_type_a) | SLEEP_EN;
        register_write(&sleep_register, (uint8_t)value);
    } else if (port_usable(&fadt.pm1a_control)) {
        enter_acpi_mode((uint16_t)fadt.pm1a_control.address);
        pm1_sleep(&fadt.pm1a_control, fadt.s5_type_a);
        pm1_sleep(&fadt.pm1b_control, fadt.s5_type_b);
    }
    delay_us(POWER_WAIT_US);
}

static bool under_hypervisor(void)
{
    return (x86_cpuid(1, 0).ecx & RT_BIT(31)) != 0;
}

void power_off(void)
{
    static const char halted[] = "power state=halted reason=no_way_to_switch_off\n";
    acpi_off();
    /* On real hardware these ports may be anything: only where a hypervisor says so. */
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(vm_ports) && under_hypervisor(); i++) {
        x86_out16(vm_ports[i], (uint16_t)PM1_SLP_EN);
        delay_us(POWER_WAIT_US);
    }
    /* Not rt_log(): its lock may belong to a core that has stopped. */
    hal_console_write(halted, sizeof(halted) - 1);
    core_halt_for_good();
}

/* 4.8.3.6: one byte, in port or memory space. */
static void fadt_reset(void)
{
    if (!fadt.reset_supported)
        return;
    register_write(&reset_register, fadt.reset_value);
    delay_us(POWER_WAIT_US);
}

static void keyboard_reset(void)
{
    for (uint32_t us = 0; us < POWER_WAIT_US; us++) {
        if ((x86_in8(KBC_STATUS_PORT) & KBC_STATUS_INPUT_FULL) == 0)
            break;
        delay_us(1);
    }
    x86_out8(KBC_STATUS_PORT, KBC_PULSE_RESET);
    delay_us(POWER_WAIT_US);
}

/* No IDT and a fault: the processor shuts down, which the chipset turns into a reset. */
RT_NORETURN static void triple_fault(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } RT_PACKED empty = {0, 0};
    __asm__ volatile("lidt %0\n\tint3" ::"m"(empty) : "memory");
    x86_halt_forever();
}

void power_reset(void)
{
    fadt_reset();
    x86_out8(RESET_CONTROL_PORT, RESET_CONTROL_HARD);
    delay_us(50);
    x86_out8(RESET_CONTROL_PORT, RESET_CONTROL_HARD | RESET_CONTROL_PULSE);
    delay_us(POWER_WAIT_US);
    keyboard_reset();
    triple_fault();
}
