/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of cards, and which may be used; see the header. */
#include <kit/cards.h>

#include <rt/assert.h>
#include <rt/log.h>

enum {
    MAC_BYTES = 6,
    LINE_BYTES = 320,
    DIGITS_MAX = 4,
};

void kit_cards_say(const struct kit_cards *cards, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;

    RT_ASSERT(cards->report != NULL);
    va_start(args, fmt);
    rt_vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    cards->report(cards->ctx, line);
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

static bool has_mac(const struct kit_card *card, const uint8_t mac[MAC_BYTES])
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

/* "tap:left", as it stands; the addresses of cards have more than one form. */
static bool find_place(const struct kit_cards *cards, const char *name, uint8_t *port)
{
    const size_t bytes = __builtin_strlen(name) + 1;

    for (uint32_t i = 0; i < cards->count; i++) {
        if (bytes > NIC_PLACE_BYTES ||
            __builtin_memcmp(cards->card[i].place, name, bytes) != 0)
            continue;
        *port = (uint8_t)i;
        return true;
    }
    return false;
}

enum rt_status kit_cards_find(const struct kit_cards *cards, const char *name, uint8_t *port)
{
    uint8_t mac[MAC_BYTES];
    bool is_mac = read_mac(name, mac);
    uint32_t number;

    RT_ASSERT_LE(cards->count, (uint32_t)NIC_PORTS_MAX);
    if (find_place(cards, name, port))
        return RT_OK;
    if (read_number(name, &number)) {
        *port = (uint8_t)number;
        if (number < cards->count)
            return RT_OK;
        kit_cards_say(cards, "%s error=ports card=%s what=\"is not there: %u were found\"",
                      cards->app, name, cards->count);
        return RT_INVALID;
    }
    if (!is_mac && !looks_like_address(name)) {
        kit_cards_say(cards, "%s error=ports card=\"%s\" what=\"is no number, PCI address or"
                             " MAC\"", cards->app, name);
        return RT_INVALID;
    }
    for (uint32_t i = 0; i < cards->count; i++) {
        *port = (uint8_t)i;
        if (is_mac ? has_mac(&cards->card[i], mac) : same_address(name, cards->card[i].place))
            return RT_OK;
    }
    *port = KIT_NO_PORT;
    kit_cards_say(cards, "%s card=%s warning=\"no card that a driver knows has this address\"",
                  cards->app, name);
    return RT_OK;
}

char kit_cards_name(const char **at, char name[KIT_CARD_NAME_BYTES])
{
    size_t bytes = 0;
    char end = '\0';

    for (; bytes + 1 < KIT_CARD_NAME_BYTES; bytes++) {
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

enum rt_status kit_cards_unreadable(const struct kit_cards *cards, const char *text,
                                    const char *wanted)
{
    kit_cards_say(cards, "%s error=ports text=\"%.200s\" what=\"cannot be read\" wanted=\"%s\"",
                  cards->app, text, wanted);
    return RT_INVALID;
}

/* ports=0x6 */
static enum rt_status wanted_from_mask(struct kit_cards *cards, const char *text)
{
    uint32_t base = text[0] == '0' && lower(text[1]) == 'x' ? 16 : 10;
    const char *at = base == 16 ? text + 2 : text;
    uint32_t mask = 0;

    for (; hex_digit(*at) < base && mask <= UINT16_MAX; at++)
        mask = mask * base + hex_digit(*at);
    if (*at != '\0' || at == text + (base == 16 ? 2 : 0) || mask > UINT16_MAX)
        return kit_cards_unreadable(cards, text,
                                    "a bit mask up to 0xffff, or a list as (0,02:00.0)");
    cards->wanted = mask;
    return RT_OK;
}

/* ports=(0,02:00.0) */
static enum rt_status wanted_from_list(struct kit_cards *cards, const char *text)
{
    const char *at = text + 1;
    char name[KIT_CARD_NAME_BYTES];

    RT_ASSERT_EQ(text[0], '(');
    for (char end = ','; end == ',';) { /* each name moves `at` */
        uint8_t port;

        end = kit_cards_name(&at, name);
        if (end == '\0')
            return kit_cards_unreadable(cards, text, "a list as (0,02:00.0)");
        if (kit_cards_find(cards, name, &port) != RT_OK)
            return RT_INVALID;
        if (port != KIT_NO_PORT)
            cards->wanted |= 1u << port;
    }
    return *at == '\0' ? RT_OK : kit_cards_unreadable(cards, text, "a list as (0,02:00.0)");
}

/* Cards with the address that the loader left, as a mask. */
static uint32_t booted_from(const struct kit_cards *cards, const char *boot_mac)
{
    uint8_t mac[MAC_BYTES];
    uint32_t mask = 0;

    if (boot_mac[0] == '\0')
        return 0;
    if (!read_mac(boot_mac, mac)) {
        kit_cards_say(cards, "%s warning=\"boot.mac=%s is no MAC address: the card that the"
                             " machine was booted from is not known\"", cards->app, boot_mac);
        return 0;
    }
    for (uint32_t i = 0; i < cards->count; i++)
        mask |= has_mac(&cards->card[i], mac) ? 1u << i : 0;
    return mask;
}

enum rt_status kit_cards_choose(struct kit_cards *cards, const char *ports,
                                const char *boot_mac)
{
    enum rt_status st = RT_OK;

    RT_ASSERT_LE(cards->count, (uint32_t)NIC_PORTS_MAX);
    cards->wanted = cards->alone = 0;
    if (ports[0] == '(')
        return wanted_from_list(cards, ports);
    if (ports[0] != '\0')
        st = wanted_from_mask(cards, ports);
    if (st == RT_OK && cards->wanted == 0) {
        cards->wanted = UINT32_MAX;
        cards->alone = booted_from(cards, boot_mac);
    }
    return st;
}

void kit_cards_say_alone(const struct kit_cards *cards, uint8_t port)
{
    RT_ASSERT_LT(port, cards->count);
    kit_cards_say(cards, "nic%u role=management reason=\"booted from it; name it in ports= to"
                         " use it\"", port);
}

enum rt_status kit_cards_to_self(const struct kit_cards *cards, struct kit_portmap *map)
{
    uint32_t used = 0;

    RT_ASSERT_LE(cards->count, (uint32_t)NIC_PORTS_MAX);
    for (uint8_t port = 0; port < cards->count; port++) {
        if ((cards->wanted >> port & 1) == 0)
            continue;
        if ((cards->alone >> port & 1) != 0) {
            kit_cards_say_alone(cards, port);
        } else if (cards->card[port].failed) {
            kit_cards_say(cards, "nic%u role=idle reason=\"the card failed, see above\"", port);
        } else {
            map->peer[port] = port;
            used++;
        }
    }
    if (used != 0)
        return RT_OK;
    kit_cards_say(cards, "%s error=ports what=\"none of the %u cards can be used\""
                         " remedy=\"ports= chooses\"", cards->app, cards->count);
    return RT_INVALID;
}
