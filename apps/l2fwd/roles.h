/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each card is for: forwards to which, is left alone, or stays idle. Pure.
 *
 * A card forwards only when that is what the user asked for, or when it has a partner that
 * nobody asked otherwise: on the network that the machine was booted from, or on one that has
 * a single cable here, a forwarder is a storm. Numbers count cards in PCI order, and one that
 * fails keeps its number and its partner, so that no other two networks get bridged.
 */
#ifndef L2FWD_ROLES_H
#define L2FWD_ROLES_H

#include <pmd/nic.h>
#include <rt/args.h>

#define L2FWD_NO_PORT 0xff

/* peer[p]: the port that frames of port p leave through; L2FWD_NO_PORT: p is not used. */
struct l2fwd_portmap {
    uint8_t peer[NIC_PORTS_MAX];
    uint32_t used; /* ports in use */
};

struct l2fwd_card {
    char bdf[NIC_BDF_BYTES]; /* "01:00.0" */
    uint8_t mac[6];          /* zero when the card failed before it was read */
    bool failed;
};

/* Texts as in docs/boot-args.md; a card is a number, a PCI address or a MAC. */
struct l2fwd_wishes {
    const char *ports;    /* "" or "0": all; "0x6": bit n is port n; "(0,02:00.0)" */
    const char *portmap;  /* "(0,1)(02:00.0,03:00.0)"; "": neighbours */
    const char *boot_mac; /* the card that the machine was booted from; "": not known */
};

/*
 * Every port that gets no frames, for whatever reason but that the user left it out, is a line
 * for `report`; so is a mistake. RT_INVALID: a text cannot be meant, or no port is left.
 * A card that is named by address and is not there, or failed, stops its own pair only.
 */
RT_NODISCARD enum rt_status l2fwd_roles_make(const struct l2fwd_wishes *wishes,
                                             const struct l2fwd_card *cards, uint32_t count,
                                             struct l2fwd_portmap *map,
                                             arg_report_fn *report, void *ctx);

#endif
