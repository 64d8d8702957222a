/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of one port, on several cores: who they are, which of them a flow is for, and
 * the messages between them (<tcp/share.h>), by a mailbox for each.
 *
 * Where every stack has a receive queue, a flow is for the one whose queue the card puts it
 * into. Else the 128 entries of the card's table are dealt out among all stacks, so
 * that each has its part of the flows, though some of it comes by ring.
 */
#ifndef KIT_NET_SHARE_H
#define KIT_NET_SHARE_H

#include <kit/net.h>
#include <pmd/rss.h>
#include <tcp/share.h>

/* Which stack has the flow: by an entry for each of the hash's values. */
struct kit_net_homes {
    uint8_t stack[NIC_RSS_ENTRIES];
};
/* `of_queue[q]` is the stack that queue q belongs to. */
void kit_net_deal(struct kit_net_homes *homes, const uint8_t *of_queue, uint32_t queues,
                  uint32_t stacks);
uint32_t kit_net_home(const struct kit_net_homes *homes, const struct net_flow *flow);

/* The path joins the stacks of its port; its mail is a source of its loop from now on.
 * False: no memory. Core 0, before the loops. */
bool kit_net_share_begin(struct kit_net_path *path);
/* The path of the same port and core that began first: it is the stack's interface. */
struct kit_net_path *kit_net_share_first(const struct kit_net_path *path);
/* What its stack is told of the others; NULL: there is one core. */
const struct net_share *kit_net_share_of(const struct kit_net_path *path);
/* It is the first of its port: it alone speaks of addresses. */
bool kit_net_share_leads(const struct kit_net_path *path);

/* ---- the path's core, for the first path of a port and core ---- */
/* End of a turn: what was put aside for other cores goes to them. */
void kit_net_share_flush(struct kit_net_path *path);
/* True: some of it found no room. */
bool kit_net_share_waits(const struct kit_net_path *path);
/* A turn without the loop: mail, as its source takes it. */
void kit_net_share_poll(struct kit_net_path *path, uint64_t now_us);
/* Says whether this stack is drained; true: all of its port are. */
bool kit_net_share_drained(struct kit_net_path *path, bool drained);
/* All loops have ended: what waits anywhere for this path is freed. */
void kit_net_share_leave(struct kit_net_path *path);

#endif
