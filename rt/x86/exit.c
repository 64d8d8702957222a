/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a run: says the code, empties the console, leaves.
 *
 * Under QEMU a non-zero code goes to the isa-debug-exit device at port 0xf4, which ends QEMU
 * with status (code << 1) | 1; on hardware that port belongs to nobody we know, so it is
 * written only when the firmware interface of QEMU answers.
 */
#include <rt/config.h>
#include <rt/hal.h>
#include <rt/log.h>

#include "console.h"
#include "cpu.h"
#include "power.h"

enum {
    FW_CFG_SELECTOR_PORT = 0x510, /* QEMU docs/specs/fw_cfg: selector, then data at +1 */
    FW_CFG_SIGNATURE = 0x0000,
    DEBUG_EXIT_PORT = 0xf4,
};

static bool under_qemu(void)
{
    static const char signature[] = "QEMU";

    if ((x86_cpuid(1, 0).ecx & RT_BIT(31)) == 0) /* no hypervisor */
        return false;
    x86_out16(FW_CFG_SELECTOR_PORT, FW_CFG_SIGNATURE);
    for (unsigned i = 0; i < 4; i++) {
        if (x86_in8(FW_CFG_SELECTOR_PORT + 1) != (uint8_t)signature[i])
            return false;
    }
    return true;
}

void exit_machine(int code, bool panicking)
{
    char line[32];
    size_t bytes = rt_snprintf(line, sizeof(line), "exit code=%d\n", code);

    if (!panicking)
        core_stop_others();
    /* No rt_log: its lock may be held by a core that no longer runs. */
    console_flush();
    hal_console_write(line, bytes);
    console_flush();
    if (rt_config.at_stop == RT_STOP_HALT)
        x86_halt_forever();
    if (code != 0 && under_qemu())
        x86_out32(DEBUG_EXIT_PORT, (uint32_t)code); /* returns when the device is absent */
    if (rt_config.at_stop == RT_STOP_RESET)
        power_reset();
    power_off();
}

void hal_exit(int code)
{
    exit_machine(code, false);
}
