/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port that is the other end of a QEMU network back-end, `-netdev stream`: what the machine sends
 * arrives here. In a Linux process only. Frames go over a UNIX socket, each behind its length in
 * four bytes, network order; QEMU listens (server=on), the port connects. With a bad line over it
 * (<pmd/link.h>) and another port beside it, it is a bad cable in front of a machine.
 *
 * A frame that the socket has no room for waits in the port's ring: nothing is lost. Its link is
 * up while the other end is there; what is sent afterwards is dropped and counted. Its two queues
 * are on one core.
 */
#ifndef PMD_STREAM_H
#define PMD_STREAM_H

#include <pmd/nic.h>

/* Connects to the socket at `path`. The port's address follows from the path. RT_INVALID: not a
 * path that fits; RT_IO: nobody listens; RT_FULL, RT_NO_MEMORY: as for any port. Each with a line.
 * Core 0, behind nic_probe_all(), before the seal. */
RT_NODISCARD enum rt_status stream_open(const char *path, struct nic **nic);

#endif
