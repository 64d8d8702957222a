/* SPDX-License-Identifier: BSD-2-Clause */
/* A bad line in words: every setting, what cannot be read, and that such a port is opened. */
#include "host_port.h"

#include <pmd/link.h>

static void run_settings(void **state)
{
    struct link_config config;

    assert_true(link_config_parse("", &config));
    assert_int_equal(config.in.loss_ppm, 0);
    assert_true(link_config_parse("+seed=999999999999999999+loss_ppm=1+duplicate_ppm=2"
                                  "+corrupt_ppm=3+reorder_ppm=4+reorder_us=5+delay_us=6"
                                  "+jitter_us=7+rate_bps=10000000000+frames_max=9"
                                  "+bytes_max=4294967295", &config));
    assert_true(config.in.seed == UINT64_C(999999999999999999));
    assert_true(config.out.seed == config.in.seed + 1);
    assert_int_equal(config.in.loss_ppm, 1);
    assert_int_equal(config.out.duplicate_ppm, 2);
    assert_int_equal(config.in.corrupt_ppm, 3);
    assert_int_equal(config.out.reorder_ppm, 4);
    assert_int_equal(config.in.reorder_us, 5);
    assert_int_equal(config.out.delay_us, 6);
    assert_int_equal(config.in.jitter_us, 7);
    assert_true(config.out.rate_bps == UINT64_C(10000000000));
    assert_int_equal(config.in.frames_max, 9);
    assert_true(config.out.bytes_max == UINT32_MAX);
}

static void run_unreadable(void **state)
{
    static const char *const texts[] = {
        "loss_ppm=1",   "+",           "+loss_ppm",        "+loss_ppm=",
        "+loss=1",      "+loss_ppm=x", "+loss_ppm=1+",     "+loss_ppm=1,seed=2",
        "+loss_ppm=-1", "+=1",         "+loss_ppm_=1",     "+seed=1234567890123456789",
        "+delay_us=4294967296",
    };
    struct link_config config;

    for (size_t i = 0; i < RT_ARRAY_SIZE(texts); i++)
        if (link_config_parse(texts[i], &config))
            fail_msg("\"%s\" was read", texts[i]);
}

/* The line's port is behind the one below, each has its place, and both are opened once. */
static void run_opened(void **state)
{
    static const char line[] = "pipe:1+seed=3+loss_ppm=1000000";
    struct host_port a = {.nic = NULL}, b = {.nic = NULL};
    struct buf_batch batch = {.count = 0};

    assert_int_equal(nic_open(line), RT_OK);
    assert_int_equal(nic_count(), 3);
    assert_int_equal(nic_open(line), RT_OK);
    assert_int_equal(nic_open("pipe:0"), RT_OK);
    assert_int_equal(nic_count(), 3);
    assert_string_equal(nic_get(1)->place, "pipe:1");
    assert_string_equal(nic_get(2)->place, line);
    assert_string_equal(nic_get(2)->driver_name, "link");
    host_port_start(&a, nic_get(0), 0, 1514);
    host_port_start(&b, nic_get(2), 0, 1514);
    assert_true(host_port_send(&a, frame_make(a.pool, 1, 100)));
    assert_int_equal(host_port_receive(&b, &batch), 0); /* every frame is lost */
    assert_int_equal(link_counts_in(b.nic).lost, 1);
    host_port_stop(&b);
    host_port_stop(&a);
}

static void run_refused(void **state)
{
    assert_int_equal(nic_open("pipe:0+loss=1"), RT_INVALID);
    assert_int_equal(nic_open("pipe:x+loss_ppm=1"), RT_INVALID);
    assert_int_equal(nic_open("02:00.0+loss_ppm=1"), RT_NOT_FOUND);
    assert_int_equal(nic_count(), 0);
    assert_int_equal(nic_open("pipe:0+loss_ppm=1000001"), RT_INVALID); /* not a share */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(run_settings), HOST_TEST(run_unreadable), HOST_TEST(run_opened),
        HOST_TEST(run_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
