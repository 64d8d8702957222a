/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every application shares: one call from found cards to running loops, and from the stop
 * to an exit code, with every buffer home.
 *
 * The unit of work is a path: a receive queue, and the transmit queue that its core sends by.
 * The kit spreads the receive queues of all ports over the cores; a core has one loop, one pool
 * and its paths. A frame stays on the core that received it: no lock, no ring in between.
 * Pools that an application makes itself, in path_begin at the latest, are brought home and
 * counted like the kit's. With the kit, never call nic_core_poll, nic_poll_link, nic_poll_stats
 * or pool_collect: it does.
 * An application says what a turn of a path does and what it counts:
 *
 *     kit_run   cards found -> who sends where -> queues to cores -> pools -> ports started
 *               -> path_begin of each path -> loops on all cores, poll of each path in turn
 *     stop      loops end -> path_end of each path -> DMA ends -> path_leave on all cores -> what
 *               they gave back goes home -> buffers counted -> report -> exit code
 *
 * Boot arguments are kit_arg_table (kit/options.h), those of the runtime and the application's
 * own; struct rt_app lists them. The console has the kit's commands and the application's.
 * Hooks run on core 0 and before the loops, where nothing else is said.
 */
#ifndef KIT_KIT_H
#define KIT_KIT_H

#include <kit/cards.h>
#include <kit/options.h>
#include <rt/app.h>
#include <rt/loop.h>

/* Exit codes of an application (2 is the runtime's: bad boot arguments). */
enum kit_exit {
    KIT_EXIT_OK = 0,
    KIT_EXIT_LEAK = 1,   /* buffers missing, or a core did not stop */
    KIT_EXIT_ARGS = 2,   /* boot arguments that cannot be: a line says which */
    KIT_EXIT_MEMORY = 3,
    KIT_EXIT_NO_NIC = 4,
    KIT_EXIT_DEVICE = 5, /* a port refused its configuration */
    KIT_EXIT_PLAN = 6,   /* ports, queues and cores do not fit together */
    KIT_EXIT_APP = 7,    /* a table of the application is wrong: a line says which */
};

/*
 * The head of an application's own structure of a path, which the kit allocates (zeroed) and
 * fills in. Its core alone touches it while loops run; core 0 reads counters for reports.
 */
struct kit_path {
    struct nic_rxq *rxq; /* NULL: none fell to this core (struct kit_app: ports_a_core) */
    struct nic_txq *txq;
    struct pool *pool;     /* of the path's core */
    struct rt_loop *loop;  /* of the path's core: for timers and sources of one's own */
    uint64_t first_cycles; /* hal_cycles() of the first frame that was done; 0: none yet */
    uint32_t batch_max;    /* frames to take in a turn, batch= */
    uint8_t rx_port, tx_port;
    uint16_t core;
    uint8_t refused; /* path_begin sets an enum kit_exit here: the start ends, no path follows */
    uint64_t polls[BUF_BATCH_MAX + 1] RT_ALIGNED(RT_CACHE_LINE); /* polls by frames found */
};

/* Receives a batch behind what is in `out`, and counts it; the frames are the caller's. None
 * when `out` has batch_max or more already. The path's core. */
RT_INLINE uint32_t kit_path_receive(struct kit_path *path, struct buf_batch *out)
{
    uint32_t room = out->count < path->batch_max ? path->batch_max - out->count : 0;
    uint32_t count = nic_rx(path->rxq, out, room);

    path->polls[count]++;
    if (RT_UNLIKELY(path->first_cycles == 0) && count != 0)
        path->first_cycles = hal_cycles();
    return count;
}

enum kit_counter_kind {
    KIT_COUNT,   /* the application's own */
    KIT_DROP,    /* frames that went no further, and why */
    KIT_TRAFFIC, /* the kit's: frames and bytes of a port, turns of a core */
    KIT_CARD,    /* the kit's: what a card lost */
};

/* A counter is a uint64_t of a structure that one core writes; a port's is the sum over the
 * queues or paths that receive there. Printed by `stats`, in the report, explained by
 * `counters`. Names are [a-z0-9_]. */
struct kit_counter {
    const char *name;
    const char *unit; /* "frames", "bytes" */
    const char *help;
    enum kit_counter_kind kind;
    size_t offset; /* an application's: in its structure of a path */
};

struct kit;

/* The path of that number: 0, 1, ... in the order of the plan; NULL behind the last. Those whose
 * port did not start are there, too, and stay at 0. Borrowed: its core writes it while loops run.
 * Core 0. */
struct kit_path *kit_path_at(const struct kit *kit, uint32_t number);

/* A line of the console: the name alone, or with a text behind it where `text` says which. */
struct kit_command {
    const char *name;
    const char *text; /* "name=value", for `help`; NULL: the command takes none */
    void (*run)(struct kit *kit, const char *text); /* core 0, while loops run: be short */
};

struct kit_app {
    /* Word of the line that says that the loops run: "forwarding". NULL: "running". */
    const char *running;
    size_t path_bytes;   /* of its structure of a path; at least a struct kit_path, its head */
    /* One turn of a path: at most batch_max frames, each to its end. Returns how many, and never
     * more than batch_max: the loop asserts it. What is no frame is a source of its own. The
     * path's core. */
    uint32_t (*poll)(void *path, uint64_t now_us);
    /* Ports have started: queues, pool, loop and addresses are known. `source` may be changed, as
     * for another poll. Memory is not sealed yet: pools and mailboxes are made here, timers armed
     * and sources added to path->loop. path->pool has 256 buffers beside full rings and batches:
     * who keeps more makes a pool. NULL: nothing to prepare. */
    void (*path_begin)(struct kit_path *path, struct loop_source *source);
    /* The loops have ended, the ports still run: tells peers that it is over, receives and sends
     * by itself. Called again and again until it returns true, nothing is left, or a second has
     * passed: then with `last`, whatever it returns. The path's core. NULL: nothing to end. */
    bool (*path_end)(struct kit_path *path, uint64_t now_us, bool last);
    /* Gives back what the path still holds. The path's core, after its loop. NULL: nothing. Where a
     * path was refused, it and path_end are also called for those that never began, still all 0. */
    void (*path_leave)(struct kit_path *path);
    /* Who sends where, in a map without ports; lines for what stays idle. NULL:
     * kit_cards_to_self. */
    enum rt_status (*map_ports)(const struct kit_cards *cards, struct kit_portmap *map);
    const struct kit_counter *counters;
    uint32_t counter_count;
    const struct kit_command *commands;
    uint32_t command_count;
    /* Each core gets a path of each port, while it has fewer paths than this and the card has a
     * transmit queue for it; without a receive queue where none fell to the core. 0: a core has the
     * paths of its queues alone. */
    uint32_t ports_a_core;
};

/* Runs the application until it is stopped; returns the exit code (enum kit_exit). Core 0,
 * once; `app` is used until then. */
int kit_run(const struct kit_app *app, const struct boot_info *boot);

/* Arms the receive queue, if there is one; completed transmit buffers come home before. True:
 * frames wait. For loop_source.arm; ctx is the struct kit_path, on its core. */
bool kit_path_arm(void *ctx, uint64_t now_us);
void kit_path_disarm(void *ctx);

#endif
