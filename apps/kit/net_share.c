/* SPDX-License-Identifier: BSD-2-Clause */
#include "net_share.h"

#include <mempool/pool.h>
#include <pmd/nic.h>
#include <rt/assert.h>
#include <rt/mailbox.h>

enum { SLOTS = 256, ROUNDS_MAX = 64 };
_Static_assert(HAL_CORES_MAX <= 64, "a bit for each stack");

/* Messages for one of the others, until the end of the turn; longer when its ring is full. */
struct outbox {
    uint32_t count;
    void *messages[BUF_BATCH_MAX];
};

/* One stack among those of its port. */
struct kit_net_share {
    struct net_share net;
    struct kit_net_path *path;
    struct kit_net_group *group;
    struct mailbox *box;
    struct loop_source mail; /* the mailbox's own */
    uint64_t now_us;
    uint32_t waits; /* messages in all outboxes */
    bool drained;
    struct outbox out[]; /* by stack */
};

/* The paths of a port. */
struct kit_net_group {
    uint32_t stacks, queues;
    struct kit_net_path *stack[HAL_CORES_MAX];
    uint8_t of_queue[NIC_QUEUES_MAX];
    struct kit_net_homes homes;
};

static struct kit_net_group groups[NIC_PORTS_MAX];

static struct kit_net_group *group_of(const struct kit_net_path *path)
{
    RT_ASSERT_LT(path->path.rx_port, NIC_PORTS_MAX);
    return &groups[path->path.rx_port];
}

/* ---- which stack ---- */

/* Every stack has a queue. With more queues than stacks, too, a core may have two, another none. */
static bool all_have_queues(const uint8_t *of_queue, uint32_t queues, uint32_t stacks)
{
    uint64_t have = 0;

    RT_ASSERT_LE(stacks, (uint32_t)HAL_CORES_MAX);
    for (uint32_t i = 0; i < queues; i++)
        have |= UINT64_C(1) << of_queue[i];
    return have == UINT64_MAX >> (64 - stacks);
}

void kit_net_deal(struct kit_net_homes *homes, const uint8_t *of_queue, uint32_t queues,
                  uint32_t stacks)
{
    const bool by_card = all_have_queues(of_queue, queues, stacks);

    RT_ASSERT_LT(0u, stacks);
    for (uint32_t i = 0; i < NIC_RSS_ENTRIES; i++)
        homes->stack[i] = (uint8_t)(by_card ? of_queue[i % queues] : i % stacks);
}

uint32_t kit_net_home(const struct kit_net_homes *homes, const struct net_flow *flow)
{
    const bool v4 = ip_addr_is_v4(&flow->src);
    const uint32_t each = v4 ? 4 : 16;
    const be16_t ports[2] = {be16_put(flow->src_port), be16_put(flow->dst_port)};
    uint8_t tuple[NIC_RSS_TUPLE_BYTES_MAX];
    uint32_t hash;

    RT_ASSERT_EQ(v4, ip_addr_is_v4(&flow->dst));
    __builtin_memcpy(tuple, &flow->src.bytes[16 - each], each);
    __builtin_memcpy(tuple + each, &flow->dst.bytes[16 - each], each);
    __builtin_memcpy(tuple + 2 * each, ports, sizeof(ports));
    hash = nic_rss_hash(tuple, 2 * each + (uint32_t)sizeof(ports));
    return homes->stack[hash % NIC_RSS_ENTRIES];
}

static uint32_t home(void *ctx, const struct net_flow *flow)
{
    const struct kit_net_share *share = ctx;

    return kit_net_home(&share->group->homes, flow);
}

/* ---- messages out ---- */

/* Every segment of a message changes hands: to the ring, or to this core's stack. */
static void move_all(struct buf *message, enum buf_owner from, enum buf_owner to)
{
    for (struct buf *b = message; b != NULL; b = b->next) { /* BUF_CHAIN_MAX at most */
        const bool moved = buf_move(b, b->owner, from, to);

        RT_ASSERT(moved);
    }
}

static void flush_to(struct kit_net_share *share, uint32_t to)
{
    struct outbox *out = &share->out[to];
    uint32_t sent;

    if (out->count == 0)
        return;
    sent = mailbox_send(share->group->stack[to]->share->box, out->messages, out->count);
    RT_ASSERT_LE(sent, out->count);
    out->count -= sent;
    share->waits -= sent;
    __builtin_memmove(out->messages, out->messages + sent, out->count * sizeof(void *));
}

static bool send(void *ctx, uint32_t to, struct buf *message_owned)
{
    struct kit_net_share *share = ctx;
    struct outbox *out = &share->out[to];

    RT_ASSERT_LT(to, share->net.count);
    if (out->count == BUF_BATCH_MAX)
        flush_to(share, to);
    if (out->count == BUF_BATCH_MAX) {
        buf_free(message_owned);
        return false;
    }
    move_all(message_owned, BUF_STACK, BUF_RING);
    out->messages[out->count++] = message_owned;
    share->waits++;
    return true;
}

void kit_net_share_flush(struct kit_net_path *path)
{
    struct kit_net_share *share = path->share;

    if (share == NULL || share->waits == 0)
        return;
    for (uint32_t to = 0; to < share->net.count; to++)
        flush_to(share, to);
}

bool kit_net_share_waits(const struct kit_net_path *path)
{
    return path->share != NULL && path->share->waits != 0;
}

