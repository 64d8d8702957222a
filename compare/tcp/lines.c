/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_lines: distinct cache lines that a turn of each side touches, from valgrind's trace of
 * memory accesses on standard input, which tcp_bench marks=1 cuts into turns:
 *
 *     valgrind --tool=lackey --trace-mem=yes tcp_bench marks=1 ... 2>&1 | tcp_lines TURNS
 *
 * The last TURNS turns of each side count: before, connections are made and caches filled.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64, SET = 1 << 16, TURNS_MAX = 4096, TEXT = 256 };

/* Distinct numbers of one turn, forgotten by a new `round`. */
struct set {
    uint64_t lines[SET];
    uint32_t rounds[SET];
    uint32_t round, count;
};

static struct set data, code;
static uint32_t data_lines[3][TURNS_MAX], code_lines[3][TURNS_MAX], turns[3];

static void add(struct set *set, uint64_t line)
{
    uint32_t slot = (uint32_t)(line * UINT64_C(0x9e3779b97f4a7c15) >> 48);

    for (uint32_t i = 0; i < SET; i++, slot = (slot + 1) % SET) {
        if (set->rounds[slot] != set->round) {
            set->rounds[slot] = set->round;
            set->lines[slot] = line;
            set->count++;
            return;
        }
        if (set->lines[slot] == line)
            return;
    }
    abort(); /* a turn that touches 4 MiB */
}

static void end_turn(unsigned side)
{
    if (side != 0) {
        data_lines[side][turns[side] % TURNS_MAX] = data.count;
        code_lines[side][turns[side] % TURNS_MAX] = code.count;
        turns[side]++;
    }
    data.count = code.count = 0;
    data.round++;
    code.round++;
}

static void report(unsigned side, uint32_t last)
{
    double sum[2] = {0, 0};

    last = last < turns[side] ? last : turns[side];
    for (uint32_t i = 0; i < last; i++) {
        sum[0] += data_lines[side][(turns[side] - 1 - i) % TURNS_MAX];
        sum[1] += code_lines[side][(turns[side] - 1 - i) % TURNS_MAX];
    }
    printf("lines side=%s turns=%u data=%.2f code=%.2f\n", side == 1 ? "client" : "server", last,
           last != 0 ? sum[0] / last : 0, last != 0 ? sum[1] / last : 0);
}

/* One access; a store to a mark begins the turn of a side, or ends it. */
static void access(char kind, uint64_t address, uint64_t bytes, uint64_t marks, unsigned *side)
{
    if (bytes == 0 || bytes > LINE_BYTES)
        return; /* a line that other output cut */
    if (kind == 'S' && address - marks < 3 * LINE_BYTES) {
        end_turn(*side);
        *side = (unsigned)((address - marks) / LINE_BYTES);
        return;
    }
    if (*side == 0)
        return; /* the link's, or before the first turn */
    for (uint64_t line = address / LINE_BYTES; line <= (address + bytes - 1) / LINE_BYTES; line++)
        add(kind == 'I' ? &code : &data, line);
}

int main(int argc, char **argv)
{
    const uint32_t last = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    uint64_t marks = 0;
    unsigned side = 0;
    char text[TEXT];

    if (last == 0 || last > TURNS_MAX)
        return 2;
    data.round = code.round = 1;
    while (fgets(text, sizeof(text), stdin) != NULL) {
        const char kind = text[0] == 'I' ? 'I' : text[1];
        char *end;
        uint64_t address;

        if (strncmp(text, "marks=", 6) == 0)
            marks = strtoull(text + 6, NULL, 16);
        if (strncmp(text, "result ", 7) == 0)
            fputs(text, stdout);
        if (marks == 0 || text[2] != ' ' || strchr("ILSM", kind) == NULL)
            continue;
        address = strtoull(text + 3, &end, 16);
        if (*end == ',' && (side != 0 || kind == 'S'))
            access(kind, address, strtoull(end + 1, NULL, 10), marks, &side);
    }
    report(1, last);
    report(2, last);
    return 0;
}
