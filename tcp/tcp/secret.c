/* SPDX-License-Identifier: BSD-2-Clause */
#include "secret.h"

#include "../state.h"
#include "conn.h"

#include <rt/assert.h>
#include <rt/siphash.h>

enum secret_use { USE_FIRST_SEQ = 1, USE_DRAW, USE_PORT, USE_COOKIE, USE_COOKIE_KEY };
enum { COOKIE_DATA_BITS = 3, COOKIE_EPOCH_BIT = 1 << COOKIE_DATA_BITS };

/* The hostile build begins just before numbers wrap; timestamps begin where numbers do. */
#ifdef RT_HOSTILE
#define FIRST_SEQ_FROM 0xfffff000u
#else
#define FIRST_SEQ_FROM 0u
#endif

static struct secret_ends ends_of(const struct tcp_segment *segment, enum secret_use use)
{
    return (struct secret_ends){
        .local = segment->dst,
        .remote = segment->src,
        .local_port = segment->dst_port,
        .remote_port = segment->src_port,
        .use = use,
    };
}

uint32_t secret_first_seq(const struct tcp_conn *conn)
{
    const struct secret_ends ends = {
        .local = conn->local,
        .remote = conn->remote,
        .local_port = conn->local_port,
        .remote_port = conn->remote_port,
        .use = USE_FIRST_SEQ,
    };

    return FIRST_SEQ_FROM | ((uint32_t)(conn->net->now_us / 4) +
                             (uint32_t)rt_siphash(conn->net->config.key, &ends, sizeof(ends)));
}

uint32_t secret_draw(struct net *net, uint32_t below)
{
    const uint64_t seen[] = {USE_DRAW, net->tcp->secret.drawn++, net->now_us};

    RT_ASSERT_LT(0u, below);
    return (uint32_t)((rt_siphash(net->config.key, seen, sizeof(seen)) >> 32) * below >> 32);
}

uint32_t secret_port_offset(const struct net *net, const struct ip_addr *local,
                            const struct ip_addr *remote, uint16_t remote_port)
{
    const struct secret_ends ends = {
        .local = *local, .remote = *remote, .remote_port = remote_port, .use = USE_PORT};

    return (uint32_t)rt_siphash(net->config.key, &ends, sizeof(ends));
}

/* ---- cookies ---- */

/* The key of an epoch is made of the one before, which is then overwritten: who reads our memory
 * later cannot make old ones. After a pause no cookie is about, so the two newest are enough. */
static void next_key(struct net *net)
{
    struct tcp_secret *s = &net->tcp->secret;
    uint64_t seen[] = {USE_COOKIE_KEY, s->epoch, 0};
    const uint8_t *from = s->epoch == 0 ? net->config.key : s->cookie_keys[0];
    uint64_t halves[2];

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(halves); i++) {
        seen[2] = i;
        halves[i] = rt_siphash(from, seen, sizeof(seen));
    }
    __builtin_memcpy(s->cookie_keys[1], s->cookie_keys[0], sizeof(s->cookie_keys[1]));
    __builtin_memcpy(s->cookie_keys[0], halves, sizeof(s->cookie_keys[0]));
    s->epoch++;
}

static void to_this_epoch(struct net *net)
{
    struct tcp_secret *s = &net->tcp->secret;
    const uint64_t epoch = net->now_us / SECRET_COOKIE_EPOCH_US + 2;

    RT_ASSERT_LE(s->epoch, epoch);
    if (s->epoch == 0)
        next_key(net); /* also the one before, when nothing was there */
    if (s->epoch + 2 < epoch)
        s->epoch = epoch - 2;
    while (s->epoch < epoch) /* twice, at most */
        next_key(net);
}

/* Hides that two cookies differ in few bits only (the ends' own, always the same). */
static uint32_t cookie_offset(const struct net *net, const struct secret_ends *ends)
{
    return (uint32_t)rt_siphash(net->config.key, ends, sizeof(*ends));
}

static uint32_t cookie_mark(const uint8_t key[16], const struct secret_ends *ends, uint32_t irs,
                            uint32_t data)
{
    struct {
        struct secret_ends ends;
        uint32_t irs, data;
    } all = {*ends, irs, data};

    return (uint32_t)rt_siphash(key, &all, sizeof(all)) << (COOKIE_DATA_BITS + 1);
}

static uint32_t epoch_bit(uint64_t epoch)
{
    return (epoch & 1) != 0 ? COOKIE_EPOCH_BIT : 0;
}

uint32_t secret_cookie(struct net *net, const struct tcp_segment *syn, uint32_t data)
{
    const struct secret_ends ends = ends_of(syn, USE_COOKIE);
    struct tcp_secret *s = &net->tcp->secret;

    RT_ASSERT_LT(data, 1u << COOKIE_DATA_BITS);
    to_this_epoch(net);
    return cookie_offset(net, &ends) +
           (cookie_mark(s->cookie_keys[0], &ends, syn->seq, data) | epoch_bit(s->epoch) | data);
}

bool secret_cookie_is_ours(struct net *net, const struct tcp_segment *segment, uint32_t *data)
{
    const struct secret_ends ends = ends_of(segment, USE_COOKIE);
    struct tcp_secret *s = &net->tcp->secret;
    const uint32_t cookie = segment->ack - 1 - cookie_offset(net, &ends);
    const uint8_t *key;

    to_this_epoch(net);
    key = s->cookie_keys[(cookie & COOKIE_EPOCH_BIT) != epoch_bit(s->epoch)];
    *data = cookie % COOKIE_EPOCH_BIT;
    return (cookie & ~(uint32_t)(2 * COOKIE_EPOCH_BIT - 1)) ==
           cookie_mark(key, &ends, segment->seq - 1, *data);
}
