/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_test [SEEDS [FIRST]]: runs so many seeds (600), from FIRST (1) on; stops at the first that
 * fails, and says it. Some run twice: the same seed leaves the same trace. `-v` in front prints
 * each seed and its trace.
 */
#include "sim.h"

#include <rt/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_DEFAULT = 600, TWICE_EVERY = 100 };

/* Pools of a thousand runs: memory that was freed is used again soon, else each page is new. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4";
}

struct one {
    struct sim *sim;
    uint64_t seed;
    bool passed;
};

static void run_one(void *arg)
{
    struct one *one = arg;

    one->passed = sim_run(one->sim, one->seed);
}

/* A failed assertion of the stack is a failure of the seed. */
static bool run_caught(struct sim *sim, uint64_t seed)
{
    struct one one = {sim, seed, false};
    char panic[256];

    if (host_catch(run_one, &one, panic, sizeof(panic)))
        sim_fail(sim, "%s", panic);
    return one.passed;
}

int main(int argc, char **argv)
{
    const bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    const int first_arg = 1 + verbose;
    const uint64_t count =
        argc > first_arg ? strtoull(argv[first_arg], NULL, 10) : SEEDS_DEFAULT;
    const uint64_t first =
        argc > first_arg + 1 ? strtoull(argv[first_arg + 1], NULL, 10) : 1;
    struct sim *sim = calloc(1, sizeof(*sim));

    if (sim == NULL)
        return EXIT_FAILURE;
    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t trace;

        if (!run_caught(sim, seed)) {
            printf("%s\n", sim->message);
            return EXIT_FAILURE;
        }
        trace = sim->trace;
        if (verbose)
            printf("seed %llu trace %016llx\n", (unsigned long long)seed,
                   (unsigned long long)trace);
        if (seed % TWICE_EVERY == 0 &&
            (!run_caught(sim, seed) || sim->trace != trace)) {
            printf("seed %llu: another trace the second time\n", (unsigned long long)seed);
            return EXIT_FAILURE;
        }
    }
    printf("%llu seeds passed\n", (unsigned long long)count);
    free(sim);
    return EXIT_SUCCESS;
}
