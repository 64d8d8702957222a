/* SPDX-License-Identifier: BSD-2-Clause */
/* One way of a bad line; see wire.h. */
#include "link/wire.h"

#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/log.h>

#define NS_IN_US 1000u
#define NS_IN_S UINT64_C(1000000000)
#define LINE_BYTES 24 /* preamble, checksum and gap, 802.3 */
#define DELAY_US_MAX 600000000u
#define RATE_BPS_MIN 1000u
#define FRAMES_MAX_USUAL 1024

/* ---- settings ---- */

static bool is_sound(const struct link_way *way)
{
    const uint32_t share[] = {way->loss_ppm, way->duplicate_ppm, way->corrupt_ppm,
                              way->reorder_ppm};
    const uint32_t time[] = {way->delay_us, way->jitter_us, way->reorder_us};
    bool sound = way->frames_max <= LINK_FRAMES_MAX &&
                 (way->rate_bps == 0 || way->rate_bps >= RATE_BPS_MIN);

    for (unsigned i = 0; i < RT_ARRAY_SIZE(share); i++)
        sound &= share[i] <= LINK_PPM;
    for (unsigned i = 0; i < RT_ARRAY_SIZE(time); i++)
        sound &= time[i] <= DELAY_US_MAX;
    return sound;
}

enum rt_status wire_check(const struct link_way *way, const char *what)
{
    if (is_sound(way))
        return RT_OK;
    rt_log("link way=%s error=configure allowed=\"shares up to %u ppm, times up to %u us,"
           " frames_max up to %u, rate_bps 0 or from %u\"",
           what, LINK_PPM, DELAY_US_MAX, (unsigned)LINK_FRAMES_MAX, RATE_BPS_MIN);
    return RT_INVALID;
}

static uint32_t limit_of(const struct link_way *way)
{
    return way->frames_max != 0 ? way->frames_max : FRAMES_MAX_USUAL;
}

enum rt_status wire_reserve(struct wire *w, const struct link_way *way, uint32_t frame_bytes)
{
    const uint32_t slot_bytes = RT_ALIGN_UP(frame_bytes, (uint32_t)RT_CACHE_LINE);
    const uint32_t frames_max = limit_of(way);

    if (w->frames_max >= frames_max && w->slot_bytes >= slot_bytes)
        return RT_OK;
    w->frames_max = 0;
    w->heap = hal_alloc(frames_max * sizeof(w->heap[0]), RT_CACHE_LINE, "link");
    w->free_slot = hal_alloc(frames_max * sizeof(w->free_slot[0]), RT_CACHE_LINE, "link");
    w->bytes = hal_alloc((size_t)frames_max * slot_bytes, RT_CACHE_LINE, "link");
    if (w->heap == NULL || w->free_slot == NULL || w->bytes == NULL) {
        rt_log("link error=memory frames_max=%u frame_bytes=%u remedy=\"fewer frames on the"
               " way, or more memory\"", frames_max, frame_bytes);
        return RT_NO_MEMORY;
    }
    w->slot_bytes = slot_bytes;
    w->frames_max = frames_max;
    return RT_OK;
}

/* splitmix64: any seed gives numbers that have nothing to do with those of the next seed. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void wire_reset(struct wire *w, const struct link_way *way)
{
    RT_ASSERT_LE(limit_of(way), w->frames_max);
    w->way = *way;
    w->limit = limit_of(way);
    w->counts = (struct link_counts){0};
    w->line_free_ns = 0;
    w->last_due_ns = 0;
    w->number = 0;
    w->count = 0;
    for (uint32_t i = 0; i < WIRE_DRAWS; i++)
        w->random[i] = mix(way->seed ^ mix(i));
    for (uint32_t i = 0; i < w->frames_max; i++)
        w->free_slot[i] = i;
}

/* A number below `below`. One step for each frame, whether it is used or not. */
static uint32_t draw(struct wire *w, enum wire_draw kind, uint64_t below)
{
    w->random[kind] += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((mix(w->random[kind]) >> 32) * below >> 32);
}

static bool happens(struct wire *w, enum wire_draw kind, uint32_t ppm)
{
    return draw(w, kind, LINK_PPM) < ppm;
}

/* ---- a heap by due time ---- */

