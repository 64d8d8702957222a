/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery while other cores work: real threads, three software 82599 in real time.
 *
 *     core 1: port 0 queue 0, port 1        core 2: port 0 queue 1, port 2        core 0: watches
 *
 * Port 0 fails again and again, and then has each fault that the card knows. Ports 1 and 2 lose
 * nothing, no hand-over is refused, every buffer is home in the end. Built with the thread
 * sanitizer and with the address sanitizer. RECOVERIES=1000 FAULT_FRAMES=1000000 for a long run.
 * Time decides nothing here but when a run has failed to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "ring/ring.h"
#include "state.h"

#include "recovery_cards.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DESCS = 64,
    POOL_BUFS = POOL_PATHS * (2 * DESCS + 64) + 256, /* as the kit makes them */
    BURST = 8,
    FRAME_BYTES = 60,
    WATCH_EVERY = 16,
    TURNS_BETWEEN = 30, /* rings and batches of port 0 are in use when it fails */
    STALL_US = 200000000, /* of a host that may be busy: only an end that never comes fails */
};

/* Port `port` queue `queue` out of itself, on this core. */
static void add_path(unsigned id, unsigned slot, unsigned port, uint16_t queue)
{
    struct core *core = &cores[id];
    struct l2fwd_path *path = &core->paths[slot];
    struct nic *nic = cards[port].nic;

    assert_int_equal(nic_rxq_setup(nic, queue, id, core->pool), RT_OK);
    assert_int_equal(nic_txq_setup(nic, queue, id, core->pool), RT_OK);
    *path = (struct l2fwd_path){.mode = L2FWD_IO, .kit = {.rxq = nic->rxq[queue],
                                .txq = nic->txq[queue], .batch_max = 32, .pool = core->pool,
                                .core = (uint16_t)id}};
}

static struct loop_source source_of(struct l2fwd_path *path)
{
    struct loop_source source = {
        .name = "path", .poll = l2fwd_worker_poll, .disarm = kit_path_disarm, .ctx = path,
        .never_sleeps = !path->kit.rxq->irq_reaches,
    };

    l2fwd_worker_source(path, &source);
    return source;
}

static void start(enum poll_mode mode)
{
    plug();
    for (unsigned i = 0; i < PORTS; i++) {
        const struct nic_config config = {
            .rxqs = i == 0 ? 2 : 1, .txqs = i == 0 ? 2 : 1, .rx_descs = DESCS,
            .tx_descs = DESCS, .frame_max_bytes = 1514, .irq_mode = NIC_IRQ_MSIX,
            .promiscuous = true,
        };

        assert_int_equal(nic_configure(cards[i].nic, &config), RT_OK);
    }
    for (unsigned i = 1; i < CORES; i++) {
        struct core *core = &cores[i];

        assert_int_equal(pool_create("test", i, CORES, POOL_BUFS, &core->pool), RT_OK);
        core->poll = (struct poll_config){.mode = mode, .spin_us = 50, .empty_polls = 8,
                                          .busy_packets = 1, .sleep_max_us = 2000};
        rt_loop_init(&core->loop, 32, hal_now_us());
        add_path(i, 0, 0, (uint16_t)(i - 1));
        add_path(i, 1, i, 0);
    }
    for (unsigned i = 0; i < PORTS; i++)
        assert_int_equal(nic_start(cards[i].nic), RT_OK);
    for (unsigned i = 1; i < CORES; i++) {
        struct loop_source sources[] = {source_of(&cores[i].paths[0]),
                                        source_of(&cores[i].paths[1]),
                                        kit_others_source(cores[i].pool)};

        for (unsigned s = 0; s < RT_ARRAY_SIZE(sources); s++)
            assert_int_equal(rt_loop_add(&cores[i].loop, &sources[s]), RT_OK);
    }
}

static void run_core(void *arg)
{
    struct core *core = arg;

    rt_loop_run(&core->loop, &core->poll);
    for (unsigned i = 0; i < POOL_PATHS; i++)
        l2fwd_worker_leave(&core->paths[i].kit);
}

static void collect_core(void *arg)
{
    struct core *core = arg;

    for (uint32_t i = 0; i < core->pool->total && pool_collect(core->pool) != 0; i++)
        ;
}

