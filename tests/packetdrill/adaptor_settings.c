/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux's settings, and what they are here. Those that are not named below are no matter of TCP, or
 * stand as Linux has them. */
#include "adaptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RX_WINDOW = 65535 << 8, /* a window scale of 8, as scripts for Linux expect */
    TX_ROOM = 4 << 20,
    LINUX_QUICK_ACKS = 16,
    VALUE_BYTES = 64,
};

/* The first word of a setting; "": nobody has set it. */
static void read_setting(const char *name, char *value)
{
    const char *folder = getenv("MILLRACE_PD_SETTINGS");
    char path[512];
    FILE *f;

    value[0] = '\0';
    if (folder == NULL)
        return;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "r");
    if (f == NULL)
        return;
    if (fscanf(f, "%63s", value) != 1)
        value[0] = '\0';
    fclose(f);
}

static bool is_set_to(const char *name, const char *wanted)
{
    char value[VALUE_BYTES];

    read_setting(name, value);
    return strcmp(value, wanted) == 0;
}

struct world_config adaptor_settings(void)
{
    struct world_config config = {
        .tcp = {
            .rx_window = RX_WINDOW,
            .tx_room = TX_ROOM,
            .quick_acks = LINUX_QUICK_ACKS,
            .slow_start_segments = UINT16_MAX, /* Linux has no limit, it paces */
            .congestion = TCP_CUBIC,
            .no_timestamps = is_set_to("tcp_timestamps", "0"),
            .ecn = TCP_ECN_ACCEPT,
        },
    };

    if (is_set_to("tcp_congestion_control", "reno"))
        config.tcp.congestion = TCP_NEWRENO;
    if (is_set_to("tcp_ecn", "0"))
        config.tcp.ecn = TCP_ECN_OFF;
    else if (is_set_to("tcp_ecn", "1"))
        config.tcp.ecn = TCP_ECN_ASK;
    return config;
}
