/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pair of ports in memory: what one end sends, the other receives. In a Linux process only.
 *
 * Each end is a port as any other (<pmd/nic.h>): pools, cores and threads of its own. A frame
 * is copied once it is received, from the sender's buffers into those of the receiver's pool, so
 * a sent buffer is the NIC's until the other end has polled and the sender has looked. A pipe
 * loses nothing and keeps the order: what finds no descriptor waits in the sender's ring. Frames
 * shorter than 60 bytes are padded, as a card does. Link is up while both ends are started. What
 * a real line does to frames: <pmd/link.h>.
 */
#ifndef PMD_PIPE_H
#define PMD_PIPE_H

#include <pmd/nic.h>

/* Two ports more: ends[0] and ends[1], never freed. RT_FULL, RT_NO_MEMORY: with a line,
 * the start cannot go on. Core 0, behind nic_probe_all(), before the seal. */
RT_NODISCARD enum rt_status pipe_open(struct nic *ends[2]);

/* Its device asks for a reset, `fault` (a literal) is why: the next nic_poll_link() begins a
 * recovery, with all that belongs to it. Core 0. */
void pipe_break(struct nic *end, const char *fault);

#endif