static void wait_core(unsigned id)
{
    while (!hal_core_idle(id)) /* the test's own time limit bounds it */
        sched_yield();
}

/* IPv4 of many flows, so that both queues of port 0 get some. */
static void offer(struct card *card, uint32_t number)
{
    uint8_t frame[FRAME_BYTES] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};

    frame[23] = 17;
    memcpy(frame + 26, &number, sizeof(number));
    pthread_mutex_lock(&card->lock);
    for (unsigned i = 0; i < BURST; i++)
        card->accepted += x82599_receive(card->dev, frame, FRAME_BYTES) == X82599_RX_ACCEPTED;
    pthread_mutex_unlock(&card->lock);
}

/* What core 0 does between two steps: time, frames for everyone, looks. */
static void turn(uint32_t number)
{
    for (unsigned i = 0; i < PORTS; i++) {
        struct card *card = &cards[i];

        pthread_mutex_lock(&card->lock);
        x82599_step(card->dev, hal_now_us() * 1000);
        pthread_mutex_unlock(&card->lock);
        if (number % WATCH_EVERY == i || nic_next_us(card->nic) <= hal_now_us())
            nic_poll_link(card->nic);
        offer(card, number * PORTS + i);
    }
    sched_yield();
}

static uint64_t recoveries_of(const struct nic *nic)
{
    return nic->counters[nic->counter_count - NIC_WATCH_ROWS + NIC_RECOVERIES].value;
}

static void fail_and_recover(uint64_t times)
{
    uint32_t number = 0;

    for (uint64_t i = 0; i < times; i++) {
        uint64_t since_us = hal_now_us(), before = recoveries_of(cards[0].nic);

        for (unsigned k = 0; k < TURNS_BETWEEN; k++)
            turn(number++);
        pthread_mutex_lock(&cards[0].lock);
        x82599_fault_now(cards[0].dev, X82599_FAULT_RESET_NEEDED, 0);
        pthread_mutex_unlock(&cards[0].lock);
        while (recoveries_of(cards[0].nic) == before) {
            turn(number++);
            if (hal_now_us() - since_us > STALL_US)
                fail_msg("no recovery:\n%s", console);
        }
    }
}

static uint64_t sent_of(struct card *card)
{
    uint64_t sent;

    pthread_mutex_lock(&card->lock);
    sent = card->sent;
    pthread_mutex_unlock(&card->lock);
    return sent;
}

/* Ports 1 and 2 carry everything that they took; port 0 carries frames again. */
static void all_arrives(void)
{
    uint64_t since_us = hal_now_us(), before = sent_of(&cards[0]);

    while (sent_of(&cards[0]) < before + BURST || sent_of(&cards[1]) != cards[1].accepted ||
           sent_of(&cards[2]) != cards[2].accepted) {
        offer(&cards[0], (uint32_t)hal_now_us());
        for (unsigned i = 0; i < PORTS; i++)
            nic_poll_link(cards[i].nic);
        sched_yield();
        if (hal_now_us() - since_us > STALL_US)
            fail_msg("port 1: %llu of %llu, port 2: %llu of %llu",
                     (unsigned long long)sent_of(&cards[1]),
                     (unsigned long long)cards[1].accepted,
                     (unsigned long long)sent_of(&cards[2]),
                     (unsigned long long)cards[2].accepted);
    }
}

static void stop(void)
{
    for (unsigned i = 1; i < CORES; i++)
        rt_loop_stop(&cores[i].loop, i);
    for (unsigned i = 1; i < CORES; i++)
        wait_core(i);
    for (unsigned i = 0; i < PORTS; i++)
        nic_stop(cards[i].nic);
    for (unsigned i = 1; i < CORES; i++) {
        assert_int_equal(hal_core_run(i, collect_core, &cores[i]), RT_OK);
        wait_core(i);
        assert_int_equal(cores[i].pool->free, cores[i].pool->total);
        cores[i].pool = NULL;
    }
    host_cores_stop();
    for (unsigned i = 0; i < PORTS; i++)
        assert_int_equal(cards[i].violations, 0);
    host_console_capture(NULL, 0);
    x82599_port_reset_all();
    pool_forget_all();
    host_memory_reset();
}

static uint64_t environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void run_cores(enum poll_mode mode)
{
    start(mode);
    for (unsigned i = 1; i < CORES; i++)
        assert_int_equal(hal_core_run(i, run_core, &cores[i]), RT_OK);
}

