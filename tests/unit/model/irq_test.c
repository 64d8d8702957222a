/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: routing, masks, automatic clearing and masking, moderation, the legacy ways. */
#include "guest.h"

#define EICR 0x800
#define EICS 0x808
#define EIAC 0x810
#define EIMS 0x880
#define EIMC 0x888
#define EIAM 0x890
#define GPIE 0x898
#define IVAR0 0x900
#define IVAR_MISC 0xa00
#define LSC (1u << 20)

static int setup(void **state)
{
    struct guest *g = guest_new(0, 1);

    guest_write(g, IVAR0, 0x00008180); /* queue 0: receive vector 0, transmit vector 1 */
    guest_write(g, IVAR_MISC, 0x8200);
    guest_write(g, GPIE, 0xc0000010); /* MSI-X, EIAME, PBA */
    guest_write(g, EIAC, 0xffff);
    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 20);
    (void)guest_read(g, 0x800); /* the link came up */
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    guest_free(*state);
    return 0;
}

static void frame_arrives(struct guest *g)
{
    uint8_t frame[128];

    assert_int_equal(x82599_receive(g->dev, frame, guest_frame_ip4(frame, 17, 64, -1)),
                     X82599_RX_ACCEPTED);
}

static void masked_until_enabled(void **state)
{
    struct guest *g = *state;

    frame_arrives(g);
    assert_int_equal(g->message_count, 0);
    assert_int_equal(guest_read(g, EICS), 1); /* shows without clearing */
    guest_write(g, EIMS, 1);
    assert_int_equal(g->messages[0], 1);
    assert_int_equal(guest_read(g, EICS), 0); /* EIAC */
    frame_arrives(g);
    assert_int_equal(g->messages[0], 2);
    guest_write(g, EIMC, 1);
    frame_arrives(g);
    assert_int_equal(g->messages[0], 2);
    assert_int_equal(guest_read(g, EIMS), 0);
}

static void transmit_has_its_vector(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0xaa0, 3); /* EIMS_EX(0) */
    guest_transmit_on(g, 0);
    guest_tx_put(g, 0, GUEST_BASE + 0x300000, (uint64_t)60 << 46 | 0x2b300000 | 60);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 1);
    assert_int_equal(g->messages[1], 1);
    assert_int_equal(g->messages[0], 0);
}

static void automatic_mask(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0xad0, 1); /* EIAM_EX(0) */
    guest_write(g, EIMS, 1);
    frame_arrives(g);
    frame_arrives(g);
    assert_int_equal(g->messages[0], 1);
    assert_int_equal(guest_read(g, EIMS), 0);
    guest_write(g, EIMS, 1); /* the second one waited */
    assert_int_equal(g->messages[0], 2);
}

static void without_auto_clear(void **state)
{
    struct guest *g = *state;

    guest_write(g, EIAC, 0);
    guest_write(g, EIMS, 1);
    frame_arrives(g);
    assert_int_equal(guest_read(g, EICS), 1);
    guest_write(g, EICR, 1); /* written away */
    assert_int_equal(guest_read(g, EICS), 0);
}

static void other_causes(void **state)
{
    struct guest *g = *state;

    guest_write(g, EIMS, LSC);
    x82599_link(g->dev, false);
    assert_int_equal(g->messages[2], 1);
    assert_int_equal(guest_read(g, EICR), LSC);
    assert_int_equal(guest_read(g, EICR), 0);
    guest_write(g, EICS, LSC);
    assert_int_equal(g->messages[2], 2);
    guest_write(g, EIMC, LSC);
    guest_write(g, EICS, LSC);
    assert_int_equal(g->messages[2], 2);
}

/* 8.2.3.5.14: with OCD a read clears the upper half only. */
static void clear_disabled(void **state)
{
    struct guest *g = *state;

    guest_write(g, GPIE, 0xc0000030);
    guest_write(g, EICS, LSC | 5);
    assert_int_equal(guest_read(g, EICR), LSC | 5);
    assert_int_equal(guest_read(g, EICR), 5);
}

