/* SPDX-License-Identifier: BSD-2-Clause */
/* Run after tools/ksyms.py has filled this very program: "filled", or before it: "empty". */
#include <stdio.h>
#include <string.h>

#include "../../../rt/x86/symbols.c"

int symbols_first(int x);
int symbols_second(int x);

__attribute__((noinline)) int symbols_first(int x)
{
    return x + 1;
}

__attribute__((noinline)) int symbols_second(int x)
{
    return symbols_first(x) * 3;
}

static int mistakes;

static void expect(uintptr_t addr, const char *name, uintptr_t offset)
{
    uintptr_t got_offset = 12345;
    const char *got = symbol_lookup(addr, &got_offset);
    if (name == NULL ? got == NULL && got_offset == 12345
                     : got != NULL && strcmp(got, name) == 0 && got_offset == offset)
        return;
    mistakes++;
    printf("0x%lx: got %s+%lu, want %s+%lu\n", addr, got != NULL ? got : "-", got_offset,
           name != NULL ? name : "-", offset);
}

int main(int argc, char **argv)
{
    uintptr_t first = (uintptr_t)symbols_first, second = (uintptr_t)symbols_second;
    int on_stack;
    if (argc == 2 && strcmp(argv[1], "filled") == 0) {
        expect(first, "symbols_first", 0);
        expect(first + 1, "symbols_first", 1);
        expect(second + 2, "symbols_second", 2);
        expect((uintptr_t)symbol_lookup + 5, "symbol_lookup", 5);
        expect((uintptr_t)main, "main", 0);
    } else {
        expect(first, NULL, 0);
    }
    expect(0, NULL, 0);
    expect(UINTPTR_MAX, NULL, 0);
    expect((uintptr_t)&on_stack, NULL, 0);
    expect((uintptr_t)symbol_room, NULL, 0);
    return mistakes != 0;
}
