/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as sockets have them, of both families. */
#include "adaptor.h"

#include <netinet/in.h>
#include <string.h>

void adaptor_fill_addr(struct sockaddr *addr, socklen_t *bytes, const struct tcp_conn *conn)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct ip_addr peer;
    uint16_t port;
    be32_t v4;

    if (addr == NULL || bytes == NULL || conn == NULL)
        return;
    tcp_peer(conn, &peer, &port);
    v4 = ip_addr_get_v4(&peer);
    in.sin_port = in6.sin6_port = htons(port);
    memcpy(&in.sin_addr, &v4, sizeof(v4));
    memcpy(&in6.sin6_addr, &peer, sizeof(peer));
    if (adaptor.ipv6)
        memcpy(addr, &in6, RT_MIN(*bytes, (socklen_t)sizeof(in6)));
    else
        memcpy(addr, &in, RT_MIN(*bytes, (socklen_t)sizeof(in)));
    *bytes = adaptor.ipv6 ? sizeof(in6) : sizeof(in);
}

struct ip_addr adaptor_addr(const struct sockaddr *addr)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)addr;
    struct ip_addr found;
    be32_t v4;

    memcpy(&v4, &in->sin_addr, sizeof(v4));
    if (addr->sa_family != AF_INET6)
        return ip_addr_v4(v4);
    memcpy(&found, &in6->sin6_addr, sizeof(found));
    return found;
}
