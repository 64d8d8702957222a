/* SPDX-License-Identifier: BSD-2-Clause */
#include "net_address6.h"

#include <rt/assert.h>

enum { PORTS_MAX = 16, WORDS_MAX = 16, WORD_BYTES = IP_ADDR_TEXT_BYTES + 4, BITS_MAX = 128 };

/* Copies up to one of ",;" or the end, and moves behind it; false: it is too long. */
static bool next_word(const char **text, char word[WORD_BYTES])
{
    uint32_t i = 0;

    for (; **text != '\0' && **text != ',' && **text != ';'; (*text)++) {
        if (i == WORD_BYTES - 1)
            return false;
        word[i++] = **text;
    }
    word[i] = '\0';
    return true;
}

/* Digits that are the whole text; false: they are none, or no bits of a prefix. */
static bool read_bits(const char *text, uint32_t *bits)
{
    uint32_t digits = 0;

    for (*bits = 0; text[digits] >= '0' && text[digits] <= '9' && digits < 3; digits++)
        *bits = *bits * 10 + (uint32_t)(text[digits] - '0');
    return digits != 0 && text[digits] == '\0' && *bits != 0 && *bits <= BITS_MAX;
}

static bool is_host6(const struct ip_addr *addr)
{
    return !ip_addr_is_v4(addr) && ip_addr_is_host(addr);
}

/* ADDRESS/BITS; the text is written over. */
static bool read_own(char *text, struct net_address6 *out, const char **why)
{
    struct net_addr *own = &out->addrs[out->count];
    uint32_t slash = 0;
    bool is_addr, has_bits;

    *why = "a port has up to seven addresses";
    if (out->count == NET_ADDRESS6_MAX)
        return false;
    while (text[slash] != '\0' && text[slash] != '/') /* WORD_BYTES at most */
        slash++;
    has_bits = text[slash] == '/';
    text[slash] = '\0';
    is_addr = ip_addr_parse(text, &own->addr);
    *why = "it is none of auto, link, off, via=ADDRESS, ADDRESS/BITS";
    if (!is_addr && !has_bits)
        return false;
    *why = "it is no IPv6 address of a host, as 2001:db8::1/64 is";
    if (!is_addr || !is_host6(&own->addr))
        return false;
    *why = "an address has its prefix behind it, as 2001:db8::1/64";
    if (!has_bits)
        return false;
    *why = "a prefix has 1 to 128 bits, as in 2001:db8::1/64";
    if (!read_bits(text + slash + 1, &own->prefix_bits))
        return false;
    out->count++;
    return true;
}

static bool read_gateway(const char *text, struct net_address6 *out, const char **why)
{
    *why = "a port has one gateway";
    if (out->has_gateway)
        return false;
    *why = "the gateway is no IPv6 address of a host, as via=fe80::1";
    out->has_gateway = ip_addr_parse(text, &out->gateway) && is_host6(&out->gateway);
    return out->has_gateway;
}

static bool read_word(char *word, struct net_address6 *out, const char **why)
{
    if (__builtin_strcmp(word, "auto") == 0)
        out->automatic = true;
    else if (__builtin_strcmp(word, "off") == 0)
        out->off = true;
    else if (__builtin_strncmp(word, "via=", 4) == 0)
        return read_gateway(word + 4, out, why);
    else if (__builtin_strcmp(word, "link") != 0)
        return read_own(word, out, why);
    return true;
}

/* One list; moves behind it. */
static bool read_list(const char **text, struct net_address6 *out,
                      struct net_address6_error *error)
{
    char word[WORD_BYTES];

    *out = (struct net_address6){.off = false};
    for (uint32_t i = 0; i < WORDS_MAX; i++) {
        bool good;

        error->word = *text;
        error->why = "it is longer than an address";
        good = next_word(text, word);
        error->word_bytes = (uint32_t)(*text - error->word);
        if (!good || !read_word(word, out, &error->why))
            return false;
        if (**text != ',') {
            error->why = "off is beside something else";
            return !out->off || (out->count == 0 && !out->automatic && !out->has_gateway);
        }
        ++*text;
    }
    error->why = "there are more than 16 words";
    return false;
}

bool net_address6_parse(const char *text, uint32_t port, struct net_address6 *out,
                        struct net_address6_error *error)
{
    RT_ASSERT_LT(port, (uint32_t)PORTS_MAX);
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        if (!read_list(&text, out, error))
            return false;
        if (*text == '\0') {
            if (i < port && (out->count != 0 || out->has_gateway))
                *out = (struct net_address6){.off = true}; /* it is another's */
            return true;
        }
        RT_ASSERT_EQ(*text, ';');
        text++;
        if (i == port)
            return true;
    }
    error->why = "there are more than 16 ports";
    return false;
}