static void upper_vectors(void **state)
{
    struct guest *g = *state;

    guest_write(g, IVAR0, 0x80 | 63);
    guest_write(g, 0xaa4, 1u << 31); /* EIMS_EX(1) */
    frame_arrives(g);
    assert_int_equal(g->messages[63], 1);
    guest_write(g, 0xab4, 1u << 31);
    frame_arrives(g);
    assert_int_equal(g->messages[63], 1);
    guest_write(g, IVAR0, 63); /* not valid: no cause at all */
    guest_write(g, 0xaa4, 1u << 31);
    assert_int_equal(g->messages[63], 2); /* the one that waited */
    frame_arrives(g);
    assert_int_equal(g->messages[63], 2);
}

static void moderation(void **state)
{
    struct guest *g = *state;

    guest_write(g, 0x820, 10u << 3); /* EITR(0): 20.48 us */
    guest_write(g, EIMS, 1);
    x82599_step(g->dev, 1000000);
    frame_arrives(g);
    frame_arrives(g);
    frame_arrives(g);
    assert_int_equal(g->messages[0], 1);
    assert_int_equal(x82599_next_ns(g->dev), 1020480);
    x82599_step(g->dev, 1020479);
    assert_int_equal(g->messages[0], 1);
    x82599_step(g->dev, 1020480);
    assert_int_equal(g->messages[0], 2);
    x82599_step(g->dev, 2000000);
    assert_int_equal(g->messages[0], 2);
    assert_int_equal(x82599_next_ns(g->dev), UINT64_MAX);
    frame_arrives(g); /* the interval is over: at once */
    assert_int_equal(g->messages[0], 3);
}

static void msi_and_intx(void **state)
{
    struct guest *g = *state;

    guest_write(g, GPIE, 0);
    x82599_irq_mode(g->dev, MODEL_IRQ_MSI);
    guest_write(g, EIAM, 0xffffffff);
    guest_write(g, EIMS, LSC | 3);
    frame_arrives(g);
    assert_int_equal(g->message_count, 1);
    assert_int_equal(guest_read(g, EICR), 1);
    assert_int_equal(guest_read(g, EIMS), 0); /* EIAM, by the read */
    assert_int_equal(guest_read(g, EICR), 0);
    x82599_irq_mode(g->dev, MODEL_IRQ_INTX);
    guest_write(g, EIMS, 1);
    frame_arrives(g);
    assert_int_equal(g->message_count, 2);
    x82599_irq_again(g->dev); /* nobody read EICR: the line is still up */
    assert_int_equal(g->message_count, 3);
    (void)guest_read(g, EICR);
    x82599_irq_again(g->dev);
    assert_int_equal(g->message_count, 3);
    x82599_irq_mode(g->dev, MODEL_IRQ_NONE);
    guest_write(g, EIMS, 1);
    frame_arrives(g);
    assert_int_equal(g->message_count, 3);
}

static void link_takes_time(void **state)
{
    struct x82599_config config = {.link_up_ns = 500000000};
    struct x82599 *dev = x82599_create(&config);

    assert_int_equal(x82599_read32(dev, 0x42a4), 0);
    assert_int_equal(x82599_next_ns(dev), 500000000);
    x82599_step(dev, 499999999);
    assert_int_equal(x82599_read32(dev, 0x42a4), 0);
    x82599_step(dev, 500000000);
    assert_int_equal(x82599_read32(dev, 0x42a4) >> 28, 0xf);
    x82599_write32(dev, 0x42a0, 0xc09c6004 | 1u << 12); /* AN_RESTART */
    assert_int_equal(x82599_read32(dev, 0x42a0) & 1u << 12, 0);
    assert_int_equal(x82599_read32(dev, 0x42a4), 0);
    x82599_step(dev, 1000000000);
    assert_int_equal(x82599_read32(dev, 0x42a4) >> 28, 0xf);
    x82599_destroy(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(masked_until_enabled, setup, teardown),
        cmocka_unit_test_setup_teardown(transmit_has_its_vector, setup, teardown),
        cmocka_unit_test_setup_teardown(automatic_mask, setup, teardown),
        cmocka_unit_test_setup_teardown(without_auto_clear, setup, teardown),
        cmocka_unit_test_setup_teardown(other_causes, setup, teardown),
        cmocka_unit_test_setup_teardown(clear_disabled, setup, teardown),
        cmocka_unit_test_setup_teardown(upper_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(moderation, setup, teardown),
        cmocka_unit_test_setup_teardown(msi_and_intx, setup, teardown),
        cmocka_unit_test(link_takes_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
