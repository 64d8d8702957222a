/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of a port through restarts with other numbers, cores and modes: what the card is
 * told names the core of each queue, and an interrupt raised there arrives there. */
#include "irq_machine.h"

#include <string.h>

static void run_more_queues_after_a_stop(void **state)
{
    static const struct step one = {1, NIC_IRQ_MSIX, 0}, two = {2, NIC_IRQ_MSIX, 0};
    struct card *card = irq_machine();

    irq_start(card, &one);
    irq_stop(card);
    irq_start(card, &two);
    irq_check(card, &two);
    irq_stop(card);
    card_free(card);
}

/* The line is asked for, not a message vector of the first start. */
static void run_intx_after_msix(void **state)
{
    static const struct step msix = {2, NIC_IRQ_MSIX, 0}, intx = {1, NIC_IRQ_INTX, 0};
    struct card *card = irq_machine();
    uint32_t message;

    irq_start(card, &msix);
    message = card->nic->rxq[0]->irq.vector;
    irq_stop(card);
    irq_start(card, &intx);
    assert_int_not_equal(card->nic->rxq[0]->irq.vector, message);
    irq_check(card, &intx);
    irq_stop(card);
    card_free(card);
}

/* Every pair of steps follows one another somewhere. */
static void run_any_sequence(void **state)
{
    static const uint16_t queues[] = {1, 4, 1, 2, 16, 3};
    struct card *card = irq_machine();
    struct step last = {1, NIC_IRQ_MSIX, 0};

    for (uint32_t round = 0; round < 96; round++) {
        struct step step = {queues[round % RT_ARRAY_SIZE(queues)],
                            (round * 7 / 3) % (NIC_IRQ_NONE + 1), (round / 5) % CORES};

        irq_start(card, &step);
        irq_check(card, &step);
        irq_stop(card);
        irq_start(card, &last); /* one after the other, and each after another mode */
        irq_check(card, &last);
        irq_stop(card);
        last = step;
    }
    card_free(card);
}

/* The vectors of a start are used again: as many starts as you like. */
static void run_starts_without_end(void **state)
{
    static const struct step sixteen = {16, NIC_IRQ_MSIX, 1}, msi = {3, NIC_IRQ_MSI, 2};
    struct card *card = irq_machine();
    struct hal_irq first, last;

    irq_start(card, &sixteen);
    irq_stop(card);
    assert_int_equal(hal_irq_alloc(0, "probe", &first), RT_OK);
    for (unsigned round = 0; round < 40; round++) {
        irq_start(card, round % 2 == 0 ? &msi : &sixteen);
        irq_check(card, round % 2 == 0 ? &msi : &sixteen);
        irq_stop(card);
    }
    assert_int_equal(hal_irq_alloc(0, "probe", &last), RT_OK);
    assert_int_equal(last.vector, first.vector + 1);
    card_free(card);
}

/* No vector for the last of them, at every place where the machine can run out. */
static void run_out_of_vectors(void **state)
{
    static const struct step four = {4, NIC_IRQ_MSIX, 0};

    for (uint32_t room = 0; room <= 5; room++) {
        static const uint32_t falls_to[] = {NIC_IRQ_NONE, NIC_IRQ_MSI, NIC_IRQ_MSI, NIC_IRQ_MSI,
                                            NIC_IRQ_MSI, NIC_IRQ_MSIX};
        struct step got = four;
        struct card *card = irq_machine();

        host_irq_limit(room);
        irq_start(card, &four);
        got.mode = falls_to[room];
        irq_check(card, &got);
        irq_stop(card);
        host_irq_limit(UINT32_MAX);
        irq_start(card, &four); /* and with room again: all of it */
        irq_check(card, &four);
        irq_stop(card);
        card_free(card);
    }
}

/* The table of MSI-X is not where the card says: known only after the vectors were taken. */
static void run_msix_fails_late(void **state)
{
    static const struct step four = {4, NIC_IRQ_MSIX, 0};
    struct step msi = {4, NIC_IRQ_MSI, 0}, intx = {4, NIC_IRQ_INTX, 0};

    for (unsigned hide_msi = 0; hide_msi <= 1; hide_msi++) {
        struct card *card = irq_machine();

        x82599_port_break_msix(card->port, true);
        x82599_port_hide(card->port, false, hide_msi == 1);
        irq_start(card, &four);
        irq_check(card, hide_msi == 1 ? &intx : &msi);
        irq_stop(card);
        x82599_port_break_msix(card->port, false);
        irq_start(card, &four);
        irq_check(card, &four);
        irq_stop(card);
        card_free(card);
    }
}

