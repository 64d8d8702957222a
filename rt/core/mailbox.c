/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages between cores; the idea is in the header. */
#include <rt/assert.h>
#include <rt/mailbox.h>

enum rt_status mailbox_create(unsigned core, uint32_t senders, uint32_t slots,
                              mailbox_take_fn *take, void *ctx, struct mailbox **out)
{
    struct mailbox *box = hal_alloc(sizeof(*box), RT_CACHE_LINE, "mailbox");

    RT_ASSERT_LE(senders, (uint32_t)HAL_CORES_MAX);
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    RT_ASSERT(take != NULL);
    if (box == NULL)
        return RT_NO_MEMORY;
    box->take = take;
    box->ctx = ctx;
    box->core = core;
    box->senders = senders;
    box->slots = slots;
    for (uint32_t i = 0; i < senders; i++) {
        void *memory;

        if (i == core)
            continue;
        box->from[i] = hal_alloc(sizeof(struct ring), RT_CACHE_LINE, "mailbox ring");
        memory = hal_alloc(slots * sizeof(void *), RT_CACHE_LINE, "mailbox slots");
        if (box->from[i] == NULL || memory == NULL)
            return RT_NO_MEMORY;
        ring_init(box->from[i], memory, slots);
    }
    *out = box;
    return RT_OK;
}

uint32_t mailbox_send(struct mailbox *box, void *const *messages, uint32_t count)
{
    uint32_t sent;

    RT_ASSERT_LT(hal_core_id(), box->senders);
    RT_ASSERT_NE(hal_core_id(), box->core);
    sent = ring_put(box->from[hal_core_id()], messages, count);
    hal_fence(); /* first the messages, then the look */
    if (__atomic_load_n(&box->sleeps, __ATOMIC_RELAXED))
        hal_core_kick(box->core);
    return sent;
}

/* At most `most` of one sender. */
static uint32_t take_from(struct mailbox *box, uint32_t sender, uint32_t most)
{
    void *messages[MAILBOX_BATCH];
    uint32_t count =
        ring_get(box->from[sender], messages, RT_MIN(most, (uint32_t)MAILBOX_BATCH));

    if (count != 0)
        box->take(box->ctx, sender, messages, count);
    return count;
}

static uint32_t take_all(struct mailbox *box, uint32_t most)
{
    uint32_t taken = 0;

    RT_ASSERT_EQ(hal_core_id(), box->core);
    for (uint32_t i = 0; i < box->senders && taken < most; i++) {
        uint32_t sender = box->next + i < box->senders ? box->next + i
                                                       : box->next + i - box->senders;

        if (sender != box->core)
            taken += take_from(box, sender, most - taken);
    }
    box->next = box->next + 1 < box->senders ? box->next + 1 : 0;
    return taken;
}

static uint32_t poll_mailbox(void *ctx, uint64_t now_us)
{
    struct mailbox *box = ctx;

    return take_all(box, box->budget);
}

static bool is_empty(const struct mailbox *box)
{
    for (uint32_t i = 0; i < box->senders; i++) {
        if (i != box->core && ring_used(box->from[i]) != 0)
            return false;
    }
    return true;
}

static bool arm_mailbox(void *ctx, uint64_t now_us)
{
    struct mailbox *box = ctx;

    __atomic_store_n(&box->sleeps, true, __ATOMIC_RELAXED);
    hal_fence(); /* first say so, then look */
    return !is_empty(box);
}

static void disarm_mailbox(void *ctx)
{
    struct mailbox *box = ctx;

    __atomic_store_n(&box->sleeps, false, __ATOMIC_RELAXED);
}

struct loop_source mailbox_source(struct mailbox *box, uint32_t budget)
{
    RT_ASSERT_NE(budget, 0u);
    box->budget = budget;
    return (struct loop_source){
        .name = "mailbox",
        .poll = poll_mailbox,
        .arm = arm_mailbox,
        .disarm = disarm_mailbox,
        .ctx = box,
        .budget = budget,
    };
}

uint32_t mailbox_drain(struct mailbox *box)
{
    uint32_t taken = 0;

    for (uint32_t round = 0; round < box->slots && !is_empty(box); round++)
        taken += take_all(box, UINT32_MAX);
    RT_ASSERT(is_empty(box));
    return taken;
}
