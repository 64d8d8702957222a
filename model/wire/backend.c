/* SPDX-License-Identifier: BSD-2-Clause */
/* Choice of a back end, and the ones that need no peer: sink and generator. */
#include "wire/backend.h"

#include <errno.h>
#include <rt/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sink ---- */

static const uint8_t *sink_receive(struct backend *b, uint32_t *bytes)
{
    return NULL;
}

static void sink_transmit(struct backend *b, const uint8_t *frame, uint32_t bytes)
{
    b->sent++;
}

static void sink_close(struct backend *b)
{
    free(b);
}

struct backend *backend_sink_open(void)
{
    static const struct backend_ops ops = {sink_receive, sink_transmit, NULL, NULL, NULL,
                                           sink_close};
    struct backend *b = calloc(1, sizeof(*b));

    if (b != NULL)
        *b = (struct backend){.ops = &ops, .fd = -1};
    return b;
}

/* ---- generator ---- */

#define GEN_HEADERS 42u
#define GEN_BYTES_MAX 1514u
#define GEN_FLOWS_MAX 65536u

struct gen {
    struct backend b;
    uint32_t bytes, flows;
    uint32_t sequence, expected;
    uint64_t corrupt, reordered, foreign;
    uint8_t frame[GEN_BYTES_MAX];
};

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* The source port tells the flow; the IP header stays the same, so its sum does, too. */
static void gen_number(struct gen *g, uint32_t sequence)
{
    RT_ASSERT_LT(0u, g->flows);
    put16(g->frame + 34, 1024 + sequence % g->flows);
    memcpy(g->frame + GEN_HEADERS, &sequence, sizeof(sequence));
}

static const uint8_t *gen_receive(struct backend *b, uint32_t *bytes)
{
    struct gen *g = (struct gen *)b;

    RT_ASSERT_LE(g->bytes, GEN_BYTES_MAX);
    gen_number(g, g->sequence++);
    b->received++;
    *bytes = g->bytes;
    return g->frame;
}

/* MAC addresses may change on the way; everything behind them must be as it was. */
static void gen_transmit(struct backend *b, const uint8_t *frame, uint32_t bytes)
{
    struct gen *g = (struct gen *)b;
    uint32_t sequence;

    b->sent++;
    if (bytes < GEN_HEADERS + 4 || memcmp(frame + 12, g->frame + 12, 22) != 0) {
        g->foreign++;
        return;
    }
    memcpy(&sequence, frame + GEN_HEADERS, sizeof(sequence));
    gen_number(g, sequence);
    g->corrupt += bytes != g->bytes || memcmp(frame + 12, g->frame + 12, bytes - 12) != 0;
    g->reordered += sequence < g->expected;
    g->expected = sequence + 1;
}

static void gen_report(const struct backend *b, char *out, size_t bytes)
{
    const struct gen *g = (const struct gen *)b;

    snprintf(out, bytes, ",\"corrupt\":%llu,\"reordered\":%llu,\"foreign\":%llu",
             (unsigned long long)g->corrupt, (unsigned long long)g->reordered,
             (unsigned long long)g->foreign);
}

static void gen_template(struct gen *g, const uint8_t mac[6])
{
    static const uint8_t source[6] = {0x02, 0, 0, 0, 0, 0x99};
    static const uint8_t addresses[8] = {198, 18, 0, 1, 198, 19, 0, 1}; /* RFC 2544 */
    uint8_t *f = g->frame;
    uint32_t sum = 0;

    RT_ASSERT_LE(g->bytes, GEN_BYTES_MAX);
    memcpy(f, mac, 6);
    memcpy(f + 6, source, 6);
    put16(f + 12, 0x0800);
    f[14] = 0x45;
    put16(f + 16, g->bytes - 14);
    f[22] = 64;
    f[23] = 17;
    memcpy(f + 26, addresses, 8);
    for (unsigned i = 14; i < 34; i += 2)
        sum += (uint32_t)f[i] << 8 | f[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(f + 24, ~(sum + (sum >> 16)));
    put16(f + 36, 9); /* discard; no UDP sum */
    put16(f + 38, g->bytes - 34);
    for (uint32_t i = GEN_HEADERS + 4; i < g->bytes; i++)
        f[i] = (uint8_t)(i * 31);
}

struct backend *backend_gen_open(const char *text, const uint8_t mac[6])
{
    static const struct backend_ops ops = {gen_receive, gen_transmit, NULL, NULL, gen_report,
                                           sink_close};
    char *end;
    unsigned long bytes = strtoul(text, &end, 10), flows = 1;
    struct gen *g;

    if (*end == ',')
        flows = strtoul(end + 1, &end, 10);
    if (*end != '\0' || bytes < BACKEND_FRAME_MIN || bytes > GEN_BYTES_MAX || flows < 1 ||
        flows > GEN_FLOWS_MAX) {
        errno = EINVAL;
        return NULL;
    }
    g = calloc(1, sizeof(*g));
    if (g == NULL)
        return NULL;
    g->b = (struct backend){.ops = &ops, .fd = -1, .always = true};
    g->bytes = (uint32_t)bytes;
    g->flows = (uint32_t)flows;
    gen_template(g, mac);
    return &g->b;
}

/* ---- choice ---- */

struct backend *backend_open(const char *text, const uint8_t mac[6], char *error, size_t bytes)
{
    struct backend *b = NULL;

    errno = EINVAL;
    if (strcmp(text, "sink") == 0)
        b = backend_sink_open();
    else if (strncmp(text, "gen:", 4) == 0)
        b = backend_gen_open(text + 4, mac);
    else if (strncmp(text, "stream:", 7) == 0)
        b = backend_stream_open(text + 7);
    else if (strncmp(text, "tap:", 4) == 0)
        b = backend_tap_open(text + 4);
    else if (strncmp(text, "pcap:", 5) == 0)
        b = backend_pcap_open(text + 5);
    if (b == NULL)
        snprintf(error, bytes, "%s: %s", text, strerror(errno));
    return b;
}

void backend_close(struct backend *b)
{
    b->ops->close(b);
}
