/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When connections are to be looked at: buckets of their numbers, by time.
 *
 * Each connection has at most one alarm. It is lazy: a deadline that moves later leaves it where it
 * is, and who is looked at too early sets it again. So the usual request, which sets a
 * retransmission time-out and takes it back, touches nothing here.
 *
 *     level 0   1024 buckets of 1.024 ms      level 1   1024 buckets of 1.05 s (18 minutes)
 *
 * What is later still is put as far as it goes and looked at there. A bucket is a list of blocks, a
 * cache line each, with 15 numbers: setting an alarm writes at its end and touches no other
 * connection; taking one out moves the last number into its place. So there are never more numbers
 * than connections, and blocks for all are there from the start. Bits say which buckets have
 * some: they give a halt its deadline.
 *
 * None comes early, one that is not crowded out at most a bucket late. A run looks at a bounded
 * number; those that are left come first with the next.
 */
#ifndef TCP_TCP_ALARM_H
#define TCP_TCP_ALARM_H

#include <rt/base.h>

#define ALARM_TICK_BITS 10 /* a bucket of level 0: 1024 us */
#define ALARM_TICK_US (1u << ALARM_TICK_BITS)
#define ALARM_BUCKETS 1024
#define ALARM_LEVELS 2
#define ALARM_NEVER UINT64_MAX

/* Of a connection. */
struct alarm {
    uint64_t at_us; /* when it is looked at; ALARM_NEVER: not at all */
    uint32_t place; /* where its number stands */
};

struct alarm_block {
    uint32_t numbers[15];
    uint32_t next; /* block behind it, from 1 on; 0: none */
};
_Static_assert(sizeof(struct alarm_block) == 64, "a cache line");

struct alarm_level {
    struct {
        uint32_t first; /* block, from 1 on: the only one that is not full */
        uint32_t count; /* numbers in that one */
    } buckets[ALARM_BUCKETS];
    uint64_t occupied[ALARM_BUCKETS / 64];
    uint64_t cursor; /* all buckets before this one are empty */
};

struct alarms {
    uint64_t next_us; /* nothing is due before: no need to call */
    uint64_t now_us;
    struct alarm *first; /* the alarms, `stride` bytes apart, by number */
    size_t stride;
    struct alarm_block *blocks;
    uint32_t free; /* block, from 1 on */
    struct alarm_level levels[ALARM_LEVELS];
};

/* For `count` alarms, of which `first` is number 0. False: no memory. */
bool alarm_make(struct alarms *alarms, uint32_t count, struct alarm *first, size_t stride,
                 uint64_t now_us);
/* Sets it, or sets it earlier. */
void alarm_set(struct alarms *alarms, uint32_t number, uint64_t due_us);
void alarm_take_out(struct alarms *alarms, uint32_t number);
/* The next that is due, which is then not set any more. False: none is. */
bool alarm_next(struct alarms *alarms, uint64_t now_us, uint32_t *number);

/* True: alarm_set() has something to do. Of ALARM_NEVER it is false. */
RT_INLINE bool alarm_is_later(const struct alarm *alarm, uint64_t due_us)
{
    return due_us <= alarm->at_us - ALARM_TICK_US;
}

#endif
