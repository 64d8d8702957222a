/* SPDX-License-Identifier: BSD-2-Clause */
/* Routers ask which groups we hear (RFC 3810). */
#include "station6.h"

#include "wire/nd.h"

#include <string.h>

enum { L3 = 14 };

static void give_query(struct station6 *t, const char *group, uint16_t delay_code, uint8_t hops)
{
    const struct icmp_header icmp = {.type = ICMP6_MLD_QUERY, .id = be16_put(delay_code)};
    const struct ip_addr about = addr_of(group);
    struct frame f;

    frame_icmp6(&f, addr_of("fe80::1111"), addr_of("ff02::1"), icmp, &about, 16);
    ((struct ipv6_header *)(void *)(f.data + L3))->hops = hops;
    station_give(&t->s, &f, 0);
}

/* Who asks for groups is answered within the time he gives; for another group, or from another
 * link, not. */
static void run_queries(void **state)
{
    struct station6 t;

    station6_begin(&t, (struct net_if_config){.mtu_bytes = 1500}, false);
    station_advance_us(&t.s, 10000000);
    t.s.seen = t.s.sent;
    give_query(&t, "::", 500, 1);
    give_query(&t, "::", 500, 1);
    station_advance_us(&t.s, 500000);
    assert_int_equal(station6_report(&t, OUR6_LINK, MLD_IS_EXCLUDE), 1);
    give_query(&t, "ff02::1:ff00:1", 0x8000, 1); /* 4096 << 3 ms */
    station_advance_us(&t.s, 33000000);
    assert_int_equal(station6_report(&t, OUR6_LINK, MLD_IS_EXCLUDE), 1);
    give_query(&t, "ff02::1:ff00:7", 500, 1);
    give_query(&t, "::", 500, 2);
    station_advance_us(&t.s, 10000000);
    station_silent(&t.s);
    station_stop(&t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
