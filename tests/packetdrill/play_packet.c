/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of a script: given to the stack, or compared with what left. */
#include "packet_text.h"
#include "play.h"

#include "wire/tcp.h"

#include <string.h>

enum { TEXT_BYTES = 256, TIME_MS_MORE = 4 };

void play_packet_in(struct play *p, const struct script_packet *packet)
{
    static uint8_t bytes[WORLD_PACKET_BYTES];
    struct flow *flow = flows_in(&p->flows, packet);
    const struct wire_ends ends = {world_peer(), world_addr(), flow->remote_port,
                                   flow->local_port};
    const struct wire_ends ours = {world_addr(), world_peer(), flow->local_port,
                                   flow->remote_port};
    struct script_packet wire = *packet;

    if (packet->bytes > WIRE_PAYLOAD_BYTES_MAX) {
        play_fail(p, "a packet longer than %u bytes", WIRE_PAYLOAD_BYTES_MAX);
        return;
    }
    flow_to_wire(flow, &wire);
    world_give(&p->world, bytes,
               packet->is_icmp ? wire_write_icmp(&ours, &wire, bytes)
                               : wire_write_tcp(&ends, &wire, flow_peer_byte, flow, bytes));
}

static bool same_option(const struct script_option *a, const struct script_option *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind != TCP_OPT_TIMESTAMPS)
        return a->value == b->value;
    return a->echo == b->echo && b->value - a->value + TIME_MS_MORE <= 2 * TIME_MS_MORE;
}

/* The same ones in the same order; how they are padded does not matter. */
static bool same_options(const struct script_packet *expected, const struct script_packet *got)
{
    uint32_t at = 0;

    if (expected->any_options)
        return true;
    for (uint32_t i = 0; i < expected->option_count; i++) {
        if (expected->options[i].kind == TCP_OPT_NOP || expected->options[i].kind == TCP_OPT_END)
            continue;
        if (at == got->option_count || !same_option(&expected->options[i], &got->options[at]))
            return false;
        at++;
    }
    return at == got->option_count && expected->sack_count == got->sack_count &&
           memcmp(expected->sacks, got->sacks, got->sack_count * sizeof(got->sacks[0])) == 0;
}

/* What differs first; NULL: nothing. */
static const char *difference(const struct script_packet *expected,
                              const struct script_packet *got)
{
    if (expected->flags != got->flags)
        return "flags";
    if (expected->seq != got->seq)
        return "sequence number";
    if (expected->bytes != got->bytes)
        return "length";
    if (expected->has_ack && expected->ack != got->ack)
        return "acknowledgement number";
    if (expected->has_window && expected->window != got->window)
        return "window";
    if (expected->urgent != got->urgent)
        return "urgent pointer";
    if (expected->ecn >= 0 && expected->ecn != got->ecn)
        return "ECN field";
    return same_options(expected, got) ? NULL : "options";
}

static bool same_bytes(struct flow *flow, uint32_t seq, const uint8_t *payload, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (payload[i] != flow_our_byte(flow, seq + i))
            return false;
    return true;
}

void play_packet_out(struct play *p, const struct script_packet *expected,
                     const struct packet *got)
{
    char want_text[TEXT_BYTES], got_text[TEXT_BYTES];
    struct wire_ends ends;
    struct script_packet packet;
    const uint8_t *payload;
    const char *wrong = wire_read_tcp(got->data, got->bytes, &ends, &packet, &payload);
    const uint32_t wire_seq = packet.seq;
    struct flow *flow;

    if (wrong != NULL) {
        play_fail(p, "a packet left: %s", wrong);
        return;
    }
    flow = flows_out(&p->flows, &ends, packet.flags);
    if (flow != NULL)
        flow_to_script(flow, &packet, expected);
    wrong = flow == NULL ? "connection" : difference(expected, &packet);
    if (expected->src_port != 0 && (expected->src_port != ends.src_port ||
                                    expected->dst_port != ends.dst_port))
        wrong = "ports";
    if (expected->src_port == 0 && flow != p->flows.now)
        wrong = "connection";
    if (wrong == NULL && !same_bytes(flow, wire_seq, payload, packet.bytes))
        wrong = "payload";
    if (wrong != NULL)
        play_fail(p, "%s: expected > %s, got %u > %u %s", wrong,
                  packet_text_write(expected, want_text, sizeof(want_text)), ends.src_port,
                  ends.dst_port, packet_text_write(&packet, got_text, sizeof(got_text)));
}
