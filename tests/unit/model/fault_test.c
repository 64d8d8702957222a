/* SPDX-License-Identifier: BSD-2-Clause */
/* Each fault switch does what it says, the same again from the same seed; and a guest that
 * writes anything anywhere cannot make the model leave its memory. */
#include "guest.h"

#define FRAME_AT 0x300000u
#define DATA_EOP_RS 0x2b300000u

static int setup(void **state)
{
    struct guest *g = guest_new(0, 7);

    guest_write(g, 0x900, 0x00008180);
    guest_write(g, 0x810, 0xffff);
    guest_write(g, 0xaa0, 3);
    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 30);
    guest_transmit_on(g, 0);
    (void)guest_read(g, 0x800); /* the link came up */
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    guest_free(*state);
    return 0;
}

static uint32_t frame_arrives(struct guest *g)
{
    static uint8_t frame[256];
    uint32_t bytes = guest_frame_ip4(frame, 17, 64, -1);

    assert_int_equal(x82599_receive(g->dev, frame, bytes), X82599_RX_ACCEPTED);
    return bytes;
}

static void send(struct guest *g)
{
    guest_tx_put(g, 0, GUEST_BASE + FRAME_AT, (uint64_t)60 << 46 | DATA_EOP_RS | 60);
    guest_tx_go(g, 0);
}

static void late_write_back(void **state)
{
    struct guest *g = *state;

    x82599_step(g->dev, 1000);
    x82599_fault_now(g->dev, X82599_FAULT_LATE_WRITEBACK, 0);
    frame_arrives(g);
    frame_arrives(g); /* behind a late one: late, too */
    assert_int_equal(guest_rx_desc(g, 0, 0)[1], 0);
    assert_int_equal(guest_rx_desc(g, 0, 1)[1], 0);
    assert_int_equal(g->messages[0], 0);
    assert_true(x82599_next_ns(g->dev) > 1000);
    x82599_step(g->dev, x82599_next_ns(g->dev));
    assert_int_equal(guest_rx_desc(g, 0, 0)[1] & 3, 3);
    assert_int_equal(guest_rx_desc(g, 0, 1)[1] & 3, 3);
    assert_true(g->messages[0] > 0);
    x82599_fault_now(g->dev, X82599_FAULT_LATE_WRITEBACK, 0);
    send(g);
    assert_int_equal(g->sent_count, 1);
    assert_int_equal(guest_tx_desc(g, 0, 0)[1] >> 32 & 1, 0);
    guest_write(g, 0x6028, 0); /* the queue is off: never */
    x82599_step(g->dev, 10000000);
    assert_int_equal(guest_tx_desc(g, 0, 0)[1] >> 32 & 1, 0);
}

static void wrong_length(void **state)
{
    struct guest *g = *state;
    unsigned wrong = 0;

    x82599_fault_chance(g->dev, X82599_FAULT_WRONG_LENGTH, 32768);
    for (unsigned i = 0; i < 20; i++) {
        uint32_t bytes = frame_arrives(g);

        wrong += (guest_rx_desc(g, 0, i)[1] >> 32 & 0xffff) != bytes;
    }
    assert_true(wrong > 3 && wrong < 17);
    assert_int_equal(x82599_counters(g->dev)->faults[X82599_FAULT_WRONG_LENGTH], wrong);
}

static void done_without_data(void **state)
{
    struct guest *g = *state;

    memset(guest_rx_buffer(g, 0, 0), 0x5a, 64);
    x82599_fault_now(g->dev, X82599_FAULT_DD_WITHOUT_DATA, 0);
    frame_arrives(g);
    assert_int_equal(guest_rx_desc(g, 0, 0)[1] & 3, 3);
    assert_int_equal(guest_rx_buffer(g, 0, 0)[20], 0x5a);
}

static void messages_lost_and_spurious(void **state)
{
    struct guest *g = *state;

    x82599_fault_now(g->dev, X82599_FAULT_LOST_IRQ, 0);
    frame_arrives(g);
    assert_int_equal(g->message_count, 0);
    frame_arrives(g);
    assert_int_equal(g->message_count, 1);
    x82599_fault_now(g->dev, X82599_FAULT_SPURIOUS_IRQ, 0);
    assert_int_equal(g->message_count, 2);
}

static void stuck_transmit(void **state)
{
    struct guest *g = *state;

    x82599_fault_now(g->dev, X82599_FAULT_STUCK_TX, 0);
    send(g);
    send(g);
    assert_int_equal(g->sent_count, 0);
    assert_int_equal(guest_read(g, 0x6010), 0);
    guest_write(g, 0x6028, 0);
    guest_write(g, 0x6028, 1u << 25);
    assert_int_equal(g->sent_count, 2);
}

static void link_flap(void **state)
{
    struct guest *g = *state;

    x82599_fault_now(g->dev, X82599_FAULT_LINK_FLAP, 0);
    assert_int_equal(guest_read(g, 0x42a4), 0);
    assert_int_equal(guest_read(g, 0x800) & 1u << 20, 1u << 20);
    x82599_step(g->dev, x82599_next_ns(g->dev));
    assert_int_equal(guest_read(g, 0x42a4) >> 28, 0xf);
}

static void removal(void **state)
{
    struct guest *g = *state;

    x82599_fault_now(g->dev, X82599_FAULT_REMOVAL, 0);
    assert_int_equal(guest_read(g, 0x8), UINT32_MAX);
    send(g);
    assert_int_equal(g->sent_count, 0);
    x82599_look(g->dev);
    x82599_replug(g->dev);
    assert_int_equal(guest_read(g, 0x8), 0x80080);
    assert_int_equal(guest_read(g, 0x1028), 0);
}

