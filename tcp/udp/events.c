/* SPDX-License-Identifier: BSD-2-Clause */
/* What came in is told from one place, once a turn: so no call of an application comes back into
 * a function that is at work. */
#include "../chain.h"
#include "../state.h"
#include "udp.h"

/* Where a datagram came from, while it waits: in front of its data. */
_Static_assert(sizeof(struct udp_way) <= BUF_HEADROOM_BYTES, "an empty buffer has the room");

static void list(struct udp_sock *sock)
{
    struct udp_stack *udp = sock->net->udp;

    if (sock->event_listed)
        return;
    sock->event_listed = true;
    sock->event_next = NULL;
    if (udp->event_last != NULL)
        udp->event_last->event_next = sock;
    else
        udp->event_first = sock;
    udp->event_last = sock;
}

void udp_queue(struct udp_sock *sock, const struct udp_way *way, struct buf *datagram_owned)
{
    const uint32_t bytes = chain_true_bytes(datagram_owned);

    if (sock->net->few.dry || datagram_owned->data_off < sizeof(*way) ||
        bytes > sock->queue_bytes_max - RT_MIN(sock->queue_bytes, sock->queue_bytes_max)) {
        sock->net->counters.udp_queue_full++;
        buf_free(datagram_owned);
        return;
    }
    sock->net->counters.udp_in_datagrams++;
    sock->queue_bytes += bytes;
    __builtin_memcpy(chain_push(datagram_owned, sizeof(*way)), way, sizeof(*way));
    datagram_owned->user = 0;
    if (sock->last != NULL)
        sock->last->user = (uintptr_t)datagram_owned;
    else
        sock->first = datagram_owned;
    sock->last = datagram_owned;
    list(sock);
}

void udp_fail(struct udp_sock *sock, const struct udp_way *way, enum udp_error error)
{
    RT_ASSERT(sock->net != NULL);
    sock->has_failed = true;
    sock->failed_way = *way;
    sock->error = error;
    list(sock);
}

/* The oldest that waits; NULL: none does. */
static struct buf *take(struct udp_sock *sock, struct udp_way *way)
{
    struct buf *datagram = sock->first;

    if (datagram == NULL)
        return NULL;
    sock->first = (struct buf *)(uintptr_t)datagram->user;
    if (sock->first == NULL)
        sock->last = NULL;
    sock->queue_bytes -= chain_true_bytes(datagram);
    __builtin_memcpy(way, buf_data(datagram), sizeof(*way));
    chain_pull(datagram, sizeof(*way));
    return datagram;
}

void udp_drop_queue(struct udp_sock *sock)
{
    struct udp_way way;
    struct buf *datagram;

    while ((datagram = take(sock, &way)) != NULL) /* queue_bytes_max of them, at most */
        buf_free(datagram);
    RT_ASSERT_EQ(sock->queue_bytes, 0u);
}

/* What its functions do may close the socket, and open another in its place: that one has an
 * empty queue. */
static void tell(struct udp_sock *sock)
{
    struct udp_way way;
    struct buf *datagram;

    while (sock->net != NULL && (datagram = take(sock, &way)) != NULL) { /* as above */
        for (struct buf *b = datagram; b != NULL; b = b->next) {
            b->flags = 0; /* what the card said of the frame */
            buf_move(b, b->owner, BUF_STACK, BUF_APP);
        }
        sock->ops->received(sock, datagram, &way);
    }
    if (sock->net == NULL || !sock->has_failed)
        return;
    sock->has_failed = false;
    way = sock->failed_way;
    if (sock->ops->failed != NULL)
        sock->ops->failed(sock, &way, sock->error);
}

void udp_tell_all(struct net *net)
{
    struct udp_sock *sock = net->udp->event_first, *next;

    net->udp->event_first = net->udp->event_last = NULL;
    for (; sock != NULL; sock = next) { /* those that were listed: each is, once */
        next = sock->event_next;
        sock->event_listed = false;
        tell(sock);
    }
}

bool udp_tells(const struct net *net)
{
    return net->udp != NULL && net->udp->event_first != NULL;
}
