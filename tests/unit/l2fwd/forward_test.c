/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to the bytes of a frame, and to nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "forward.h"

#include <string.h>

enum { FRAMES = 5, FRAME_BYTES = 64 };

static struct {
    struct buf buf;
    uint8_t room[BUF_HEADROOM_BYTES + FRAME_BYTES];
} bufs[FRAMES];
static struct buf_batch batch;

static const uint8_t port_mac[6] = {0x52, 0x54, 0x00, 0xaa, 0xbb, 0xcc};

static void fill(void)
{
    batch.count = FRAMES;
    for (unsigned i = 0; i < FRAMES; i++) {
        bufs[i].buf.data_off = (uint16_t)(BUF_HEADROOM_BYTES - i * 7); /* any alignment */
        bufs[i].buf.data_len = FRAME_BYTES;
        batch.buf[i] = &bufs[i].buf;
        for (unsigned k = 0; k < sizeof(bufs[i].room); k++)
            bufs[i].room[k] = (uint8_t)(k * 3 + i);
    }
}

/* Frame i begins with the 12 wanted bytes; every other byte of its room is as filled. */
static void check_frame(unsigned i, const uint8_t wanted[12])
{
    unsigned at = bufs[i].buf.data_off;

    for (unsigned k = 0; k < sizeof(bufs[i].room); k++) {
        uint8_t want = k >= at && k < at + 12 ? wanted[k - at] : (uint8_t)(k * 3 + i);

        assert_int_equal(bufs[i].room[k], want);
    }
}

static void check_untouched(unsigned i)
{
    for (unsigned k = 0; k < sizeof(bufs[i].room); k++)
        assert_int_equal(bufs[i].room[k], (uint8_t)(k * 3 + i));
}

static void mac(void **state)
{
    const uint8_t wanted[12] = {2, 0, 0, 0, 0, 7, 0x52, 0x54, 0x00, 0xaa, 0xbb, 0xcc};
    struct l2fwd_rewrite rewrite = l2fwd_rewrite_make(7, port_mac);

    fill();
    l2fwd_rewrite(&rewrite, &batch, 0);
    for (unsigned i = 0; i < FRAMES; i++)
        check_frame(i, wanted);
    assert_int_equal(batch.count, FRAMES);
}

static void only_from_first_on(void **state)
{
    struct l2fwd_rewrite rewrite = l2fwd_rewrite_make(0, port_mac);

    fill();
    l2fwd_rewrite(&rewrite, &batch, 3);
    check_untouched(2);
    assert_int_equal(buf_data(batch.buf[3])[0], 2);
    fill();
    l2fwd_swap(&batch, 3);
    check_untouched(2);
    fill();
    l2fwd_swap_best()(&batch, 3);
    check_untouched(2);
    fill();
    l2fwd_swap(&batch, FRAMES); /* none */
    l2fwd_swap_best()(&batch, FRAMES);
    l2fwd_rewrite(&rewrite, &batch, FRAMES);
    for (unsigned i = 0; i < FRAMES; i++)
        check_untouched(i);
}

static void check_swap(l2fwd_swap_fn *swap)
{
    fill();
    swap(&batch, 0);
    for (unsigned i = 0; i < FRAMES; i++) {
        unsigned at = bufs[i].buf.data_off;
        uint8_t wanted[12];

        for (unsigned k = 0; k < 12; k++)
            wanted[k] = (uint8_t)((at + (k + 6) % 12) * 3 + i);
        check_frame(i, wanted);
    }
    swap(&batch, 0); /* twice is nothing */
    for (unsigned i = 0; i < FRAMES; i++)
        check_untouched(i);
}

static void swap(void **state)
{
    check_swap(l2fwd_swap);
    check_swap(l2fwd_swap_best());
}

static void stripped_tags_are_put_back(void **state)
{
    fill();
    for (unsigned i = 0; i < FRAMES; i++)
        bufs[i].buf.flags = i % 2 == 0 ? BUF_RX_VLAN | BUF_RX_IP_GOOD : BUF_RX_IP_GOOD;
    l2fwd_restore_vlan(&batch, 1);
    for (unsigned i = 0; i < FRAMES; i++) {
        bool wanted = i >= 1 && i % 2 == 0;

        assert_int_equal((bufs[i].buf.flags & BUF_TX_OFFLOADS) == BUF_TX_VLAN, wanted);
        assert_true(wanted || (bufs[i].buf.flags & BUF_TX_OFFLOADS) == 0);
        assert_true((bufs[i].buf.flags & BUF_RX_IP_GOOD) != 0);
        bufs[i].buf.flags = 0;
        check_untouched(i);
    }
}

static void modes(void **state)
{
    struct l2fwd_options o = {.mode = L2FWD_MAC, .mac_update = true};

    assert_int_equal(l2fwd_mode_of(&o), L2FWD_MAC);
    o.mac_update = false;
    assert_int_equal(l2fwd_mode_of(&o), L2FWD_IO);
    o.mode = L2FWD_MACSWAP;
    assert_int_equal(l2fwd_mode_of(&o), L2FWD_MACSWAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mac),
        cmocka_unit_test(only_from_first_on),
        cmocka_unit_test(swap),
        cmocka_unit_test(stripped_tags_are_put_back),
        cmocka_unit_test(modes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
