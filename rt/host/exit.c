/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaving the machine is leaving the process. */
#include "host.h"

#include <rt/log.h>
#include <stdlib.h>

void hal_exit(int code)
{
    char message[32];

    rt_snprintf(message, sizeof(message), "exit code=%d", code);
    host_caught(message);
    rt_log("%s", message);
    exit(code);
}
