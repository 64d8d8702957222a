/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept while the card sends it, on the software 82599: see kept.h. */
#include "ixgbe_port.h"
#include "kept.h"

#define LATE_CHANCE 40000
#define LOOKS 40

static void on_sent(struct card *card, const uint8_t *frame, uint32_t bytes)
{
    kept_frame_left(frame, bytes);
}

static void pass(void *ctx)
{
    card_pass_us(ctx, 10); /* late write-backs come */
}

static void stick(void *ctx)
{
    struct card *card = ctx;

    x82599_fault_now(card->dev, X82599_FAULT_STUCK_TX, 0);
}

static void recover(void *ctx)
{
    struct card *card = ctx;
    uint64_t before = x82599_counters(card->dev)->resets;

    x82599_fault_now(card->dev, X82599_FAULT_RESET_NEEDED, 0);
    card_pass_us(card, 100);
    for (uint32_t i = 0; i < LOOKS; i++) {
        nic_poll_link(card->nic);
        (void)card_live_us(card, 20000);
    }
    assert_true(x82599_counters(card->dev)->resets > before);
}

static void stop(void *ctx)
{
    card_stop(ctx);
}

static void start(void *ctx)
{
    struct card *card = ctx;

    card_configure(card, &card_config);
    assert_int_equal(nic_start(card->nic), RT_OK);
    x82599_fault_chance(card->dev, X82599_FAULT_LATE_WRITEBACK,
                        kept_random(2) != 0 ? LATE_CHANCE : 0);
}

static struct kept_card make(void)
{
    struct card *card = card_start(&card_config, kept_random(UINT32_MAX));

    card->on_sent = on_sent;
    return (struct kept_card){.nic = card->nic, .pool = card->pool, .ctx = card, .pass = pass,
                              .stick = stick, .recover = recover, .stop = stop, .start = start};
}

static void end(void *ctx)
{
    card_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct kept_maker maker = {make, end};

    return kept_main(argc, argv, &maker);
}
