/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets, time, and the function by which packetdrill finds all of it. */
#include "adaptor.h"

#include <string.h>

enum {
    NO_PACKET_US = 130000000, /* nothing leaves for so long: the script has failed */
    PACKET_BYTES_MAX = 65535,
    START_US = 20000000,
    IPV6_READY_US = 10000000,
    IPV6_MTU = 1520,
};

struct adaptor adaptor = {.lock = PTHREAD_MUTEX_INITIALIZER,
                          .answered = PTHREAD_COND_INITIALIZER};

/* ---- packets and time ---- */

/* Before the first socket there is no stack, only time. */
static void time_until(uint64_t us)
{
    if (adaptor.begun)
        world_until(&adaptor.world, us);
    else
        adaptor.world.now_us = RT_MAX(adaptor.world.now_us, us);
}

/* By now the script has said how Linux is to be set. */
void adaptor_begin(void)
{
    struct world_config config;

    if (adaptor.begun)
        return;
    config = adaptor_settings();
    config.start_us = adaptor.world.now_us - (adaptor.ipv6 ? IPV6_READY_US : 0);
    config.ipv6 = adaptor.ipv6;
    config.mtu_bytes = adaptor.ipv6 ? IPV6_MTU : 0; /* segments as long as IPv4's */
    world_start(&adaptor.world, &config);
    sockets_start(&adaptor.sockets, &adaptor.world);
    adaptor.world.turned = adaptor_turned;
    adaptor.begun = true;
}

static int pd_netdev_send(void *ctx, const void *packet, size_t bytes)
{
    pthread_mutex_lock(&adaptor.lock);
    adaptor_begin();
    adaptor_look_before();
    world_give(&adaptor.world, packet, (uint32_t)bytes);
    adaptor_look_behind();
    pthread_mutex_unlock(&adaptor.lock);
    return 0;
}

/* Those that left at one moment are one, as far as the script has one packet of them. */
static uint32_t merge(uint8_t *to, uint32_t bytes, uint32_t most, uint64_t at_us)
{
    struct world *w = &adaptor.world;
    const struct cut *cut = NULL;

    if (adaptor_end(to, bytes) != adaptor_first(to))
        cut = adaptor_cut(adaptor_first(to));
    if (cut == NULL)
        return bytes;
    while (adaptor_end(to, bytes) != cut->end && world_has_packet(w)) {
        const struct packet *next = &w->packets[w->taken % WORLD_PACKETS];

        if (next->at_us != at_us || !adaptor_merge(to, &bytes, most, next->data, next->bytes))
            break;
        w->taken++;
    }
    if (adaptor_end(to, bytes) == cut->end)
        adaptor_push(to, bytes, cut->push);
    return bytes;
}

static int pd_netdev_receive(void *ctx, void *packet, size_t *bytes, long long *time_us)
{
    struct world *w = &adaptor.world;
    const struct packet *got;
    uint64_t end_us;

    pthread_mutex_lock(&adaptor.lock);
    adaptor_begin();
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
    time_until(adaptor.world.now_us + us);
    pthread_mutex_unlock(&adaptor.lock);
    return 0;
}

/* Time goes on by each look at it: packetdrill waits for the last microseconds so. */
static int pd_gettimeofday(void *ctx, struct timeval *time, struct timezone *zone)
{
    pthread_mutex_lock(&adaptor.lock);
    time_until(adaptor.world.now_us + 1);
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

/* The one function that packetdrill looks for. `flags`: "ipv6", or anything for IPv4. What is left
 * empty in the table (epoll, pipes) is not TCP. A second call begins anew: another script. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out);
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out)
{
    if (adaptor.begun) {
        sockets_stop(&adaptor.sockets);
        (void)!world_stop(&adaptor.world);
    }
    adaptor.begun = false;
    adaptor.ipv6 = flags != NULL && strcmp(flags, "ipv6") == 0;
    adaptor.overtaken = 0;
    adaptor.world.now_us = START_US;
    adaptor_cuts_read();
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
