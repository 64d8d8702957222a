/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ours and DPDK on the same software card, in one process, in turns.
 *
 * A lane is one driver with one queue pair and one setting. The model puts frames into its
 * receive ring (not timed), the lane's step receives, works, sends (timed), the model takes the
 * frames out of the transmit ring and compares each with what it must be (not timed). Registers
 * are plain memory for both, so that doorbells cost nothing: what is measured is software only.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <model/x82599.h>
#include <rt/base.h>

#define NATIVE_POLLS 64u /* of one empty-poll step */
#define NATIVE_BULK 32u  /* objects of one pool or ring step */
#define NATIVE_L1_SETS 64u
#define NATIVE_LINE    64u

enum native_work { WORK_IO, WORK_SWAP, WORK_CSUM, WORK_KINDS };

/* What arrives; more than one shape of frame: in turn. */
enum native_traffic {
    TRAFFIC_PLAIN,     /* 60 bytes, IPv4 and UDP, sums right */
    TRAFFIC_WRONG_SUM, /* its UDP sum is wrong */
    TRAFFIC_HEADERS_2, /* IP headers of two lengths: two checksum contexts */
    TRAFFIC_HEADERS_4,
    TRAFFIC_IMIX,        /* 60, 590 and 1514 bytes, 7 : 4 : 1 */
    TRAFFIC_TWO_BUFFERS, /* 3000 bytes */
    TRAFFICS
};

/* Where the device's writes are when the driver reads them. */
enum native_temp {
    TEMP_L1,    /* as the model's core left them */
    TEMP_L3,    /* as a card with DDIO leaves them; needs CLDEMOTE */
    TEMP_OTHER, /* modified in the caches of another core */
    TEMP_DRAM,
    TEMPS
};

struct native_card {
    struct x82599 *dev;
    enum native_work work; /* what must have been done to the frame */
    uint32_t arrived;      /* frames so far: which shape is next */
    uint64_t sent, corrupt;
};

/* Where the headers of a pool's buffers lie. */
struct native_layout {
    uint32_t objects;
    uint32_t in_set[NATIVE_L1_SETS]; /* headers by the set of an L1 cache they fall into */
    uint64_t huge_kb;                /* of their memory, on large pages */
};

struct native_lane {
    const char *name; /* NULL: not there */
    struct native_card card;
    void *ctx;
    /* One turn: at most `ask` frames; returns how many it sent. */
    uint32_t (*step)(void *ctx, enum native_work work, uint32_t ask);
    void (*empty)(void *ctx);            /* NATIVE_POLLS polls that find nothing */
    struct native_layout layout;
    char burst_rx[48], burst_tx[48]; /* which of the driver's functions are in use */
};

/* A pool or ring of either side; each step moves NATIVE_BULK objects in and out. */
struct native_object {
    void *ctx;
    void (*step)(void *ctx);
};

enum native_lanes {
    LANE_OURS_128,
    LANE_OURS_512,
    LANE_OURS_1024,
    LANE_OURS_LONG,    /* 512/512, frames of several buffers */
    LANE_DPDK_128,     /* 128/128, tx_free_thresh 32 */
    LANE_DPDK_128_96,  /* the same, tx_free_thresh 96 */
    LANE_DPDK_128_ALL, /* the same, all frames of a burst are prefetched first */
    LANE_DPDK_128_512, /* 128/512, tx_free_thresh 448 */
    LANE_DPDK_512,     /* testpmd's default */
    LANE_DPDK_512_476, /* tx_free_thresh 476 */
    LANE_DPDK_1024,
    LANE_DPDK_RX_CSUM, /* 128/128, checks sums as ours does */
    LANE_DPDK_CSUM,    /* 128/128 with checksum requests */
    LANE_DPDK_LONG,    /* 512/512, frames of several buffers */
    LANES
};
enum native_objects { OBJECT_OURS, OBJECT_DPDK, OBJECTS };

struct native {
    struct native_lane lane[LANES];
    struct native_object pool[OBJECTS]; /* take 32, free 32, one by one */
    struct native_object
        pool_bulk[OBJECTS];             /* 32 by one call each way, as far as there is one */
    struct native_object ring[OBJECTS]; /* 32 by one call each way */
    struct native_object ring_one[OBJECTS]; /* 32 times one */
};

/* Callbacks of the model for a lane; ctx is the lane's card. */
struct x82599_config native_card_config(struct native_card *card);
/* One frame of the traffic arrives; false: the card had no descriptor for it. */
RT_NODISCARD bool native_arrive(struct native_card *card, enum native_traffic traffic);
/* The UDP sum field as a checksum request wants it: of all shapes of 60 bytes. */
uint16_t native_pseudo_sum(void);

/* `other_cpu`: one that the drivers do not run on, for TEMP_OTHER. */
RT_NODISCARD bool native_temp_start(unsigned other_cpu);
void native_temp_set(enum native_temp temp);
/* Between the card's work and the driver's: returns when all lines are where they belong. */
void native_temp_settle(void);

/* The model's callback: the device has written there. */
void native_wrote(void *ctx, void *p, uint32_t bytes);

/* Counts a header that lies at `header`. */
void native_layout_add(struct native_layout *layout, const void *header);
/* Large pages of the mapping that `memory` lies in, kB. */
uint64_t native_huge_kb(const void *memory);

/* Instructions that `run(ctx)` executes in user space, exactly (a child is single-stepped); 0:
 * this machine does not allow it. `prepare` and `finish` are not counted. */
struct native_region {
    void (*prepare)(void *ctx);
    void (*run)(void *ctx);
    void (*finish)(void *ctx);
    void *ctx;
};
uint64_t native_count(const struct native_region *region, unsigned times);

/* The application's part is the same code on both sides, that of apps/l2fwd/forward.c (testpmd's
 * macswap is one shuffle, too). */
typedef uint8_t native_head __attribute__((vector_size(16), may_alias, aligned(1)));

RT_INLINE void native_swap(uint8_t *frame)
{
    native_head *head = (native_head *)(void *)frame;

    *head = __builtin_shufflevector(*head, *head, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13,
                                    14, 15);
}

/* Each fills its lanes and objects; false: it said why. */
bool native_ours_start(struct native *native);
/* `paged`: pools as rte_pktmbuf_pool_create() makes them, which without huge pages is one
 * buffer a page of 4 KiB; else packed, as they are on huge pages. */
bool native_dpdk_start(struct native *native, unsigned cpu, bool paged);

#endif
