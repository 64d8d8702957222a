/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments of echo beside those of the kit. Read-only after the start. */
#ifndef ECHO_OPTIONS_H
#define ECHO_OPTIONS_H

#include <rt/args.h>
#include <tcp/addr.h>

struct echo_options {
    uint32_t conns; /* of a core, at a time */
    char connect[IP_ADDR_TEXT_BYTES];
    uint32_t connect_count; /* of a core */
    /* read from `connect` */
    bool has_peer;
    struct ip_addr peer;
};

extern struct echo_options echo_options;
extern const struct arg_table echo_arg_table;

/* What words mean, before anything is started. False, and a line: an address that is none. Core
 * 0. */
bool echo_options_read(void);

#endif
