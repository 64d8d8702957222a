/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of scripts and those of the wire. Ours: scripts count from our SYN, which is 0, and
 * from our first timestamp, which is what the script says. The peer's: as the script writes them.
 */
#ifndef TESTS_PACKETDRILL_FLOW_H
#define TESTS_PACKETDRILL_FLOW_H

#include "wire.h"

#define FLOWS_MAX 256

struct flow {
    uint16_t local_port, remote_port;
    bool has_first, has_time; /* false: the next SYN, the next timestamp says it */
    uint32_t first;           /* our SYN's number */
    bool peer_began;          /* a SYN of it came */
    uint32_t peer_first;
    uint32_t time_wire, time_script; /* the first timestamp that left */
};
struct flows {
    uint32_t count;
    struct flow *now; /* that packets without ports belong to; NULL: none yet */
    struct flow all[FLOWS_MAX];
};

/* The flow of a packet that comes in: of its ports, or of the one that is talked of. */
struct flow *flows_in(struct flows *flows, const struct script_packet *p);
/* The flow of a packet that left; one of its own when it is a SYN of ours. NULL: nobody's. */
struct flow *flows_out(struct flows *flows, const struct wire_ends *ends, uint16_t flags);
/* From the script's numbers to the wire's. */
void flow_to_wire(struct flow *flow, struct script_packet *p);
/* From the wire's numbers to the script's; `expected` says what our first timestamp is called. */
void flow_to_script(struct flow *flow, struct script_packet *p,
                    const struct script_packet *expected);
/* The byte of the peer's stream, and of ours, at a number of the wire. */
uint8_t flow_peer_byte(void *flow, uint32_t seq);
uint8_t flow_our_byte(void *flow, uint32_t seq);

#endif
