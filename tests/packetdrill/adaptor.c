/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets, time, and the function by which packetdrill finds all of it. */
#include "adaptor.h"

#include <string.h>

enum {
    RX_WINDOW = 65535 << 8, /* a window scale of 8, as scripts for Linux expect */
    TX_ROOM = 4 << 20,
    NO_PACKET_US = 130000000, /* nothing leaves for so long: the script has failed */
    PACKET_BYTES_MAX = 65535,
};

struct adaptor adaptor = {.lock = PTHREAD_MUTEX_INITIALIZER,
                          .answered = PTHREAD_COND_INITIALIZER};

/* ---- packets and time ---- */

static int pd_netdev_send(void *ctx, const void *packet, size_t bytes)
{
    pthread_mutex_lock(&adaptor.lock);
    world_give(&adaptor.world, packet, (uint32_t)bytes);
    pthread_mutex_unlock(&adaptor.lock);
    return 0;
}

/* Those that left at one moment are one, as they are before a card cuts them. */
static uint32_t merge(uint8_t *to, uint32_t bytes, uint32_t most, uint64_t at_us)
{
    struct world *w = &adaptor.world;

    while (adaptor.merges && world_has_packet(w)) {
        const struct packet *next = &w->packets[w->taken % WORLD_PACKETS];

        if (next->at_us != at_us || !adaptor_merge(to, &bytes, most, next->data, next->bytes))
            break;
        w->taken++;
    }
    return bytes;
}

static int pd_netdev_receive(void *ctx, void *packet, size_t *bytes, long long *time_us)
{
    struct world *w = &adaptor.world;
    const struct packet *got;
    uint64_t end_us;

    pthread_mutex_lock(&adaptor.lock);
    end_us = w->now_us + NO_PACKET_US;
    while (!world_has_packet(w) && w->now_us < end_us)
        world_until(w, RT_MIN(RT_MAX(world_next_us(w), w->now_us), end_us));
    got = world_take(w);
    if (got == NULL || got->bytes > *bytes)
        world_fail("no packet left");
    memcpy(packet, got->data, got->bytes);
    adaptor_like_linux(packet, got->bytes);
    *time_us = (long long)got->at_us;
    *bytes = merge(packet, got->bytes, RT_MIN((uint32_t)*bytes, (uint32_t)PACKET_BYTES_MAX),
                   got->at_us);
    pthread_mutex_unlock(&adaptor.lock);
    return 0;
}

static int pd_usleep(void *ctx, useconds_t us)
{
    pthread_mutex_lock(&adaptor.lock);
    world_until(&adaptor.world, adaptor.world.now_us + us);
    pthread_mutex_unlock(&adaptor.lock);
    return 0;
}

/* Time goes on by each look at it: packetdrill waits for the last microseconds so. */
static int pd_gettimeofday(void *ctx, struct timeval *time, struct timezone *zone)
{
    pthread_mutex_lock(&adaptor.lock);
    world_until(&adaptor.world, adaptor.world.now_us + 1);
    time->tv_sec = (time_t)(adaptor.world.now_us / 1000000);
    time->tv_usec = (suseconds_t)(adaptor.world.now_us % 1000000);
    pthread_mutex_unlock(&adaptor.lock);
    return 0;
}

static int pd_poll(void *ctx, struct pollfd *fds, nfds_t count, int timeout_ms)
{
    int ready = 0;

    for (nfds_t i = 0; i < count; i++) {
        const struct sock *s = sockets_get(&adaptor.sockets, adaptor_fd(fds[i].fd));
        short events = 0;

        if (s != NULL && (s->chain_count != 0 || s->ended || s->closed || s->pending_count != 0))
            events |= POLLIN;
        if (s != NULL && s->connected && !s->closed && s->conn != NULL && tcp_room(s->conn) != 0)
            events |= POLLOUT;
        fds[i].revents = events & fds[i].events;
        ready += fds[i].revents != 0;
    }
    return ready;
}

static void pd_free(void *ctx)
{
    adaptor.running = false;
}

/* The one function that packetdrill looks for. `flags`: "merge" or nothing. What is left empty in
 * the table (epoll, pipes) is not TCP. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out);
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out)
{
    static const struct world_config config = {
        .tcp = {.rx_window = RX_WINDOW, .tx_room = TX_ROOM}};

    adaptor.merges = flags != NULL && strstr(flags, "merge") != NULL;
    world_start(&adaptor.world, &config);
    sockets_start(&adaptor.sockets, &adaptor.world);
    adaptor.world.turned = adaptor_turned;
    adaptor.running = true;
    *out = (struct packetdrill_interface){
        .free = pd_free,
        .netdev_send = pd_netdev_send,
        .netdev_receive = pd_netdev_receive,
        .usleep = pd_usleep,
        .gettimeofday = pd_gettimeofday,
        .poll = pd_poll,
    };
    adaptor_calls(out);
}
