/* SPDX-License-Identifier: BSD-2-Clause */
#include "pmtu.h"

#include "../state.h"
#include "conn.h"

enum {
    MTU_MIN_V4 = 576,  /* RFC 5927 7.2: who asks for less is not believed */
    MTU_MIN_V6 = 1280, /* RFC 8200 5 */
    BLACK_HOLE_TIME_OUTS = 2,
    BLACK_HOLE_TIME_OUTS_LAST = 5,
    BLACK_HOLE_MTU = 1280,
    RAISE_S_FIRST = 60, /* an outage looks like a black hole; RFC 1191 6.3: 10 minutes */
    RAISE_DOUBLINGS = 4,
};

/* Sizes of links there are (RFC 1191 7.1), for routers that name none, and for black holes. */
static const uint16_t plateaus[] = {8166, 4352, 2002, 1492, 1280, 1006, MTU_MIN_V4};

static uint32_t mtu_min(const struct tcp_conn *conn)
{
    return ip_addr_is_v4(&conn->remote) ? MTU_MIN_V4 : MTU_MIN_V6;
}

/* What a packet has beside data. */
static uint32_t header_bytes(const struct tcp_conn *conn)
{
    return segment_both_headers_bytes(&conn->remote) + (conn->time_on ? 12 : 0);
}

void pmtu_init(struct tcp_conn *conn)
{
    conn->pmtu = (struct tcp_pmtu){.mss_full = conn->mss};
}

static uint32_t next_plateau(uint32_t mtu)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(plateaus); i++)
        if (plateaus[i] < mtu)
            return plateaus[i];
    return 0;
}

/* False: that is no smaller, or too small to be true. */
static bool lower(struct tcp_conn *conn, uint32_t mtu)
{
    const uint32_t headers = header_bytes(conn);

    if (mtu < mtu_min(conn) || mtu >= conn->mss + headers)
        return false;
    conn->mss = (uint16_t)(mtu - headers);
    conn->pmtu.found = (uint8_t)RT_MIN(conn->pmtu.found + 1, RAISE_DOUBLINGS + 1);
    conn->pmtu.lower_us = conn->net->now_us;
    conn->net->counters.tcp_mtu_lowered++;
    RT_ASSERT_LT(conn->mss, conn->pmtu.mss_full);
    return true;
}

void pmtu_too_big(struct tcp_conn *conn, uint32_t mtu_bytes)
{
    if (conn->snd_nxt == conn->snd_una || conn->pmtu.mss_full == 0)
        return; /* not of this one, or it does not stand yet */
    if (mtu_bytes == 0)
        mtu_bytes = next_plateau(conn->mss + header_bytes(conn));
    if (!lower(conn, mtu_bytes))
        return;
    recovery_all_lost(conn); /* no sign of congestion (RFC 1191 6.4) */
    timeout_arm(conn);
    conn_output(conn);
}

bool pmtu_carries(struct tcp_conn *conn, uint32_t bytes)
{
    const uint32_t mtu = if_mtu(conn->iface, &conn->remote), headers = header_bytes(conn);

    RT_ASSERT_LT(headers, mtu);
    if (bytes <= mtu - headers)
        return true;
    conn->mss = (uint16_t)(mtu - headers);
    conn->pmtu.mss_full = conn->mss; /* no guess: nothing larger is tried */
    conn->net->counters.tcp_mtu_lowered++;
    conn_output(conn);
    return false;
}

/* The first guess is what tunnels carry, and what IPv6 asks of every link; much later the least
 * that there is. Only when segments larger than that are at stake. */
void pmtu_timed_out(struct tcp_conn *conn)
{
    const bool first = conn->mss + header_bytes(conn) > BLACK_HOLE_MTU;
    const uint32_t guess = first ? BLACK_HOLE_MTU : mtu_min(conn);

    if (conn->retries >= (first ? BLACK_HOLE_TIME_OUTS : BLACK_HOLE_TIME_OUTS_LAST) &&
        conn->snd_nxt - conn->snd_una > guess - header_bytes(conn))
        lower(conn, guess);
}

void pmtu_raise(struct tcp_conn *conn)
{
    const uint64_t wait_us = UINT64_C(1000000) * RAISE_S_FIRST
                             << (conn->pmtu.found != 0 ? conn->pmtu.found - 1 : 0);

    if (conn->recovery.state == RECOVERY_NONE && conn->retries == 0 &&
        conn->net->now_us - conn->pmtu.lower_us >= wait_us)
        conn->mss = conn->pmtu.mss_full;
}
