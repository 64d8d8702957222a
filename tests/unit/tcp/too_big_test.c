/* SPDX-License-Identifier: BSD-2-Clause */
/* A router says that a packet was too big for the next link (RFC 1191, RFC 5927): as a whole frame,
 * by what it quotes of ours. */
#include "dialog.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <string.h>

#define WINDOW 60000

enum { IP_AT = 14, QUOTE_BYTES = 28 };

static const struct frame *last_frame(const struct dialog *t)
{
    return &t->s.frames[(t->s.sent - 1) % STATION_FRAMES];
}

/* What a router far away says of a frame of ours, in `type` and `code`; right in all its parts. */
static void too_big(struct frame *f, const struct frame *ours_was, uint8_t type, uint8_t code,
                    uint16_t mtu)
{
    struct icmp_header icmp = {.type = type, .code = code, .sequence = be16_put(mtu)};

    icmp.checksum = csum_fold(csum_add(csum_add(0, &icmp, sizeof(icmp)), ours_was->data + IP_AT,
                                       QUOTE_BYTES));
    frame_ip(f, ip_addr_v4_of(FAR_IP), ip_addr_v4_of(OUR_IP), IP_ICMP,
             (uint32_t)sizeof(icmp) + QUOTE_BYTES);
    frame_add(f, &icmp, sizeof(icmp));
    frame_add(f, ours_was->data + IP_AT, QUOTE_BYTES);
}

static void start(struct dialog *t)
{
    dialog_start(t, &(struct dialog_how){.window = WINDOW, .sack = true});
    tcp_set_nodelay(t->conn, true);
    dialog_send(t, 2920, 1460, 0);
    dialog_expect_run(t, 1, 1460, 2);
}

/* What is on its way leaves again, in what the link carries, at once; the window stays. */
static void run_believed(void **state)
{
    static const struct {
        uint16_t mtu, mss;
    } rows[] = {{1400, 1360}, {576, 536}, {0, 1452}, {1499, 1459}};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct dialog t;
        struct said said;
        struct frame f;
        uint32_t cwnd, next = 1;

        start(&t);
        cwnd = t.conn->cc.cwnd;
        too_big(&f, last_frame(&t), ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, rows[i].mtu);
        station_give(&t.s, &f, 0);
        assert_int_equal(t.conn->mss, rows[i].mss);
        assert_int_equal(t.conn->cc.cwnd, cwnd);
        while (next < 2921) {
            assert_true(dialog_next(&t, &said));
            assert_int_equal(said.seq, next);
            assert_true(said.bytes <= rows[i].mss);
            next += said.bytes;
        }
        dialog_silent(&t);
        assert_int_equal(dialog_counters(&t)->tcp_mtu_lowered, 1);
        dialog_stop(&t);
    }
}

static void no_change(struct frame *f)
{
}
static void other_port(struct frame *f)
{
    f->data[IP_AT + 20 + 8 + 20]++;
}
static void other_peer(struct frame *f)
{
    f->data[IP_AT + 20 + 8 + 19]++;
}
static void not_ours(struct frame *f)
{
    f->data[IP_AT + 20 + 8 + 15]++;
}
static void never_sent(struct frame *f)
{
    f->data[IP_AT + 20 + 8 + 20 + 5] ^= 0x40;
}
static void acknowledged(struct frame *f) /* one before the oldest that is on its way */
{
    uint8_t *seq = f->data + IP_AT + 20 + 8 + 20 + 4;
    be32_t word;

    memcpy(&word, seq, sizeof(word));
    word = be32_put(be32_get(word) - 1461);
    memcpy(seq, &word, sizeof(word));
}
static void other_protocol(struct frame *f)
{
    f->data[IP_AT + 20 + 8 + 9] = IP_UDP;
}

/* The ICMP sum is right again. */
static void sum(struct frame *f)
{
    struct icmp_header *icmp = (struct icmp_header *)(void *)(f->data + IP_AT + 20);

    icmp->checksum = be16_put(0);
    icmp->checksum = csum_fold(csum_add(0, icmp, sizeof(*icmp) + QUOTE_BYTES));
}

/* Of a packet that is not on its way, of nobody, too small to be true: nothing changes. */
static void run_not_believed(void **state)
{
    static const struct {
        void (*change)(struct frame *f);
        uint16_t mtu;
        uint8_t code;
    } rows[] = {
        {other_port, 1400, ICMP_FRAGMENTATION_NEEDED},
        {other_peer, 1400, ICMP_FRAGMENTATION_NEEDED},
        {not_ours, 1400, ICMP_FRAGMENTATION_NEEDED},
        {never_sent, 1400, ICMP_FRAGMENTATION_NEEDED},
        {acknowledged, 1400, ICMP_FRAGMENTATION_NEEDED},
        {other_protocol, 1400, ICMP_FRAGMENTATION_NEEDED},
        {no_change, 575, ICMP_FRAGMENTATION_NEEDED},
        {no_change, 68, ICMP_FRAGMENTATION_NEEDED},
        {no_change, 1500, ICMP_FRAGMENTATION_NEEDED},
        {no_change, 1400, ICMP_PORT},
    };

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct dialog t;
        struct frame f;

        start(&t);
        too_big(&f, last_frame(&t), ICMP_UNREACHABLE, rows[i].code, rows[i].mtu);
        rows[i].change(&f);
        sum(&f);
        station_give(&t.s, &f, 0);
        if (t.conn->mss != 1460)
            fail_msg("row %u was believed", i);
        dialog_silent(&t);
        assert_int_equal(t.closed, 0);
        dialog_stop(&t);
    }
}

/* Cut short, or with a wrong sum: counted, nothing else. */
static void run_spoiled(void **state)
{
    struct dialog t;
    struct frame f;

    start(&t);
    too_big(&f, last_frame(&t), ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, 1400);
    f.data[IP_AT + 20 + 7] ^= 1;
    station_give(&t.s, &f, 0);
    assert_int_equal(dialog_counters(&t)->icmp_in_errors, 1);
    assert_int_equal(t.conn->mss, 1460);
    dialog_silent(&t);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_believed),
        cmocka_unit_test(run_not_believed),
        cmocka_unit_test(run_spoiled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
