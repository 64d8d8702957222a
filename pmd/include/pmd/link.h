/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bad line, laid over any port: loss, order, duplicates, delay, damage and rate, each way by
 * itself, from a seed and the clock of <rt/hal.h>, which tests move (virtual time).
 *
 *     application --nic_tx--> link port --way out--> port below --> the network
 *                 <--nic_rx--           <--way in---            <--
 *
 * The link is a port of its own (<pmd/nic.h>), one queue each way, and the only one that the
 * application touches from then on: it configures, starts and stops the port below, with pools
 * of its own. Frames are copied on their way: a sent buffer is the NIC's until the line has taken
 * it, a received one is of the application's pool. Checksum and VLAN requests are refused: what
 * a card would fill in behind the line cannot be damaged on it.
 *
 * What happens to the n-th frame of a way depends on its seed and settings alone, not on time or
 * bursts: the same frames have the same fate in each run. Each kind of harm has random numbers of
 * its own, so switching one on does not move another. Frames move when the core calls nic_rx,
 * nic_tx or nic_tx_reclaim; while any is under way nic_rx_arm() says that work is pending.
 */
#ifndef PMD_LINK_H
#define PMD_LINK_H

#include <pmd/nic.h>

#define LINK_FRAMES_MAX 65536 /* on the way at most */
#define LINK_PPM 1000000u

/* One way. All zero: frames pass at once. Shares are of a million frames. */
struct link_way {
    uint64_t seed;
    uint32_t loss_ppm;
    uint32_t duplicate_ppm; /* the second one comes right behind the first */
    uint32_t corrupt_ppm;   /* one bit of the frame, any of them */
    uint32_t reorder_ppm;   /* comes reorder_us late: those behind it overtake */
    uint32_t reorder_us;
    uint32_t delay_us, jitter_us; /* each frame between delay and delay + jitter, in order */
    uint64_t rate_bps; /* a line so fast, with Ethernet's 24 bytes a frame; 0: without limit */
    uint32_t frames_max; /* on the way: more are lost, as in a router's full queue; 0: 1024 */
    uint32_t bytes_max;  /* longer frames vanish without a word; 0: none do */
};
struct link_config {
    struct link_way in, out; /* as the application sees it */
};

/* What a way has done since the start, in frames. */
struct link_counts {
    uint64_t frames; /* that came to it */
    uint64_t lost, duplicated, corrupted, reordered;
    uint64_t overflowed; /* frames_max were under way */
    uint64_t too_long;   /* bytes_max */
};

#define LINK_SETTING '+' /* begins each of them */

/* Both ways alike, from words: "+loss_ppm=10000+delay_us=500" sets fields of struct link_way by
 * their names, decimal; the rest is 0. The way out has the next seed. False: not such words, or a
 * number that its field cannot hold. Whether values are in range says link_over(). Any core. */
RT_NODISCARD bool link_config_parse(const char *text, struct link_config *config);

/* A port over `below`, which no one has configured yet and the application leaves alone from
 * then on; never freed. RT_INVALID: a value is out of range; RT_FULL, RT_NO_MEMORY. Each with a
 * line. Core 0, behind nic_probe_all(), before the seal. */
RT_NODISCARD enum rt_status link_over(struct nic *below, const struct link_config *config,
                                      struct nic **nic);
/* From the next start on the ways are these. RT_BUSY: the port is started; RT_INVALID, RT_NO_MEMORY
 * (more frames on the way than before need some: before the seal then), and a line. Core 0. */
RT_NODISCARD enum rt_status link_set(struct nic *nic, const struct link_config *config);
/* Since the start; also in `stats` and the report, as link_in_lost ... Any core. */
struct link_counts link_counts_in(const struct nic *nic);
struct link_counts link_counts_out(const struct nic *nic);
/* When the next frame comes out of either way; UINT64_MAX: none is under way. For loops that
 * jump in virtual time. The queues' core. */
uint64_t link_next_us(const struct nic *nic);

#endif
