/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes of a tail (RFC 8985 7) where something is in their way, and what they say of losses. */
#include "dialog.h"

#include "state.h"

#define WINDOW 60000
#define SACKS(...) ((const uint32_t[]){__VA_ARGS__, 0})

enum { PROBE_MS = 100 /* within the least time-out, and behind two round trips */ };

/* The probe, which comes before any time-out. */
static void expect_probe(struct dialog *t, uint32_t seq, uint32_t bytes)
{
    for (uint32_t ms = 0; ms < PROBE_MS && dialog_counters(t)->tcp_tail_probes == 0; ms++)
        dialog_wait_us(t, 1000);
    assert_int_equal(dialog_counters(t)->tcp_tail_probes, 1);
    dialog_expect(t, seq, bytes);
    assert_int_equal(dialog_counters(t)->tcp_time_outs, 0);
}

/* A closed window opens again, in part, and what goes into it is lost: no probe goes beyond its
 * edge, nothing is counted as lost for ever, and the FIN leaves in the end. */
static void run_narrow_window(void **state)
{
    struct dialog t;
    struct said said;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = 10000, .sack = true});
    dialog_send(&t, 5000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 5);
    dialog_ack(&t, 1001, 0, NULL);
    dialog_wait_us(&t, 400000);
    dialog_expect_ack(&t, 1000, 1);
    dialog_ack(&t, 1001, 2000, NULL);
    dialog_expect_run(&t, 1001, 1000, 2);
    dialog_wait_us(&t, 100000);
    dialog_silent(&t);
    dialog_ack(&t, 3001, 10000, NULL);
    dialog_expect_run(&t, 3001, 1000, 2);
    dialog_ack(&t, 5001, 10000, NULL);
    assert_int_equal(t.conn->recovery.lost_bytes, 0);
    tcp_close(t.conn);
    dialog_wait_us(&t, 1000);
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.flags & TCP_FIN, TCP_FIN);
    assert_int_equal(said.seq, 5001);
    dialog_stop(&t);
}

/* The device has cut the last frame: its last segment is the probe. */
static void run_cut_by_the_device(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    t.s.net->ifs[0].config.tx_ip_checksum = t.s.net->ifs[0].config.tx_l4_checksum = true;
    t.s.net->ifs[0].config.tx_tso = true;
    dialog_send(&t, 2000, 2000, 0);
    dialog_expect(&t, 1, 2000);
    expect_probe(&t, 1001, 1000);
    dialog_ack(&t, 2001, WINDOW, NULL);
    assert_int_equal(t.conn->snd_nxt, t.conn->snd_una);
    dialog_stop(&t);
}

/* The device has the tail still, so that no probe leaves: then none has repaired a loss. */
static void run_never_left(void **state)
{
    struct dialog t;
    uint32_t cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    t.device_holds = true;
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 3);
    cwnd = t.conn->cc.cwnd;
    dialog_wait_us(&t, PROBE_MS * 1000);
    dialog_silent(&t);
    assert_int_equal(dialog_counters(&t)->tcp_tail_probes, 1);
    t.device_holds = false;
    dialog_ack(&t, 3001, WINDOW, NULL);
    dialog_device_done(&t);
    dialog_send(&t, 1000, 1000, 0);
    dialog_expect(&t, 3001, 1000);
    dialog_ack(&t, 4001, WINDOW, NULL);
    assert_true(t.conn->cc.cwnd >= cwnd);
    dialog_stop(&t);
}

/* Up to the probe, the ACK of the original looks like one of the repetition: only what comes then
 * tells (7.4.2). `blocks`: what the second one reports. */
static void late_ack(const uint32_t *blocks)
{
    struct dialog t;
    uint32_t cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 3);
    cwnd = t.conn->cc.cwnd;
    expect_probe(&t, 2001, 1000);
    dialog_ack(&t, 3001, WINDOW, NULL);
    assert_true(t.conn->cc.cwnd >= cwnd);
    dialog_ack(&t, 3001, WINDOW, blocks);
    assert_false(t.conn->recovery.tail_out);
    dialog_send(&t, 1000, 1000, 0);
    dialog_expect(&t, 3001, 1000);
    dialog_ack(&t, 4001, WINDOW, NULL);
    assert_true(t.conn->cc.cwnd >= cwnd);
    dialog_stop(&t);
}

static void run_late_ack(void **state)
{
    late_ack(SACKS(2001, 3001));
    late_ack(NULL); /* a peer that reports nothing twice says the same once more */
}

/* The device still has the tail: no probe of it leaves, so nothing that comes answers one. */
static void run_tail_not_sent(void **state)
{
    struct dialog t;
    uint32_t cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 3);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 3001, WINDOW, NULL);
    t.device_holds = true;
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect_run(&t, 3001, 1000, 3);
    cwnd = t.conn->cc.cwnd;
    dialog_wait_us(&t, 60000);
    dialog_silent(&t);
    assert_int_not_equal(dialog_counters(&t)->tcp_tail_probes, 0);
    dialog_ack(&t, 6001, WINDOW, NULL);
    assert_true(t.conn->cc.cwnd >= cwnd);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_narrow_window), cmocka_unit_test(run_cut_by_the_device),
        cmocka_unit_test(run_never_left),    cmocka_unit_test(run_late_ack),
        cmocka_unit_test(run_tail_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
