/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address conflicts of IPv4 (RFC 5227): before an address is used the link is asked whether
 * somebody has it, then everybody is told that it is ours, and a neighbour that still has the MAC
 * of a boot ROM, or of the machine that had the address before, learns the new one.
 *
 *     TENTATIVE -- three probes, no answer --> used, announced twice
 *         |  ^                                   |
 *  answer |  | a minute later                    | another uses it: said once more that it is
 *         v  |                                   | ours, at most every 10 s (2.4 (c): a server
 *        taken                                   v  does not let its connections go)
 *
 * A link that comes back may be another one: the addresses are asked for and announced again,
 * and used meanwhile. RFC 5227 waits 1 to 2 s between probes, and 2 s behind them; we wait
 * ACD_PROBE_US: a host that boots answers seconds earlier, and who holds the address answers in
 * milliseconds on the links of today.
 */
#ifndef TCP_LINK_ACD_H
#define TCP_LINK_ACD_H

#include <rt/base.h>

#define ACD_PROBES 3
#define ACD_PROBE_US 200000 /* between probes, and behind the last */
#define ACD_ANNOUNCEMENTS 2
#define ACD_ANNOUNCE_US 2000000
#define ACD_DEFEND_US 10000000
#define ACD_AGAIN_US 60000000 /* RFC 5227 2.1.1: RATE_LIMIT_INTERVAL */

struct net_if;
struct if_addr;
struct arp_header;

/* Of an address. */
struct acd {
    uint64_t due_us;      /* of the next step; UINT64_MAX: none */
    uint64_t defended_us; /* 0: never */
    uint8_t probes, announcements; /* still to be sent */
    bool taken;           /* another host has it */
};

/* Asks for an address, then announces it: at once, or when the link is up. Of one that is
 * TENTATIVE the end is told (NET_ADDR_READY or NET_ADDR_TAKEN). */
void acd_begin(struct net_if *iface, struct if_addr *own);
/* Everything again: the link is back. */
void acd_link_up(struct net_if *iface);
/* An ARP message came. True: it says that another host has, or wants, an address of ours. */
bool acd_input(struct net_if *iface, const struct arp_header *arp);
void acd_close(struct net_if *iface);

#endif
