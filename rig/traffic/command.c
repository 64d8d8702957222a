/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define RATE_MAX 100000000u
#define FRAMES_MAX 1000000000u
#define TIME_MAX_US 100000000u
#define QUIET_MS 5000u /* frames that come so late are not lost */

bool command_mac(const char *text, uint8_t mac[6])
{
    unsigned byte[6];
    char more;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &byte[0], &byte[1], &byte[2], &byte[3],
               &byte[4], &byte[5], &more) != 6)
        return false;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)byte[i];
    return true;
}

static const char *parse_lanes(const char *text, unsigned link_count, struct source *source)
{
    for (;;) { /* at most FRAME_LANES_MAX times: then there are too many */
        unsigned from, to;
        int used = 0;
        if (sscanf(text, "%u>%u%n", &from, &to, &used) != 2)
            return "lanes: as in 0>1,1>0";
        if (from >= link_count || to >= link_count)
            return "lanes: no such port";
        if (source->lane_count == FRAME_LANES_MAX)
            return "lanes: too many";
        source->lanes[source->lane_count++] = (struct source_lane){.from = from, .to = to};
        text += used;
        if (*text == 0)
            return NULL;
        if (*text++ != ',')
            return "lanes: a comma is wanted";
    }
}

static const char *parse_mode(const char *text, enum frame_mode *mode)
{
    static const char *const names[] = {
        [FRAME_IO] = "io", [FRAME_MAC] = "mac", [FRAME_MACSWAP] = "macswap"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *mode = (enum frame_mode)i;
            return NULL;
        }
    }
    return "mode: io, mac or macswap";
}

static void fill_plan(struct source_lane *lane, unsigned number, const struct link *links,
                      enum frame_mode mode)
{
    static const uint8_t generator[6] = {0x02, 0x4d, 0x52, 0, 0, 0};
    struct frame_plan *plan = &lane->plan;
    plan->lane = (uint16_t)number;
    memcpy(plan->dst, links[lane->from].mac, 6);
    memcpy(plan->src, generator, 6);
    plan->src[5] = (uint8_t)lane->from;
    frame_expect(plan, mode, lane->to, links[lane->to].mac);
}

const char *command_source(const struct json_object *object, const struct link *links,
                           unsigned link_count, uint16_t trial, struct source *source)
{
    enum frame_mode mode = FRAME_IO;
    struct frame_plan common = {.trial = trial};
    memset(source, 0, sizeof(*source));
    const char *wrong = parse_lanes(json_text(object, "lanes", "0>1"), link_count, source);
    if (!wrong)
        wrong = parse_mode(json_text(object, "mode", "mac"), &mode);
    if (wrong)
        return wrong;
    source->flows = (uint32_t)json_number(object, "flows", 16, FRAME_FLOWS_MAX);
    if (source->flows == 0 || source->flows > FRAME_FLOWS_MAX)
        return "flows: 1..4096";
    common.flows = source->flows;
    common.size_count = frame_parse_sizes(json_text(object, "sizes", "60"), common.sizes);
    if (common.size_count == 0)
        return "sizes: 60..9018 as in 60 or 60,594,1514 or imix or 60-9018";
    for (unsigned i = 0; i < source->lane_count; i++) {
        source->lanes[i].plan = common;
        fill_plan(&source->lanes[i], i, links, mode);
    }
    return NULL;
}

const char *command_config(const struct json_object *object, struct trial_config *config)
{
    uint64_t tick_us = json_number(object, "tick_us", 100, TIME_MAX_US);
    uint64_t quiet_ms = json_number(object, "quiet_ms", QUIET_MS, TIME_MAX_US);
    uint64_t expire_ms = json_number(object, "expire_ms", 0, TIME_MAX_US);
    uint64_t limit_ms = json_number(object, "limit_ms", 0, TIME_MAX_US);
    *config = (struct trial_config){
        .rate_pps = json_number(object, "rate_pps", 0, RATE_MAX),
        .frames = json_number(object, "frames", 1, FRAMES_MAX),
        .window = json_number(object, "window", 2048, FRAMES_MAX),
        .open_loop = json_number(object, "open_loop", 0, 1) == 1,
        .limit_ns = limit_ms * NS_PER_MS,
        .tick_ns = tick_us * NS_PER_US,
        .quiet_ns = quiet_ms * NS_PER_MS,
        .after_ns = json_number(object, "after_us", 5000, TIME_MAX_US) * NS_PER_US,
        .expire_ns = expire_ms * NS_PER_MS,
        .block = json_number(object, "block", 0, 1) == 1,
    };
    if (config->rate_pps > RATE_MAX)
        return "rate_pps: 0..100000000";
    if (config->frames == 0 || config->frames > FRAMES_MAX)
        return "frames: 1..1000000000";
    if (config->window == 0 || config->window > FRAMES_MAX)
        return "window: 1..1000000000";
    if (tick_us == 0 || tick_us > TIME_MAX_US || quiet_ms > TIME_MAX_US ||
        expire_ms > TIME_MAX_US || limit_ms > TIME_MAX_US)
        return "tick_us, quiet_ms, expire_ms, limit_ms: out of range";
    return NULL;
}
