/* SPDX-License-Identifier: BSD-2-Clause */
#include "source.h"

#include <stdlib.h>
#include <string.h>

#define REPLAY_SEARCH_MAX 4096 /* a frame that comes back is among the oldest so many */
#define ETH_ADDRESSES_BYTES 12

static const struct pcap_frame *replayed(const struct source *source, uint32_t seq)
{
    return &source->pcap->frames[seq % source->pcap->count];
}

/* Short frames come out padded: devices pad to 60 bytes (IEEE 802.3 4.2.3.3). */
static size_t padded(size_t bytes)
{
    return bytes < FRAME_MIN_BYTES ? FRAME_MIN_BYTES : bytes;
}

size_t source_bytes(const struct source *source, unsigned lane, uint32_t seq)
{
    if (source->pcap)
        return padded(replayed(source, seq)->bytes);
    const struct frame_plan *plan = &source->lanes[lane].plan;
    return plan->sizes[seq % plan->size_count];
}

size_t source_build(const struct source *source, unsigned lane, uint32_t seq, uint64_t now_ns,
                    uint8_t *out)
{
    if (!source->pcap)
        return frame_build(&source->lanes[lane].plan, seq, now_ns, out);
    const struct pcap_frame *from = replayed(source, seq);
    memcpy(out, source->pcap->data + from->offset, from->bytes);
    memset(out + from->bytes, 0, padded(from->bytes) - from->bytes);
    source->sent_ns[seq] = now_ns;
    return padded(from->bytes);
}

/* What a forwarder in the lane's mode makes of the two addresses of a replayed frame. */
static void replay_addresses(const struct frame_plan *plan, const uint8_t *sent, uint8_t want[12])
{
    memcpy(want, plan->back_dst, 6);
    memcpy(want + 6, plan->back_src, 6);
    if (memcmp(plan->back_dst, plan->dst, 6) == 0) {
        memcpy(want, sent, ETH_ADDRESSES_BYTES); /* unchanged */
    } else if (memcmp(plan->back_dst, plan->src, 6) == 0) {
        memcpy(want, sent + 6, 6); /* swapped */
        memcpy(want + 6, sent, 6);
    }
}

static bool replay_same(const struct source *source, uint32_t seq, const uint8_t *frame,
                        size_t bytes)
{
    const struct pcap_frame *from = replayed(source, seq);
    const uint8_t *sent = source->pcap->data + from->offset;
    static const uint8_t zeros[FRAME_MIN_BYTES];
    uint8_t want[ETH_ADDRESSES_BYTES];
    if (bytes != padded(from->bytes))
        return false;
    replay_addresses(&source->lanes[0].plan, sent, want);
    return memcmp(frame, want, sizeof(want)) == 0 &&
           memcmp(frame + sizeof(want), sent + sizeof(want), from->bytes - sizeof(want)) == 0 &&
           memcmp(frame + from->bytes, zeros, bytes - from->bytes) == 0;
}

/* A flow of a capture: what a network card would hash (addresses and ports, or the Ethernet
 * addresses). Only equality matters. */
static uint32_t replay_flow(const uint8_t *frame, size_t bytes, uint32_t flows)
{
    size_t begin = 0, end = ETH_ADDRESSES_BYTES;
    bool ipv4 = bytes >= 38 && frame[12] == 0x08 && frame[13] == 0 && frame[14] == 0x45;
    if (ipv4) {
        begin = 26;
        end = frame[23] == 6 || frame[23] == 17 ? 38 : 34;
    }
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (size_t i = begin; i < end; i++)
        hash = (hash ^ frame[i]) * UINT32_C(16777619);
    return (hash >> 8) % flows;
}

static enum frame_verdict replay_check(const struct source *source, const uint8_t *frame,
                                       size_t bytes, struct frame_id *id)
{
    uint32_t *oldest = source->oldest;
    while (*oldest < source->frames && source->matched[*oldest])
        (*oldest)++;
    for (uint32_t i = 0; i < REPLAY_SEARCH_MAX && source->frames - *oldest > i; i++) {
        uint32_t seq = *oldest + i;
        if (source->matched[seq] || !source->sent_ns[seq])
            continue;
        if (!replay_same(source, seq, frame, bytes))
            continue;
        const uint8_t *sent = source->pcap->data + replayed(source, seq)->offset;
        source->matched[seq] = true;
        *id = (struct frame_id){.seq = seq,
                                .flow = replay_flow(sent, replayed(source, seq)->bytes,
                                                    source->flows),
                                .sent_ns = source->sent_ns[seq]};
        return FRAME_GOOD;
    }
    return FRAME_CORRUPT;
}

enum frame_verdict source_check(const struct source *source, unsigned port, const uint8_t *frame,
                                size_t bytes, struct frame_id *id)
{
    if (source->pcap)
        return port == source->lanes[0].to ? replay_check(source, frame, bytes, id)
                                           : FRAME_FOREIGN;
    enum frame_verdict verdict = frame_identify(frame, bytes, id);
    if (verdict != FRAME_GOOD)
        return verdict;
    if (id->trial != source->lanes[0].plan.trial)
        return FRAME_STALE;
    if (id->lane >= source->lane_count || source->lanes[id->lane].to != port)
        return FRAME_CORRUPT; /* came out of the wrong port */
    return frame_check(&source->lanes[id->lane].plan, frame, bytes, id);
}

bool source_replay(struct source *source, const struct pcap *pcap, uint32_t frames)
{
    source->pcap = pcap;
    source->frames = frames;
    source->sent_ns = calloc(frames, sizeof(source->sent_ns[0]));
    source->matched = calloc(frames, sizeof(source->matched[0]));
    source->oldest = calloc(1, sizeof(source->oldest[0]));
    return source->sent_ns && source->matched && source->oldest;
}

void source_free(struct source *source)
{
    free(source->sent_ns);
    free(source->matched);
    free(source->oldest);
    source->sent_ns = NULL;
    source->matched = NULL;
    source->oldest = NULL;
}
