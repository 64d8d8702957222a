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

/* Digits that are the whole text; false: they are none, or too much. */
static bool read_bits(const char *text, uint32_t *bits)
{
    uint32_t digits = 0;

    for (*bits = 0; text[digits] >= '0' && text[digits] <= '9' && digits < 3; digits++)
        *bits = *bits * 10 + (uint32_t)(text[digits] - '0');
    return digits != 0 && text[digits] == '\0' && *bits <= BITS_MAX;
}

static bool read_addr(const char *text, struct ip_addr *addr)
{
    return ip_addr_parse(text, addr) && !ip_addr_is_v4(addr) && ip_addr_is_host(addr);
}

/* ADDRESS/BITS; the text is written over. */
static bool read_own(char *text, struct net_address6 *out)
{
    uint32_t slash = 0;

    while (text[slash] != '\0' && text[slash] != '/') /* WORD_BYTES at most */
        slash++;
    if (text[slash] == '\0' || out->count == NET_ADDRESS6_MAX)
        return false;
    text[slash] = '\0';
    return read_addr(text, &out->addrs[out->count].addr) &&
           read_bits(text + slash + 1, &out->addrs[out->count].prefix_bits) &&
           out->addrs[out->count++].prefix_bits != 0;
}

static bool read_word(char *word, struct net_address6 *out, const char **why)
{
    if (__builtin_strcmp(word, "auto") == 0) {
        out->automatic = true;
    } else if (__builtin_strcmp(word, "off") == 0) {
        out->off = true;
    } else if (__builtin_strncmp(word, "via=", 4) == 0) {
        *why = "the gateway is no address of a host, or the second one";
        if (out->has_gateway || !read_addr(word + 4, &out->gateway))
            return false;
        out->has_gateway = true;
    } else if (__builtin_strcmp(word, "link") != 0) {
        *why = "a word is none of auto, link, off, via=ADDRESS, ADDRESS/BITS (up to seven)";
        return read_own(word, out);
    }
    return true;
}

/* One list; moves behind it. */
static bool read_list(const char **text, struct net_address6 *out, const char **why)
{
    char word[WORD_BYTES];

    *out = (struct net_address6){.off = false};
    for (uint32_t i = 0; i < WORDS_MAX; i++) {
        *why = "a word is longer than an address";
        if (!next_word(text, word) || !read_word(word, out, why))
            return false;
        if (**text != ',') {
            *why = "off is beside something else";
            return !out->off || (out->count == 0 && !out->automatic && !out->has_gateway);
        }
        ++*text;
    }
    *why = "there are more than 16 words";
    return false;
}

bool net_address6_parse(const char *text, uint32_t port, struct net_address6 *out,
                        const char **why)
{
    RT_ASSERT_LT(port, (uint32_t)PORTS_MAX);
    for (uint32_t i = 0; i < PORTS_MAX; i++) {
        if (!read_list(&text, out, why))
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
    *why = "there are more than 16 ports";
    return false;
}
