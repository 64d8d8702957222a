/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a run: silences the devices, says the code, empties the console, leaves.
 *
 * A card left alone goes on writing to memory and sends pause frames once its rings are full:
 * a machine that stands still must not stop a switch. After a panic, and after an error when
 * there is a screen, some seconds pass before the machine goes: the report can be read, and a
 * panic at each start does not become a storm of resets.
 *
 * Under QEMU a non-zero code goes to the isa-debug-exit device at port 0xf4, which ends QEMU
 * with status (code << 1) | 1; on hardware that port belongs to nobody we know, so it is
 * written only when the firmware interface of QEMU answers.
 */
#include <rt/config.h>
#include <rt/hal.h>
#include <rt/log.h>
#include <rt/pci.h>
#include <rt/quiesce.h>
#include <stdarg.h>

#include "console.h"
#include "cpu.h"
#include "framebuffer.h"
#include "power.h"

enum {
    FW_CFG_SELECTOR_PORT = 0x510, /* QEMU docs/specs/fw_cfg: selector, then data at +1 */
    FW_CFG_SIGNATURE = 0x0000,
    DEBUG_EXIT_PORT = 0xf4,
    READ_S = 10,
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

/* A device that faults here brings us here again: the next call goes on behind it, and the
 * bound is for the case that configuration space itself faults. */
static void silence_devices(void)
{
    static uint32_t tries;

    if (tries++ > RT_QUIESCE_MAX)
        return;
    rt_quiesce_all();
    pci_silence();
}

/* No rt_log from here on: its lock may be held by a core that no longer runs. */
static void say(const char *fmt, ...) RT_PRINTF(1, 2);
static void say(const char *fmt, ...)
{
    char line[RT_LOG_LINE_BYTES / 2];
    va_list args;
    size_t bytes;

    va_start(args, fmt);
    bytes = rt_vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    hal_console_write(line, RT_MIN(bytes, sizeof(line) - 1));
    console_flush();
}

static void let_read(uint32_t action, bool panicking)
{
    const char *what = action == RT_STOP_RESET ? "reset" : "poweroff";

    if (panicking)
        say("exit action=%s in_s=%u remedy=\"boot argument at_panic=halt keeps the report,"
            " at_panic=poweroff ends it\"\n", what, READ_S);
    else
        say("exit action=%s in_s=%u remedy=\"boot argument at_stop=halt keeps this screen\"\n",
            what, READ_S);
    power_wait_s(READ_S);
}

void exit_machine(int code, bool panicking)
{
    const uint32_t action = panicking ? rt_config.at_panic : rt_config.at_stop;

    if (!panicking) {
        console_take();
        core_stop_others();
    }
    silence_devices();
    console_flush();
    say("exit code=%d\n", code);
    if (action == RT_STOP_HALT)
        core_halt_for_good();
    if (code != 0 && under_qemu())
        x86_out32(DEBUG_EXIT_PORT, (uint32_t)code); /* returns when the device is absent */
    if (panicking || (code != 0 && fb_console_present()))
        let_read(action, panicking);
    if (action == RT_STOP_RESET)
        power_reset();
    power_off();
}

void hal_exit(int code)
{
    exit_machine(code, false);
}
