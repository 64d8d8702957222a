/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of cards, and which of them an application may use. Pure.
 *
 * Numbers count cards in PCI order, and one that fails keeps its number, so that no other two
 * networks get bridged. The card that the machine was booted from is left alone unless the
 * user names it in ports=: whoever answers on that network may be the one who serves it.
 */
#ifndef KIT_CARDS_H
#define KIT_CARDS_H

#include <pmd/nic.h>
#include <rt/args.h>

#define KIT_NO_PORT 0xff
#define KIT_CARD_NAME_BYTES NIC_PLACE_BYTES /* of cards 21 at most */

struct kit_card {
    char place[NIC_PLACE_BYTES]; /* "01:00.0"; in a Linux process "tap:left", too */
    uint8_t mac[6];          /* zero when the card failed before it was read */
    bool failed;
};

struct kit_cards {
    const char *app; /* its name: lines begin with it */
    const struct kit_card *card;
    uint32_t count;
    uint32_t wanted; /* bit n: port n may be used */
    uint32_t alone;  /* bit n: the machine was booted from it, and ports= does not name it */
    arg_report_fn *report; /* gets a line for each mistake, and for each card that stays idle */
    void *ctx;
};

/* Who sends where. peer[p]: the port that frames of port p leave through, and whose frames
 * leave through p; it may be p itself. KIT_NO_PORT: p is not used. */
struct kit_portmap {
    uint8_t peer[NIC_PORTS_MAX];
    uint32_t used; /* ports in use; the kit counts them */
};

/* Sets `wanted` and `alone` from the texts of the boot arguments: `ports` is "" or "0" for all,
 * "0x6" (bit n is port n) or "(0,02:00.0)"; `boot_mac` may be "". RT_INVALID: a text cannot be
 * meant, a line says so. */
RT_NODISCARD enum rt_status kit_cards_choose(struct kit_cards *cards, const char *ports,
                                             const char *boot_mac);
/* The port that `name` means; KIT_NO_PORT when no card has that address (a line says so).
 * RT_INVALID: it is not a name, or a number without a card. */
RT_NODISCARD enum rt_status kit_cards_find(const struct kit_cards *cards, const char *name,
                                           uint8_t *port);
/* Each card that may be used sends where it receives: for applications that answer, or only
 * receive. RT_INVALID: none is left. */
RT_NODISCARD enum rt_status kit_cards_to_self(const struct kit_cards *cards,
                                              struct kit_portmap *map);

/* For texts that name cards. The name at *at, which moves behind the ',' or ')' that ends it.
 * Returns that character; 0: no name. */
char kit_cards_name(const char **at, char name[KIT_CARD_NAME_BYTES]);
/* A line for the user. */
void kit_cards_say(const struct kit_cards *cards, const char *fmt, ...) RT_PRINTF(2, 3);
/* ... about a port that is left alone, ... */
void kit_cards_say_alone(const struct kit_cards *cards, uint8_t port);
/* ... about a text that cannot be read. Returns RT_INVALID. */
RT_NODISCARD enum rt_status kit_cards_unreadable(const struct kit_cards *cards,
                                                 const char *text, const char *wanted);

#endif
