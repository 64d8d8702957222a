/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of a stack by name: a row each, as struct net_counters has them. */
#include <tcp/net.h>

#define ROW(field, text) [offsetof(struct net_counters, field) / sizeof(uint64_t)] = {#field, text}

const struct net_counter_row net_counter_rows[] = {
    ROW(eth_short, "frames cut short before the header ends"),
    ROW(eth_not_for_us, "frames for another MAC, or for a group nobody joined"),
    ROW(eth_other_vlan, "frames with the tag of another VLAN, or none where we have one"),
    ROW(eth_unknown_type, "frames with an EtherType that nobody here speaks"),
    ROW(arp_in, "ARP messages received"),
    ROW(arp_out, "ARP messages sent"),
    ROW(arp_bad, "ARP messages that are not Ethernet and IPv4, or cut short"),
    ROW(arp_conflicts, "ARP messages of a host that uses an address of ours"),
    ROW(neigh_failed, "neighbours that never answered"),
    ROW(neigh_dropped, "packets dropped while they waited for a neighbour"),
    ROW(neigh_full, "packets dropped for want of room for another neighbour"),
    ROW(ip_in_receives, "IP packets received (ipInReceives)"),
    ROW(ip_in_hdr_errors, "... with a wrong version, length or checksum (ipInHdrErrors)"),
    ROW(ip_in_addr_errors, "... not for us, or from an address no host has (ipInAddrErrors)"),
    ROW(ip_in_truncated, "... longer than the frame they came in (ipInTruncatedPkts)"),
    ROW(ip_in_options, "... with a source route"),
    ROW(ip_in_unknown_protos, "... of a protocol that nobody here speaks (ipInUnknownProtos)"),
    ROW(ip_in_delivers, "... given to the layer above (ipInDelivers)"),
    ROW(ip_reasm_fails, "fragments dropped (ipReasmFails)"),
    ROW(ip_out_requests, "IP packets to be sent (ipOutRequests)"),
    ROW(ip_out_no_routes, "... without a way there (ipOutNoRoutes)"),
    ROW(ip_out_discards, "... dropped for want of room or of a buffer (ipOutDiscards)"),
    ROW(ip_out_frag_creates, "fragments sent (ipOutFragCreates)"),
    ROW(ip_out_frag_fails, "IP packets too long, and not to be cut (ipOutFragFails)"),
    ROW(icmp_in_msgs, "ICMP messages received (icmpStatsInMsgs)"),
    ROW(icmp_in_errors, "... cut short, or with a wrong checksum (icmpStatsInErrors)"),
    ROW(icmp_out_msgs, "ICMP messages sent (icmpStatsOutMsgs)"),
    ROW(icmp_out_limited, "ICMP errors not sent, too many a second"),
    ROW(if_out_frames, "frames that devices took"),
};
_Static_assert(RT_ARRAY_SIZE(net_counter_rows) == NET_COUNTERS, "a row for each");
