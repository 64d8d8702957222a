/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime's own settings, filled from boot arguments before anything starts (the table
 * is rt/core/config.c). `live` ones may change while running: loops read them once a turn.
 */
#ifndef RT_CONFIG_H
#define RT_CONFIG_H

#include <rt/base.h>
#include <rt/poll.h>

struct rt_config {
    uint32_t cores;      /* 0: all */
    struct poll_config poll;
    uint32_t run_s;      /* stop by itself after this many seconds; 0: run on */
    uint32_t at_stop;    /* enum rt_at_stop */
    uint32_t at_panic;   /* enum rt_at_stop */
    char boot_mac[24];   /* of the card that loaded us; "" when not known */
};

enum rt_at_stop { RT_STOP_POWEROFF = 0, RT_STOP_RESET = 1, RT_STOP_HALT = 2 };

extern struct rt_config rt_config;

#endif