static void reset_needed(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0xa00, 0x8200);
    guest_write(g, 0x880, 1u << 28);
    x82599_fault_now(g->dev, X82599_FAULT_RESET_NEEDED, 0);
    assert_int_equal(g->messages[2], 1);
    assert_int_equal(guest_read(g, 0x800), 1u << 28);
    send(g);
    assert_int_equal(g->sent_count, 0);
    guest_write(g, 0x0, 1u << 26);
    guest_transmit_on(g, 0);
    send(g);
    assert_int_equal(g->sent_count, 1);
}

static void same_seed_same_run(void **state)
{
    uint64_t faults[2][X82599_FAULT_KINDS];

    for (unsigned run = 0; run < 2; run++) {
        struct guest *g;

        setup((void **)&g);
        for (unsigned kind = 0; kind < X82599_FAULT_REMOVAL; kind++)
            x82599_fault_chance(g->dev, (enum x82599_fault)kind, 8192);
        for (unsigned i = 0; i < 25; i++) {
            uint8_t frame[128];

            (void)x82599_receive(g->dev, frame, guest_frame_ip4(frame, 17, 64, -1));
            x82599_step(g->dev, 10000 * i);
            send(g);
        }
        memcpy(faults[run], x82599_counters(g->dev)->faults, sizeof(faults[run]));
        guest_free(g);
    }
    assert_memory_equal(faults[0], faults[1], sizeof(faults[0]));
    (void)state;
}

/* ---- a hostile guest ---- */

static uint32_t hostile_offset(struct guest *g)
{
    static const uint32_t likely[] = {0x1000, 0x1040, 0x6000, 0x6040, 0x800, 0x880, 0x900,
                                      0x3000, 0x4240, 0x4a80, 0x5080, 0xeb00, 0xec80, 0x820,
                                      0xa00, 0x4268, 0x0, 0x28, 0x10010, 0x425c, 0x2300, 0x8600};
    uint64_t r = guest_random(g);

    if ((r & 7) == 0)
        return (uint32_t)(r >> 8) & (X82599_BAR_BYTES - 4);
    return likely[(r >> 8) % (sizeof(likely) / sizeof(likely[0]))] + ((r >> 20) & 0x3c);
}

static uint32_t hostile_value(struct guest *g, uint32_t offset)
{
    uint64_t r = guest_random(g);

    if (offset == 0) /* not always a reset */
        return (r & 15) == 0 ? 1u << 26 : 0;
    switch (r >> 32 & 7) {
    case 0:
        return (uint32_t)(GUEST_BASE + (r & (GUEST_BYTES - 1)));
    case 1:
        return UINT32_MAX;
    case 2:
        return 1u << 25 | (uint32_t)(r & 0xff);
    case 3:
        return (uint32_t)(r & 0x3ff);
    default:
        return (uint32_t)r;
    }
}

/* Random registers and random descriptors; memory outside is caught by ASan, the rest by UBSan. */
static void hostile_guest(void **state)
{
    static uint8_t frame[X82599_FRAME_MAX];
    const char *text = getenv("MODEL_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 20240229;
    struct guest *g = guest_new(0, seed);

    print_message("MODEL_SEED=%llu\n", (unsigned long long)seed);
    for (unsigned turn = 0; turn < 200000; turn++) {
        uint32_t offset = hostile_offset(g);
        uint32_t bytes = 14 + (uint32_t)(guest_random(g) % (X82599_FRAME_MAX + 100 - 14));
        uint64_t r = guest_random(g);

        guest_write(g, offset, hostile_value(g, offset));
        (void)guest_read(g, hostile_offset(g));
        if (turn % 64 == 0) /* a working state to be hostile from */
            guest_transmit_on(g, 0), guest_receive_on(g, 0, 1 + r % 16, 1);
        for (unsigned i = 0; i < 4; i++) {
            uint64_t *desc = guest_at(g, (uint32_t)(guest_random(g) % (GUEST_BYTES / 64)) * 8);

            desc[0] = GUEST_BASE + (guest_random(g) % (GUEST_BYTES + 4096));
            desc[1] = guest_random(g) << 24 ^ guest_random(g);
        }
        if (bytes > X82599_FRAME_MAX)
            bytes = X82599_FRAME_MAX;
        for (unsigned i = 0; i < 64; i += 8)
            memcpy(frame + i, &(uint64_t){guest_random(g)}, 8);
        if ((r & 3) != 0)
            (void)guest_frame_ip4(frame, r & 4 ? 6 : 17, 64, r & 8 ? 5 : -1);
        frame[r >> 8 & 63] = (uint8_t)(r >> 16);
        if (x82599_receive(g->dev, frame, bytes) == X82599_RX_NO_DESCRIPTOR)
            x82599_missed(g->dev, frame, bytes);
        x82599_step(g->dev, turn * 1000ull);
    }
    guest_free(g);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(late_write_back, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_length, setup, teardown),
        cmocka_unit_test_setup_teardown(done_without_data, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_lost_and_spurious, setup, teardown),
        cmocka_unit_test_setup_teardown(stuck_transmit, setup, teardown),
        cmocka_unit_test_setup_teardown(link_flap, setup, teardown),
        cmocka_unit_test_setup_teardown(removal, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_needed, setup, teardown),
        cmocka_unit_test(same_seed_same_run),
        cmocka_unit_test(hostile_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
