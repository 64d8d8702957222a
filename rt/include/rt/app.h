/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an application gives to the runtime. An image links exactly one `rt_app`.
 *
 * The runtime parses the boot arguments against `tables`, brings the machine up, then
 * calls `main` on core 0. `main` probes devices, makes pools, starts loops on the other
 * cores, seals memory and runs its own loop; what it returns is the exit code (0: power
 * off cleanly; else reported, and passed to QEMU where its debug-exit device is present).
 */
#ifndef RT_APP_H
#define RT_APP_H

#include <rt/args.h>
#include <rt/boot_info.h>

struct rt_app {
    const char *name;
    const struct arg_table *const *tables; /* NULL-ended; the runtime's own is rt_arg_table */
    int (*main)(const struct boot_info *bi);
};

extern const struct rt_app rt_app;
extern const struct arg_table rt_arg_table; /* cores=, poll=, ...: rt/core/config.c */

#endif
