/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores as threads: each parks on its own condition until it gets something to run. */
#include "host.h"

#include <pthread.h>
#include <rt/assert.h>
#include <time.h>

enum { NS_IN_S = 1000000000, NS_IN_US = 1000 };

struct core {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    void (*fn)(void *);
    void *arg;
    bool running; /* has something to run */
    bool woken;   /* a kick or an interrupt came since the last wait */
    bool leave;
    uint64_t kicks;
};

_Thread_local unsigned host_core_current;

static struct core cores[HAL_CORES_MAX];
static unsigned core_count = 1;
static unsigned thread_count = 1;

__attribute__((constructor)) static void cores_init(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < HAL_CORES_MAX; i++) {
        pthread_mutex_init(&cores[i].lock, NULL);
        pthread_cond_init(&cores[i].wake, &attr);
    }
    pthread_condattr_destroy(&attr);
}

static void *core_main(void *arg)
{
    struct core *c = arg;

    host_core_current = (unsigned)(c - cores);
    pthread_mutex_lock(&c->lock);
    while (!c->leave) {
        if (!c->running) {
            pthread_cond_wait(&c->wake, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        c->fn(c->arg);
        pthread_mutex_lock(&c->lock);
        c->running = false;
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

unsigned hal_core_count(void)
{
    return core_count;
}

enum rt_status hal_core_run(unsigned core, void (*fn)(void *), void *arg)
{
    struct core *c = &cores[core % HAL_CORES_MAX];
    enum rt_status st = RT_BUSY;

    RT_ASSERT(fn != NULL);
    if (core == 0 || core >= thread_count)
        return RT_INVALID;
    pthread_mutex_lock(&c->lock);
    if (!c->running) {
        c->fn = fn;
        c->arg = arg;
        c->running = true;
        st = RT_OK;
        pthread_cond_broadcast(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

bool hal_core_idle(unsigned core)
{
    struct core *c = &cores[core % HAL_CORES_MAX];
    bool idle;

    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    pthread_mutex_lock(&c->lock);
    idle = !c->running;
    pthread_mutex_unlock(&c->lock);
    return idle;
}

void host_core_wake(unsigned core)
{
    struct core *c = &cores[core % HAL_CORES_MAX];

    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    pthread_mutex_lock(&c->lock);
    c->woken = true;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void hal_core_kick(unsigned core)
{
    __atomic_fetch_add(&cores[core % HAL_CORES_MAX].kicks, 1, __ATOMIC_RELAXED);
    host_core_wake(core);
}

static struct timespec deadline_of(uint64_t until_us)
{
    uint64_t now_us = hal_now_us();
    uint64_t left_us = until_us > now_us ? RT_MIN(until_us - now_us, UINT64_C(3600000000)) : 0;
    struct timespec t;
    uint64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &t);
    ns = (uint64_t)t.tv_nsec + left_us * NS_IN_US;
    t.tv_sec += (time_t)(ns / NS_IN_S);
    t.tv_nsec = (long)(ns % NS_IN_S);
    return t;
}

bool host_core_sleep(unsigned core, uint64_t until_us)
{
    struct core *c = &cores[core % HAL_CORES_MAX];
    struct timespec deadline = deadline_of(until_us);
    int late = 0;
    bool woken;

    pthread_mutex_lock(&c->lock);
    while (!c->woken && late == 0 && !host_clock_is_virtual)
        late = pthread_cond_timedwait(&c->wake, &c->lock, &deadline);
    woken = c->woken;
    c->woken = false;
    pthread_mutex_unlock(&c->lock);
    return woken;
}

void host_set_core_count(unsigned count)
{
    core_count = RT_MIN(count, (unsigned)HAL_CORES_MAX);
}

void host_set_core(unsigned core)
{
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    host_core_current = core;
}

enum rt_status host_cores_start(unsigned count)
{
    if (count == 0 || count > HAL_CORES_MAX)
        return RT_INVALID;
    RT_ASSERT_EQ(thread_count, 1u); /* not started twice */
    core_count = count;
    for (thread_count = 1; thread_count < count; thread_count++) {
        struct core *c = &cores[thread_count];

        c->leave = false;
        if (pthread_create(&c->thread, NULL, core_main, c) != 0)
            return RT_NO_MEMORY;
    }
    return RT_OK;
}

void host_cores_stop(void)
{
    for (; thread_count > 1; thread_count--) {
        struct core *c = &cores[thread_count - 1];

        pthread_mutex_lock(&c->lock);
        c->leave = true;
        pthread_cond_broadcast(&c->wake);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
    }
    core_count = 1;
}

uint64_t host_kicks(unsigned core)
{
    return __atomic_load_n(&cores[core % HAL_CORES_MAX].kicks, __ATOMIC_RELAXED);
}