static void recover_in(enum poll_mode mode, const char *name)
{
    uint64_t times = environment("RECOVERIES", 12), refusals = buf_refusals();

    run_cores(mode);
    fail_and_recover((times + 2) / 3); /* three modes share them */
    all_arrives();
    printf("poll=%s recoveries=%llu sent=%llu,%llu,%llu refusals=%llu\n", name,
           (unsigned long long)recoveries_of(cards[0].nic),
           (unsigned long long)sent_of(&cards[0]), (unsigned long long)sent_of(&cards[1]),
           (unsigned long long)sent_of(&cards[2]),
           (unsigned long long)(buf_refusals() - refusals));
    assert_int_equal(buf_refusals(), refusals);
    stop();
}

static void poll_always(void **state)
{
    recover_in(POLL_ALWAYS, "always");
}

static void poll_adaptive(void **state)
{
    recover_in(POLL_ADAPTIVE, "adaptive");
}

static void poll_irq(void **state)
{
    recover_in(POLL_IRQ, "irq");
}

static const struct fault_row {
    enum x82599_fault kind;
    uint32_t chance_65536;
} fault_rows[] = {
    {X82599_FAULT_LATE_WRITEBACK, 3000}, {X82599_FAULT_WRONG_LENGTH, 3000},
    {X82599_FAULT_DD_WITHOUT_DATA, 3000}, {X82599_FAULT_LOST_IRQ, 20000},
    {X82599_FAULT_SPURIOUS_IRQ, 3000}, {X82599_FAULT_STUCK_TX, 3},
    {X82599_FAULT_LINK_FLAP, 100}, {X82599_FAULT_RESET_NEEDED, 100},
};

static void fault_chance(enum x82599_fault kind, uint32_t chance_65536)
{
    pthread_mutex_lock(&cards[0].lock);
    x82599_fault_chance(cards[0].dev, kind, chance_65536);
    if (chance_65536 != 0)
        x82599_fault_now(cards[0].dev, kind, 0);
    pthread_mutex_unlock(&cards[0].lock);
}

static uint64_t hits_of(enum x82599_fault kind)
{
    uint64_t hits;

    pthread_mutex_lock(&cards[0].lock);
    hits = x82599_counters(cards[0].dev)->faults[kind];
    pthread_mutex_unlock(&cards[0].lock);
    return hits;
}

/* Both queues of port 0 in a fault, on a core each, which has another port beside. */
static void under_fault(const struct fault_row *row, uint64_t frames)
{
    uint64_t refusals = buf_refusals(), hits, since_us, before;
    uint64_t begin_us = hal_now_us();
    uint32_t number = 0;

    run_cores(POLL_ADAPTIVE);
    fault_chance(row->kind, row->chance_65536);
    while ((uint64_t)number * BURST < frames ||
           (hits_of(row->kind) == 0 && hal_now_us() - begin_us < STALL_US))
        turn(number++); /* on a busy host the cores may not have run yet */
    fault_chance(row->kind, 0);
    since_us = hal_now_us();
    before = sent_of(&cards[0]);
    while (sent_of(&cards[0]) == before) { /* link back, hang seen, queues parked, reset */
        turn(number++);
        if (hal_now_us() - since_us > STALL_US)
            fail_msg("port 0 stays silent:\n%s", console);
    }
    all_arrives();
    hits = hits_of(row->kind);
    printf("fault=%s hits=%llu recoveries=%llu sent=%llu,%llu,%llu refusals=%llu\n",
           x82599_fault_name(row->kind), (unsigned long long)hits,
           (unsigned long long)recoveries_of(cards[0].nic),
           (unsigned long long)sent_of(&cards[0]), (unsigned long long)sent_of(&cards[1]),
           (unsigned long long)sent_of(&cards[2]),
           (unsigned long long)(buf_refusals() - refusals));
    assert_true(hits > 0);
    assert_int_equal(buf_refusals(), refusals);
    stop();
}

static void every_fault(void **state)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(fault_rows); i++)
        under_fault(&fault_rows[i], environment("FAULT_FRAMES", 4000));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(poll_always),
        cmocka_unit_test(poll_adaptive),
        cmocka_unit_test(poll_irq),
        cmocka_unit_test(every_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
