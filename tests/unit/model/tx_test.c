/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmit: descriptors of both kinds, offloads, reports, what a driver must not do. */
#include "guest.h"

#define DEXT (1u << 29)
#define EOP (1u << 24)
#define RS (1u << 27)
#define VLE (1u << 30)
#define TSE (1u << 31)
#define DATA (3u << 20 | DEXT)
#define IXSM (1u << 8)
#define TXSM (1u << 9)
#define FRAME_AT 0x300000u

static int setup(void **state)
{
    struct guest *g = guest_new(0, 1);

    guest_transmit_on(g, 0);
    *state = g;
    return 0;
}

static int teardown(void **state)
{
    guest_free(*state);
    return 0;
}

static uint8_t *place(struct guest *g)
{
    return guest_at(g, FRAME_AT);
}

static void put_data(struct guest *g, uint32_t offset, uint32_t bytes, uint32_t command,
                     uint32_t olinfo)
{
    guest_tx_put(g, 0, guest_phys(place(g) + offset, g),
                 (uint64_t)olinfo << 32 | DATA | command | bytes);
}

static void put_context(struct guest *g, uint32_t ip_bytes, uint32_t command, uint32_t mss_l4)
{
    guest_tx_put(g, 0, 14u << 9 | ip_bytes | 0x0123u << 16,
                 (uint64_t)mss_l4 << 32 | 2u << 20 | DEXT | command);
}

static void one_descriptor(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 17, 100, -1);

    put_data(g, 0, bytes, EOP | RS, bytes << 14);
    put_data(g, 0, bytes, EOP, bytes << 14);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 2);
    assert_int_equal(g->sent[0].bytes, bytes);
    assert_memory_equal(g->sent[0].data, place(g), bytes);
    assert_int_equal(guest_tx_desc(g, 0, 0)[1] >> 32, 1);                  /* DD alone */
    assert_int_equal(guest_tx_desc(g, 0, 1)[1] >> 32, (uint64_t)bytes << 14); /* no RS: as it was */
    assert_int_equal(guest_read(g, 0x6010), 2);
    assert_int_equal(guest_read(g, 0x4080), 2); /* GPTC */
    assert_int_equal(guest_read(g, 0x4080), 0);
    assert_int_equal(guest_read(g, 0x8680), 2); /* QPTC by its second name */
}

static void several_buffers(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 17, 1000, -1);

    put_data(g, 0, 100, 0, bytes << 14);
    put_data(g, 100, 500, 0, 0);
    guest_tx_go(g, 0); /* the end comes later */
    assert_int_equal(g->sent_count, 0);
    put_data(g, 600, bytes - 600, EOP | RS, 0);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 1);
    assert_int_equal(g->sent[0].bytes, bytes);
    assert_memory_equal(g->sent[0].data, place(g), bytes);
    assert_int_equal(guest_tx_desc(g, 0, 2)[1] >> 32 & 1, 1);
}

static void short_frames_are_padded(void **state)
{
    struct guest *g = *state;

    memset(place(g), 0xaa, 42);
    put_data(g, 0, 42, EOP, 42u << 14);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent[0].bytes, 60);
    assert_int_equal(g->sent[0].data[41], 0xaa);
    assert_int_equal(g->sent[0].data[42], 0);
    guest_write(g, 0x4240, guest_read(g, 0x4240) & ~(1u << 10));
    put_data(g, 0, 42, EOP, 42u << 14);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent[1].bytes, 42);
}

static void legacy(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 6, 100, -1);
    uint8_t *sum = place(g) + 34 + 16;
    /* software leaves the pseudo header's sum */
    uint16_t pseudo = guest_sum(place(g) + 26, 8, 6 + bytes - 34);

    sum[0] = (uint8_t)(pseudo >> 8);
    sum[1] = (uint8_t)pseudo;
    guest_tx_put(g, 0, guest_phys(place(g), g),
                 (0x0456ull << 16 | 34u << 8) << 32 | EOP | RS | VLE | 1u << 26 | 50u << 16 |
                     bytes);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 1);
    assert_int_equal(g->sent[0].bytes, bytes + 4);
    assert_memory_equal(g->sent[0].data + 12, "\x81\x00\x04\x56\x08\x00", 6);
    memmove(g->sent[0].data + 12, g->sent[0].data + 16, bytes - 12);
    guest_assert_sums(g->sent[0].data, bytes);
    assert_int_equal(guest_tx_desc(g, 0, 0)[1] >> 32 & 1, 1);
    assert_int_equal(guest_tx_desc(g, 0, 0)[1] >> 48, 0x0456); /* only the status changes */
}

static void clear_sums(uint8_t *frame, uint8_t protocol, uint32_t bytes)
{
    uint8_t *sum = frame + 34 + (protocol == 6 ? 16 : 6);
    uint16_t pseudo = guest_sum(frame + 26, 8, protocol + bytes - 34);

    frame[24] = frame[25] = 0;
    sum[0] = (uint8_t)(pseudo >> 8);
    sum[1] = (uint8_t)pseudo;
}

