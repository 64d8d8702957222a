/* SPDX-License-Identifier: BSD-2-Clause */
/* boot_relocate on an image of our own: tables at random, twice, and after a move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "layout.h"

#include <cmocka.h>

enum { WORDS = 600, ENTRIES = 64, ROUNDS = 2000, WORDS_AN_ENTRY = 63 };

/* What the linker script names: an image, and the table of its words that hold addresses. */
__asm__(".data\n.balign 8\n.globl boot_entry32, _relr_start, _relr_end\n"
        "boot_entry32: .skip 8 * 600\n_relr_start: .skip 8 * 64\n_relr_end:\n.text\n");
extern uint64_t boot_entry32[WORDS], _relr_start[ENTRIES];
extern uint64_t boot_relocated;
void boot_relocate(void);

static bool marked[WORDS];
static uint64_t linked[WORDS];

static uint64_t bits_of(unsigned first)
{
    uint64_t bits = 1;

    for (unsigned i = 0; i < WORDS_AN_ENTRY && first + i < WORDS; i++)
        bits |= (uint64_t)marked[first + i] << (i + 1);
    return bits;
}

/* As linkers do it: an address, then bits while there are any, or (seldom) none for a while. */
static void pack(void)
{
    unsigned used = 0, word = 0;

    while (word < WORDS) {
        if (!marked[word++])
            continue;
        _relr_start[used++] = BOOT_LINK_BASE + 8 * (word - 1);
        for (; word < WORDS && (bits_of(word) != 1 || rand() % 4 == 0); word += WORDS_AN_ENTRY)
            _relr_start[used++] = bits_of(word);
    }
    assert_true(used <= ENTRIES);
    while (used < ENTRIES)
        _relr_start[used++] = 1; /* marks nothing */
}

static void check(uint64_t offset)
{
    for (unsigned i = 0; i < WORDS; i++)
        assert_int_equal(boot_entry32[i], linked[i] + (marked[i] ? offset : 0));
}

/* The image as it was linked (`before` is 0), or as it was relocated at another place. */
static void relocate(uint64_t before, unsigned one_in)
{
    const uint64_t offset = (uintptr_t)boot_entry32 - BOOT_LINK_BASE;

    for (unsigned i = 0; i < WORDS; i++) {
        marked[i] = rand() % (int)one_in == 0;
        linked[i] = (uint64_t)rand() << 32 ^ (uint64_t)rand();
        boot_entry32[i] = linked[i] + (marked[i] ? before : 0);
    }
    pack();
    boot_relocated = before;
    boot_relocate();
    check(offset);
    boot_relocate();
    check(offset);
}

static void fresh(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        relocate(0, 1 + i % 100);
}

static void moved(void **state)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        relocate((uint64_t)rand() << 12, 1 + i % 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh),
        cmocka_unit_test(moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