/* ---- messages in ---- */

/* After the stack has closed there is nobody to read them. */
static void take(void *ctx, unsigned from, void *const *messages_owned, uint32_t count)
{
    struct kit_net_share *share = ctx;

    RT_ASSERT_NE(from, (unsigned)share->path->path.core);
    for (uint32_t i = 0; i < count; i++) {
        struct buf *message = messages_owned[i];

        move_all(message, BUF_RING, BUF_STACK);
        if (share->path->net == NULL)
            buf_free(message);
        else
            net_share_input(share->path->net, share->path->iface, message, share->now_us);
    }
}

static uint32_t poll(void *ctx, uint64_t now_us)
{
    struct kit_net_share *share = ctx;

    share->now_us = now_us;
    return share->mail.poll(share->mail.ctx, now_us);
}

static bool arm(void *ctx, uint64_t now_us)
{
    const struct kit_net_share *share = ctx;

    return share->mail.arm(share->mail.ctx, now_us);
}

static void disarm(void *ctx)
{
    const struct kit_net_share *share = ctx;

    share->mail.disarm(share->mail.ctx);
}

void kit_net_share_poll(struct kit_net_path *path, uint64_t now_us)
{
    for (uint32_t i = 0; path->share != NULL && i < ROUNDS_MAX; i++)
        if (poll(path->share, now_us) == 0)
            return;
}

/* ---- beginning ---- */

/* The mailbox, and a source that gives it the time. */
static bool make_mail(struct kit_net_share *share)
{
    const struct kit_path *path = &share->path->path;
    const struct loop_source source = {
        .name = "net mail",
        .poll = poll,
        .arm = arm,
        .disarm = disarm,
        .budget = MAILBOX_BATCH,
        .ctx = share,
    };

    if (mailbox_create(path->core, hal_core_count(), SLOTS, take, share, &share->box) != RT_OK)
        return false;
    share->mail = mailbox_source(share->box, MAILBOX_BATCH);
    return rt_loop_add(path->loop, &source) == RT_OK;
}

static bool make_share(struct kit_net_path *path, struct kit_net_group *group)
{
    const uint32_t cores = hal_core_count();
    struct kit_net_share *share =
        hal_alloc(sizeof(*share) + cores * sizeof(struct outbox), RT_CACHE_LINE, "net mail");

    if (share == NULL)
        return false;
    RT_ASSERT_LT(group->stacks, cores);
    share->net = (struct net_share){
        .number = group->stacks, .home = home, .send = send, .ctx = share};
    share->path = path;
    share->group = group;
    path->share = share;
    return make_mail(share);
}

struct kit_net_path *kit_net_share_first(const struct kit_net_path *path)
{
    const struct kit_net_group *group = group_of(path);

    for (uint32_t i = 0; i < group->stacks; i++)
        if (group->stack[i]->path.core == path->path.core)
            return group->stack[i];
    return NULL;
}

/* The number of the path's stack, which may be new. */
static uint32_t join(struct kit_net_group *group, struct kit_net_path *path)
{
    for (uint32_t i = 0; i < group->stacks; i++)
        if (group->stack[i]->path.core == path->path.core)
            return i;
    RT_ASSERT_LT(group->stacks, (uint32_t)HAL_CORES_MAX);
    group->stack[group->stacks] = path;
    return group->stacks++;
}

bool kit_net_share_begin(struct kit_net_path *path)
{
    struct kit_net_group *group = group_of(path);
    uint32_t stack;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (hal_core_count() > 1 && kit_net_share_first(path) == NULL && !make_share(path, group))
        return false;
    stack = join(group, path);
    if (path->path.rxq != NULL) {
        RT_ASSERT_EQ(path->path.rxq->index, group->queues);
        group->of_queue[group->queues++] = (uint8_t)stack;
    }
    kit_net_deal(&group->homes, group->of_queue, group->queues, group->stacks);
    for (uint32_t i = 0; i < group->stacks; i++)
        if (group->stack[i]->share != NULL)
            group->stack[i]->share->net.count = group->stacks;
    return true;
}

const struct net_share *kit_net_share_of(const struct kit_net_path *path)
{
    return path->share != NULL ? &path->share->net : NULL;
}

bool kit_net_share_leads(const struct kit_net_path *path)
{
    return group_of(path)->stack[0] == path;
}

/* ---- the end ---- */

bool kit_net_share_drained(struct kit_net_path *path, bool drained)
{
    const struct kit_net_group *group = group_of(path);
    bool all = drained;

    if (path->share == NULL)
        return drained;
    __atomic_store_n(&path->share->drained, drained, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < group->stacks; i++)
        all &= __atomic_load_n(&group->stack[i]->share->drained, __ATOMIC_RELAXED);
    return all;
}

static void free_outbox(struct outbox *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        move_all(out->messages[i], BUF_RING, BUF_STACK);
        buf_free(out->messages[i]);
    }
    out->count = 0;
}

void kit_net_share_leave(struct kit_net_path *path)
{
    struct kit_net_share *share = path->share;

    RT_ASSERT_EQ(hal_core_id(), path->path.core);
    *group_of(path) = (struct kit_net_group){.stacks = 0};
    if (share == NULL)
        return;
    for (uint32_t to = 0; to < share->net.count; to++)
        free_outbox(&share->out[to]);
    share->waits = 0;
    (void)mailbox_drain(share->box);
}