static void checksums_and_tag(void **state)
{
    struct guest *g = *state;
    uint32_t bytes;

    for (unsigned i = 0; i < 2; i++) {
        uint8_t protocol = i == 0 ? 6 : 17;

        bytes = guest_frame_ip4(place(g), protocol, 101, -1);
        clear_sums(place(g), protocol, bytes);
        put_context(g, 20, 1u << 10 | (protocol == 6 ? 1u << 11 : 0), 0);
        put_data(g, 0, bytes, EOP | RS, bytes << 14 | IXSM | TXSM);
        guest_tx_go(g, 0);
        assert_int_equal(g->sent[i].bytes, bytes);
        guest_assert_sums(g->sent[i].data, bytes);
    }
    assert_int_equal(x82599_counters(g->dev)->tx_contexts, 2);
    bytes = guest_frame_ip4(place(g), 17, 101, -1);
    put_data(g, 0, bytes, EOP | VLE, bytes << 14); /* the context lasts */
    guest_tx_go(g, 0);
    assert_int_equal(g->sent[2].bytes, bytes + 4);
    assert_memory_equal(g->sent[2].data, place(g), 12);
    assert_memory_equal(g->sent[2].data + 12, "\x81\x00\x01\x23", 4);
    assert_memory_equal(g->sent[2].data + 16, place(g) + 12, bytes - 12);
}

static void two_contexts(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 6, 64, -1);

    put_context(g, 20, 1u << 10 | 1u << 11, 0);
    put_context(g, 0, 0, 1u << 4); /* index 1: something else */
    clear_sums(place(g), 6, bytes);
    put_data(g, 0, bytes, EOP | RS, bytes << 14 | IXSM | TXSM);
    guest_tx_go(g, 0);
    guest_assert_sums(g->sent[0].data, bytes);
    put_data(g, 0, bytes, EOP | RS, bytes << 14 | TXSM | 1u << 4); /* does not fit */
    guest_tx_go(g, 0);
    assert_int_equal(g->sent[1].bytes, bytes); /* UDP at 14: sums something, harmless */
}

static void check_segments(struct guest *g, uint32_t header, uint32_t payload, uint32_t mss)
{
    uint32_t at = 0, count = (payload + mss - 1) / mss;

    assert_int_equal(g->sent_count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct guest_sent *s = &g->sent[i];
        const uint8_t *tcp = s->data + header - 20;
        uint32_t now = payload - at < mss ? payload - at : mss;
        uint32_t sequence = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
                            (uint32_t)tcp[6] << 8 | tcp[7];

        assert_int_equal(s->bytes, header + now);
        assert_int_equal(sequence, 0x1234fffeu + at);
        assert_int_equal(tcp[13], i + 1 == count ? 0x19 : 0x10); /* FIN and PSH: the last */
        assert_memory_equal(s->data + header, place(g) + header + at, now);
        guest_assert_sums(s->data, s->bytes);
        at += now;
    }
}

/* The pseudo header without the length is what segmentation wants. */
static void tso_sum(uint8_t *frame, uint32_t l4, uint32_t addresses, uint32_t bytes)
{
    uint16_t pseudo = guest_sum(frame + addresses, bytes, 6);

    frame[l4 + 16] = (uint8_t)(pseudo >> 8);
    frame[l4 + 17] = (uint8_t)pseudo;
}

static void segmentation_ip4(void **state)
{
    struct guest *g = *state;
    uint32_t payload = 10000, bytes = guest_frame_ip4(place(g), 6, payload, -1);

    tso_sum(place(g), 34, 26, 8);
    place(g)[24] = place(g)[25] = 0;
    put_context(g, 20, 1u << 10 | 1u << 11, 1448u << 16 | 20u << 8);
    put_data(g, 0, 54, TSE, payload << 14 | IXSM | TXSM);
    put_data(g, 54, 5000, TSE, 0);
    put_data(g, 5054, bytes - 5054, TSE | EOP | RS, 0);
    guest_tx_go(g, 0);
    check_segments(g, 54, payload, 1448);
    for (unsigned i = 0; i < g->sent_count; i++)
        assert_int_equal(g->sent[i].data[18] << 8 | g->sent[i].data[19], (0xfffe + i) & 0xffff);
}

static void segmentation_ip6(void **state)
{
    struct guest *g = *state;
    uint32_t payload = 3000, bytes = guest_frame_ip6_tcp(place(g), payload);

    tso_sum(place(g), 54, 22, 32);
    put_context(g, 40, 1u << 11, 1000u << 16 | 20u << 8);
    put_data(g, 0, bytes, TSE | EOP | RS, payload << 14 | TXSM);
    guest_tx_go(g, 0);
    check_segments(g, 74, payload, 1000);
}

