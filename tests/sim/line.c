/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <string.h>

/* A third of the runs has a good line, the others one of several kinds of bad. */
void line_choose(struct sim *sim)
{
    struct line *l = &sim->line;
    struct line_rules *r = &l->rules;
    static const uint32_t delays_us[] = {20, 300, 2000, 20000};

    l->sent = l->count[0] = l->count[1] = 0;
    *r = (struct line_rules){.delay_us = delays_us[sim_random(sim, 4)]};
    r->mark = sim->seed % 8 == 3 ? 50 : 0; /* the sides ask for it with such a seed */
    if (sim_random(sim, 3) == 0)
        return;
    r->loss = sim_random(sim, 2) != 0 ? sim_random(sim, 200) : 0;
    r->repeat = sim_random(sim, 2) != 0 ? sim_random(sim, 100) : 0;
    r->reorder = sim_random(sim, 2) != 0 ? sim_random(sim, 200) : 0;
    for (unsigned i = 0; i < 2 && sim_random(sim, 2) != 0; i++) {
        r->dead_from_us[i] = sim->now_us + sim_random(sim, 3000000);
        r->dead_until_us[i] = r->dead_from_us[i] + sim_random(sim, 15000000);
    }
}

static bool is_lost(struct sim *sim)
{
    const struct line_rules *r = &sim->line.rules;

    for (unsigned i = 0; i < 2; i++)
        if (sim->now_us >= r->dead_from_us[i] && sim->now_us < r->dead_until_us[i])
            return true;
    return !sim->quiet && sim_random(sim, 1000) < r->loss;
}

/* A router on the way says that it is full (RFC 3168 5): the packet was declared fit for that. */
static void mark(uint8_t *frame, uint32_t bytes)
{
    uint8_t *ip = frame + 14;
    uint32_t sum;

    if (bytes < 34 || frame[12] != 8 || frame[13] != 0 || (ip[1] & 3) == 0 || (ip[1] & 3) == 3)
        return;
    sum = (uint32_t)ip[10] << 8 | ip[11];
    sum += (ip[1] & 3u) + 0xffff - 3u; /* the field's sum is of the complement (RFC 1624 3) */
    sum = (sum & 0xffff) + (sum >> 16);
    ip[1] |= 3;
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

static void fly(struct sim *sim, unsigned to, const uint8_t *data, uint32_t bytes)
{
    struct line *l = &sim->line;
    struct flying *f = &l->frames[to][l->count[to]];

    if (is_lost(sim) || l->count[to] == SIM_FLYING_MAX)
        return;
    f->due_us = sim->now_us + l->rules.delay_us;
    if (!sim->quiet && sim_random(sim, 1000) < l->rules.reorder)
        f->due_us += 1 + sim_random(sim, 1 + 4 * l->rules.delay_us);
    f->order = l->sent++;
    f->bytes = bytes;
    memcpy(f->data, data, bytes);
    if (l->rules.mark != 0 && sim_random(sim, 1000) < l->rules.mark)
        mark(f->data, bytes);
    l->count[to]++;
}

void line_put(struct sim *sim, unsigned to, const uint8_t *data, uint32_t bytes)
{
    RT_ASSERT_LE(bytes, (uint32_t)SIM_FRAME_BYTES);
    sim_trace(sim, (uint64_t)to << 32 | bytes);
    for (uint32_t i = 0; i + 8 <= bytes && i < 64; i += 8) {
        uint64_t word;

        memcpy(&word, data + i, sizeof(word));
        sim_trace(sim, word);
    }
    watch_sent(sim, !to, data, bytes);
    fly(sim, to, data, bytes);
    if (!sim->quiet && sim_random(sim, 1000) < sim->line.rules.repeat)
        fly(sim, to, data, bytes);
}

bool line_take(struct sim *sim, unsigned to, struct flying *out)
{
    struct line *l = &sim->line;
    struct flying *first = NULL;

    for (uint32_t i = 0; i < l->count[to]; i++) {
        struct flying *f = &l->frames[to][i];

        if (f->due_us <= sim->now_us &&
            (first == NULL || f->due_us < first->due_us ||
             (f->due_us == first->due_us && f->order < first->order)))
            first = f;
    }
    if (first == NULL)
        return false;
    memcpy(out, first, offsetof(struct flying, data) + first->bytes);
    if (first != &l->frames[to][--l->count[to]])
        memcpy(first, &l->frames[to][l->count[to]],
               offsetof(struct flying, data) + l->frames[to][l->count[to]].bytes);
    return true;
}

uint64_t line_next_us(const struct sim *sim)
{
    uint64_t next_us = UINT64_MAX;

    for (unsigned to = 0; to < 2; to++)
        for (uint32_t i = 0; i < sim->line.count[to]; i++)
            next_us = RT_MIN(next_us, sim->line.frames[to][i].due_us);
    return next_us;
}
