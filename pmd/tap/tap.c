/* SPDX-License-Identifier: BSD-2-Clause */
/* A Linux TAP interface as a port; see <pmd/tap.h>. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <rt/log.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPEED_MBPS 10 /* what Linux says of a TAP */
_Static_assert(TAP_NAME_BYTES == IFNAMSIZ, "a name of Linux");

static struct tap_port *tap_of(const struct nic *nic)
{
    return nic->priv;
}

/* ---- data path ---- */

/* What Linux has sent, as far as there are descriptors; the rest waits with Linux. */
static void take_frames(struct tap_port *tap, struct soft_rxq *q, uint32_t max)
{
    for (uint32_t i = 0; i < max && soft_rx_has_room(q); i++) {
        ssize_t bytes = read(tap->fd, tap->in, sizeof(tap->in));

        if (bytes <= 0)
            return; /* none, or the interface is gone */
        if (soft_rx_wants(q, tap->in, (uint32_t)bytes) &&
            !soft_rx_deliver(q, tap->in, (uint32_t)bytes))
            q->missed++; /* of several buffers, and not so many are left */
    }
}

static uint32_t tap_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    take_frames(tap_of(rxq->nic), soft_rxq_of(rxq), max);
    return soft_rx(rxq, out, max);
}

/* Linux takes a frame at once, or drops it: its queue is full, or the interface down. */
static void give_frames(struct tap_port *tap, struct soft_txq *q)
{
    for (uint32_t i = 0; i < q->ring.descs; i++) {
        uint32_t bytes = soft_tx_fetch(q, tap->out);

        if (bytes == 0)
            return;
        tap->port.tx_lost += write(tap->fd, tap->out, bytes) != (ssize_t)bytes;
    }
}

static void tap_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    soft_tx(txq, batch);
    give_frames(tap_of(txq->nic), soft_txq_of(txq));
}

/* The thread's poll() finds what came before it was armed: no frame is missed. */
static bool tap_rx_arm(struct nic_rxq *rxq)
{
    if (soft_rx_arm(soft_rxq_of(rxq)))
        return true;
    tap_watch_armed(&tap_of(rxq->nic)->watch);
    return false;
}

/* ---- a port ---- */

static void tap_rxq_run(struct nic_rxq *rxq)
{
    soft_rxq_use(rxq, tap_rx, tap_rx_arm);
}

static void tap_txq_run(struct nic_txq *txq)
{
    soft_txq_use(txq, tap_tx);
}

static enum rt_status tap_start(struct nic *nic)
{
    struct tap_port *tap = tap_of(nic);
    enum rt_status st;

    RT_ASSERT_LE(0, tap->fd);
    soft_irq_take(nic->rxq[0]);
    st = soft_start(nic);
    if (st != RT_OK || !nic->rxq[0]->irq_reaches)
        return st;
    st = tap_watch_start(&tap->watch, soft_rxq_of(nic->rxq[0]), tap->fd);
    if (st != RT_OK)
        soft_stop(nic);
    return st;
}

static void tap_stop(struct nic *nic)
{
    tap_watch_stop(&tap_of(nic)->watch);
    soft_stop(nic);
}

/* The descriptor knows its interface's name, wherever it is; one that was deleted has none. An
 * interface in another namespace answers nobody here: it is up, as far as we can know. */
static bool is_up(const struct tap_port *tap)
{
    struct ifreq ask = {.ifr_flags = 0};

    if (ioctl(tap->fd, TUNGETIFF, &ask) != 0)
        return false;
    if (ioctl(tap->ask_fd, SIOCGIFFLAGS, &ask) != 0)
        return errno == ENODEV;
    return (ask.ifr_flags & IFF_UP) != 0;
}

static void tap_poll_link(struct nic *nic)
{
    soft_set_link(nic, is_up(tap_of(nic)), SPEED_MBPS);
}

static const struct nic_ops tap_ops = {SOFT_DRIVER_OPS(tap)};

/* ---- opening ---- */

static enum rt_status refused(const char *name, const char *what)
{
    rt_log("tap name=%s error=open what=\"%s: %s\" remedy=\"run in a namespace of your own:"
           " unshare -rn\"", name, what, strerror(errno));
    return RT_IO;
}

/* Both descriptors, and the interface's address. */
static enum rt_status attach(struct tap_port *tap, uint8_t mac[6])
{
    struct ifreq ask = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    memcpy(ask.ifr_name, tap->name, sizeof(ask.ifr_name));
    tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->fd < 0)
        return refused(tap->name, "/dev/net/tun");
    if (ioctl(tap->fd, TUNSETIFF, &ask) != 0)
        return refused(tap->name, "TUNSETIFF");
    tap->ask_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (tap->ask_fd < 0 || ioctl(tap->fd, SIOCGIFHWADDR, &ask) != 0)
        return refused(tap->name, "SIOCGIFHWADDR");
    memcpy(mac, ask.ifr_hwaddr.sa_data, 6);
    return RT_OK;
}

/* The interface's address is Linux's: ours differs in one bit, and says that it is local. */
static void choose_mac(struct nic *nic, const uint8_t theirs[6])
{
    memcpy(nic->mac, theirs, sizeof(nic->mac));
    nic->mac[0] = (uint8_t)((nic->mac[0] & ~1u) | 2u);
    nic->mac[5] ^= 1u;
}

enum rt_status tap_open(const char *name, struct nic **nic)
{
    const size_t length = strlen(name);
    struct tap_port *tap;
    uint8_t theirs[6];
    enum rt_status st;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (length == 0 || length >= TAP_NAME_BYTES || strchr(name, '%') != NULL) {
        rt_log("tap name=\"%.32s\" error=open what=\"not the name of an interface, 1 to %u"
               " characters without %%\"", name, TAP_NAME_BYTES - 1);
        return RT_INVALID;
    }
    tap = hal_alloc(sizeof(*tap), RT_CACHE_LINE, "tap");
    if (tap == NULL)
        return RT_NO_MEMORY;
    tap->fd = tap->ask_fd = -1;
    memcpy(tap->name, name, length);
    st = attach(tap, theirs);
    if (st == RT_OK)
        st = soft_port_add(&tap->port, "tap", &tap_ops);
    if (st != RT_OK) {
        close(tap->fd);
        close(tap->ask_fd);
        return st;
    }
    *nic = tap->port.nic;
    choose_mac(*nic, theirs);
    if (!is_up(tap)) /* as all that were not there before */
        rt_log("tap name=%s link=down remedy=\"ip link set %s up\"", name, name);
    return RT_OK;
}
