/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of servers: right ones, wrong ones, hostile ones (RFC 2131 2, RFC 2132). */
#include "dhcp_server.h"

#include "dhcp/message.h"

#include <stdlib.h>
#include <string.h>

static const struct answer usual = {.kind = DHCP_ACK, .xid = 77, .lease_s = 1000};

/* Parsed where nothing lies behind it: a read beyond the end is found. */
static bool parse(const uint8_t *data, uint32_t bytes, struct dhcp_message *m)
{
    uint8_t *copy = malloc(bytes + 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy + 1, data, bytes);
    good = dhcp_parse(copy + 1, bytes, our_mac, m);
    free(copy);
    return good;
}

static bool parse_answer(struct answer a, struct dhcp_message *m)
{
    uint8_t data[DHCP_BYTES_MIN];

    a.yours = ip_addr_v4_of(LEASE_IP);
    a.server = ip_addr_v4_of(SERVER_IP);
    return parse(data, answer_build(&a, data), m);
}

static void run_usual(void **state)
{
    struct answer a = usual;
    struct dhcp_message m;

    a.mtu_bytes = 1400;
    assert_true(parse_answer(a, &m));
    assert_int_equal(m.kind, DHCP_ACK);
    assert_int_equal(m.xid, 77);
    assert_int_equal(m.prefix_bits, 24);
    assert_int_equal(m.mtu_bytes, 1400);
    assert_memory_equal(&m.router.bytes[12], ((uint8_t[]){GATEWAY_IP}), 4);
    assert_memory_equal(&m.server.bytes[12], ((uint8_t[]){SERVER_IP}), 4);
    assert_memory_equal(&m.yours.bytes[12], ((uint8_t[]){LEASE_IP}), 4);
}

/* T1 < T2 < lease, else the usual parts of it; no number overflows. */
static void run_times(void **state)
{
    static const struct {
        uint32_t lease_s, t1_s, t2_s, renewal_s, rebinding_s;
    } rows[] = {
        {1000, 0, 0, 500, 875},        {1000, 100, 200, 100, 200},
        {1000, 100, 0, 100, 875},      {1000, 0, 600, 500, 600},
        {1000, 300, 200, 500, 875},    {1000, 1000, 2000, 500, 875},
        {1000, 100, 1000, 500, 875},   {1000, 0, 400, 500, 875},
        {UINT32_MAX, 0, 0, UINT32_MAX / 2, 3758096383}, {1, 0, 0, 0, 0},
        {UINT32_MAX - 1, UINT32_MAX, UINT32_MAX, UINT32_MAX / 2 , 3758096382},
    };

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct answer a = usual;
        struct dhcp_message m;

        a.lease_s = rows[i].lease_s;
        a.renewal_s = rows[i].t1_s;
        a.rebinding_s = rows[i].t2_s;
        assert_true(parse_answer(a, &m));
        assert_int_equal(m.renewal_s, rows[i].renewal_s);
        assert_int_equal(m.rebinding_s, rows[i].rebinding_s);
    }
}

/* A message with these options behind the header. */
static uint32_t with_options(uint8_t *data, const uint8_t *options, uint32_t bytes)
{
    answer_build(&usual, data);
    memcpy(data + sizeof(struct dhcp_header), options, bytes);
    return (uint32_t)sizeof(struct dhcp_header) + bytes;
}

/* Options that overrun, end early, or have a length that they cannot have. */
static void run_options(void **state)
{
    static const struct {
        uint8_t bytes, option[12];
        bool good;
    } rows[] = {
        {3, {53, 1, 5}, true},               {4, {53, 1, 5, 255}, true},
        {2, {53, 1}, false},                 {1, {53}, false},
        {3, {53, 2, 5}, false},              {4, {53, 2, 5, 5}, false},
        {3, {53, 0, 255}, false},            {6, {1, 4, 255, 255, 0, 0}, true},
        {6, {1, 4, 255, 0, 255, 0}, false},  {5, {1, 3, 255, 255, 0}, false},
        {10, {3, 8, 1, 2, 3, 4, 5, 6, 7, 8}, true}, {9, {3, 7, 1, 2, 3, 4, 5, 6, 7}, false},
        {2, {3, 0}, false},                  {6, {51, 4, 0, 0, 1, 0}, true},
        {5, {51, 3, 0, 0, 1}, false},        {3, {26, 1, 9}, false},
        {4, {12, 255, 1, 1}, false},         {5, {12, 2, 1, 1, 12}, false},
        {3, {52, 1, 4}, false},              {3, {52, 1, 0}, true},
        {8, {0, 0, 0, 0, 53, 1, 5, 255}, true}, {4, {255, 53, 200, 5}, true},
    };
    uint8_t data[DHCP_BYTES_MIN];
    struct dhcp_message m;

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++)
        assert_int_equal(parse(data, with_options(data, rows[i].option, rows[i].bytes), &m),
                         rows[i].good);
}

