/* SPDX-License-Identifier: BSD-2-Clause */
/* How far the path reorders, as Linux measures it: in segments, from one that arrives late, and was
 * sent once, to the highest that is there. Our stack goes by time (RFC 8985) and keeps no such
 * number; so the queue is looked at before and behind each packet that comes in. */
#include "adaptor.h"

#include "tcp/conn.h"
#include "tcp/sendq.h"
#include "tcp/seq.h"

enum { HOLES_MAX = 512 };

static struct {
    const struct tcp_conn *conn;
    uint32_t high; /* behind the highest that is with the peer */
    uint32_t count;
    struct {
        uint32_t start, end;
    } holes[HOLES_MAX];
} seen;

/* Scripts that ask have one connection. */
static const struct tcp_conn *the_conn(void)
{
    const struct tcp_conn *found = NULL;

    for (uint32_t i = 0; i < SOCKETS_MAX; i++)
        if (adaptor.sockets.socks[i].used && adaptor.sockets.socks[i].conn != NULL)
            found = adaptor.sockets.socks[i].conn;
    return found;
}

void adaptor_look_before(void)
{
    const struct tcp_conn *c = the_conn();
    uint32_t start;

    seen.conn = c;
    seen.count = 0;
    if (c == NULL)
        return;
    seen.high = start = c->snd_una;
    for (const struct buf *b = c->queue.first; b != c->queue.next; b = sendq_after(b)) {
        if ((b->vlan_tci & SENDQ_SACKED) != 0) {
            seen.high = sendq_end(b);
        } else if ((b->vlan_tci & SENDQ_AGAIN) == 0 && seen.count < HOLES_MAX) {
            seen.holes[seen.count].start = start;
            seen.holes[seen.count++].end = sendq_end(b);
        }
        start = sendq_end(b);
    }
}

static bool is_there(const struct tcp_conn *c, uint32_t end)
{
    if (!seq_after(end, c->snd_una))
        return true;
    for (const struct buf *b = c->queue.first; b != c->queue.next; b = sendq_after(b))
        if (sendq_end(b) == end)
            return (b->vlan_tci & SENDQ_SACKED) != 0;
    return false;
}

void adaptor_look_behind(void)
{
    const struct tcp_conn *c = the_conn();

    if (c == NULL || c != seen.conn || c->mss == 0)
        return;
    for (uint32_t i = 0; i < seen.count; i++) {
        const uint32_t far = seen.high - seen.holes[i].start;

        if (seq_before(seen.holes[i].end, seen.high) && is_there(c, seen.holes[i].end))
            adaptor.overtaken = RT_MAX(adaptor.overtaken, (far + c->mss - 1) / c->mss);
    }
}
