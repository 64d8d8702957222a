/* SPDX-License-Identifier: BSD-2-Clause */
/* The port of QEMU's stream back-end. */
#ifndef PMD_STREAM_PRIVATE_H
#define PMD_STREAM_PRIVATE_H

#include "tap/tap.h"

#include <pmd/stream.h>

#define STREAM_LENGTH_BYTES 4
#define STREAM_PATH_BYTES 108 /* sun_path */

struct stream_port {
    struct soft_port port; /* first: nic->priv */
    int fd;
    bool closed; /* the other end is gone, or does not speak of frames */
    char path[STREAM_PATH_BYTES];
    struct tap_watch watch;
    /* The receiving core's: bytes in_at..in_bytes are to be taken. */
    uint32_t in_at, in_bytes;
    uint8_t in[4 * (STREAM_LENGTH_BYTES + SOFT_BOX_BYTES)];
    /* The sending core's: bytes out_at..out_bytes are to be sent. */
    uint32_t out_at, out_bytes;
    uint8_t out[STREAM_LENGTH_BYTES + SOFT_BOX_BYTES];
};
_Static_assert(offsetof(struct stream_port, port) == 0, "what soft_port_of() returns");

#endif
