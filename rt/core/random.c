/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/random.h>
#include <rt/siphash.h>

enum {
    WORDS = 8,          /* of the generator: twice what a key can use */
    STEPS = 1024,       /* timed: at a quarter of a bit each, again twice */
    SCRATCH_WORDS = 64, /* walked over meanwhile, so that caches have a say */
};

/* All that was seen. */
struct seen {
    uint64_t words[WORDS];
    uint64_t jitter[2];
    uint64_t cycles;
};

/* A generator that is broken says the same over and over, or nothing but ones (some processors do
 * after a sleep). From one that works two of so few words of 64 bits are never equal. */
static bool is_alive(const uint64_t words[WORDS])
{
    for (uint32_t i = 0; i < WORDS; i++) {
        if (words[i] == 0 || words[i] == UINT64_MAX)
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (words[i] == words[j])
                return false;
    }
    return true;
}

static bool ask_generator(uint64_t words[WORDS])
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (!hal_random(&words[i]))
            return false;
    return is_alive(words);
}

/* How long each of many small steps took: interrupts, caches, other clocks and, on a virtual
 * machine, the host have a say in it. Two sums of differing keys: 128 bits. */
static void time_steps(uint64_t jitter[2])
{
    static const uint8_t keys[2][16] = {"steps of time: 1", "steps of time: 2"};
    uint64_t scratch[SCRATCH_WORDS] = {0};
    uint64_t last = hal_cycles();

    for (uint32_t i = 0; i < STEPS; i++) {
        uint64_t now, seen[3];

        scratch[(last ^ i) % SCRATCH_WORDS] += last;
        now = hal_cycles();
        seen[0] = now - last;
        seen[1] = scratch[now % SCRATCH_WORDS];
        last = now;
        for (uint32_t k = 0; k < 2; k++) {
            seen[2] = jitter[k];
            jitter[k] = rt_siphash(keys[k], seen, sizeof(seen));
        }
    }
}

bool rt_random(void *out, size_t bytes)
{
    struct seen seen = {.cycles = hal_cycles()};
    const bool generator = ask_generator(seen.words);
    uint8_t key[16], *to = out;

    time_steps(seen.jitter);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t half;

        seen.cycles += i;
        half = rt_siphash((const uint8_t *)&seen, &seen, sizeof(seen));
        __builtin_memcpy(key + 8 * i, &half, sizeof(half));
    }
    for (uint64_t i = 0; bytes != 0; i++) {
        const uint64_t word = rt_siphash(key, &i, sizeof(i));
        const size_t part = RT_MIN(bytes, sizeof(word));

        __builtin_memcpy(to, &word, part);
        to += part;
        bytes -= part;
    }
    RT_ASSERT_LE((uintptr_t)out, (uintptr_t)to);
    return generator;
}
