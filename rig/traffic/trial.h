/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One measurement: frames offered on a schedule that does not wait for the machine (open
 * loop), checked when they come back.
 *
 * The loss rule: at most `window` frames are in flight (sent - received); a frame that is due
 * while so many are out is lost. QEMU's stream back end never drops but queues without limit,
 * so the bound has to be here. `lost` = offered - frames that came back, once each, intact.
 *
 * When this host itself wakes the sender more than a millisecond late, the schedule stands
 * still for that time (paused_ns says how long): otherwise all that became due meanwhile would
 * come at once, fill the window, and be charged to the machine. The frames are all offered,
 * later. A stall of the machine, whoever causes it, is charged in full.
 *
 * The sender wakes every tick and sleeps between: a spinning one would take the guest's CPU.
 */
#ifndef RIG_TRIAL_H
#define RIG_TRIAL_H

#include "frame.h"
#include "histogram.h"
#include "link.h"
#include "source.h"
#include "tally.h"

#include <stdio.h>

struct trial_config {
    uint64_t rate_pps; /* all lanes together; 0: everything at once */
    uint64_t frames;   /* all lanes together */
    uint64_t window;   /* frames in flight at most */
    uint64_t tick_ns;
    uint64_t quiet_ns;  /* the end: so long without a frame behind the last send */
    uint64_t after_ns;  /* when all came back: so long a look for duplicates */
    uint64_t expire_ns; /* 0: never; else frames in flight so long without any coming back are
                         * given up (they are lost; the window opens) */
    bool block;         /* also wake when a frame comes in (latency), not only each tick */
    FILE *capture;      /* NULL: none; frames that come back, as pcap */
};

struct trial_result {
    uint64_t offered, sent, received; /* received: all of ours, good or not */
    uint64_t good;                    /* came back once and intact */
    uint64_t window_lost;             /* were due while the window was full */
    uint64_t lost, reordered, corrupt, duplicates, stale, foreign;
    uint64_t first_sent_ns, last_sent_ns, first_received_ns, last_received_ns;
    uint64_t paused_ns;   /* time the schedule stood still, because the sender was late */
    uint64_t late_max_ns; /* worst oversleep of the sender: a stall of this host */
    struct histogram latency;
    bool closed; /* the machine closed a port during the trial */
};

uint64_t trial_now_ns(void);
void trial_sleep(uint64_t for_ns);

/* Runs one trial. NULL on success, else what is wrong. */
const char *trial_run(struct link *links, unsigned link_count, const struct source *source,
                      const struct trial_config *config, struct trial_result *result);

/* Sends frame after frame, `every_ns` apart, until one comes back or timeout_ns have gone.
 * result->first_received_ns is 0 when none came. */
const char *trial_probe(struct link *links, unsigned link_count, const struct source *source,
                        uint64_t every_ns, uint64_t timeout_ns, struct trial_result *result);

struct trial_sink {
    uint64_t frames, bytes;
};
/* Counts whatever comes out of each port for a time. false: a port was closed. */
bool trial_sink(struct link *links, unsigned link_count, uint64_t for_ns,
                struct trial_sink *sinks);

#endif
