/* SPDX-License-Identifier: BSD-2-Clause */
#include "alarm.h"

#include <rt/assert.h>
#include <rt/hal.h>

enum { PLACE_BITS = 4, LEVEL_BIT = 31 };
#define IN_BLOCK ((1u << PLACE_BITS) - 1)
#define NUMBERS RT_ARRAY_SIZE(((struct alarm_block *)0)->numbers)

static uint32_t bits_of(uint32_t level)
{
    return ALARM_TICK_BITS * (level + 1);
}

static struct alarm *alarm_of(const struct alarms *alarms, uint32_t number)
{
    return (struct alarm *)(void *)((char *)alarms->first + number * alarms->stride);
}

bool alarm_make(struct alarms *alarms, uint32_t count, struct alarm *first, size_t stride,
                 uint64_t now_us)
{
    /* A bucket has one block that is not full, at most. */
    const uint32_t open = RT_MIN(count, (uint32_t)(ALARM_LEVELS * ALARM_BUCKETS));
    const uint32_t blocks = count / (uint32_t)NUMBERS + open + 1;

    RT_ASSERT_LT(blocks, 1u << (LEVEL_BIT - PLACE_BITS));
    *alarms = (struct alarms){.next_us = ALARM_NEVER, .now_us = now_us, .first = first,
                              .stride = stride};
    alarms->blocks = hal_alloc(blocks * sizeof(*alarms->blocks), RT_CACHE_LINE, "TCP alarms");
    if (alarms->blocks == NULL)
        return false;
    for (uint32_t i = blocks; i-- > 0; alarms->free = i + 1)
        alarms->blocks[i].next = alarms->free;
    for (uint32_t i = 0; i < ALARM_LEVELS; i++)
        alarms->levels[i].cursor = now_us >> bits_of(i);
    for (uint32_t i = 0; i < count; i++)
        alarm_of(alarms, i)->at_us = ALARM_NEVER;
    return true;
}

static void append(struct alarms *alarms, uint32_t level, uint64_t bucket, uint32_t number)
{
    struct alarm_level *l = &alarms->levels[level];
    const uint32_t i = (uint32_t)bucket % ALARM_BUCKETS;
    struct alarm *alarm = alarm_of(alarms, number);

    if (l->buckets[i].first == 0 || l->buckets[i].count == NUMBERS) {
        const uint32_t block = alarms->free;

        RT_ASSERT_NE(block, 0u); /* there are as many as can be needed */
        alarms->free = alarms->blocks[block - 1].next;
        alarms->blocks[block - 1].next = l->buckets[i].first;
        l->buckets[i].first = block;
        l->buckets[i].count = 0;
        l->occupied[i / 64] |= UINT64_C(1) << i % 64;
    }
    alarm->at_us = bucket << bits_of(level);
    alarm->place = level << LEVEL_BIT | l->buckets[i].first << PLACE_BITS | l->buckets[i].count;
    alarms->blocks[l->buckets[i].first - 1].numbers[l->buckets[i].count++] = number;
    alarms->next_us = RT_MIN(alarms->next_us, alarm->at_us);
}

/* Takes the last number out of a bucket that has some. */
static uint32_t take_last(struct alarms *alarms, struct alarm_level *l, uint32_t i)
{
    const uint32_t block = l->buckets[i].first;
    const uint32_t number = alarms->blocks[block - 1].numbers[--l->buckets[i].count];

    if (l->buckets[i].count != 0)
        return number;
    l->buckets[i].first = alarms->blocks[block - 1].next;
    l->buckets[i].count = NUMBERS;
    alarms->blocks[block - 1].next = alarms->free;
    alarms->free = block;
    if (l->buckets[i].first == 0)
        l->occupied[i / 64] &= ~(UINT64_C(1) << i % 64);
    return number;
}

void alarm_take_out(struct alarms *alarms, uint32_t number)
{
    struct alarm *alarm = alarm_of(alarms, number);
    const uint32_t level = alarm->place >> LEVEL_BIT;
    const uint32_t block = (alarm->place & ~(1u << LEVEL_BIT)) >> PLACE_BITS;
    uint32_t last;

    if (alarm->at_us == ALARM_NEVER)
        return;
    last = take_last(alarms, &alarms->levels[level],
                     (uint32_t)(alarm->at_us >> bits_of(level)) % ALARM_BUCKETS);
    if (last != number) {
        RT_ASSERT_EQ(alarms->blocks[block - 1].numbers[alarm->place & IN_BLOCK], number);
        alarms->blocks[block - 1].numbers[alarm->place & IN_BLOCK] = last;
        alarm_of(alarms, last)->place = alarm->place;
    }
    alarm->at_us = ALARM_NEVER;
}

void alarm_set(struct alarms *alarms, uint32_t number, uint64_t due_us)
{
    const uint64_t due = RT_MAX((due_us + ALARM_TICK_US - 1) >> ALARM_TICK_BITS,
                                (alarms->now_us >> ALARM_TICK_BITS) + 1);
    const uint64_t coarse = due >> ALARM_TICK_BITS;
    struct alarm_level *l = alarms->levels;

    alarm_take_out(alarms, number);
    for (uint32_t i = 0; i < ALARM_LEVELS && alarms->now_us < alarms->next_us; i++)
        l[i].cursor = alarms->now_us >> bits_of(i); /* what lies before is empty */
    if (due - l[0].cursor < ALARM_BUCKETS)
        append(alarms, 0, due, number);
    else
        append(alarms, 1, RT_MIN(coarse, l[1].cursor + ALARM_BUCKETS - 1), number);
}

/* The first bucket from the cursor on that has numbers; UINT64_MAX: none has. */
static uint64_t first_bucket(const struct alarm_level *l)
{
    const uint32_t from = (uint32_t)l->cursor % ALARM_BUCKETS;

    for (uint32_t k = 0; k <= ALARM_BUCKETS / 64; k++) {
        const uint32_t word = (from / 64 + k) % (ALARM_BUCKETS / 64);
        uint64_t bits = l->occupied[word];

        if (k == 0)
            bits &= UINT64_MAX << from % 64;
        else if (k == ALARM_BUCKETS / 64)
            bits &= ~(UINT64_MAX << from % 64);
        if (bits != 0) {
            const uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(bits);

            return l->cursor + (i - from) % ALARM_BUCKETS;
        }
    }
    return UINT64_MAX;
}

/* One level: its first bucket when that is due, and when it is else. */
static bool next_of(struct alarms *alarms, uint32_t level, uint32_t *number)
{
    struct alarm_level *l = &alarms->levels[level];
    const uint64_t now = alarms->now_us >> bits_of(level);
    const uint64_t first = first_bucket(l);

    if (first > now) {
        l->cursor = now;
        if (first != UINT64_MAX)
            alarms->next_us = RT_MIN(alarms->next_us, first << bits_of(level));
        return false;
    }
    l->cursor = first;
    *number = take_last(alarms, l, (uint32_t)first % ALARM_BUCKETS);
    alarm_of(alarms, *number)->at_us = ALARM_NEVER;
    return true;
}

/* Fine buckets first: what is looked at goes behind the current one, so they come to an end. A
 * coarse one may get back what it gave, while they lag. */
bool alarm_next(struct alarms *alarms, uint64_t now_us, uint32_t *number)
{
    alarms->now_us = now_us;
    if (now_us < alarms->next_us)
        return false;
    alarms->next_us = ALARM_NEVER;
    for (uint32_t level = 0; level < ALARM_LEVELS; level++)
        if (next_of(alarms, level, number)) {
            alarms->next_us = 0; /* there may be more */
            return true;
        }
    return false;
}