/* A loader's MSI-X, or MSI, is still on: the function interrupts our way, and only that. */
static void run_left_on_by_a_loader(void **state)
{
    static const uint32_t modes[] = {NIC_IRQ_MSIX, NIC_IRQ_MSI, NIC_IRQ_INTX, NIC_IRQ_NONE};

    for (size_t i = 0; i < RT_ARRAY_SIZE(modes); i++) {
        const struct step step = {2, modes[i], 0};
        struct card *card = irq_machine();

        pci_write32(card->nic->pci, MSIX_CAP,
                    pci_read32(card->nic->pci, MSIX_CAP) | ON_MSIX);
        pci_write32(card->nic->pci, MSI_CAP, pci_read32(card->nic->pci, MSI_CAP) | ON_MSI);
        irq_start(card, &step);
        irq_check(card, &step);
        irq_stop(card);
        assert_int_equal(pci_read32(card->nic->pci, MSIX_CAP) & ON_MSIX, 0);
        assert_int_equal(pci_read32(card->nic->pci, MSI_CAP) & ON_MSI, 0);
        assert_int_equal(pci_read32(card->nic->pci, 4) & INTX_OFF, INTX_OFF);
        card_free(card);
    }
}

/* A frame for queue 0 arrives and is taken; what its interrupt's count grew by until then. */
static uint64_t one_frame(struct card *card, bool look, uint64_t later_us)
{
    struct nic_rxq *rxq = card->nic->rxq[0];
    struct buf_batch batch = {.count = 0};
    uint64_t before = *rxq->irq.count;

    assert_false(nic_rx_arm(rxq));
    assert_int_equal(card_receive(card, 60, 0), X82599_RX_ACCEPTED);
    if (look)
        nic_poll_link(card->nic);
    card_pass_us(card, later_us);
    nic_rx_disarm(rxq);
    host_set_core(rxq->core);
    assert_int_equal(nic_rx(rxq, &batch, 32), 1);
    buf_batch_free(&batch);
    host_set_core(0);
    return *rxq->irq.count - before;
}

/* Core 0 looks at the link while a frame's interrupt is held back by moderation: it still comes,
 * to the core that sleeps. */
static void run_link_poll_keeps_causes(void **state)
{
    static const struct step steps[] = {
        {1, NIC_IRQ_MSIX, 1, 10}, {1, NIC_IRQ_MSI, 1, 10}, {1, NIC_IRQ_INTX, 0, 10}};

    for (size_t i = 0; i < RT_ARRAY_SIZE(steps); i++) {
        struct card *card = irq_machine();

        card->pool = irq_pools[steps[i].first_core];
        irq_start(card, &steps[i]);
        for (unsigned round = 0; round < 3; round++) {
            card_pass_us(card, 1000);
            assert_int_equal(one_frame(card, false, 0), 1); /* at once; the interval begins */
            assert_int_equal(one_frame(card, true, 0), 0);
            assert_int_equal(one_frame(card, true, 20), 1);
        }
        irq_stop(card);
        card_free(card);
    }
}

/* One cause for all queues: to arm the second clears what a frame of the first has just set, and
 * moderation has not sent yet. The core must not sleep on it. */
static void run_arming_hears_other_queues(void **state)
{
    static const uint32_t modes[] = {NIC_IRQ_MSI, NIC_IRQ_INTX};
    uint8_t frame[64];
    uint32_t hash, flow = 0;

    for (size_t i = 0; i < RT_ARRAY_SIZE(modes); i++) {
        struct nic_config c = card_config;
        struct card *card = irq_machine();
        uint64_t before;

        c.rxqs = c.txqs = 2;
        c.irq_mode = modes[i];
        c.moderation_us = 1000;
        card_configure(card, &c);
        assert_int_equal(nic_start(card->nic), RT_OK);
        do {
            card_ip4(frame, sizeof(frame), false, flow++, SUMS_RIGHT);
        } while (x82599_rss(card->dev, frame, sizeof(frame), &hash) != 0 && flow < 1000);
        before = *card->nic->rxq[0]->irq.count;
        assert_false(nic_rx_arm(card->nic->rxq[0]));
        assert_int_equal(x82599_receive(card->dev, frame, sizeof(frame)), X82599_RX_ACCEPTED);
        assert_int_equal(*card->nic->rxq[0]->irq.count, before); /* held back */
        assert_true(nic_rx_arm(card->nic->rxq[1]));
        irq_stop(card);
        card_free(card);
    }
}

