/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One measurement: frames sent on a schedule, checked when they come back.
 *
 * `lost` = sent and never came back, once and intact. Nothing else is lost: frames that come
 * late are waited for (quiet_ns), frames that were never sent are not the machine's.
 *
 * At most `window` frames are in flight (sent - received): QEMU's stream back end never drops
 * but queues without limit, so the bound has to be here. When a frame is due and the window is
 * full, the schedule stands still until it opens (held_ns says how long; closed loop), so all
 * frames are sent, at the rate that machine and host manage. With `open_loop` the schedule goes
 * on and the frame is counted as `not_sent`: that measures whether the rate is kept.
 *
 * When this host itself wakes the sender more than a millisecond late, the schedule stands
 * still for that time (paused_ns says how long): otherwise all that became due meanwhile would
 * come at once, fill the window, and be charged to the rate of the machine. A stall of the
 * machine, whoever causes it, is charged to its rate in full.
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
    bool open_loop;    /* a full window does not hold the schedule */
    uint64_t limit_ns; /* 0: none; else sending ends after so long, with fewer frames */
    uint64_t tick_ns;
    uint64_t quiet_ns;  /* the end: so long without a frame of ours; what is out then is lost */
    uint64_t after_ns;  /* when all came back: so long a look for duplicates */
    uint64_t expire_ns; /* 0: never; else frames in flight so long without any coming back are
                         * given up (they are lost; the window opens) */
    bool block;         /* also wake when a frame comes in (latency), not only each tick */
    FILE *capture;      /* NULL: none; frames that come back, as pcap */
    struct trial_thief *thief; /* NULL: none */
};

/* A test of the rig, never a part of a measurement: one frame in `one_in` of those that come
 * back vanishes before it is looked at, as if the machine had dropped it. */
struct trial_thief {
    uint64_t one_in, seen;
};

struct trial_result {
    uint64_t offered;  /* sent + not_sent */
    uint64_t sent;
    uint64_t not_sent; /* open loop: were due while the window was full */
    uint64_t received; /* all of ours, good or not */
    uint64_t good;     /* came back once and intact */
    uint64_t lost, reordered, corrupt, duplicates, stale, foreign;
    uint64_t first_sent_ns, last_sent_ns, first_received_ns, last_received_ns;
    uint64_t held_ns;     /* time the schedule stood still, because the window was full */
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
