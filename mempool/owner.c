/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of <mempool/owner.h>, and what is refused by it. */
#include <mempool/pool.h>
#include <rt/log.h>
#include <rt/trace.h>

/* Owners without their domain's number, and the three of 253 and above moved down to them. */
enum {
    KIND_APP = BUF_APP,
    KIND_EXT,
    KIND_STACK,
    KIND_KEPT,
    KINDS,
};
_Static_assert(KIND_KEPT - KIND_EXT == BUF_KEPT - BUF_EXT, "as far apart as the owners");

#define BIT(kind) (1u << (kind))
#define HOME (BIT(BUF_POOL) | BIT(BUF_RING))
#define HOME_PINNED (BIT(BUF_POOL) | BIT(BUF_ACKED_RING))

static const uint32_t moves[KINDS] = {
    [BUF_POOL] = BIT(KIND_STACK) | BIT(BUF_NIC),
    [BUF_NIC] = BIT(KIND_STACK) | HOME,
    [BUF_KEPT_NIC] = BIT(KIND_KEPT) | BIT(BUF_NIC),
    [BUF_EXT_NIC] = BIT(KIND_EXT) | BIT(BUF_ACKED_NIC),
    [BUF_ACKED_NIC] = HOME_PINNED,
    [BUF_NVME] = BIT(KIND_STACK),
    [BUF_KEPT_NVME] = BIT(KIND_KEPT),
    [BUF_EXT_NVME] = BIT(KIND_EXT),
    [BUF_RING] = BIT(BUF_POOL) | BIT(KIND_STACK),
    [BUF_ACKED_RING] = BIT(BUF_POOL),
    [BUF_PINNED] = HOME,
    [KIND_APP] = BIT(KIND_STACK) | BIT(KIND_KEPT),
    [KIND_EXT] = BIT(BUF_EXT_NIC) | BIT(BUF_EXT_NVME) | HOME_PINNED,
    [KIND_STACK] = BIT(BUF_NIC) | BIT(BUF_NVME) | BIT(KIND_KEPT) | BIT(KIND_EXT) |
                   BIT(KIND_APP) | BIT(BUF_PINNED) | HOME,
    [KIND_KEPT] = BIT(BUF_KEPT_NIC) | BIT(BUF_KEPT_NVME) | HOME,
};

static unsigned kind_of(unsigned owner)
{
    if (owner >= BUF_EXT)
        return owner - BUF_EXT + KIND_EXT;
    return RT_MIN(owner, (unsigned)KIND_APP);
}

bool buf_may_move(enum buf_owner from, enum buf_owner to)
{
    RT_ASSERT_LE((unsigned)from, (unsigned)UINT8_MAX);
    RT_ASSERT_LE((unsigned)to, (unsigned)UINT8_MAX);
    return (moves[kind_of(from)] & BIT(kind_of(to))) != 0;
}

const char *buf_owner_name(unsigned owner)
{
    static const char *const names[KINDS] = {
        [BUF_POOL] = "pool", [BUF_NIC] = "nic", [BUF_KEPT_NIC] = "nic-kept",
        [BUF_EXT_NIC] = "nic-external", [BUF_ACKED_NIC] = "nic-acked", [BUF_NVME] = "nvme",
        [BUF_KEPT_NVME] = "nvme-kept", [BUF_EXT_NVME] = "nvme-external", [BUF_RING] = "ring",
        [BUF_ACKED_RING] = "ring-acked", [BUF_PINNED] = "pinned", [KIND_APP] = "app",
        [KIND_EXT] = "external", [KIND_STACK] = "stack", [KIND_KEPT] = "kept",
    };
    const char *name = owner <= UINT8_MAX ? names[kind_of(owner)] : NULL;

    return name != NULL ? name : "unknown";
}

/* One line a core, so that counting never shares a cache line. */
static struct {
    uint64_t count RT_ALIGNED(RT_CACHE_LINE);
} refusals[HAL_CORES_MAX];

bool buf_refuse(const struct buf *b, enum buf_owner from, enum buf_owner to)
{
    static struct rt_log_limit limit;
    unsigned core = hal_core_id();
    unsigned owner = *b->owner;

    if (core < HAL_CORES_MAX)
        refusals[core].count++;
    rt_trace(TRACE_REFUSAL, (uint16_t)owner, (uint32_t)from);
    rt_log_limited(&limit, "pool name=%s refused=hand-over buf=%u owner=%s wanted=%s to=%s",
                   b->pool->name, (unsigned)buf_index(b), buf_owner_name(owner),
                   buf_owner_name((unsigned)from), buf_owner_name((unsigned)to));
    return false;
}

uint64_t buf_refusals(void)
{
    uint64_t sum = 0;

    for (unsigned core = 0; core < HAL_CORES_MAX; core++)
        sum += refusals[core].count;
    return sum;
}