static bool is_before(const struct wire_frame *a, const struct wire_frame *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static void sift_up(struct wire *w, uint32_t at)
{
    const struct wire_frame frame = w->heap[at];

    RT_ASSERT_LT(at, w->frames_max);
    while (at > 0 && is_before(&frame, &w->heap[(at - 1) / 2])) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = frame;
}

static void sift_down(struct wire *w)
{
    const struct wire_frame frame = w->heap[0];
    uint32_t at = 0;

    for (uint32_t child = 1; child < w->count; child = 2 * at + 1) {
        if (child + 1 < w->count && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &frame))
            break;
        w->heap[at] = w->heap[child];
        at = child;
    }
    w->heap[at] = frame;
}

/* ---- frames ---- */

/* Its bytes on the line, which is another's until then; returns when the last one is. */
static uint64_t serialize(struct wire *w, uint32_t bytes, uint64_t now_ns)
{
    const uint64_t bits = (uint64_t)(bytes + LINE_BYTES) * 8;
    const uint64_t begin_ns = RT_MAX(now_ns, w->line_free_ns);

    if (w->way.rate_bps == 0)
        return now_ns;
    w->line_free_ns = begin_ns + bits * NS_IN_S / w->way.rate_bps;
    return w->line_free_ns;
}

/* A copy that comes out at `due_ns`; its bytes. NULL: too many are under way. */
static uint8_t *add(struct wire *w, const uint8_t *frame, uint32_t bytes, uint64_t due_ns)
{
    uint32_t slot;
    uint8_t *copy;

    if (w->count == w->limit) {
        w->counts.overflowed++;
        return NULL;
    }
    slot = w->free_slot[w->count];
    copy = w->bytes + (size_t)slot * w->slot_bytes;
    __builtin_memcpy(copy, frame, bytes);
    w->heap[w->count] = (struct wire_frame){due_ns, w->number++, slot, bytes};
    sift_up(w, w->count++);
    return copy;
}

static void flip(uint8_t *frame, uint32_t bit)
{
    RT_ASSERT(frame != NULL);
    frame[bit / 8] = (uint8_t)(frame[bit / 8] ^ 1u << (bit % 8));
}

void wire_put(struct wire *w, const uint8_t *frame, uint32_t bytes, uint64_t now_ns)
{
    const struct link_way *way = &w->way;
    /* all of them for each frame: what becomes of it depends on its number alone */
    const bool lost = happens(w, WIRE_LOSS, way->loss_ppm);
    const bool twice = happens(w, WIRE_DUPLICATE, way->duplicate_ppm);
    const bool corrupt = happens(w, WIRE_CORRUPT, way->corrupt_ppm);
    const bool late = happens(w, WIRE_REORDER, way->reorder_ppm);
    const uint32_t bit = draw(w, WIRE_BIT, 8 * (uint64_t)bytes);
    const uint32_t jitter_us = draw(w, WIRE_JITTER, (uint64_t)way->jitter_us + 1);
    uint64_t due_ns;
    uint8_t *copy;

    RT_ASSERT_LE(bytes, w->slot_bytes);
    w->counts.frames++;
    if (way->bytes_max != 0 && bytes > way->bytes_max) {
        w->counts.too_long++;
        return;
    }
    if (w->count == w->limit) {
        w->counts.overflowed++; /* in front of the line */
        return;
    }
    due_ns = serialize(w, bytes, now_ns) + NS_IN_US * ((uint64_t)way->delay_us + jitter_us);
    w->counts.lost += lost;
    if (lost)
        return;
    due_ns = w->last_due_ns = RT_MAX(due_ns, w->last_due_ns);
    w->counts.reordered += late;
    due_ns += late ? NS_IN_US * (uint64_t)way->reorder_us : 0;
    copy = add(w, frame, bytes, due_ns);
    w->counts.corrupted += corrupt;
    if (corrupt)
        flip(copy, bit);
    if (twice)
        w->counts.duplicated += add(w, copy, bytes, due_ns) != NULL;
}

const uint8_t *wire_first(const struct wire *w, uint64_t now_ns, uint32_t *bytes)
{
    if (w->count == 0 || w->heap[0].due_ns > now_ns)
        return NULL;
    *bytes = w->heap[0].bytes;
    return w->bytes + (size_t)w->heap[0].slot * w->slot_bytes;
}

void wire_drop_first(struct wire *w)
{
    RT_ASSERT_LT(0u, w->count);
    w->free_slot[--w->count] = w->heap[0].slot;
    w->heap[0] = w->heap[w->count];
    if (w->count > 0)
        sift_down(w);
}

uint64_t wire_next_ns(const struct wire *w)
{
    return w->count != 0 ? w->heap[0].due_ns : UINT64_MAX;
}
