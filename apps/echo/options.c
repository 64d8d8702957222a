/* SPDX-License-Identifier: BSD-2-Clause */
/* 1024 are as many as struct tcp_config has by itself; each takes under a kilobyte at the start. */
#include "options.h"

#include <rt/assert.h>
#include <rt/log.h>

struct echo_options echo_options;

static const struct arg echo_args[] = {
    {.name = "conns", .type = ARG_U32, .unit = "connections a core", .min = 1, .max = 1000000,
     .preset = "1024", .dst = &echo_options.conns,
     .help = "connections at a time; the oldest of those in TIME-WAIT go for new ones, then SYNs"
             " are dropped, and come again"},
    {.name = "connect", .type = ARG_STRING, .unit = "address", .max = IP_ADDR_TEXT_BYTES,
     .preset = "", .dst = echo_options.connect,
     .help = "a peer, by IPv4 or IPv6, whose port 7 is called, too; what it says is sent back"},
    {.name = "connect_count", .type = ARG_U32, .unit = "connections a core", .min = 1,
     .max = 1000000, .preset = "1", .dst = &echo_options.connect_count,
     .help = "how often it is called"},
};

const struct arg_table echo_arg_table = {
    .title = "echo",
    .args = echo_args,
    .count = RT_ARRAY_SIZE(echo_args),
};

bool echo_options_read(void)
{
    RT_ASSERT_NE(echo_options.conns, 0u); /* the words were read */
    echo_options.has_peer = echo_options.connect[0] != '\0';
    if (!echo_options.has_peer && echo_options.connect_count != 1) {
        rt_log("echo connect_count=%u error=\"nobody is called\" remedy=connect=ADDRESS",
               echo_options.connect_count);
        return false;
    }
    if (!echo_options.has_peer || ip_addr_parse(echo_options.connect, &echo_options.peer))
        return true;
    rt_log("echo connect=\"%s\" error=\"not an address\"", echo_options.connect);
    return false;
}
