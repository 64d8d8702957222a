/* SPDX-License-Identifier: BSD-2-Clause */
/* One lwIP: its state is global, so each side of the link is a shared object of its own. */
#ifndef COMPARE_LWIP_SIDE_H
#define COMPARE_LWIP_SIDE_H

#include <stdint.h>

struct side_ops {
    /* Address 10.0.0.`number`; `put` gets each frame's bytes by pieces, the last one with 1. */
    void (*init)(uint8_t number, void (*put)(const void *data, unsigned bytes, int last));
    void (*listen)(int bulk);
    void (*connect)(uint8_t number, unsigned conns, int bulk);
    /* A frame into buffers of lwIP's, as a driver receives it; then into the stack. */
    void *(*link_in)(const void *data, unsigned bytes);
    void (*input)(void *packet);
    void (*request)(unsigned number); /* the first one of a connection */
    void (*fill)(void);               /* bulk: as much as there is room for */
    void (*tick)(uint32_t now_ms);
    uint64_t (*done)(void); /* answers, or segments of bulk */
    unsigned (*open)(void);
    uint64_t (*bad)(void);
    const char *(*version)(void);
};
extern const struct side_ops side_ops;

#endif
