/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's own boot arguments.
 *
 * Defaults: a core that finds nothing keeps looking for 200 us and 64 empty turns, which is
 * longer than the gaps of any steady traffic worth polling for (5,000 packets/s), and far
 * shorter than what an idle machine costs; then it halts. One packet is reason enough to
 * keep polling. The longest sleep bounds what a lost interrupt can cost.
 */
#include <rt/app.h>
#include <rt/config.h>
#include <rt/hal.h>

struct rt_config rt_config = {.at_panic = RT_STOP_RESET}; /* also before they are parsed */

static const struct arg rt_args[] = {
    {
        .name = "cores",
        .type = ARG_U32,
        .unit = "cores",
        .max = HAL_CORES_MAX,
        .preset = "0",
        .dst = &rt_config.cores,
        .help = "cores to use, 0: all of the machine",
    },
    {
        .name = "poll",
        .type = ARG_CHOICE,
        .unit = "",
        .preset = "adaptive",
        .choices = "adaptive|always|irq",
        .dst = &rt_config.poll.mode,
        .live = true,
        .help = "adaptive: poll while busy, sleep when quiet; always: never sleep;"
                " irq: sleep after every turn that was not busy",
    },
    {
        .name = "spin_us",
        .type = ARG_U32,
        .unit = "us",
        .max = 10000000,
        .preset = "200",
        .dst = &rt_config.poll.spin_us,
        .live = true,
        .help = "adaptive: time without work before sleep",
    },
    {
        .name = "empty_polls",
        .type = ARG_U32,
        .unit = "turns",
        .max = 100000000,
        .preset = "64",
        .dst = &rt_config.poll.empty_polls,
        .live = true,
        .help = "adaptive: turns without work before sleep (both must have passed)",
    },
    {
        .name = "busy_packets",
        .type = ARG_U32,
        .unit = "packets",
        .min = 1,
        .max = 1024,
        .preset = "1",
        .dst = &rt_config.poll.busy_packets,
        .live = true,
        .help = "packets in a turn that keep a core polling",
    },
    {
        .name = "sleep_max_us",
        .type = ARG_U32,
        .unit = "us",
        .min = 100,
        .max = 10000000,
        .preset = "100000",
        .dst = &rt_config.poll.sleep_max_us,
        .live = true,
        .help = "longest sleep: what a lost interrupt costs at most",
    },
    {
        .name = "run_s",
        .type = ARG_U32,
        .unit = "s",
        .max = 31536000,
        .preset = "0",
        .dst = &rt_config.run_s,
        .help = "stop by itself after this time, 0: run on",
    },
    {
        .name = "at_stop",
        .type = ARG_CHOICE,
        .unit = "",
        .preset = "poweroff",
        .choices = "poweroff|reset|halt",
        .dst = &rt_config.at_stop,
        .help = "what the machine does when the application ends",
    },
    {
        .name = "at_panic",
        .type = ARG_CHOICE,
        .unit = "",
        .preset = "reset",
        .choices = "poweroff|reset|halt",
        .dst = &rt_config.at_panic,
        .help = "what it does after a fault, an NMI or a failed assertion, 10 s after the"
                " report; halt keeps the report on a screen",
    },
    {
        .name = "boot.mac",
        .type = ARG_STRING,
        .unit = "MAC address",
        .max = sizeof(rt_config.boot_mac),
        .preset = "",
        .dst = rt_config.boot_mac,
        .help = "card the machine was booted from; the iPXE script sets it, and that card is left"
                " alone",
    },
    {
        .name = "BOOTIF",
        .type = ARG_STRING,
        .unit = "01- and a MAC address",
        .max = sizeof(rt_config.boot_mac),
        .preset = "",
        .dst = rt_config.boot_mac,
        .help = "the same in the words of PXELINUX (ipappend 2)",
    },
};

const struct arg_table rt_arg_table = {
    .title = "runtime",
    .args = rt_args,
    .count = RT_ARRAY_SIZE(rt_args),
};
