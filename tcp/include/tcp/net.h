/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network stack of one core: from frames to datagrams and streams, and back.
 *
 * A struct net is the whole state: no globals, no device, no clock. Frames come in as batches that
 * it then owns, time as an argument, and what it has to send leaves through a function of the
 * interface. So it runs the same on a NIC, in a test with virtual time, and between two of
 * its kind. Everything is allocated by net_create(); nothing afterwards.
 *
 *     turn of a core:  net_input() for each batch that came in -> net_turn(): timers, then what
 *                      connections have to say, then one send() an interface
 *     before a halt:   net_next_us() says when the next turn must be
 *
 * Ownership: net_input() consumes the batch. send() takes frames from the front of its batch; what
 * is left waits for the next turn. At the end net_close() gives every buffer back.
 * Not reentrant, and one core's: no function here may be called by another core.
 */
#ifndef TCP_NET_H
#define TCP_NET_H

#include <mempool/buf.h>
#include <tcp/addr.h>

#define NET_IFS_MAX 4
#define NET_ADDRS_MAX 8 /* of an interface */

struct net;
struct net_share;
struct pool;

struct net_config {
    unsigned core;
    struct pool *pool;     /* of this core: what the stack sends of its own is taken from it */
    uint32_t neighs;       /* neighbours to remember, at most; 0: 256 */
    uint32_t reserve_bufs; /* of the pool, for the stack alone: net_before_receive(); at most
                            * BUF_BATCH_MAX and a sixteenth of the pool; 0: none */
    uint8_t key[16];       /* secret: of hashes and of first sequence numbers */
};

/* What becomes of an address of ours. */
enum net_addr_event {
    NET_ADDR_READY,    /* nobody else has it: it is used from now on */
    NET_ADDR_TAKEN,    /* another host has it: not used, asked for again a minute later */
    NET_ADDR_CONFLICT, /* another host uses it, too: it stays ours, and everybody is told so */
};

/* What is behind an interface. Its functions are called on the stack's core. */
struct net_if_config {
    uint8_t mac[6];
    uint16_t mtu_bytes; /* of an IP packet: 1500 on Ethernet */
    uint16_t vlan;      /* frames carry this tag; 0: none */
    bool tx_ip_checksum, tx_l4_checksum; /* the device fills them in where it is asked to */
    bool tx_tso;     /* with both: it cuts up segments of TCP (BUF_TX_TSO) */
    uint8_t tx_bufs; /* that a frame may lie in, at most, 2 or more; 0: any number */
    /* Lets in the frames to this group's MAC, from now on. NULL: the device lets in all. Called for
     * what is known at the start by the core that starts, later by the stack's. */
    void (*join)(void *ctx, const uint8_t mac[6]);
    /* Takes frames from the front of the batch, as nic_tx() does; moves the rest to the front. */
    void (*send)(void *ctx, struct buf_batch *frames);
    /* For a log, at once, from net_input() and net_turn(): calls nothing here. May be NULL. */
    void (*told)(void *ctx, const struct ip_addr *addr, enum net_addr_event event);
    void *ctx;
    const struct net_share *share; /* with stacks of other cores (<tcp/share.h>), borrowed; NULL:
                                    * the interface is this stack's alone */
};

/* An address, and how many of its bits are its subnet's. */
struct net_addr {
    struct ip_addr addr;
    uint32_t prefix_bits;
};

/* All that an interface has of IPv4: from boot arguments, from a lease; plain data, which one
 * core may hand to another. */
struct net_setup {
    struct net_addr addrs[NET_ADDRS_MAX];
    uint32_t count;
    struct ip_addr gateway;
    bool has_gateway;
    bool probe;         /* ask the link before an address is used (RFC 5227) */
    uint16_t mtu_bytes; /* 0: what the device carries */
};

/* Makes a stack without interfaces. RT_NO_MEMORY: nothing is given back. Before the seal. */
RT_NODISCARD enum rt_status net_create(const struct net_config *config, uint64_t now_us,
                                       struct net **out);
/* Adds interface 0, then 1, ... RT_INVALID: an MTU below what IPv4 needs, a group's MAC,
 * or frames of one buffer.
 * RT_FULL: NET_IFS_MAX are there. */
RT_NODISCARD enum rt_status net_if_add(struct net *net, const struct net_if_config *config,
                                       uint32_t *iface);
/* Begins IPv6 on an interface: its link-local address. `automatic`: addresses and routers, too, as
 * the link's routers advertise them (RFC 4862). An address is in use about a second later, when
 * nobody else had it: config.told() says so. RT_INVALID: an MTU below 1280 bytes (RFC 8200 5). */
RT_NODISCARD enum rt_status net_ip6_start(struct net *net, uint32_t iface, bool automatic);
/* An address of ours, its first `prefix_bits` are the subnet's. RT_INVALID: not one that a host
 * can have, or of IPv6, which was not started; RT_BUSY: IPv6 has it already; RT_FULL. */
RT_NODISCARD enum rt_status net_addr_add(struct net *net, uint32_t iface,
                                         const struct ip_addr *addr, uint32_t prefix_bits);
