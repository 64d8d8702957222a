/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns a buffer: one byte of its pool's owner array, and every hand-over there is.
 *
 *     POOL        free
 *     STACK       runtime and network code of one core
 *     APP + n     application domain n
 *     KEPT        in a queue that may send it again, until its peer has acknowledged it
 *     EXT         a header for bytes that lie elsewhere (<mempool/ext.h>), kept by who took it
 *     NIC         in a ring of a network device: to be written by it, or to be sent and freed
 *     KEPT_NIC    ... to be sent, and kept
 *     EXT_NIC     ... to be sent, a header that is kept
 *     ACKED_NIC   ... to be sent, a header that its keeper let go of meanwhile
 *     NVME, KEPT_NVME, EXT_NVME   what was STACK, KEPT, EXT, in a command of a drive
 *     RING        on its way to another core
 *     ACKED_RING  ... home, where the pin of this header is released
 *     PINNED      what headers name: nobody writes it, the last pin frees it
 *
 * One byte says one reader. What is sent twice, or sent and written to a drive at the same
 * time, is PINNED, and each reader has a header of its own (EXT): one byte each, one count in
 * the pin.
 *
 *     verb       by                  from -> to
 *     take       pool_take           POOL -> STACK
 *     name       buf_ext_take        STACK -> EXT
 *     refill     receive ring        POOL -> NIC
 *     receive    nic_rx              NIC -> STACK
 *     transmit   nic_tx              STACK -> NIC, KEPT -> KEPT_NIC, EXT -> EXT_NIC
 *     sent       buf_sent            NIC -> POOL *, KEPT_NIC -> KEPT, EXT_NIC -> EXT,
 *                                    ACKED_NIC -> POOL **
 *     submit     NVMe                STACK -> NVME, KEPT -> KEPT_NVME, EXT -> EXT_NVME
 *     complete   NVMe                NVME -> STACK, KEPT_NVME -> KEPT, EXT_NVME -> EXT
 *     keep       a queue             STACK -> KEPT, APP -> KEPT
 *     let go     buf_let_go          KEPT -> POOL *, EXT -> POOL **, KEPT_NIC -> NIC,
 *                                    EXT_NIC -> ACKED_NIC
 *     free       buf_free            STACK -> POOL *
 *     collect    pool_collect        RING -> POOL, ACKED_RING -> POOL **
 *     deliver    to a domain         STACK -> APP, APP -> STACK
 *     pass       to another core     STACK -> RING, RING -> STACK
 *     pin        buf_pin_bytes       STACK -> PINNED
 *     unpin      buf_unpin_bytes     PINNED -> POOL *
 *
 *     *  on another core than the pool's: RING;  ** the pin is released; there: ACKED_RING
 *
 * Where no function stands, whoever is named there does it with buf_move(). What an application's
 * domain has goes back to the stack before it is freed or pinned.
 *
 * Everything else is refused and counted, and the byte stays (buf_may_move() is this table, a
 * test tries every pair). So a header's pin is released exactly once, when its keeper has let
 * go and no device holds it, whichever comes first, and nobody reads a header, a count or a
 * callback for it.
 *
 * The values make a hand-over to a device one compare and one addition, whatever it was before.
 */
#ifndef MEMPOOL_OWNER_H
#define MEMPOOL_OWNER_H

#include <rt/assert.h>
#include <rt/base.h>

struct buf;

enum buf_owner {
    BUF_POOL = 0,
    BUF_EXT_NIC = 1,
    BUF_NIC = 2,
    BUF_KEPT_NIC = 3,
    BUF_EXT_NVME = 4,
    BUF_NVME = 5,
    BUF_KEPT_NVME = 6,
    BUF_ACKED_NIC = 7,
    BUF_RING = 8,
    BUF_ACKED_RING = 9,
    BUF_PINNED = 10,
    BUF_APP = 16, /* + domain, up to BUF_DOMAINS_MAX */
    BUF_EXT = 253,
    BUF_STACK = 254,
    BUF_KEPT = 255,
};
#define BUF_DOMAINS_MAX (BUF_EXT - BUF_APP)

/* Added to the byte, modulo 256, when a device gets the buffer; subtracted when it is done. */
#define BUF_TO_NIC (BUF_NIC - BUF_STACK)
#define BUF_TO_NVME (BUF_NVME - BUF_STACK)
_Static_assert(BUF_KEPT_NIC - BUF_KEPT == BUF_TO_NIC && BUF_EXT_NIC - BUF_EXT == BUF_TO_NIC &&
                   BUF_KEPT_NVME - BUF_KEPT == BUF_TO_NVME &&
                   BUF_EXT_NVME - BUF_EXT == BUF_TO_NVME,
               "one addition for all three");
_Static_assert(BUF_STACK > BUF_EXT && BUF_KEPT > BUF_STACK && BUF_KEPT == UINT8_MAX,
               "one compare for two or three");

/* The table above; a domain's number does not matter. Any core. */
bool buf_may_move(enum buf_owner from, enum buf_owner to);
const char *buf_owner_name(unsigned owner);

/* Counts a refused hand-over, logs it (rate limited) and traces it. Never returns true. */
RT_COLD bool buf_refuse(const struct buf *b, enum buf_owner from, enum buf_owner to);

/* The one hand-over: true when it happened. Budget: 5 instructions, one branch. */
RT_INLINE bool buf_move(const struct buf *b, uint8_t *owner, enum buf_owner from,
                        enum buf_owner to)
{
    RT_INVARIANT(buf_may_move(from, to));
    if (RT_UNLIKELY(*owner != (uint8_t)from))
        return buf_refuse(b, from, to);
    *owner = (uint8_t)to;
    return true;
}

/* ---- to a device and back ---- */

/* A device may get this segment: STACK, KEPT or EXT. */
RT_INLINE bool buf_is_mine(const uint8_t *owner)
{
    return *owner >= BUF_EXT;
}
/* ... and its bytes lie behind its header: STACK or KEPT. */
RT_INLINE bool buf_is_mine_inside(const uint8_t *owner)
{
    return *owner >= BUF_STACK;
}
/* ... and now it has it. Only after one of these two said so: nothing is checked here. An
 * addition to memory, not a load, an addition and a store: hence the asm. */
RT_INLINE void buf_to_nic(uint8_t *owner)
{
    __asm__("" : "+m"(*owner));
    *owner = (uint8_t)(*owner + BUF_TO_NIC);
}
/* The same with the check, for a drive: true when it happened. */
RT_INLINE bool buf_to_nvme(const struct buf *b, uint8_t *owner)
{
    if (RT_UNLIKELY(!buf_is_mine(owner)))
        return buf_refuse(b, BUF_STACK, BUF_NVME);
    *owner = (uint8_t)(*owner + BUF_TO_NVME);
    return true;
}
RT_INLINE bool buf_from_nvme(const struct buf *b, uint8_t *owner)
{
    if (RT_UNLIKELY((uint8_t)(*owner - BUF_EXT_NVME) > BUF_KEPT_NVME - BUF_EXT_NVME))
        return buf_refuse(b, BUF_NVME, BUF_STACK);
    *owner = (uint8_t)(*owner - BUF_TO_NVME);
    return true;
}
/* Its keeper's, wherever it is: who frees a chain passes over it. */
RT_INLINE bool buf_is_kept(const uint8_t *owner)
{
    return *owner == BUF_KEPT || *owner == BUF_EXT || *owner == BUF_KEPT_NIC ||
           *owner == BUF_EXT_NIC || *owner == BUF_KEPT_NVME || *owner == BUF_EXT_NVME;
}

#endif
