/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the table, and what a turn of one is. */
#include "bench.h"

#define DRAIN_TURNS 64
#define CALLS_MAX   2 /* DPDK's vector receive ends a burst where the ring ends */

#define BIT(lane) (1u << LANE_##lane)
#define OURS_ALL  (BIT(OURS_128) | BIT(OURS_512) | BIT(OURS_1024))
#define DPDK_ALL                                                                               \
    (BIT(DPDK_128) | BIT(DPDK_128_96) | BIT(DPDK_128_512) | BIT(DPDK_512) |                    \
     BIT(DPDK_512_476) | BIT(DPDK_1024))
#define AT_128 (BIT(OURS_128) | BIT(DPDK_128))
#define MEMORY (AT_128 | BIT(OURS_512) | BIT(DPDK_512) | BIT(DPDK_128_ALL))

const struct native_item native_items[] = {
    {"macswap", OURS_ALL | DPDK_ALL | BIT(DPDK_128_ALL), WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 32,
     32},
    {"io", OURS_ALL | DPDK_ALL, WORK_IO, TRAFFIC_PLAIN, TEMP_ANY, 32, 32},
    {"csum", BIT(OURS_128) | BIT(DPDK_CSUM), WORK_CSUM, TRAFFIC_PLAIN, TEMP_ANY, 32, 32},
    {"csum_2", BIT(OURS_128) | BIT(DPDK_CSUM), WORK_CSUM, TRAFFIC_HEADERS_2, TEMP_ANY, 32, 32},
    {"csum_4", BIT(OURS_128) | BIT(DPDK_CSUM), WORK_CSUM, TRAFFIC_HEADERS_4, TEMP_ANY, 32, 32},
    {"one", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 1, 32},
    {"empty", AT_128, WORK_IO, TRAFFIC_PLAIN, TEMP_ANY, 0, 0},
    {"burst_4", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 4, 4},
    {"burst_8", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 8, 8},
    {"burst_16", AT_128, WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 16, 16},
    {"burst_64", BIT(OURS_512) | BIT(DPDK_512), WORK_SWAP, TRAFFIC_PLAIN, TEMP_ANY, 64, 64},
    {"wrong_sum", BIT(OURS_128) | BIT(DPDK_RX_CSUM), WORK_SWAP, TRAFFIC_WRONG_SUM, TEMP_ANY, 32,
     32},
    {"imix", AT_128, WORK_SWAP, TRAFFIC_IMIX, TEMP_ANY, 32, 32},
    {"two_buffers", BIT(OURS_LONG) | BIT(DPDK_LONG), WORK_SWAP, TRAFFIC_TWO_BUFFERS, TEMP_ANY,
     32, 32},
    {"macswap_other", MEMORY, WORK_SWAP, TRAFFIC_PLAIN, TEMP_OTHER, 32, 32},
    {"io_other", MEMORY, WORK_IO, TRAFFIC_PLAIN, TEMP_OTHER, 32, 32},
    {"macswap_dram", MEMORY, WORK_SWAP, TRAFFIC_PLAIN, TEMP_DRAM, 32, 32},
    {"io_dram", MEMORY, WORK_IO, TRAFFIC_PLAIN, TEMP_DRAM, 32, 32},
};
const unsigned native_items_count = RT_ARRAY_SIZE(native_items);

bool native_does(const struct native *native, unsigned lane, const struct native_item *item)
{
    return (item->lanes & 1u << lane) != 0 && native->lane[lane].name != NULL;
}

bool native_arrive_all(struct native_card *card, const struct native_item *item)
{
    for (uint32_t i = 0; i < item->arrive; i++)
        if (!native_arrive(card, item->traffic))
            return false;
    native_temp_settle();
    _mm_mfence();
    return true;
}

/* Nothing of a turn that went wrong stays for the next. */
static void drain(struct native_lane *lane, const struct native_item *item)
{
    for (unsigned i = 0; i < DRAIN_TURNS; i++) {
        (void)lane->step(lane->ctx, item->work, NATIVE_BULK);
        (void)x82599_tx_run(lane->card.dev, 0);
    }
}

uint64_t native_turn(struct native_lane *lane, const struct native_item *item)
{
    uint32_t sent = 0;
    uint64_t t;

    lane->card.work = item->work;
    if (!native_arrive_all(&lane->card, item)) {
        drain(lane, item);
        return UINT64_MAX;
    }
    t = native_stamp();
    if (item->arrive == 0)
        lane->empty(lane->ctx);
    else
        for (unsigned calls = 0; sent < item->arrive && calls < CALLS_MAX; calls++)
            sent += lane->step(lane->ctx, item->work, item->ask);
    t = native_stamp() - t;
    (void)x82599_tx_run(lane->card.dev, 0);
    if (sent == item->arrive)
        return t;
    drain(lane, item);
    return UINT64_MAX;
}
