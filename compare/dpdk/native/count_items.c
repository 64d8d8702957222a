/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of every row, lane by lane; count.c counts them. */
#include "bench.h"

#include <stdio.h>

#define COUNT_TURNS   8
#define COUNT_WARM_UP 200

struct counted {
    struct native_lane *lane;
    const struct native_item *item;
};

static void count_prepare(void *ctx)
{
    const struct counted *c = ctx;

    c->lane->card.work = c->item->work;
    (void)native_arrive_all(&c->lane->card, c->item);
}

static void count_run(void *ctx)
{
    const struct counted *c = ctx;

    if (c->item->arrive == 0)
        c->lane->empty(c->lane->ctx);
    else
        (void)c->lane->step(c->lane->ctx, c->item->work, c->item->ask);
}

static void count_finish(void *ctx)
{
    const struct counted *c = ctx;

    (void)x82599_tx_run(c->lane->card.dev, 0);
}

static void count_say(const char *item, const char *lane, const struct native_region *region,
                      double per)
{
    uint64_t count = native_count(region, COUNT_TURNS);

    if (count > 0)
        printf("count item=%s lane=%s instructions=%.1f\n", item, lane,
               (double)count / COUNT_TURNS / per);
}

static void count_item(struct native_lane *lane, const struct native_item *item)
{
    struct counted c = {lane, item};
    struct native_region region = {count_prepare, count_run, count_finish, &c};

    for (unsigned i = 0; i < COUNT_WARM_UP; i++)
        (void)native_turn(lane, item);
    count_say(item->name, lane->name, &region, item->arrive == 0 ? NATIVE_POLLS : item->arrive);
}

static void nothing(void *ctx)
{
}

static void count_object(const char *item, const struct native_object object[OBJECTS])
{
    static const char *const sides[OBJECTS] = {"ours", "dpdk"};

    for (unsigned side = 0; side < OBJECTS; side++) {
        struct native_region region = {nothing, object[side].step, nothing, object[side].ctx};

        if (region.run != NULL)
            count_say(item, sides[side], &region, NATIVE_BULK);
    }
}

/* Where a line lies does not change what is executed: one temperature will do. */
void native_count_all(struct native *native)
{
    native_temp_set(TEMP_L1);
    for (size_t i = 0; i < native_items_count; i++)
        for (unsigned lane = 0; lane < LANES && native_items[i].temp == TEMP_ANY; lane++)
            if (native_does(native, lane, &native_items[i]))
                count_item(&native->lane[lane], &native_items[i]);
    count_object("take_free", native->pool);
    count_object("take_free_bulk", native->pool_bulk);
    count_object("ring", native->ring);
    count_object("ring_one", native->ring_one);
}