/* Where packets of its family go that are for no subnet of ours; of IPv6 there may be several, in
 * order of preference. RT_INVALID: the gateway is in none; RT_FULL. */
RT_NODISCARD enum rt_status net_gateway_set(struct net *net, uint32_t iface,
                                            const struct ip_addr *gateway);

/* What an interface has of IPv4 becomes this. Addresses that it has already stay as they are; those
 * that go end their connections (TCP_NO_ADDRESS). RT_INVALID: an address that no host has, a
 * gateway in no subnet, an MTU out of range; then nothing changed. */
RT_NODISCARD enum rt_status net_setup_apply(struct net *net, uint32_t iface,
                                            const struct net_setup *setup);
/* What an interface has of IPv4 now: addresses in use, not those that are still asked for. */
void net_setup_get(const struct net *net, uint32_t iface, struct net_setup *setup);
/* The same of IPv6, addresses alone; returns how many. */
uint32_t net_ip6_get(const struct net *net, uint32_t iface, struct net_addr addrs[NET_ADDRS_MAX]);
/* The link is there, or not; at first it is. When it comes back addresses are asked for and
 * announced again; connections live on. */
void net_link(struct net *net, uint32_t iface, bool up);

/* Before frames are received into buffers of the stack's pool. When it holds less than a batch the
 * stack's reserve goes into it: then a device finds buffers for what comes in, which is read for
 * what it acknowledges. net_input(), or net_turn(), takes the reserve out again. */
void net_before_receive(struct net *net);
/* Frames that came in by an interface; consumed, the batch is empty afterwards. */
void net_input(struct net *net, uint32_t iface, struct buf_batch *frames_owned,
               uint64_t now_us);
/* The end of a turn: timers that are due (a bounded number), then all that waits to be sent. */
void net_turn(struct net *net, uint64_t now_us);
/* When net_turn() must be called though nothing comes in; 0: now; UINT64_MAX: never. */
uint64_t net_next_us(const struct net *net);
/* Gives back every buffer that the stack holds. No call but for net_counters() after it. */
void net_close(struct net *net);

