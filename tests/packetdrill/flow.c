/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include "sockets.h"
#include "wire/tcp.h"

enum { LOCAL_PORT = 8080, REMOTE_PORT = 36000 };

static struct flow *find(struct flows *flows, uint16_t local_port, uint16_t remote_port)
{
    struct flow *f;

    for (uint32_t i = 0; i < flows->count; i++)
        if (flows->all[i].local_port == local_port && flows->all[i].remote_port == remote_port)
            return &flows->all[i];
    if (flows->count == FLOWS_MAX)
        world_fail("more connections than a script may have");
    f = &flows->all[flows->count++];
    *f = (struct flow){.local_port = local_port, .remote_port = remote_port};
    return f;
}

struct flow *flows_in(struct flows *flows, const struct script_packet *p)
{
    if (p->src_port != 0)
        flows->now = find(flows, p->dst_port, p->src_port);
    else if (flows->now == NULL)
        flows->now = find(flows, LOCAL_PORT, REMOTE_PORT);
    return flows->now;
}

struct flow *flows_out(struct flows *flows, const struct wire_ends *ends, uint16_t flags)
{
    const uint32_t before = flows->count;
    struct flow *f = find(flows, ends->src_port, ends->dst_port);

    if (before != flows->count && (flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) {
        flows->count--;
        return NULL;
    }
    if (before != flows->count)
        flows->now = f;
    return f;
}

void flow_to_wire(struct flow *flow, struct script_packet *p)
{
    if ((p->flags & TCP_SYN) != 0) {
        /* Another connection of the same ports: our next SYN has a number of its own. */
        if (p->seq != flow->peer_first && (p->flags & TCP_ACK) == 0 && flow->peer_began)
            flow->has_first = flow->has_time = false;
        flow->peer_began = true;
        flow->peer_first = p->seq;
    }
    if (p->is_icmp)
        p->seq += flow->first;
    if (p->has_ack)
        p->ack += flow->first;
    for (uint32_t i = 0; i < p->sack_count; i++) {
        p->sacks[i].first += flow->first;
        p->sacks[i].end += flow->first;
    }
    for (uint32_t i = 0; i < p->option_count; i++)
        if (p->options[i].kind == TCP_OPT_TIMESTAMPS && flow->has_time)
            p->options[i].echo += flow->time_wire - flow->time_script;
}

static void first_time(struct flow *flow, const struct script_packet *p, uint32_t wire)
{
    flow->has_time = true;
    flow->time_wire = flow->time_script = wire;
    for (uint32_t i = 0; i < p->option_count; i++)
        if (p->options[i].kind == TCP_OPT_TIMESTAMPS)
            flow->time_script = p->options[i].value;
}

void flow_to_script(struct flow *flow, struct script_packet *p,
                    const struct script_packet *expected)
{
    if ((p->flags & TCP_SYN) != 0 && !flow->has_first) {
        flow->has_first = true;
        flow->first = p->seq;
    }
    /* A reset to what had no ACK has number 0 (RFC 9293 3.10.7.1), whatever ours is. */
    if ((p->flags & TCP_RST) == 0 || p->seq != 0)
        p->seq -= flow->first;
    for (uint32_t i = 0; i < p->option_count; i++) {
        if (p->options[i].kind != TCP_OPT_TIMESTAMPS)
            continue;
        if (!flow->has_time)
            first_time(flow, expected, p->options[i].value);
        p->options[i].value -= flow->time_wire - flow->time_script;
    }
}

uint8_t flow_peer_byte(void *ctx, uint32_t seq)
{
    const struct flow *flow = ctx;

    return sockets_pattern(seq - flow->peer_first - 1);
}

uint8_t flow_our_byte(void *ctx, uint32_t seq)
{
    const struct flow *flow = ctx;

    return sockets_pattern(seq - flow->first - 1);
}
