/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The application as a Linux process: `l2fwd_host cores=2 batch=32 ...`. Words of argv are
 * the boot arguments; there are no devices unless the program registers software ones.
 */
#include "host.h"

#include <rt/app.h>
#include <rt/config.h>
#include <rt/log.h>
#include <unistd.h>

static void report_line(void *ctx, const char *line)
{
    rt_log("%s", line);
}

static size_t join(char *out, size_t bytes, int argc, char **argv)
{
    size_t n = 0;

    for (int i = 1; i < argc && n < bytes; i++)
        n += rt_snprintf(out + n, bytes - n, i == 1 ? "%s" : " %s", argv[i]);
    return n;
}

static unsigned cores_wanted(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (rt_config.cores != 0)
        return rt_config.cores;
    return online < 1 ? 1 : (unsigned)RT_MIN(online, (long)HAL_CORES_MAX);
}

int main(int argc, char **argv)
{
    static struct boot_info bi = {.magic = BOOT_INFO_MAGIC, .loader = "linux process"};
    struct arg_result parsed;

    bi.entry_cycles = hal_cycles();
    if (join(bi.cmdline, sizeof(bi.cmdline), argc, argv) >= sizeof(bi.cmdline))
        bi.flags |= BOOT_FLAG_CMDLINE_TRUNCATED;
    parsed = args_parse(rt_app.tables, bi.cmdline, report_line, NULL);
    if (parsed.help_asked)
        args_help(rt_app.tables, report_line, NULL);
    if (parsed.mistakes != 0 || parsed.help_asked)
        hal_exit(parsed.mistakes != 0 ? 2 : 0);
    if (host_cores_start(cores_wanted()) != RT_OK)
        hal_exit(1);
    host_console_stdin(true);
    hal_exit(rt_app.main(&bi));
}
