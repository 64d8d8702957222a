/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's stream back-end as a port; see <pmd/stream.h>. */
#include "stream/stream.h"

#include <errno.h>
#include <rt/log.h>
#include <rt/siphash.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SPEED_MBPS 1000 /* a number for who asks: the socket has none */

static struct stream_port *stream_of(const struct nic *nic)
{
    return nic->priv;
}

/* ---- receive ---- */

/* Bytes that wait in the socket, behind those that are here already. */
static void fill(struct stream_port *s)
{
    ssize_t got;

    if (s->in_at != 0) {
        memmove(s->in, s->in + s->in_at, s->in_bytes - s->in_at);
        s->in_bytes -= s->in_at;
        s->in_at = 0;
    }
    if (s->closed || s->in_bytes == sizeof(s->in))
        return;
    got = recv(s->fd, s->in + s->in_bytes, sizeof(s->in) - s->in_bytes, 0);
    if (got > 0)
        s->in_bytes += (uint32_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        s->closed = true;
}

/* The next whole frame; NULL: it has not come yet. One longer than any port takes means that this
 * is no such stream: nothing behind it can be found. */
static const uint8_t *next_frame(struct stream_port *s, uint32_t *bytes)
{
    be32_t length;

    if (s->in_bytes - s->in_at < STREAM_LENGTH_BYTES)
        return NULL;
    memcpy(&length, s->in + s->in_at, sizeof(length));
    *bytes = be32_get(length);
    if (*bytes == 0 || *bytes > SOFT_BOX_BYTES) {
        rt_log("stream path=%s error=length bytes=%u what=\"no frame is so long: closed\"", s->path,
               *bytes);
        s->closed = true;
        s->in_at = s->in_bytes;
        return NULL;
    }
    if (s->in_bytes - s->in_at - STREAM_LENGTH_BYTES < *bytes)
        return NULL;
    return s->in + s->in_at + STREAM_LENGTH_BYTES;
}

static void take_frames(struct stream_port *s, struct soft_rxq *q, uint32_t max)
{
    fill(s);
    for (uint32_t i = 0; i < max && soft_rx_has_room(q); i++) {
        uint32_t bytes = 0;
        const uint8_t *frame = next_frame(s, &bytes);

        if (frame == NULL)
            return;
        if (soft_rx_wants(q, frame, bytes) && !soft_rx_deliver(q, frame, bytes))
            return; /* of several buffers, and not so many are left: it waits */
        s->in_at += STREAM_LENGTH_BYTES + bytes;
    }
}

/* ---- transmit ---- */

/* What the socket did not take of a frame yet. */
static bool flush(struct stream_port *s)
{
    ssize_t done;

    RT_ASSERT_LE(s->out_at, s->out_bytes);
    if (s->out_at == s->out_bytes)
        return true;
    done = s->closed ? -1 : send(s->fd, s->out + s->out_at, s->out_bytes - s->out_at, MSG_NOSIGNAL);
    if (done > 0) {
        s->out_at += (uint32_t)done;
    } else if (s->closed || (errno != EAGAIN && errno != EINTR)) {
        s->closed = true;
        s->port.tx_lost++;
        s->out_at = s->out_bytes;
    }
    return s->out_at == s->out_bytes;
}

static void give_frames(struct stream_port *s, struct soft_txq *q)
{
    for (uint32_t i = 0; i < q->ring.descs && flush(s); i++) {
        const uint32_t bytes = soft_tx_fetch(q, s->out + STREAM_LENGTH_BYTES);
        const be32_t length = be32_put(bytes);

        if (bytes == 0)
            return;
        memcpy(s->out, &length, sizeof(length));
        s->out_bytes = STREAM_LENGTH_BYTES + bytes;
        s->out_at = 0;
    }
}

/* ---- data path ---- */

static uint32_t stream_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    struct stream_port *s = stream_of(rxq->nic);

    give_frames(s, soft_txq_of(rxq->nic->txq[0])); /* nobody else comes by when there is room */
    take_frames(s, soft_rxq_of(rxq), max);
    return soft_rx(rxq, out, max);
}

