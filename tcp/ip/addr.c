/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses: what kind one is, from text and to text. */
#include <tcp/addr.h>

enum { GROUPS = 8, V4_BITS_BEFORE = 96 };

bool ip_addr_is_unspecified(const struct ip_addr *addr)
{
    if (ip_addr_is_v4(addr))
        return addr->words[3].raw == 0;
    return addr->halves[0] == 0 && addr->halves[1] == 0;
}

bool ip_addr_is_multicast(const struct ip_addr *addr)
{
    if (ip_addr_is_v4(addr))
        return (addr->bytes[12] & 0xf0) == 0xe0;
    return addr->bytes[0] == 0xff;
}

bool ip_addr_is_loopback(const struct ip_addr *addr)
{
    static const struct ip_addr one = {.bytes = {[15] = 1}};

    return ip_addr_is_v4(addr) ? addr->bytes[12] == 127 : ip_addr_equal(addr, &one);
}

bool ip_addr_is_host(const struct ip_addr *addr)
{
    if (ip_addr_is_unspecified(addr) || ip_addr_is_multicast(addr) || ip_addr_is_loopback(addr))
        return false;
    return !ip_addr_is_v4(addr) || addr->bytes[12] < 0xf0; /* RFC 1112 4: class E */
}

bool ip_addr_is_link_local(const struct ip_addr *addr)
{
    return addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

bool ip_addr_same_prefix(const struct ip_addr *a, const struct ip_addr *b, uint32_t bits)
{
    const uint32_t all = bits + (ip_addr_is_v4(a) ? V4_BITS_BEFORE : 0);
    const uint32_t whole = all / 8, rest = all % 8;

    if (ip_addr_is_v4(a) != ip_addr_is_v4(b) || whole > sizeof(a->bytes))
        return false;
    for (uint32_t i = 0; i < whole; i++)
        if (a->bytes[i] != b->bytes[i])
            return false;
    return rest == 0 || whole == sizeof(a->bytes) ||
           ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0;
}

/* A number of at most `digits` digits; false when there is none, or more digits, or it is above
 * `max`. Decimal numbers have no zero in front (RFC 6943 3.1.1: some read octal). */
static bool read_number(const char **text, uint32_t base, uint32_t digits, uint32_t max,
                        uint32_t *out)
{
    const char *from = *text;
    uint32_t value = 0, count = 0;

    for (; count <= digits; count++, (*text)++) {
        const char c = **text, low = (char)(c | 0x20);
        uint32_t digit = 16;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            digit = (uint32_t)(low - 'a') + 10;
        if (digit >= base)
            break;
        value = value * base + digit;
    }
    *out = value;
    return count != 0 && count <= digits && value <= max &&
           (base != 10 || count == 1 || *from != '0');
}

/* Four decimal numbers; moves `text` behind them. */
static bool read_dotted(const char **text, uint8_t out[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t value;

        if (!read_number(text, 10, 3, 255, &value) || (i < 3 && *(*text)++ != '.'))
            return false;
        out[i] = (uint8_t)value;
    }
    return true;
}

/* True when a dotted number comes next, not a group of hexadecimal digits. */
static bool is_dotted(const char *text)
{
    uint32_t i = 0;

    while (i < 4 && text[i] >= '0' && text[i] <= '9')
        i++;
    return text[i] == '.';
}

struct groups {
    uint8_t bytes[16];
    uint32_t used; /* bytes read so far */
    uint32_t gap;  /* bytes before "::"; above 16: there is none */
};

/* One group, or the dotted rest; false when it is neither or there is no room. */
static bool read_group(const char **text, struct groups *g)
{
    uint32_t value;

    if (is_dotted(*text)) {
        if (g->used > 12 || !read_dotted(text, &g->bytes[g->used]))
            return false;
        g->used += 4;
        return **text == '\0'; /* nothing comes behind it */
    }
    if (g->used > 14 || !read_number(text, 16, 4, 0xffff, &value))
        return false;
    g->bytes[g->used++] = (uint8_t)(value >> 8);
    g->bytes[g->used++] = (uint8_t)value;
    return true;
}

/* Reads "::" where it stands; false when it is the second. */
static bool read_gap(const char **text, struct groups *g)
{
    if ((*text)[0] != ':' || (*text)[1] != ':')
        return true;
    *text += 2;
    if (g->gap <= 16)
        return false;
    g->gap = g->used;
    return true;
}

static bool parse_v6(const char *text, struct ip_addr *addr)
{
    struct groups g = {.gap = 17};

    if (!read_gap(&text, &g))
        return false;
    for (uint32_t i = 0; i < GROUPS && *text != '\0'; i++) {
        if (!read_group(&text, &g))
            return false;
        if (text[0] == ':' && text[1] == ':') {
            if (!read_gap(&text, &g))
                return false;
        } else if (text[0] == ':') {
            if (*++text == '\0')
                return false;
        } else if (*text != '\0') {
            return false;
        }
    }
    /* "::" stands for one group of zeroes at least (RFC 4291 2.2). */
    if (*text != '\0' || (g.gap > 16 ? g.used != 16 : g.used > 14))
        return false;
    *addr = (struct ip_addr){.bytes = {0}};
    for (uint32_t i = 0; i < g.used; i++)
        addr->bytes[i < g.gap ? i : i + 16 - g.used] = g.bytes[i];
    return true;
}

bool ip_addr_parse(const char *text, struct ip_addr *addr)
{
    uint8_t v4[4];
    const char *at = text;

    if (!is_dotted(text))
        return parse_v6(text, addr);
    if (!read_dotted(&at, v4) || *at != '\0')
        return false;
    *addr = ip_addr_v4_of(v4[0], v4[1], v4[2], v4[3]);
    return true;
}

static char *write_number(char *out, uint32_t value, uint32_t base)
{
    char digits[8];
    uint32_t count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 && count < sizeof(digits));
    while (count != 0)
        *out++ = digits[--count];
    return out;
}

static char *write_dotted(char *out, const uint8_t v4[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        out = write_number(out, v4[i], 10);
        *out++ = i < 3 ? '.' : '\0';
    }
    return out;
}

static uint32_t group_of(const struct ip_addr *addr, uint32_t i)
{
    return (uint32_t)(addr->bytes[2 * i] << 8 | addr->bytes[2 * i + 1]);
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2); its length. */
static uint32_t longest_zeroes(const struct ip_addr *addr, uint32_t *first)
{
    uint32_t best = 1, run = 0;

    *first = GROUPS;
    for (uint32_t i = 0; i < GROUPS; i++) {
        run = group_of(addr, i) == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *first = i + 1 - run;
        }
    }
    return *first < GROUPS ? best : 0;
}

const char *ip_addr_format(const struct ip_addr *addr, char text[IP_ADDR_TEXT_BYTES])
{
    char *out = text;
    uint32_t first, zeroes;

    if (ip_addr_is_v4(addr)) {
        write_dotted(out, &addr->bytes[12]);
        return text;
    }
    zeroes = longest_zeroes(addr, &first);
    for (uint32_t i = 0; i < GROUPS; i++) {
        if (i == first) {
            *out++ = ':';
            if (i == 0)
                *out++ = ':';
            i += zeroes - 1;
            continue;
        }
        out = write_number(out, group_of(addr, i), 16);
        if (i + 1 < GROUPS)
            *out++ = ':';
    }
    *out = '\0';
    return text;
}