static void forbidden(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 6, 100, -1);

    put_data(g, 0, bytes, EOP | RS, (bytes + 1) << 14); /* PAYLEN */
    put_data(g, 0, 16, EOP | RS, 16u << 14);            /* too short for the chip */
    put_data(g, 0, 0, EOP | RS, 0);
    guest_tx_put(g, 0, 0, DEXT | 5u << 20 | RS); /* no such type */
    put_context(g, 20, 1u << 10 | 1u << 11, 0);  /* MSS 0 */
    put_data(g, 0, bytes, TSE | EOP | RS, (bytes - 54) << 14 | IXSM | TXSM);
    put_context(g, 511, 1u << 10 | 1u << 11, 255u << 8 | 1u << 16); /* headers beyond the end */
    put_data(g, 0, bytes, TSE | EOP | RS, 1u << 14 | IXSM | TXSM);
    put_data(g, 0, bytes, EOP | RS, bytes << 14 | IXSM | TXSM);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 0);
    assert_int_equal(x82599_counters(g->dev)->bad_descs, 7);
    guest_tx_put(g, 0, 0x1000, (uint64_t)60 << 46 | DATA | EOP | RS | 60); /* not our memory */
    guest_tx_go(g, 0);
    assert_int_equal(x82599_counters(g->dev)->dma_errors, 1);
    assert_int_equal(g->sent_count, 0);
}

static void head_report(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 17, 64, -1), *head = guest_at(g, 0x3f0000);
    uint64_t at = guest_phys(head, g);

    *head = 99;
    guest_write(g, 0x6038, (uint32_t)at | 1);
    guest_write(g, 0x603c, (uint32_t)(at >> 32));
    put_data(g, 0, bytes, EOP, bytes << 14);
    put_data(g, 0, bytes, EOP | RS, bytes << 14);
    guest_tx_go(g, 0);
    assert_int_equal(*head, 2);
    assert_int_equal(guest_tx_desc(g, 0, 1)[1] >> 32, (uint64_t)bytes << 14);
}

static void gates(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 17, 64, -1);

    guest_write(g, 0x4a80, 0x81000000); /* TE off */
    put_data(g, 0, bytes, EOP | RS, bytes << 14);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 0);
    guest_write(g, 0x6028, 0);
    guest_write(g, 0x4a80, 0x81000001);
    assert_int_equal(g->sent_count, 0);
    guest_write(g, 0x6028, 1u << 25);
    assert_int_equal(g->sent_count, 1);
    guest_write(g, 0x6018, GUEST_DESCS); /* a tail outside the ring */
    assert_int_equal(g->sent_count, 1);
    assert_int_equal(x82599_counters(g->dev)->bad_tails, 1);
}

/* Hundreds of buffers for one frame: clamped at 40. */
static void endless_frame(void **state)
{
    struct guest *g = *state;

    for (unsigned turn = 0; turn < 20; turn++) {
        for (unsigned i = 0; i < 30; i++)
            put_data(g, 0, 65535, 0, 0);
        guest_tx_go(g, 0);
    }
    put_data(g, 0, 60, EOP, 0);
    guest_tx_go(g, 0);
    assert_int_equal(g->sent_count, 0);
    assert_int_equal(x82599_counters(g->dev)->bad_descs, 1);
}

/* 7.2.1.1: forty buffers are a frame, one more are not. */
static void forty_buffers(void **state)
{
    struct guest *g = *state;

    memset(place(g), 0x11, 1000);
    for (uint32_t count = 40; count <= 41; count++) {
        for (uint32_t i = 0; i < count; i++) {
            put_data(g, 20 * i, 20, i + 1 == count ? EOP : 0, i == 0 ? 20 * count << 14 : 0);
            guest_tx_go(g, 0); /* the ring is shorter than the frame */
        }
    }
    assert_int_equal(g->sent_count, 1);
    assert_int_equal(g->sent[0].bytes, 800);
    assert_int_equal(x82599_counters(g->dev)->bad_descs, 1);
}

/* RFC 768: a sum that comes out as zero goes out as ones, for zero says "no sum". */
static void udp_sum_is_never_zero(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(place(g), 17, 64, -1);
    uint8_t *payload = place(g) + 42;
    uint16_t sum;

    /* the checksum itself, put into the payload, brings the sum to zero */
    payload[0] = payload[1] = 0;
    clear_sums(place(g), 17, bytes);
    sum = (uint16_t)~guest_sum(place(g) + 34, bytes - 34, 0);
    payload[0] = (uint8_t)(sum >> 8);
    payload[1] = (uint8_t)sum;
    put_context(g, 20, 1u << 10, 0);
    put_data(g, 0, bytes, EOP | RS, bytes << 14 | IXSM | TXSM);
    guest_tx_go(g, 0);
    assert_memory_equal(g->sent[0].data + 40, "\xff\xff", 2);
    guest_assert_sums(g->sent[0].data, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(several_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(short_frames_are_padded, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy, setup, teardown),
        cmocka_unit_test_setup_teardown(checksums_and_tag, setup, teardown),
        cmocka_unit_test_setup_teardown(two_contexts, setup, teardown),
        cmocka_unit_test_setup_teardown(segmentation_ip4, setup, teardown),
        cmocka_unit_test_setup_teardown(segmentation_ip6, setup, teardown),
        cmocka_unit_test_setup_teardown(forbidden, setup, teardown),
        cmocka_unit_test_setup_teardown(head_report, setup, teardown),
        cmocka_unit_test_setup_teardown(gates, setup, teardown),
        cmocka_unit_test_setup_teardown(endless_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(forty_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(udp_sum_is_never_zero, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
