/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt of a TAP; see tap.h. */
#include "tap.h"

#include <poll.h>
#include <rt/log.h>
#include <sys/eventfd.h>
#include <unistd.h>

static bool is_armed(const struct tap_watch *watch)
{
    return __atomic_load_n(&watch->q->armed, __ATOMIC_SEQ_CST) != 0;
}

/* Sleeps in poll(), for a frame only while the queue is armed: one that is polled anyway costs
 * nothing here. */
static void *watch_main(void *arg)
{
    struct tap_watch *watch = arg;
    int fd = watch->fd;
    uint64_t wakes;

    while (__atomic_load_n(&watch->leave, __ATOMIC_ACQUIRE) == 0) {
        struct pollfd fds[2] = {{.fd = watch->wake_fd, .events = POLLIN},
                                {.fd = is_armed(watch) ? fd : -1, .events = POLLIN}};

        if (poll(fds, 2, -1) <= 0)
            continue;
        if (fds[0].revents != 0 && read(watch->wake_fd, &wakes, sizeof(wakes)) < 0)
            continue; /* somebody else's signal: it is still to be read */
        if ((fds[1].revents & POLLIN) != 0)
            soft_interrupt(watch->q);
        else if (fds[1].revents != 0)
            fd = -1; /* the interface was deleted: nothing comes any more */
    }
    return NULL;
}

enum rt_status tap_watch_start(struct tap_watch *watch, struct soft_rxq *q, int fd)
{
    RT_ASSERT(watch->q == NULL);
    watch->q = q;
    watch->fd = fd;
    watch->leave = 0;
    watch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->wake_fd >= 0 &&
        pthread_create(&watch->thread, NULL, watch_main, watch) == 0)
        return RT_OK;
    rt_log("%s error=tap what=\"no thread to wait for frames\"", q->ring.head.nic->name);
    if (watch->wake_fd >= 0)
        close(watch->wake_fd);
    watch->q = NULL;
    return RT_NO_MEMORY;
}

void tap_watch_armed(const struct tap_watch *watch)
{
    const uint64_t one = 1;

    if (write(watch->wake_fd, &one, sizeof(one)) < 0)
        return; /* so many wakes wait already that none more fits */
}

void tap_watch_stop(struct tap_watch *watch)
{
    if (watch->q == NULL)
        return;
    __atomic_store_n(&watch->leave, 1, __ATOMIC_RELEASE);
    tap_watch_armed(watch);
    pthread_join(watch->thread, NULL);
    close(watch->wake_fd);
    watch->q = NULL;
}
