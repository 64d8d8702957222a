/* SPDX-License-Identifier: BSD-2-Clause */
/* Event rings, one a core, written by that core alone. */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/log.h>
#include <rt/trace.h>

struct trace_ring {
    uint32_t next; /* free running */
    struct trace_event events[TRACE_EVENTS_MAX] RT_ALIGNED(RT_CACHE_LINE);
};
_Static_assert(RT_IS_POW2(TRACE_EVENTS_MAX), "the index is masked");

static struct trace_ring rings[HAL_CORES_MAX] RT_ALIGNED(RT_CACHE_LINE);

static const struct {
    const char *name, *a, *b;
} names[TRACE_ID_COUNT] = {
#define X(id, name, a, b) [TRACE_##id] = {name, a, b},
    RT_TRACE_EVENTS(X)
#undef X
};

void rt_trace(enum trace_id id, uint16_t a, uint32_t b)
{
    struct trace_ring *ring = &rings[hal_core_id() % HAL_CORES_MAX];
    struct trace_event *event = &ring->events[ring->next % TRACE_EVENTS_MAX];

    RT_ASSERT_LT((unsigned)id, (unsigned)TRACE_ID_COUNT);
    *event = (struct trace_event){.cycles = hal_cycles(), .id = (uint16_t)id, .a = a, .b = b};
    __atomic_store_n(&ring->next, ring->next + 1, __ATOMIC_RELEASE);
}

static void dump_one(unsigned core, const struct trace_event *event,
                     void (*line)(const char *text))
{
    char text[160];
    size_t n;

    if (event->id == TRACE_NONE || event->id >= TRACE_ID_COUNT)
        return;
    n = rt_snprintf(text, sizeof(text), "trace core=%u us=%lu event=%s", core,
                    hal_us_from_cycles(event->cycles), names[event->id].name);
    if (names[event->id].a[0] != '\0')
        n += rt_snprintf(text + n, sizeof(text) - n, " %s=%u", names[event->id].a, event->a);
    if (names[event->id].b[0] != '\0')
        rt_snprintf(text + n, sizeof(text) - n, " %s=%u", names[event->id].b, event->b);
    line(text);
}

void rt_trace_dump(unsigned core, unsigned count, void (*line)(const char *text))
{
    const struct trace_ring *ring = &rings[core % HAL_CORES_MAX];
    uint32_t next = __atomic_load_n(&ring->next, __ATOMIC_ACQUIRE);

    count = RT_MIN(count, (unsigned)TRACE_EVENTS_MAX);
    for (unsigned i = count; i > 0; i--)
        dump_one(core, &ring->events[(next - i) % TRACE_EVENTS_MAX], line);
}
