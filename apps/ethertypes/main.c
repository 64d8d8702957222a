/* SPDX-License-Identifier: BSD-2-Clause */
/* ethertypes: counts arriving frames by what they carry. docs/tutorial.md walks through it. */
#include <kit/kit.h>

enum { TYPE_AT = 12, HEADER_BYTES = 14 }; /* behind two addresses: IEEE 802.3 3.1.1 */

/* What one receive queue has seen. Written by the queue's core alone: no lock. */
struct seen {
    struct kit_path path; /* first: the kit knows only this */
    uint64_t ipv4, ipv6, arp, vlan, other;
};

static const struct kit_counter counters[] = {
    {"ipv4", "frames", "EtherType 0x0800", KIT_COUNT, offsetof(struct seen, ipv4)},
    {"ipv6", "frames", "EtherType 0x86dd", KIT_COUNT, offsetof(struct seen, ipv6)},
    {"arp", "frames", "EtherType 0x0806", KIT_COUNT, offsetof(struct seen, arp)},
    {"vlan", "frames", "EtherType 0x8100: a tag comes first", KIT_COUNT,
     offsetof(struct seen, vlan)},
    {"other", "frames", "any other EtherType, a length, or a frame cut short", KIT_COUNT,
     offsetof(struct seen, other)},
};

/* The counter of a frame. Its length comes from a device: looked at before the bytes are. */
static uint64_t *counter_of(struct seen *seen, const struct buf *frame)
{
    const uint8_t *bytes = buf_data(frame);

    if (frame->data_len < HEADER_BYTES)
        return &seen->other;
    switch (bytes[TYPE_AT] << 8 | bytes[TYPE_AT + 1]) {
    case 0x0800:
        return &seen->ipv4;
    case 0x0806:
        return &seen->arp;
    case 0x8100:
        return &seen->vlan;
    case 0x86dd:
        return &seen->ipv6;
    default:
        return &seen->other;
    }
}

/* One turn of a queue: takes what has arrived, looks at each frame, gives all buffers back. */
static uint32_t count_frames(void *path, uint64_t now_us)
{
    struct seen *seen = path;
    struct buf_batch frames = {.count = 0};
    uint32_t count = kit_path_receive(&seen->path, &frames);

    for (uint32_t i = 0; i < count; i++)
        ++*counter_of(seen, frames.buf[i]);
    buf_batch_free(&frames);
    return count;
}

static const struct kit_app app = {
    .path_bytes = sizeof(struct seen),
    .poll = count_frames,
    .counters = counters,
    .counter_count = RT_ARRAY_SIZE(counters),
};

static int run(const struct boot_info *boot)
{
    return kit_run(&app, boot);
}

static const struct arg_table *const tables[] = {&rt_arg_table, &kit_arg_table, NULL};

const struct rt_app rt_app = {.name = "ethertypes", .tables = tables, .main = run};