/* Each is tried once, at no cost in time and without a trace but its count. */
static void run_tried_at_start(void **state)
{
    static const struct step steps[] = {
        {4, NIC_IRQ_MSIX, 0}, {3, NIC_IRQ_MSI, 1}, {2, NIC_IRQ_INTX, 0}, {1, NIC_IRQ_NONE, 0}};

    for (size_t i = 0; i < RT_ARRAY_SIZE(steps); i++) {
        struct card *card = irq_machine();
        uint64_t waits = host_waits(0);

        irq_start(card, &steps[i]);
        for (uint32_t n = 0; n < card->nic->irqs->count; n++)
            assert_int_equal(*pci_irqs_get(card->nic->irqs, n)->count, 1);
        assert_false(card_logged(card, "silent="));
        assert_int_equal(host_waits(0), waits);
        assert_int_equal(x82599_read32(card->dev, EICS_OFFSET) & 0xffff, 0); /* none is left */
        for (uint16_t q = 0; q < steps[i].queues; q++)
            assert_int_equal(x82599_read32(card->dev, EIMS_OFFSET) & RT_BIT(q), 0);
        irq_check(card, &steps[i]);
        irq_stop(card);
        card_free(card);
    }
}

static void cores_come_by(void)
{
    for (unsigned core = 1; core < CORES; core++) {
        host_set_core(core);
        nic_core_poll(core);
    }
    host_set_core(0);
}

/* A memory error of the card, and the recovery from it, with the cores of its queues coming by. */
static void recover(struct card *card)
{
    x82599_fault_now(card->dev, X82599_FAULT_RESET_NEEDED, 0);
    nic_poll_link(card->nic);
    assert_true(card_logged(card, "fault=memory-error"));
    for (unsigned i = 0; i < 1000 && !card_logged(card, "status=recovered"); i++) {
        cores_come_by();
        (void)card_live_us(card, 1000);
    }
    assert_true(card_logged(card, "status=recovered"));
    cores_come_by(); /* and take their queues back */
}

/* Which queues sleep, and are woken; the others say that they have work. */
static void check_silent(struct card *card, const struct step *step, uint32_t silent)
{
    for (uint16_t q = 0; q < step->queues; q++) {
        bool reached = step->mode == NIC_IRQ_MSIX && (silent >> q & 1) == 0;

        assert_int_equal(card->nic->rxq[q]->irq_reaches, reached);
        if (reached)
            irq_raise_arrives(card, q, RT_BIT(q));
        else
            assert_true(nic_rx_arm(card->nic->rxq[q]));
    }
}

/* Interrupts of some cores do not arrive: their queues say that they have work, always, so that
 * the cores poll; the others sleep and are woken. A recovery forgets none of it. */
static void run_silent(void **state)
{
    static const struct {
        struct step step;
        uint64_t blocked;
        uint32_t silent;
        const char *says;
    } cases[] = {
        {{4, NIC_IRQ_MSIX, 0}, 1 << 2, 1 << 2, "nic0 irq=msix silent=0x4 of=5 action="},
        {{4, NIC_IRQ_MSIX, 0}, 15, 15, "silent=0x1f of=5"},
        {{2, NIC_IRQ_MSIX, 2}, 1 << 0, 0, "silent=0x4 of=3"}, /* the link's alone */
        {{2, NIC_IRQ_MSI, 1}, 1 << 1, 3, "irq=msi silent=0x1 of=1"},
        {{1, NIC_IRQ_INTX, 0}, 1 << 0, 1, "reason=\"firmware's interrupt line"},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct card *card = irq_machine();
        const struct step *step = &cases[i].step;
        uint64_t begin_us;

        host_irq_block(cases[i].blocked);
        irq_start(card, step);
        begin_us = hal_now_us();
        assert_true(card_logged(card, cases[i].says));
        check_silent(card, step, cases[i].silent);
        recover(card);
        check_silent(card, step, cases[i].silent);
        irq_stop(card);
        host_irq_block(0);
        irq_start(card, step); /* the next start tries again */
        irq_check(card, step);
        assert_true(hal_now_us() - begin_us < 2000000);
        irq_stop(card);
        card_free(card);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_more_queues_after_a_stop),
        cmocka_unit_test(run_intx_after_msix),
        cmocka_unit_test(run_any_sequence),
        cmocka_unit_test(run_starts_without_end),
        cmocka_unit_test(run_out_of_vectors),
        cmocka_unit_test(run_msix_fails_late),
        cmocka_unit_test(run_left_on_by_a_loader),
        cmocka_unit_test(run_link_poll_keeps_causes),
        cmocka_unit_test(run_arming_hears_other_queues),
        cmocka_unit_test(run_tried_at_start),
        cmocka_unit_test(run_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
