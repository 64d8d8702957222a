/* SPDX-License-Identifier: BSD-2-Clause */
#include "play.h"

#include <stdarg.h>
#include <stdlib.h>

enum { ANY_TIME_US = 600000000 }; /* `*` waits so long for a packet */

void play_fail(struct play *p, const char *format, ...)
{
    va_list args;

    if (p->failed)
        return;
    p->failed = true;
    fprintf(p->errors, "%s:%u: at %.6f s: ", p->script->path, p->line,
            (double)(p->world.now_us - p->start_us) / 1e6);
    va_start(args, format);
    vfprintf(p->errors, format, args);
    va_end(args);
    fputc('\n', p->errors);
}

static uint64_t base_of(const struct play *p, const struct script_time *t)
{
    return t->kind == TIME_RELATIVE ? p->last_us : p->start_us;
}

/* The next packet that leaves, at the latest then. NULL: none does. */
static const struct packet *wait_packet(struct play *p, uint64_t end_us)
{
    while (!world_has_packet(&p->world) && !p->failed && p->world.now_us < end_us)
        world_until(&p->world, RT_MIN(world_next_us(&p->world), end_us));
    return world_take(&p->world);
}

static void expect_packet(struct play *p, const struct script_event *e)
{
    const uint64_t tolerance_us = p->script->settings.tolerance_us;
    const uint64_t base_us = base_of(p, &e->time);
    uint64_t from_us = base_us + e->time.from_us, to_us = base_us + e->time.to_us;
    const struct packet *got;

    if (e->time.kind == TIME_ANY) {
        from_us = 0;
        to_us = p->last_us + ANY_TIME_US;
    }
    got = wait_packet(p, to_us + tolerance_us);
    if (p->failed)
        return;
    if (got == NULL) {
        play_fail(p, "no packet left, expected one at %.6f s",
                  (double)(to_us - p->start_us) / 1e6);
        return;
    }
    p->due_us = e->time.kind == TIME_ANY || e->time.is_range ? got->at_us : from_us;
    play_packet_out(p, &e->packet, got);
    if (got->at_us + tolerance_us < from_us || got->at_us > to_us + tolerance_us)
        play_fail(p, "the packet left at %.6f s, expected at %.6f s",
                  (double)(got->at_us - p->start_us) / 1e6,
                  (double)(from_us - p->start_us) / 1e6);
}

/* One call waits at a time: the next is made when it has returned. */
static void finish_waiting(struct play *p)
{
    const uint64_t end_us = p->waiting.end_us + p->script->settings.tolerance_us;

    while (p->waiting.event != NULL && !p->failed && p->world.now_us < end_us)
        world_until(&p->world, RT_MIN(world_next_us(&p->world), end_us));
    if (p->waiting.event != NULL)
        play_fail(p, "the call of line %u has not returned", p->waiting.event->line);
}

static void play_event(struct play *p, const struct script_event *e)
{
    const uint64_t base_us = base_of(p, &e->time);

    p->line = e->line;
    p->due_us = base_us + e->time.from_us;
    if (e->kind == EVENT_CALL && p->waiting.event != NULL)
        finish_waiting(p);
    p->line = e->line;
    if (e->kind != EVENT_OUT && p->due_us > p->world.now_us)
        world_until(&p->world, p->due_us);
    if (p->failed)
        return;
    switch (e->kind) {
    case EVENT_IN:
        play_packet_in(p, &e->packet);
        break;
    case EVENT_OUT:
        expect_packet(p, e);
        break;
    case EVENT_CALL:
        play_call(p, e, base_us + e->call.end_us);
        break;
    case EVENT_ASSERT:
        play_assert(p, &e->check);
        break;
    }
    p->last_us = p->due_us;
}

/* Nothing may be left that the script did not name. */
static void play_end(struct play *p)
{
    static const struct script_packet nothing = {.flags = 0};
    const struct packet *left;

    if (p->waiting.event != NULL)
        finish_waiting(p);
    left = world_take(&p->world);
    if (left != NULL && !p->failed)
        play_packet_out(p, &nothing, left);
    if (p->sockets.mismatch)
        play_fail(p, "a byte was read that nobody sent there");
}

bool play_run(const struct script *script, FILE *errors)
{
    const struct script_settings *s = &script->settings;
    const struct world_config config = {
        .mtu_bytes = (uint16_t)s->mtu_bytes,
        .tcp = {
            .conns = s->conns,
            .rx_window = s->rx_window,
            .tx_room = s->tx_room,
            .quick_acks = (uint8_t)s->quick_acks,
            .mss_max = (uint16_t)s->mss_max,
        },
    };
    struct play *p = calloc(1, sizeof(*p));
    bool passed;

    if (p == NULL)
        world_fail("no memory");
    p->script = script;
    p->errors = errors;
    world_start(&p->world, &config);
    sockets_start(&p->sockets, &p->world);
    p->world.turned = play_call_again;
    p->world.ctx = p;
    p->start_us = p->last_us = p->world.now_us;
    for (uint32_t i = 0; i < script->event_count && !p->failed; i++)
        play_event(p, &script->events[i]);
    if (!p->failed)
        play_end(p);
    sockets_stop(&p->sockets);
    p->world.turned = NULL;
    if (!world_stop(&p->world))
        play_fail(p, "a buffer was not given back, or a hand-over was refused");
    passed = !p->failed;
    free(p);
    return passed;
}
