/* SPDX-License-Identifier: BSD-2-Clause */
#include "dhcp_server.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/udp.h"

#include <string.h>
#include <tcp/udp.h>

struct dhcp_client *dhcp_station(struct station *s, struct dhcp_config config)
{
    const struct net_setup nothing = {.count = 0};
    const struct udp_config udp = {.socks = 0};
    struct dhcp_client *client;

    station_start(s, 64);
    assert_int_equal(net_setup_apply(s->net, 0, &nothing), RT_OK);
    assert_int_equal(udp_create(s->net, &udp), RT_OK);
    assert_int_equal(dhcp_create(s->net, &config, &client), RT_OK);
    net_turn(s->net, s->now_us);
    return client;
}

static bool is_arp(const struct frame *f)
{
    return (f->data[12] << 8 | f->data[13]) == ETH_ARP;
}

void skip_arp(struct station *s)
{
    while (s->seen < s->sent && is_arp(&s->frames[s->seen % STATION_FRAMES]))
        s->seen++;
}

static uint32_t number(const uint8_t *data)
{
    return v4_number(data[0], data[1], data[2], data[3]);
}

static void read_option(struct asked *a, uint8_t code, const uint8_t *data, uint32_t bytes)
{
    if (code == DHCP_MESSAGE_KIND)
        a->kind = data[0];
    else if (code == DHCP_WANTED_ADDRESS)
        a->wanted = number(data);
    else if (code == DHCP_SERVER_ID)
        a->server = number(data);
    else if (code == DHCP_CLIENT_ID)
        memcpy(a->id, data, sizeof(a->id));
    if (code == DHCP_WANTED_OPTIONS) {
        assert_true(bytes <= sizeof(a->list));
        memcpy(a->list, data, bytes);
        a->list_bytes = bytes;
    }
}

struct asked expect_asked(struct station *s, enum dhcp_kind kind)
{
    struct asked a = {.kind = 0};
    const struct frame *f;
    const struct dhcp_header *h;
    uint32_t at = 42 + sizeof(*h);

    skip_arp(s);
    f = station_next(s);
    assert_non_null(f);
    h = (const void *)(f->data + 42);
    assert_true(f->bytes >= 42 + DHCP_BYTES_MIN);
    assert_int_equal(f->data[34] << 8 | f->data[35], DHCP_CLIENT_PORT);
    assert_int_equal(f->data[36] << 8 | f->data[37], DHCP_SERVER_PORT);
    assert_int_equal(h->op, DHCP_BOOT_REQUEST);
    assert_int_equal(be32_get(h->cookie), DHCP_COOKIE);
    assert_memory_equal(h->mac, our_mac, 6);
    a.xid = be32_get(h->xid);
    a.secs = be16_get(h->secs);
    a.flags = be16_get(h->flags);
    a.client = be32_get(h->client);
    a.frame_src = number(f->data + 26);
    a.frame_dst = number(f->data + 30);
    while (f->data[at] != DHCP_END) {
        read_option(&a, f->data[at], f->data + at + 2, f->data[at + 1]);
        at += 2u + f->data[at + 1];
        assert_true(at < f->bytes);
    }
    assert_int_equal(a.kind, kind);
    return a;
}

struct answer answer_of(const struct asked *to, enum dhcp_kind kind)
{
    return (struct answer){
        .kind = kind,
        .xid = to->xid,
        .yours = kind == DHCP_NAK ? ip_addr_v4_of(0, 0, 0, 0) : ip_addr_v4_of(LEASE_IP),
        .server = ip_addr_v4_of(SERVER_IP),
        .lease_s = kind == DHCP_NAK ? 0 : 3600,
    };
}

static uint8_t *option(uint8_t *at, uint8_t code, uint32_t value, uint8_t bytes)
{
    *at++ = code;
    *at++ = bytes;
    for (uint32_t i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> 8 * (bytes - 1u - i));
    return at;
}

uint32_t answer_build(const struct answer *a, uint8_t data[DHCP_BYTES_MIN])
{
    struct dhcp_header h = {
        .op = DHCP_BOOT_REPLY,
        .hardware = DHCP_ETHERNET,
        .hardware_bytes = 6,
        .xid = be32_put(a->xid),
        .yours = ip_addr_get_v4(&a->yours),
        .cookie = be32_put(DHCP_COOKIE),
    };
    uint8_t *at = data + sizeof(h);

    memset(data, 0, DHCP_BYTES_MIN);
    memcpy(h.mac, our_mac, 6);
    memcpy(data, &h, sizeof(h));
    at = option(at, DHCP_MESSAGE_KIND, a->kind, 1);
    if (!ip_addr_is_unspecified(&a->server))
        at = option(at, DHCP_SERVER_ID, number(&a->server.bytes[12]), 4);
    if (a->kind != DHCP_NAK) {
        at = option(at, DHCP_MASK, 0xffffff00, 4);
        if (!a->no_router)
            at = option(at, DHCP_ROUTER, v4_number(GATEWAY_IP), 4);
        if (a->lease_s != 0)
            at = option(at, DHCP_LEASE_TIME, a->lease_s, 4);
        if (a->renewal_s != 0)
            at = option(at, DHCP_RENEWAL_TIME, a->renewal_s, 4);
        if (a->rebinding_s != 0)
            at = option(at, DHCP_REBINDING_TIME, a->rebinding_s, 4);
        if (a->mtu_bytes != 0)
            at = option(at, DHCP_MTU, a->mtu_bytes, 2);
    }
    *at = DHCP_END;
    return DHCP_BYTES_MIN;
}

void message_give(struct station *s, const uint8_t *data, uint32_t bytes)
{
    const struct ip_addr src = ip_addr_v4_of(SERVER_IP), dst = ip_addr_v4_of(255, 255, 255, 255);
    struct udp_header udp = {
        .src_port = be16_put(DHCP_SERVER_PORT),
        .dst_port = be16_put(DHCP_CLIENT_PORT),
        .bytes = be16_put((uint16_t)(sizeof(udp) + bytes)),
    };
    struct frame f;

    frame_ip(&f, src, dst, IP_UDP, (uint32_t)sizeof(udp) + bytes);
    memset(f.data, 0xff, 6);
    frame_add(&f, &udp, sizeof(udp));
    frame_add(&f, data, bytes);
    station_give(s, &f, 0);
}

void answer_give(struct station *s, const struct answer *a)
{
    uint8_t data[DHCP_BYTES_MIN];

    message_give(s, data, answer_build(a, data));
}

struct asked dhcp_bind(struct station *s)
{
    struct asked asked = expect_asked(s, DHCP_DISCOVER);
    struct answer answer = answer_of(&asked, DHCP_OFFER);

    answer_give(s, &answer);
    asked = expect_asked(s, DHCP_REQUEST);
    answer = answer_of(&asked, DHCP_ACK);
    answer_give(s, &answer);
    station_advance_us(s, 1000000);
    skip_arp(s);
    station_silent(s);
    return asked;
}