/* Options in the places of the file and of the server's name count when option 52 says so, cannot
 * say so again, and must not overrun them. */
static void run_overload(void **state)
{
    static const uint8_t lease[] = {51, 4, 0, 0, 0, 9, 52, 1, 3, 255}, kind[] = {53, 1, 5, 255};
    uint8_t data[DHCP_BYTES_MIN];
    struct dhcp_header *h = (struct dhcp_header *)(void *)data;
    struct dhcp_message m;

    for (uint8_t overload = 1; overload <= 3; overload++) {
        const uint8_t option[] = {52, 1, overload};

        with_options(data, option, sizeof(option));
        memcpy(h->file, lease, sizeof(lease));
        memcpy(h->server_name, kind, sizeof(kind));
        assert_true(parse(data, sizeof(*h) + sizeof(option), &m));
        assert_int_equal(m.lease_s, (overload & 1) != 0 ? 9 : 0);
        assert_int_equal(m.kind, (overload & 2) != 0 ? DHCP_ACK : 0);
        memset(h->file, 0, sizeof(h->file));
        h->file[126] = 51;
        h->file[127] = 4; /* into the options behind it */
        assert_int_equal(parse(data, sizeof(*h) + sizeof(option), &m), overload == 2);
    }
}

/* Not for us, not from a server, cut short anywhere. */
static void run_header(void **state)
{
    uint8_t data[DHCP_BYTES_MIN];
    struct dhcp_header *h = (struct dhcp_header *)(void *)data;
    struct dhcp_message m;

    for (uint32_t i = 0; i < 5; i++) {
        answer_build(&usual, data);
        if (i == 0)
            h->op = DHCP_BOOT_REQUEST;
        else if (i == 1)
            h->hardware = 6;
        else if (i == 2)
            h->hardware_bytes = 16;
        else if (i == 3)
            h->mac[5] ^= 1;
        else
            h->cookie = be32_put(0);
        assert_false(parse(data, sizeof(data), &m));
    }
    answer_build(&usual, data);
    for (uint32_t bytes = 0; bytes < sizeof(*h); bytes++)
        assert_false(parse(data, bytes, &m));
    assert_true(parse(data, sizeof(data), &m));
}

/* Bytes changed at random: never read beyond the end, and what is said is within its bounds. */
static void run_random(void **state)
{
    uint64_t random = 88172645463325252u;
    uint8_t data[DHCP_BYTES_MIN];
    struct dhcp_message m;

    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t bytes = answer_build(&usual, data);

        for (uint32_t j = 0; j < 1 + i % 6; j++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            data[sizeof(struct dhcp_header) - 4 + (random >> 20) % 40] = (uint8_t)random;
        }
        bytes -= (uint32_t)(random >> 40) % 64;
        if (!parse(data, bytes, &m))
            continue;
        assert_true(m.prefix_bits >= 1 && m.prefix_bits <= 32);
        assert_true(m.mtu_bytes <= UINT16_MAX);
        assert_true(m.lease_s < 2 || m.renewal_s <= m.rebinding_s);
        assert_true(m.rebinding_s <= m.lease_s);
    }
}

/* Given to a client that waits for offers: each is counted once, none makes it ask for anything;
 * the right one does. */
static void run_client(void **state)
{
    struct station s;
    struct dhcp_client *client = dhcp_station(&s, (struct dhcp_config){.iface = 0});
    struct asked asked = expect_asked(&s, DHCP_DISCOVER);
    uint8_t data[DHCP_BYTES_MIN], large[1473] = {0};
    struct answer a;

    for (uint32_t i = 0; i < 6; i++) {
        a = answer_of(&asked, DHCP_OFFER);
        if (i == 0)
            a.xid++;
        else if (i == 1)
            a.lease_s = 0;
        else if (i == 2)
            a.yours = ip_addr_v4_of(224, 0, 0, 1);
        else if (i == 3)
            a.server = ip_addr_v4_of(0, 0, 0, 0);
        else if (i == 4)
            a.kind = DHCP_ACK;
        else
            a.kind = DHCP_NAK;
        answer_give(&s, &a);
        station_silent(&s);
    }
    assert_int_equal(net_counters(s.net)->dhcp_ignored, 6);
    answer_build(&a, data);
    message_give(&s, data, 239);
    assert_int_equal(net_counters(s.net)->dhcp_bad, 1);
    message_give(&s, large, sizeof(large) - 1);
    assert_int_equal(net_counters(s.net)->dhcp_bad, 2);
    assert_int_equal(dhcp_state(client), DHCP_SELECTING);
    a = answer_of(&asked, DHCP_OFFER);
    answer_give(&s, &a);
    expect_asked(&s, DHCP_REQUEST);
    station_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_usual),   cmocka_unit_test(run_times),
        cmocka_unit_test(run_options), cmocka_unit_test(run_overload),
        cmocka_unit_test(run_header),  cmocka_unit_test(run_random),
        cmocka_unit_test(run_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
