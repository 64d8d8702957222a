/* SPDX-License-Identifier: BSD-2-Clause */
#include "ip6_headers.h"

#include "../wire/ip.h"
#include "../wire/ip6.h"

#include <rt/assert.h>

void ip6_walk_begin(struct ip6_walk *walk, uint8_t next)
{
    *walk = (struct ip6_walk){
        .offset = sizeof(struct ipv6_header),
        .next = next,
        .next_at = offsetof(struct ipv6_header, next),
    };
}

static enum ip6_verdict problem(struct ip6_walk *walk, uint8_t code, uint32_t pointer)
{
    walk->code = code;
    walk->pointer = pointer;
    return IP6_IS_PROBLEM;
}

/* An option nobody here knows says itself what becomes of the packet. */
static enum ip6_verdict unknown_option(struct ip6_walk *walk, uint8_t type, uint32_t at)
{
    switch ((enum ip6_option_action)(type & IP6_OPT_ACTION)) {
    case IP6_OPT_SKIP:
        return IP6_IS_UPPER;
    case IP6_OPT_TELL:
    case IP6_OPT_TELL_UNLESS_GROUP:
        walk->to_all = (type & IP6_OPT_ACTION) == IP6_OPT_TELL;
        return problem(walk, ICMP6_UNKNOWN_OPTION, at);
    case IP6_OPT_DROP:
    default:
        return IP6_IS_BAD;
    }
}

/* Options at [at, end); UPPER: go on. Each step is of two bytes at least, or one of padding. */
static enum ip6_verdict skip_options(struct ip6_walk *walk, const uint8_t *packet, uint32_t at,
                                     uint32_t end)
{
    uint32_t options = 0, padding = 0, bytes;

    RT_ASSERT_LE(at, end);
    for (; at < end; at += bytes) {
        const uint8_t type = packet[at];

        bytes = 1;
        if (type != IP6_OPT_PAD1) {
            if (end - at < 2 || packet[at + 1] > end - at - 2)
                return IP6_IS_BAD;
            bytes = packet[at + 1] + 2u;
        }
        if (type == IP6_OPT_PAD1 || type == IP6_OPT_PADN) {
            padding += bytes;
            if (padding > 7) /* more than any alignment needs (RFC 8504 5.3) */
                return IP6_IS_BAD;
            continue;
        }
        padding = 0;
        if (++options > IP6_OPTIONS_MAX)
            return IP6_IS_BAD;
        if (type != IP6_OPT_ROUTER_ALERT) {
            const enum ip6_verdict verdict = unknown_option(walk, type, at);

            if (verdict != IP6_IS_UPPER)
                return verdict;
        }
    }
    return IP6_IS_UPPER;
}

/* All of a packet (RFC 6946): nothing to wait for. */
static bool is_atomic(const uint8_t *header)
{
    const struct ip6_fragment *fragment = (const struct ip6_fragment *)(const void *)header;

    return (be16_get(fragment->offset_more) & (IP6_OFFSET | IP6_MORE_FRAGMENTS)) == 0;
}

/* The header at `offset`, which is whole; UPPER: it is passed. */
static enum ip6_verdict pass(struct ip6_walk *walk, const uint8_t *packet, uint32_t end)
{
    const struct ip6_extension *header =
        (const struct ip6_extension *)(const void *)(packet + walk->offset);
    enum ip6_verdict verdict = IP6_IS_UPPER;

    if (walk->next == IP6_HOP_BY_HOP || walk->next == IP6_DESTINATION)
        verdict = skip_options(walk, packet, walk->offset + 2, end);
    else if (walk->next == IP6_ROUTING && header->segments_left != 0) /* of any type (RFC 5095 3) */
        verdict = problem(walk, ICMP6_WRONG_FIELD,
                          walk->offset + (uint32_t)offsetof(struct ip6_extension, routing_type));
    walk->next = header->next;
    walk->next_at = walk->offset;
    walk->offset = end;
    return verdict;
}

enum ip6_verdict ip6_walk(struct ip6_walk *walk, const uint8_t *packet, uint32_t bytes)
{
    const uint32_t most = RT_MIN(bytes, (uint32_t)IP6_HEADERS_BYTES_MAX);
    enum ip6_verdict verdict = IP6_IS_UPPER;

    RT_ASSERT_LE(walk->offset, bytes);
    for (; walk->headers <= IP6_HEADERS_MAX; walk->headers++) {
        uint32_t end;

        if (walk->next != IP6_HOP_BY_HOP && walk->next != IP6_ROUTING &&
            walk->next != IP6_DESTINATION && walk->next != IP6_FRAGMENT)
            return IP6_IS_UPPER;
        if (walk->offset > most || most - walk->offset < IP6_EXTENSION_BYTES_MIN)
            return IP6_IS_BAD;
        if (walk->next == IP6_FRAGMENT && !is_atomic(packet + walk->offset))
            return IP6_IS_FRAGMENT;
        if (walk->next == IP6_HOP_BY_HOP && walk->headers != 0) /* only the first (4.1) */
            return problem(walk, ICMP6_UNKNOWN_NEXT, walk->next_at);
        end = walk->offset + IP6_EXTENSION_BYTES_MIN;
        if (walk->next != IP6_FRAGMENT)
            end += packet[walk->offset + 1] * IP6_EXTENSION_BYTES_MIN;
        if (end > most)
            return IP6_IS_BAD;
        verdict = pass(walk, packet, end);
        if (verdict != IP6_IS_UPPER)
            return verdict;
    }
    return IP6_IS_BAD;
}
