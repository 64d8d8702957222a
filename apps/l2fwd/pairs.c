/* SPDX-License-Identifier: BSD-2-Clause */
/* Who forwards to whom; see the header. */
#include "pairs.h"

#include <rt/assert.h>

struct making {
    const struct kit_cards *cards;
    struct kit_portmap *map;
    uint32_t named; /* bit n: portmap= names port n */
};

static void idle(const struct making *m, uint8_t port, uint8_t partner)
{
    if (m->cards->card[port].failed)
        kit_cards_say(m->cards, "nic%u role=idle reason=\"the card failed, see above\"", port);
    else if (partner == KIT_NO_PORT)
        kit_cards_say(m->cards, "nic%u role=idle reason=\"its partner is not there\"", port);
    else
        kit_cards_say(m->cards, "nic%u role=idle reason=\"its partner nic%u failed\"", port,
                      partner);
}

/* Both ways; one that is not there, or failed, stops both. */
static void pair(struct making *m, uint8_t a, uint8_t b)
{
    const uint8_t both[2] = {a, b};
    bool whole = true;

    for (unsigned i = 0; i < 2; i++)
        whole &= both[i] != KIT_NO_PORT && !m->cards->card[both[i]].failed;
    for (unsigned i = 0; i < (a == b ? 1 : 2); i++) {
        if (both[i] == KIT_NO_PORT)
            continue;
        RT_ASSERT_EQ(m->map->peer[both[i]], KIT_NO_PORT); /* a port has one partner */
        if (whole)
            m->map->peer[both[i]] = both[1 - i];
        else
            idle(m, both[i], both[1 - i]);
    }
}

static enum rt_status refuse(const struct making *m, const char *name, const char *what)
{
    kit_cards_say(m->cards, "l2fwd error=ports card=%s what=\"portmap= names it%s", name, what);
    return RT_INVALID;
}

/* A name in portmap=: its port, which may be used, and is not named in another pair. */
static enum rt_status named_port(struct making *m, const char *name, uint8_t partner,
                                 uint8_t *port)
{
    if (kit_cards_find(m->cards, name, port) != RT_OK)
        return RT_INVALID;
    if (*port == KIT_NO_PORT)
        return RT_OK;
    if ((m->cards->alone >> *port & 1) != 0)
        return refuse(m, name, ", but the machine was booted from it\" remedy=\"name it in"
                               " ports=, too, to use it all the same\"");
    if ((m->cards->wanted >> *port & 1) == 0)
        return refuse(m, name, ", ports= does not\"");
    if ((m->named >> *port & 1) != 0 && *port != partner)
        return refuse(m, name, " twice\"");
    m->named |= 1u << *port;
    return RT_OK;
}

static enum rt_status pair_from_text(struct making *m, const char *text, const char **at)
{
    char a_name[KIT_CARD_NAME_BYTES], b_name[KIT_CARD_NAME_BYTES];
    uint8_t a, b;

    if (*(*at)++ != '(' || kit_cards_name(at, a_name) != ',' ||
        kit_cards_name(at, b_name) != ')')
        return kit_cards_unreadable(m->cards, text, "pairs as (0,1)(02:00.0,03:00.0)");
    if (named_port(m, a_name, KIT_NO_PORT, &a) != RT_OK ||
        named_port(m, b_name, a, &b) != RT_OK)
        return RT_INVALID;
    pair(m, a, b);
    return RT_OK;
}

static void pair_neighbours(struct making *m)
{
    uint8_t waiting = KIT_NO_PORT;

    for (uint8_t port = 0; port < m->cards->count; port++) {
        if ((m->cards->wanted >> port & 1) == 0)
            continue;
        if ((m->cards->alone >> port & 1) != 0) {
            kit_cards_say_alone(m->cards, port);
        } else if (waiting == KIT_NO_PORT) {
            waiting = port;
        } else {
            pair(m, waiting, port);
            waiting = KIT_NO_PORT;
        }
    }
    if (waiting != KIT_NO_PORT)
        kit_cards_say(m->cards, "nic%u role=idle reason=\"has no partner; portmap=(%u,%u) makes"
                                " it send back what it receives\"", waiting, waiting, waiting);
}

enum rt_status l2fwd_pairs_make(const struct kit_cards *cards, const char *portmap,
                                struct kit_portmap *map)
{
    struct making m = {.cards = cards, .map = map};
    const char *at = portmap;
    bool any = false;

    RT_ASSERT_LE(cards->count, (uint32_t)NIC_PORTS_MAX);
    while (*at != '\0') { /* each pair moves it */
        if (pair_from_text(&m, portmap, &at) != RT_OK)
            return RT_INVALID;
    }
    if (portmap[0] == '\0')
        pair_neighbours(&m);
    for (uint32_t port = 0; port < cards->count; port++)
        any |= map->peer[port] != KIT_NO_PORT;
    if (any)
        return RT_OK;
    kit_cards_say(cards, "l2fwd error=ports what=\"none of the %u cards has anything to do\""
                         " remedy=\"ports= and portmap= choose; a single port needs"
                         " portmap=(0,0)\"", cards->count);
    return RT_INVALID;
}
