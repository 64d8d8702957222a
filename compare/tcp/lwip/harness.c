/* SPDX-License-Identifier: BSD-2-Clause */
/* tidy: dead: rig/commands/lwip.py builds it, where lwIP's source is fetched. */
/*
 * Two lwIPs on a link in memory, measured as tcp_bench measures ours:
 *
 *     lwip_bench A.so B.so requests|bulk CONNS COUNT ROUNDS NS
 */
#define _GNU_SOURCE
#include "../count.h"
#include "side.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

enum { SLOTS = 16384, FRAME_BYTES = 1600, BATCH = 32, OPENED_AT_ONCE = 32, TURNS_MAX = 1000000 };

struct ring {
    struct slot {
        unsigned bytes;
        uint8_t data[FRAME_BYTES];
    } slots[SLOTS];
    unsigned put, got;
};
static struct ring to_server, to_client;
static uint64_t frames;
static const struct side_ops *client, *server;
static uint64_t now_ns;

static void ring_put(struct ring *ring, const void *data, unsigned bytes, int last)
{
    struct slot *slot = &ring->slots[ring->put % SLOTS];

    if (ring->put - ring->got == SLOTS || slot->bytes + bytes > FRAME_BYTES)
        abort();
    memcpy(slot->data + slot->bytes, data, bytes);
    slot->bytes += bytes;
    if (last) {
        ring->put++;
        ring->slots[ring->put % SLOTS].bytes = 0;
        frames++;
    }
}

static void link_put_client(const void *data, unsigned bytes, int last)
{
    ring_put(&to_server, data, bytes, last);
}

static void link_put_server(const void *data, unsigned bytes, int last)
{
    ring_put(&to_client, data, bytes, last);
}

static void receive(const struct side_ops *side, struct ring *ring)
{
    for (unsigned i = 0; i < BATCH && ring->got != ring->put; i++) {
        const unsigned slot = ring->got++ % SLOTS;

        side->input(side->link_in(ring->slots[slot].data, ring->slots[slot].bytes));
    }
}

static void turns(uint64_t ns, int bulk)
{
    const uint64_t before_ms = now_ns / 1000000;

    now_ns += ns;
    receive(server, &to_server);
    receive(client, &to_client);
    if (bulk)
        client->fill();
    if (now_ns / 1000000 != before_ms) {
        client->tick((uint32_t)(now_ns / 1000000));
        server->tick((uint32_t)(now_ns / 1000000));
    }
}

__attribute__((noinline)) static void measured(uint64_t count, uint64_t ns, int bulk)
{
    const struct side_ops *counts = bulk ? server : client;
    const uint64_t end = counts->done() + count;

    for (uint64_t i = 0; i < UINT64_MAX && counts->done() < end; i++)
        turns(ns, bulk);
}

static const struct side_ops *load(const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct side_ops *ops = object != NULL ? dlsym(object, "side_ops") : NULL;

    if (ops == NULL) {
        fprintf(stderr, "lwip_bench: %s\n", dlerror());
        exit(2);
    }
    return ops;
}

static void open_all(unsigned conns, int bulk)
{
    server->listen(bulk);
    for (unsigned i = 0; i < conns; i += OPENED_AT_ONCE) {
        const unsigned some = conns - i < OPENED_AT_ONCE ? conns - i : OPENED_AT_ONCE;

        client->connect(2, some, bulk);
        for (unsigned k = 0; k < TURNS_MAX && client->open() < i + some; k++)
            turns(1000000, 0);
    }
    for (unsigned i = 0; i < 10; i++)
        turns(1000000, 0);
    if (client->open() != conns)
        abort();
}

int main(int argc, char **argv)
{
    const int bulk = argc == 8 && strcmp(argv[3], "bulk") == 0;
    const unsigned conns = argc == 8 ? (unsigned)atoi(argv[4]) : 0;
    const uint64_t count = argc == 8 ? strtoull(argv[5], NULL, 10) : 0;
    const unsigned rounds = argc == 8 ? (unsigned)atoi(argv[6]) : 0;
    const uint64_t ns = argc == 8 ? strtoull(argv[7], NULL, 10) : 0;
    const uint64_t step_ns = ns * (bulk || conns > BATCH ? BATCH : conns);
    double least = 0;

    if (conns == 0 || count == 0)
        return 2;
    client = load(argv[1]);
    server = load(argv[2]);
    client->init(1, link_put_client);
    server->init(2, link_put_server);
    open_all(conns, bulk);
    for (unsigned i = 0; i < conns && !bulk; i++)
        client->request(i);
    measured(2 * conns + 1000, step_ns, bulk);
    frames = 0;
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t begin;
        double each;

        count_begin();
        begin = __rdtsc();
        measured(count, step_ns, bulk);
        each = (double)(__rdtsc() - begin) / (double)count;
        count_end();
        least = i == 0 || each < least ? each : least;
    }
    printf("result mode=%s conns=%u count=%llu packets=%.3f cycles_min=%.0f bad=%llu version=%s\n",
           argv[3], conns, (unsigned long long)count,
           (double)frames / (double)(count * rounds), least,
           (unsigned long long)(client->bad() + server->bad()), client->version());
    return client->bad() + server->bad() != 0;
}
