/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <mempool/ext.h>
#include <mempool/pool.h>
#include <stdlib.h>

enum { SEEDS = 7, HEADERS_FEW = 3, HEADERS_MAX = 64 };

struct value {
    struct buf_pin pin;
    struct sim *sim;
    uint8_t bytes[];
};

bool values_are_sent(const struct sim *sim)
{
    return sim->seed % SEEDS == 3;
}

void values_start(struct sim *sim)
{
    struct pool_config config = {.name = "headers", .cores = 1, .count = HEADERS_MAX};

    sim->values_open = 0;
    if (!values_are_sent(sim))
        return;
    if (sim_random(sim, 4) == 0)
        config.count = HEADERS_FEW; /* bytes are copied then */
    for (unsigned i = 0; i < 2; i++)
        if (pool_create_config(&config, &sim->headers[i]) != RT_OK)
            sim_fail(sim, "no pool of headers");
}

/* Who reads it from now on is found. */
static void release(struct buf_pin *pin)
{
    struct value *v = RT_CONTAINER_OF(pin, struct value, pin);

    RT_ASSERT_LT(0u, v->sim->values_open);
    v->sim->values_open--;
    free(v);
}

struct buf *value_take(struct sim *sim, unsigned side, uint32_t bytes, uint8_t **to)
{
    struct value *v = calloc(1, sizeof(*v) + bytes);
    struct buf *b;

    RT_ASSERT(v != NULL);
    v->sim = sim;
    sim->values_open++;
    buf_pin_init(&v->pin, release);
    b = buf_ext_take(sim->headers[side], &v->pin, v->bytes, bytes);
    *to = v->bytes;
    buf_pin_put(&v->pin); /* all that names it is the header, if there is one */
    return b;
}

void values_finish(struct sim *sim)
{
    if (sim->values_open != 0)
        sim_fail(sim, "%u values were never released", sim->values_open);
    for (unsigned i = 0; i < 2 && values_are_sent(sim); i++)
        if (sim->headers[i]->free != sim->headers[i]->total)
            sim_fail(sim, "side %u: %u headers are not home", i,
                     sim->headers[i]->total - sim->headers[i]->free);
}