/* What happened, by the names of RFC 4293 and RFC 4022 where these have one. One core's. */
struct net_counters {
    uint64_t bufs_dry;         /* batches received on the reserve: the pool was empty */
    uint64_t bufs_missing;     /* what a peer or a neighbour waited for had no buffer */
    uint64_t eth_short;        /* cut short before the header ends */
    uint64_t eth_not_for_us;   /* another host's MAC, or a group that nobody joined */
    uint64_t eth_other_vlan;   /* a tag that is not ours, or none where we have one */
    uint64_t eth_unknown_type; /* EtherType, or an 802.3 length */
    uint64_t arp_in, arp_out;
    uint64_t arp_bad;            /* not Ethernet and IPv4, cut short, a sender that is none */
    uint64_t arp_conflicts;      /* another host uses an address of ours */
    uint64_t nd_bad;             /* messages of neighbours and routers that nobody may send so */
    uint64_t nd_ignored;         /* redirects; routers where nobody is to listen to them */
    uint64_t nd_conflicts;       /* another host has an address of ours, or that was to be */
    uint64_t nd_full;            /* no room for another router, prefix or address */
    uint64_t neigh_failed;       /* a neighbour never answered */
    uint64_t neigh_dropped;      /* packets that waited for one, and were dropped */
    uint64_t neigh_full;         /* no room for another neighbour */
    uint64_t ip_in_receives;     /* ipInReceives: all that came in */
    uint64_t ip_in_hdr_errors;   /* ipInHdrErrors: version, lengths, checksum */
    uint64_t ip_in_addr_errors;  /* ipInAddrErrors: not for us, or from nobody */
    uint64_t ip_in_truncated;    /* ipInTruncatedPkts: the frame is shorter than it says */
    uint64_t ip_in_options;      /* source routes; extension headers that are wrong or too many */
    uint64_t ip6_in_no_next;     /* that carry nothing (RFC 8200 4.7) */
    uint64_t ip_in_unknown_protos; /* ipInUnknownProtos */
    uint64_t ip_in_delivers;     /* ipInDelivers */
    uint64_t ip_reasm_reqds;     /* ipReasmReqds: fragments that came */
    uint64_t ip_reasm_oks;       /* ipReasmOKs: datagrams they became */
    uint64_t ip_reasm_fails;     /* ipReasmFails: late, overlapping, too many, wrong in itself */
    uint64_t ip_reasm_evicted;   /* of these: room for a newer one */
    uint64_t ip_reasm_duplicates; /* fragments that were there, or whose datagram had failed */
    uint64_t ip_out_requests;    /* ipOutRequests */
    uint64_t ip_out_no_routes;   /* ipOutNoRoutes */
    uint64_t ip_out_discards;    /* ipOutDiscards: no room to send, or no buffer */
    uint64_t ip_out_frag_creates; /* ipOutFragCreates */
    uint64_t ip_out_frag_fails;  /* ipOutFragFails: too long, and not to be cut */
    uint64_t icmp_in_msgs;       /* icmpStatsInMsgs */
    uint64_t icmp_in_errors;     /* icmpStatsInErrors: length, checksum */
    uint64_t icmp_in_ignored;    /* of a type that nobody here reads; echoes to a group */
    uint64_t icmp_in_unbelieved; /* errors that quote nothing that is on its way (RFC 5927) */
    uint64_t icmp_out_msgs;      /* icmpStatsOutMsgs */
    uint64_t icmp_out_errors;    /* icmpStatsOutErrors: not sent, no buffer */
    uint64_t icmp_out_limited;   /* errors that were not sent: too many a second */
    uint64_t if_out_frames;      /* that devices took */
    uint64_t share_in, share_out; /* messages between stacks with the same addresses */
    uint64_t share_full;         /* ... that had no room */
    uint64_t udp_in_datagrams;   /* udpInDatagrams: for sockets */
    uint64_t udp_no_ports;       /* udpNoPorts */
    uint64_t udp_in_errors;      /* udpInErrors: length, checksum */
    uint64_t udp_queue_full;     /* a socket had no room for it */
    uint64_t udp_mtu_lowered;    /* paths that carry less than the link, as a router said */
    uint64_t udp_out_datagrams;  /* udpOutDatagrams */
    uint64_t dhcp_in, dhcp_out;
    uint64_t dhcp_bad;           /* not for us, cut short, options that overrun or contradict */
    uint64_t dhcp_ignored;       /* another number or server, or nothing that was asked */
    uint64_t dhcp_granted;       /* leases, first and renewed */
    uint64_t dhcp_refused;       /* by a server */
    uint64_t dhcp_declined;      /* by us: another host has the address */
    uint64_t dhcp_expired;       /* leases that nobody renewed */
    uint64_t tcp_in_segs;        /* tcpInSegs */
    uint64_t tcp_in_errs;        /* tcpInErrs: lengths, checksum, options, to a group */
    uint64_t tcp_out_segs;       /* tcpOutSegs, without retransmissions */
    uint64_t tcp_out_rsts;       /* tcpOutRsts */
    uint64_t tcp_retrans_segs;   /* tcpRetransSegs */
    uint64_t tcp_active_opens;   /* tcpActiveOpens */
    uint64_t tcp_passive_opens;  /* tcpPassiveOpens */
    uint64_t tcp_attempt_fails;  /* tcpAttemptFails */
    uint64_t tcp_estab_resets;   /* tcpEstabResets */
    uint64_t tcp_in_ignored;     /* flags that say nothing there: no ACK, SYN with FIN, odd RST */
    uint64_t tcp_mss_refused;    /* SYNs of peers that take less than 64 bytes in a segment */
    uint64_t tcp_syn_data;       /* SYNs with data, which is dropped and comes again */
    uint64_t tcp_late_data;      /* data behind the peer's FIN */
    uint64_t tcp_twice;          /* ranges that came more than once (RFC 2883) */
    uint64_t tcp_syn_dropped;    /* SYNs while nothing can be served, or buffers are few */
    uint64_t tcp_accept_full;    /* ACKs that would complete a handshake, meanwhile */
    uint64_t tcp_cookies_sent;   /* SYNs answered without keeping anything (RFC 4987) */
    uint64_t tcp_cookies_good;   /* ... and what came back */
    uint64_t tcp_cookies_bad;    /* ACKs of nothing that stands, while cookies are about */
    uint64_t tcp_unacceptable;   /* segments outside the window, or older than what came (PAWS) */
    uint64_t tcp_challenges;     /* challenge ACKs sent (RFC 5961) */
    uint64_t tcp_challenges_limited; /* ... not sent: too many */
    uint64_t tcp_time_wait_full; /* TIME-WAITs that ended early: too many, or the table was full */
    uint64_t tcp_orphans_full;   /* closed connections that were reset: too many */
    uint64_t tcp_keepalives;     /* asked whether a silent peer is there */
    uint64_t tcp_order_dropped;  /* buffers out of order that had no room */
    uint64_t tcp_held_dropped;   /* segments in order: few buffers, and one holds many */
    uint64_t tcp_copied_bytes;   /* payload that had to be copied: a segment was cut again */
    uint64_t tcp_time_outs;      /* retransmission timers that fired */
    uint64_t tcp_fast_retransmits;
    uint64_t tcp_undone;         /* recoveries that were none: nothing was lost */
    uint64_t tcp_tail_probes;
    uint64_t tcp_ecn_marked;     /* segments that came with a mark of congestion */
    uint64_t tcp_ecn_echoed;     /* windows reduced because a peer told of one */
    uint64_t tcp_mtu_lowered;    /* smaller segments: a router said so, or big ones vanish */
};
const struct net_counters *net_counters(const struct net *net);

/* The same as a table, for reports: every field of struct net_counters, in order. */
struct net_counter_row {
    const char *name, *help;
};
extern const struct net_counter_row net_counter_rows[];
#define NET_COUNTERS (sizeof(struct net_counters) / sizeof(uint64_t))

#endif
