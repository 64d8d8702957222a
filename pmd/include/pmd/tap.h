/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port that is the other end of a Linux TAP interface: what Linux sends out of the interface
 * arrives here. In a Linux process only; for correctness beside Linux's own stack, not for speed
 * (a system call a frame).
 *
 * It needs /dev/net/tun and CAP_NET_ADMIN in its network namespace; `unshare -rn` gives both to
 * an ordinary user. The interface may be moved to another namespace afterwards, the port stays
 * its other end. Its link is up while the interface is. Linux drops what the port sends while it
 * is not (card_tx in the statistics), and queues up to txqueuelen frames for the port.
 */
#ifndef PMD_TAP_H
#define PMD_TAP_H

#include <pmd/nic.h>

#define TAP_NAME_BYTES 16 /* with its end: IFNAMSIZ */

/* The other end of the interface `name`, which is made when it is not there, and goes with this
 * process unless it was made to stay (`ip tuntap add`). The port's address is the interface's with
 * one bit changed. RT_INVALID: not a name; RT_IO: the kernel refused; RT_FULL, RT_NO_MEMORY: as
 * for any port. Each with a line. Core 0, behind nic_probe_all(), before the seal. */
RT_NODISCARD enum rt_status tap_open(const char *name, struct nic **nic);

#endif
