/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of cards, and who forwards to whom; see the header. */
#include "roles.h"

#include <rt/log.h>

enum {
    MAC_BYTES = 6,
    LINE_BYTES = 320,
    NAME_BYTES = 24, /* the longest: "01-52-54-00-12-34-56" */
    DIGITS_MAX = 4,
};

struct making {
    const struct l2fwd_card *cards;
    uint32_t count;
    struct l2fwd_portmap *map;
    uint32_t wanted; /* bit n: port n may be used */
    uint32_t named;  /* by portmap= */
    uint32_t alone;  /* the machine was booted from it, and ports= does not name it */
    arg_report_fn *report;
    void *ctx;
};

static void say(const struct making *m, const char *fmt, ...) RT_PRINTF(2, 3);
static void say(const struct making *m, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, fmt);
    rt_vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    m->report(m->ctx, line);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* 0..15, or 16 when it is no hex digit. */
static uint32_t hex_digit(char c)
{
    c = lower(c);
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

/* "52:54:00:12:34:56" or with hyphens; PXELINUX writes the hardware type, 01, before it. */
static bool read_mac(const char *text, uint8_t mac[MAC_BYTES])
{
    size_t bytes = __builtin_strlen(text);

    if (bytes == 3 * MAC_BYTES + 2 && text[0] == '0' && text[1] == '1' && text[2] == '-')
        text += 3;
    else if (bytes != 3 * MAC_BYTES - 1)
        return false;
    for (unsigned i = 0; i < MAC_BYTES; i++, text += 3) {
        uint32_t high = hex_digit(text[0]), low = hex_digit(text[1]);

        if (high > 15 || low > 15)
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
        if (text[2] != (i + 1 == MAC_BYTES ? '\0' : ':') && text[2] != '-')
            return false;
    }
    return true;
}

static bool has_mac(const struct l2fwd_card *card, const uint8_t mac[MAC_BYTES])
{
    return __builtin_memcmp(card->mac, mac, MAC_BYTES) == 0;
}

/* lspci -D writes segment 0, we do not. */
static const char *without_segment_0(const char *bdf)
{
    bool long_form = __builtin_strlen(bdf) == 12 && __builtin_memcmp(bdf, "0000:", 5) == 0;

    return long_form ? bdf + 5 : bdf;
}

static bool same_address(const char *a, const char *b)
{
    a = without_segment_0(a);
    b = without_segment_0(b);
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

/* "01:00.0"; a digit is hex, all else as it stands. */
static bool looks_like_address(const char *name)
{
    size_t bytes = __builtin_strlen(name);

    if (bytes < 7 || name[bytes - 2] != '.' || name[bytes - 5] != ':')
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if (hex_digit(name[i]) > 15 && name[i] != ':' && name[i] != '.')
            return false;
    }
    return true;
}

static bool read_number(const char *name, uint32_t *number)
{
    const char *at = name;

    for (*number = 0; *at >= '0' && *at <= '9' && at - name < DIGITS_MAX; at++)
        *number = *number * 10 + (uint32_t)(*at - '0');
    return at != name && *at == '\0';
}

/* The port that `name` means, L2FWD_NO_PORT when no card has that address (a line says so).
 * RT_INVALID: not a name, or a number without a card. */
static enum rt_status find_card(const struct making *m, const char *name, uint8_t *port)
{
    uint8_t mac[MAC_BYTES];
    bool is_mac = read_mac(name, mac);
    uint32_t number;

    if (read_number(name, &number)) {
        *port = (uint8_t)number;
        if (number < m->count)
            return RT_OK;
        say(m, "l2fwd error=ports card=%s what=\"is not there: %u were found\"", name,
            m->count);
        return RT_INVALID;
    }
    if (!is_mac && !looks_like_address(name)) {
        say(m, "l2fwd error=ports card=\"%s\" what=\"is no number, PCI address or MAC\"", name);
        return RT_INVALID;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        *port = (uint8_t)i;
        if (is_mac ? has_mac(&m->cards[i], mac) : same_address(name, m->cards[i].bdf))
            return RT_OK;
    }
    *port = L2FWD_NO_PORT;
    say(m, "l2fwd card=%s warning=\"no card that a driver knows has this address\"", name);
    return RT_OK;
}

/* The name at *at, which moves behind the ',' or ')' that ends it. Returns that; 0: no name. */
static char read_name(const char **at, char name[NAME_BYTES])
{
    size_t bytes = 0;
    char end = '\0';

    for (; bytes + 1 < NAME_BYTES; bytes++) {
        end = **at;
        if (end == '\0')
            break;
        (*at)++;
        if (end == ',' || end == ')')
            break;
        name[bytes] = end;
    }
    name[bytes] = '\0';
    return bytes != 0 && (end == ',' || end == ')') ? end : '\0';
}

static enum rt_status unreadable(const struct making *m, const char *text, const char *wanted)
{
    say(m, "l2fwd error=ports text=\"%.200s\" what=\"cannot be read\" wanted=\"%s\"", text,
        wanted);
    return RT_INVALID;
}

/* ports=0x6 */
static enum rt_status wanted_from_mask(struct making *m, const char *text)
{
    uint32_t base = text[0] == '0' && lower(text[1]) == 'x' ? 16 : 10;
    const char *at = base == 16 ? text + 2 : text;
    uint32_t mask = 0;

    for (; hex_digit(*at) < base && mask <= UINT16_MAX; at++)
        mask = mask * base + hex_digit(*at);
    if (*at != '\0' || at == text + (base == 16 ? 2 : 0) || mask > UINT16_MAX)
        return unreadable(m, text, "a bit mask up to 0xffff, or a list as (0,02:00.0)");
    m->wanted = mask;
    return RT_OK;
}

/* ports=(0,02:00.0) */
static enum rt_status wanted_from_list(struct making *m, const char *text)
{
    const char *at = text + 1;
    char name[NAME_BYTES];

    for (char end = ','; end == ',';) { /* each name moves `at` */
        uint8_t port;

        end = read_name(&at, name);
        if (end == '\0')
            return unreadable(m, text, "a list as (0,02:00.0)");
        if (find_card(m, name, &port) != RT_OK)
            return RT_INVALID;
        if (port != L2FWD_NO_PORT)
            m->wanted |= 1u << port;
    }
    return *at == '\0' ? RT_OK : unreadable(m, text, "a list as (0,02:00.0)");
}

/* Cards with the address that the loader left, as a mask. */
static uint32_t booted_from(const struct making *m, const char *boot_mac)
{
    uint8_t mac[MAC_BYTES];
    uint32_t mask = 0;

    if (boot_mac[0] == '\0')
        return 0;
    if (!read_mac(boot_mac, mac)) {
        say(m, "l2fwd warning=\"boot.mac=%s is no MAC address: the card that the machine was"
               " booted from is not known\"", boot_mac);
        return 0;
    }
    for (uint32_t i = 0; i < m->count; i++)
        mask |= has_mac(&m->cards[i], mac) ? 1u << i : 0;
    return mask;
}

static void pair(struct making *m, uint8_t a, uint8_t b)
{
    const uint8_t both[2] = {a, b};
    bool whole = true;

    for (unsigned i = 0; i < 2; i++)
        whole &= both[i] != L2FWD_NO_PORT && !m->cards[both[i]].failed;
    for (unsigned i = 0; i < (a == b ? 1 : 2); i++) {
        uint8_t port = both[i], partner = both[1 - i];

        if (port == L2FWD_NO_PORT)
            continue;
        if (whole)
            m->map->peer[port] = partner;
        else if (m->cards[port].failed)
            say(m, "nic%u role=idle reason=\"the card failed, see above\"", port);
        else if (partner == L2FWD_NO_PORT)
            say(m, "nic%u role=idle reason=\"its partner is not there\"", port);
        else
            say(m, "nic%u role=idle reason=\"its partner nic%u failed\"", port, partner);
    }
}

static enum rt_status pair_from_text(struct making *m, const char *text, const char **at)
{
    char name[2][NAME_BYTES];
    uint8_t port[2];

    if (*(*at)++ != '(' || read_name(at, name[0]) != ',' || read_name(at, name[1]) != ')')
        return unreadable(m, text, "pairs as (0,1)(02:00.0,03:00.0)");
    for (unsigned i = 0; i < 2; i++) {
        if (find_card(m, name[i], &port[i]) != RT_OK)
            return RT_INVALID;
        if (port[i] == L2FWD_NO_PORT)
            continue;
        if ((m->alone >> port[i] & 1) != 0) {
            say(m, "l2fwd error=ports card=%s what=\"portmap= names it, but the machine was booted"
                   " from it\" remedy=\"name it in ports=, too, to use it all the same\"", name[i]);
            return RT_INVALID;
        }
        if ((m->wanted >> port[i] & 1) == 0) {
            say(m, "l2fwd error=ports card=%s what=\"portmap= names it, ports= does not\"",
                name[i]);
            return RT_INVALID;
        }
        if ((m->named >> port[i] & 1) != 0 && (i == 0 || port[0] != port[1])) {
            say(m, "l2fwd error=ports card=%s what=\"portmap= names it twice\"", name[i]);
            return RT_INVALID;
        }
        m->named |= 1u << port[i];
    }
    pair(m, port[0], port[1]);
    return RT_OK;
}

static void pair_neighbours(struct making *m)
{
    uint8_t waiting = L2FWD_NO_PORT;

    for (uint8_t port = 0; port < m->count; port++) {
        if ((m->wanted >> port & 1) == 0)
            continue;
        if ((m->alone >> port & 1) != 0) {
            say(m, "nic%u role=management reason=\"booted from it; name it in ports= to use"
                   " it\"", port);
        } else if (waiting == L2FWD_NO_PORT) {
            waiting = port;
        } else {
            pair(m, waiting, port);
            waiting = L2FWD_NO_PORT;
        }
    }
    if (waiting != L2FWD_NO_PORT)
        say(m, "nic%u role=idle reason=\"has no partner; portmap=(%u,%u) makes it send back"
               " what it receives\"", waiting, waiting, waiting);
}

enum rt_status l2fwd_roles_make(const struct l2fwd_wishes *wishes,
                                const struct l2fwd_card *cards, uint32_t count,
                                struct l2fwd_portmap *map, arg_report_fn *report, void *ctx)
{
    struct making m = {cards, RT_MIN(count, (uint32_t)NIC_PORTS_MAX), map, .report = report,
                       .ctx = ctx};
    const char *at = wishes->portmap;
    enum rt_status st = RT_OK;

    map->used = 0;
    __builtin_memset(map->peer, L2FWD_NO_PORT, sizeof(map->peer));
    if (wishes->ports[0] == '(')
        st = wanted_from_list(&m, wishes->ports);
    else if (wishes->ports[0] != '\0')
        st = wanted_from_mask(&m, wishes->ports);
    if (st == RT_OK && m.wanted == 0 && wishes->ports[0] != '(') {
        m.wanted = UINT32_MAX;
        m.alone = booted_from(&m, wishes->boot_mac);
    }
    while (st == RT_OK && *at != '\0') /* each pair moves it */
        st = pair_from_text(&m, wishes->portmap, &at);
    if (wishes->portmap[0] == '\0' && st == RT_OK)
        pair_neighbours(&m);
    for (uint32_t port = 0; port < m.count; port++)
        map->used += map->peer[port] != L2FWD_NO_PORT;
    if (st == RT_OK && map->used == 0) {
        say(&m, "l2fwd error=ports what=\"none of the %u cards has anything to do\" remedy="
                "\"ports= and portmap= choose; a single port needs portmap=(0,0)\"", m.count);
        return RT_INVALID;
    }
    return st;
}
