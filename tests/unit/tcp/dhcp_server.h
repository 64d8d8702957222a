/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test says as a DHCP server, and reads of what the client says. */
#ifndef TESTS_TCP_DHCP_SERVER_H
#define TESTS_TCP_DHCP_SERVER_H

#include "station.h"

#include "wire/dhcp.h"

#include <tcp/dhcp.h>

#define LEASE_IP 192, 0, 2, 100
#define SERVER_IP 192, 0, 2, 67
#define OTHER_IP 192, 0, 2, 68

/* A message of the client, in words; 0 where an option is not there. */
struct asked {
    uint8_t kind;
    uint32_t xid, client, wanted, server; /* addresses in host order */
    uint16_t secs, flags;
    uint8_t id[7], list[16];
    uint32_t list_bytes, frame_src, frame_dst; /* of the IP header */
};

/* What a server answers. */
struct answer {
    enum dhcp_kind kind;
    uint32_t xid;
    struct ip_addr yours, server;
    uint32_t lease_s, renewal_s, rebinding_s; /* 0: not said */
    uint16_t mtu_bytes;
    bool no_router;
};

RT_INLINE uint32_t v4_number(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d;
}

/* A station without an address, with a client on its interface. */
struct dhcp_client *dhcp_station(struct station *s, struct dhcp_config config);
/* The next frame is a message of that kind; others than ARP in front of it fail. */
struct asked expect_asked(struct station *s, enum dhcp_kind kind);
/* An answer with the usual contents: LEASE_IP/24 of SERVER_IP for an hour, GATEWAY_IP. */
struct answer answer_of(const struct asked *to, enum dhcp_kind kind);
/* As a message; returns its bytes. */
uint32_t answer_build(const struct answer *a, uint8_t data[DHCP_BYTES_MIN]);
/* As a broadcast frame, given to the station. */
void answer_give(struct station *s, const struct answer *a);
void message_give(struct station *s, const uint8_t *data, uint32_t bytes);
/* From the first message to a lease that is in use. */
struct asked dhcp_bind(struct station *s);
/* Frames that left and are no DHCP (ARP) are passed over. */
void skip_arp(struct station *s);

#endif
