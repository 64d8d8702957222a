/* SPDX-License-Identifier: BSD-2-Clause */
/* The wire of a lane: the frame that arrives, what must leave, cache temperature. */
#define _GNU_SOURCE
#include "native.h"

#include <emmintrin.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define LINE 64u
#define ETH 14u
#define IP 20u
#define LINES_MAX 4096u /* that one arrival writes */

static uint8_t frames[WORK_KINDS][NATIVE_FRAME_BYTES]; /* [work]: what must leave */
static uint16_t pseudo_sum;
static enum native_temp temperature;

static uint32_t sum16(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < bytes; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Ethernet, IPv4, UDP, 18 bytes; sums right. */
static void fill(void)
{
    static const uint8_t head[ETH] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    uint8_t *f = frames[WORK_IO], *ip = f + ETH, *udp = ip + IP;
    uint32_t udp_bytes = NATIVE_FRAME_BYTES - ETH - IP;

    memcpy(f, head, sizeof(head));
    ip[0] = 0x45;
    put16(ip + 2, NATIVE_FRAME_BYTES - ETH);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
    put16(udp, 1234);
    put16(udp + 2, 5678);
    put16(udp + 4, udp_bytes);
    for (uint32_t i = 8; i < udp_bytes; i++)
        udp[i] = (uint8_t)(i * 17);
    put16(ip + 10, (uint16_t)~fold(sum16(ip, IP, 0)));
    pseudo_sum = fold(sum16(ip + 12, 8, 17 + udp_bytes));
    put16(udp + 6, pseudo_sum);
    put16(udp + 6, (uint16_t)~fold(sum16(udp, udp_bytes, 0)));
    memcpy(frames[WORK_SWAP], f, NATIVE_FRAME_BYTES);
    memcpy(frames[WORK_SWAP], f + 6, 6);
    memcpy(frames[WORK_SWAP] + 6, f, 6);
    memcpy(frames[WORK_CSUM], frames[WORK_SWAP], NATIVE_FRAME_BYTES);
}

const uint8_t *native_frame(void)
{
    if (frames[WORK_IO][ETH] == 0)
        fill();
    return frames[WORK_IO];
}

uint16_t native_pseudo_sum(void)
{
    (void)native_frame();
    return __builtin_bswap16(pseudo_sum);
}

static void transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct native_card *card = ctx;

    card->sent++;
    if (bytes != NATIVE_FRAME_BYTES || memcmp(frame, frames[card->work], bytes) != 0)
        card->corrupt++;
}

/* ---- temperature ---- */

/* Lines for the other core: filled by the card, `asked` hands them over, `done` gives them back. */
static char *lines[LINES_MAX];
static uint32_t line_count, asked, done;

/* An atomic addition of nothing: the line is modified, in that core's caches, and as it was. */
static void *other_core(void *ctx)
{
    for (uint32_t turn = 1;; turn++) { /* ends with the process */
        while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE) != turn)
            _mm_pause();
        for (uint32_t i = 0; i < line_count; i++)
            __atomic_fetch_add(lines[i], 0, __ATOMIC_RELAXED);
        __atomic_store_n(&done, turn, __ATOMIC_RELEASE);
    }
    return NULL;
}

bool native_temp_set(enum native_temp temp, unsigned other_cpu)
{
    pthread_t thread;
    cpu_set_t set;

    temperature = temp;
    if (temp != TEMP_OTHER)
        return true;
    if (other_cpu == NATIVE_NO_CPU || pthread_create(&thread, NULL, other_core, NULL) != 0)
        return false;
    CPU_ZERO(&set);
    CPU_SET(other_cpu, &set);
    return pthread_setaffinity_np(thread, sizeof(set), &set) == 0;
}

void native_temp_settle(void)
{
    if (line_count == 0)
        return;
    __atomic_store_n(&asked, asked + 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) != asked)
        _mm_pause();
    line_count = 0;
}

/* CLDEMOTE is a hint, to the last-level cache; where it is not known it is a NOP. */
static void cool(char *line)
{
    if (temperature == TEMP_DRAM)
        _mm_clflush(line);
    else if (temperature == TEMP_L3)
        __asm__ volatile(".byte 0x0f, 0x1c, 0x07" : : "D"(line) : "memory"); /* cldemote */
    else if (line_count < LINES_MAX)
        lines[line_count++] = line;
}

static void wrote(void *ctx, void *p, uint32_t bytes)
{
    char *line = (char *)((uintptr_t)p & ~(uintptr_t)(LINE - 1)), *end = (char *)p + bytes;

    if (temperature == TEMP_L1)
        return;
    for (; line < end; line += LINE)
        cool(line);
}

struct x82599_config native_card_config(struct native_card *card)
{
    (void)native_frame();
    return (struct x82599_config){.ctx = card, .transmit = transmit, .wrote = wrote};
}
