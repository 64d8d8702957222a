/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network stack on each core, for applications on the kit: its paths are its interfaces. The
 * stacks of a port have the same addresses, and each serves its part of the connections: what comes
 * in on another core than theirs goes to them by ring (<tcp/share.h>).
 *
 *     path_begin    kit_net_begin(): the core's stack gets this path; then listen, connect
 *     poll          kit_net_poll(): a batch goes in
 *     end of turn   timers, what applications are told, one doorbell (by the source's flush)
 *     path_end      kit_net_end(): connections end in order, a lease is given back
 *     path_leave    kit_net_leave(): every connection ends, every buffer comes home
 *
 * The structure of a path begins with struct kit_net_path; `ports_a_core` of the application is
 * KIT_NET_PORTS, so that cores without a receive queue serve, too. A core may have several paths
 * of a port: the second tcp_listen() is RT_BUSY then, as the first one listens for all of them.
 * Addresses are boot arguments
 * (kit_net_arg_table): give the table to struct rt_app.
 */
#ifndef KIT_NET_H
#define KIT_NET_H

#include <kit/kit.h>
#include <tcp/dhcp.h>
#include <tcp/tcp.h>
#include <tcp/udp.h>

#define KIT_NET_PORTS NET_IFS_MAX

struct kit_net_share; /* apps/kit/net_share.c */

struct kit_net_path {
    struct kit_path path; /* first: the kit knows only this */
    struct net *net;      /* of the path's core */
    uint32_t iface;       /* this port's number there */
    struct kit_net_share *share; /* with the port's stacks on other cores; NULL: there are none */
    struct dhcp_client *dhcp; /* of this path's interface; NULL: its addresses are fixed */
    uint64_t dhcp_say_us;     /* when a line says that no server has answered; 0: none does */
    bool draining;            /* the stop was asked */
};

extern const struct arg_table kit_net_arg_table;

/* The stack of the path's core, made with its first path, with this path's port as an interface;
 * changes the source so that it is served. Addresses come later: the link is asked for them
 * first, or a DHCP server. NULL, and a line that says why: boot arguments that cannot be, or
 * memory is used up; the start ends then. Core 0, from path_begin. */
struct net *kit_net_begin(struct kit_net_path *path, struct loop_source *source,
                          const struct tcp_config *tcp);
/* For struct kit_app: poll, path_end (connections are drained, after a second reset; then a lease
 * is given back), and path_leave. */
uint32_t kit_net_poll(void *path, uint64_t now_us);
bool kit_net_end(struct kit_path *path, uint64_t now_us, bool last);
void kit_net_leave(struct kit_path *path);
/* For a row of struct kit_command: the addresses of all paths, and the counters of all stacks that
 * are not 0. */
void kit_net_command(struct kit *kit, const char *text);

#endif