static void stream_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    soft_tx(txq, batch);
    give_frames(stream_of(txq->nic), soft_txq_of(txq));
}

static uint32_t stream_reclaim(struct nic_txq *txq)
{
    give_frames(stream_of(txq->nic), soft_txq_of(txq));
    return soft_tx_reclaim(txq);
}

/* The watch sees the socket alone: what is here already, or waits for room in it, is work. */
static bool stream_rx_arm(struct nic_rxq *rxq)
{
    struct stream_port *s = stream_of(rxq->nic);
    uint32_t bytes;

    if (next_frame(s, &bytes) != NULL || s->out_at != s->out_bytes ||
        soft_rx_arm(soft_rxq_of(rxq)))
        return true;
    if (!s->closed) /* its end would be read for ever */
        tap_watch_armed(&s->watch);
    return false;
}

/* ---- a port ---- */

static void stream_rxq_run(struct nic_rxq *rxq)
{
    soft_rxq_use(rxq, stream_rx, stream_rx_arm);
}

static void stream_txq_run(struct nic_txq *txq)
{
    soft_txq_use(txq, stream_tx);
    txq->reclaim = stream_reclaim;
}

static enum rt_status stream_start(struct nic *nic)
{
    struct stream_port *s = stream_of(nic);
    enum rt_status st;

    if (nic->rxq[0]->core != nic->txq[0]->core) {
        rt_log("%s error=start rx_core=%u tx_core=%u remedy=\"a stream's queues are on one core\"",
               nic->name, (unsigned)nic->rxq[0]->core, (unsigned)nic->txq[0]->core);
        return RT_INVALID;
    }
    soft_irq_take(nic->rxq[0]);
    st = soft_start(nic);
    if (st != RT_OK || !nic->rxq[0]->irq_reaches)
        return st;
    st = tap_watch_start(&s->watch, soft_rxq_of(nic->rxq[0]), s->fd);
    if (st != RT_OK)
        soft_stop(nic);
    return st;
}

static void stream_stop(struct nic *nic)
{
    tap_watch_stop(&stream_of(nic)->watch);
    soft_stop(nic);
}

static void stream_poll_link(struct nic *nic)
{
    soft_set_link(nic, !stream_of(nic)->closed, SPEED_MBPS);
}

static const struct nic_ops stream_ops = {SOFT_DRIVER_OPS(stream)};

/* ---- opening ---- */

static enum rt_status connect_to(struct stream_port *s)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    memcpy(at.sun_path, s->path, sizeof(at.sun_path));
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
        return RT_OK;
    rt_log("stream path=%s error=open what=\"%s\" remedy=\"start the machine first, with"
           " -netdev stream,server=on\"", s->path, strerror(errno));
    return RT_IO;
}

/* A local one, another for each path. */
static void choose_mac(struct nic *nic, const char *path)
{
    static const uint8_t key[16] = {0};
    const uint64_t hash = rt_siphash(key, path, strlen(path));

    memcpy(nic->mac, &hash, sizeof(nic->mac));
    nic->mac[0] = (uint8_t)((nic->mac[0] & ~1u) | 2u);
}

enum rt_status stream_open(const char *path, struct nic **nic)
{
    const size_t length = strlen(path);
    struct stream_port *s;
    enum rt_status st;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (length == 0 || length >= STREAM_PATH_BYTES) {
        rt_log("stream path=\"%s\" error=open what=\"a path of at most %u bytes\"", path,
               STREAM_PATH_BYTES - 1u);
        return RT_INVALID;
    }
    s = hal_alloc(sizeof(*s), RT_CACHE_LINE, "stream");
    if (s == NULL)
        return RT_NO_MEMORY;
    memcpy(s->path, path, length);
    st = connect_to(s);
    if (st == RT_OK)
        st = soft_port_add(&s->port, "stream", &stream_ops);
    if (st != RT_OK) {
        if (s->fd >= 0)
            close(s->fd);
        return st;
    }
    *nic = s->port.nic;
    choose_mac(*nic, path);
    return RT_OK;
}
