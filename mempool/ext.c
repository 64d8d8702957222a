/* SPDX-License-Identifier: BSD-2-Clause */
/* External segments and what is kept while a device sends it; see <mempool/ext.h>. */
#include <mempool/ext.h>
#include <mempool/take.h>

void buf_pin_put(struct buf_pin *pin)
{
    RT_ASSERT_EQ(pin->core, hal_core_id());
    RT_ASSERT_LT(0u, pin->uses);
    if (--pin->uses == 0)
        pin->release(pin);
}

struct buf *buf_ext_take(struct pool *pool, struct buf_pin *pin, const void *address,
                         uint32_t bytes)
{
    struct buf *b;
    bool named;

    RT_ASSERT(pool->pins != NULL);
    RT_ASSERT_EQ(pin->core, pool->core);
    RT_ASSERT_LT(0u, pin->uses); /* released, its bytes are gone */
    RT_ASSERT_LT(pin->uses, UINT32_MAX);
    b = pool_take(pool);
    if (b == NULL)
        return NULL;
    pin->uses++;
    pool->pins[buf_index(b)] = pin;
    b->outside = address;
    buf_set_bytes(b, bytes);
    named = buf_move(b, b->owner, BUF_STACK, BUF_EXT);
    RT_ASSERT(named); /* just taken */
    return b;
}

struct buf_pin *buf_ext_pin(const struct buf *b)
{
    struct buf_pin *pin;

    RT_ASSERT(b->pool->pins != NULL);
    RT_ASSERT_EQ(b->pool->core, hal_core_id());
    pin = b->pool->pins[buf_index(b)];
    RT_ASSERT(pin != NULL); /* it is free: it names nothing */
    return pin;
}

bool buf_pin_bytes(struct buf *b)
{
    if (!buf_move(b, b->owner, BUF_STACK, BUF_PINNED))
        return false; /* what its header says is somebody else's */
    RT_ASSERT(b->next == NULL); /* the others would be nobody's */
    return true;
}

void buf_unpin_bytes(struct buf_ref ref_owned)
{
    buf_go_home(ref_owned, BUF_PINNED);
}

void buf_let_go(struct buf_ref ref_owned)
{
    uint8_t *owner = ref_owned.owner;

    switch (*owner) {
    case BUF_KEPT_NIC:
        (void)buf_move(ref_owned.buf, owner, BUF_KEPT_NIC, BUF_NIC);
        buf_poison(ref_owned.buf);
        break;
    case BUF_EXT_NIC:
        (void)buf_move(ref_owned.buf, owner, BUF_EXT_NIC, BUF_ACKED_NIC);
        buf_poison(ref_owned.buf);
        break;
    case BUF_EXT:
        buf_go_home(ref_owned, BUF_EXT);
        break;
    default:
        buf_go_home(ref_owned, BUF_KEPT);
        break;
    }
}

void buf_sent(struct buf_ref ref_owned)
{
    uint8_t *owner = ref_owned.owner;

    switch (*owner) {
    case BUF_KEPT_NIC:
        (void)buf_move(ref_owned.buf, owner, BUF_KEPT_NIC, BUF_KEPT);
        break;
    case BUF_EXT_NIC:
        (void)buf_move(ref_owned.buf, owner, BUF_EXT_NIC, BUF_EXT);
        break;
    case BUF_ACKED_NIC:
        buf_go_home(ref_owned, BUF_ACKED_NIC);
        break;
    default:
        buf_go_home(ref_owned, BUF_NIC);
        break;
    }
}
