/* SPDX-License-Identifier: BSD-2-Clause */
/* Receive: descriptors, chains, filters, tags, checksums, RSS, losses. */
#include "guest.h"

#define DD 1u
#define EOP 2u
#define VP 8u
#define L4CS 0x20u
#define IPCS 0x40u
#define L4E 0x40000000u
#define IPE 0x80000000u

static uint8_t frame[X82599_FRAME_MAX];

static int setup(void **state)
{
    *state = guest_new(0, 1);
    return 0;
}

static int teardown(void **state)
{
    guest_free(*state);
    return 0;
}

static enum x82599_rx receive(struct guest *g, uint32_t bytes)
{
    return x82599_receive(g->dev, frame, bytes);
}

static void advanced_descriptor(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 17, 64, -1);
    const uint64_t *desc = guest_rx_desc(g, 0, 0);

    guest_receive_on(g, 0, 2, 1);
    assert_int_equal(receive(g, bytes), X82599_RX_NO_DESCRIPTOR);
    guest_refill(g, 0, 4);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_memory_equal(guest_rx_buffer(g, 0, 0), frame, bytes);
    assert_int_equal(desc[1] >> 32 & 0xffff, bytes);
    assert_int_equal(desc[1] & (DD | EOP | IPCS | L4CS | IPE | L4E), DD | EOP | IPCS | L4CS);
    assert_int_equal(desc[0] & 0x1fff0, 1 << 4 | 1 << 9); /* IPv4, UDP */
    assert_int_equal(guest_read(g, 0x1010), 1);
    assert_int_equal(guest_read(g, 0x4074), 1); /* GPRC, and it clears */
    assert_int_equal(guest_read(g, 0x4074), 0);
    assert_int_equal(guest_read(g, 0x4088), bytes + 4);
    assert_int_equal(guest_read(g, 0x1030), 1);
    assert_int_equal(guest_read(g, 0x1030), 0);
}

static void legacy_descriptor(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 6, 64, -1);
    const uint64_t *desc = guest_rx_desc(g, 0, 0);
    uint64_t address;

    guest_receive_on(g, 0, 2, 0);
    guest_refill(g, 0, 4);
    address = desc[0];
    frame[60] ^= 1; /* breaks the TCP sum */
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(desc[0], address);
    assert_int_equal(desc[1] & 0xffff, bytes);
    assert_int_equal(desc[1] >> 32 & 0xff, DD | EOP | IPCS | L4CS);
    assert_int_equal(desc[1] >> 40 & 0xff, 0x40);
}

static void bad_sums_are_told(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 6, 100, -1);

    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 8);
    frame[24] ^= 1;
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 0)[1] & IPE, IPE);
    bytes = guest_frame_ip6_tcp(frame, 100);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 1)[1] & (L4CS | L4E | IPCS), L4CS);
    frame[bytes - 1] ^= 0x80;
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 2)[1] & (L4CS | L4E), L4CS | L4E);
    /* a UDP packet without a sum is called wrong: the 82599's erratum */
    bytes = guest_frame_ip4(frame, 17, 100, -1);
    frame[40] = frame[41] = 0;
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 3)[1] & (L4CS | L4E), L4CS | L4E);
    /* lengths that lie stay inside the frame */
    bytes = guest_frame_ip4(frame, 6, 100, -1);
    frame[16] = 0xff;
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    frame[14] = 0x4f;
    assert_int_equal(receive(g, 60), X82599_RX_ACCEPTED);
}

static void jumbo_fills_a_chain(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 17, 8000, -1), at = 0;

    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 4);
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED); /* JUMBOEN is off */
    assert_int_equal(guest_read(g, 0x40ac), 1);             /* ROC */
    guest_write(g, 0x4240, guest_read(g, 0x4240) | 1u << 2);
    guest_write(g, 0x4268, 9018u << 16);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t w1 = guest_rx_desc(g, 0, i)[1];
        uint32_t piece = w1 >> 32 & 0xffff;

        assert_int_equal(w1 & DD, DD);
        assert_int_equal((w1 & EOP) != 0, i == 3);
        assert_memory_equal(guest_rx_buffer(g, 0, i), frame + at, piece);
        at += piece;
    }
    assert_int_equal(at, bytes);
    guest_refill(g, 0, 3); /* one too few: nothing may be written */
    assert_int_equal(receive(g, bytes), X82599_RX_NO_DESCRIPTOR);
    assert_int_equal(guest_rx_desc(g, 0, 4)[1], 0);
}

static void sizes(void **state)
{
    struct guest *g = *state;

    guest_frame_ip4(frame, 17, 1600, -1);
    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 30);
    assert_int_equal(receive(g, 59), X82599_RX_DROPPED);
    assert_int_equal(guest_read(g, 0x40a4), 1); /* RUC */
    assert_int_equal(receive(g, 60), X82599_RX_ACCEPTED);
    assert_int_equal(receive(g, 1514), X82599_RX_ACCEPTED);
    assert_int_equal(receive(g, 1515), X82599_RX_DROPPED);
    guest_frame_ip4(frame, 17, 1600, 5);
    assert_int_equal(receive(g, 1518), X82599_RX_ACCEPTED);
    assert_int_equal(receive(g, 1519), X82599_RX_DROPPED);
    assert_int_equal(guest_read(g, 0x405c), 1); /* PRC64 */
    assert_int_equal(guest_read(g, 0x4070), 2); /* PRC1522 */
}

static void address_filters(void **state)
{
    struct guest *g = *state;
    static const uint8_t multicast[6] = {0x01, 0x00, 0x5e, 0x12, 0x34, 0x56};
    uint32_t bytes = guest_frame_ip4(frame, 17, 64, -1);

    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 30);
    guest_write(g, 0x5080, 0);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED); /* to our address */
    frame[5] = 2;
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    guest_write(g, 0x5080, 1u << 9);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    memset(frame, 0xff, 6);
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    guest_write(g, 0x5080, 1u << 10);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    memcpy(frame, multicast, 6);
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    /* bits 47:36 of the address: 563 */
    guest_write(g, 0x5200 + 4 * (0x563 / 32), 1u << (0x563 % 32));
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    guest_write(g, 0x5090, 4);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    guest_write(g, 0x5090, 4 | 3); /* bits 43:32: 634 */
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    guest_write(g, 0x5200 + 4 * (0x634 / 32), 1u << (0x634 % 32));
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
}

static void vlan_filter_and_strip(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 6, 64, 0x6123);

    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 30);
    guest_write(g, 0x5088, 0x40008100); /* VFE */
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    guest_write(g, 0xa000 + 4 * (0x123 / 32), 1u << (0x123 % 32));
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 0)[1] & VP, 0);
    assert_memory_equal(guest_rx_buffer(g, 0, 0), frame, bytes);
    guest_write(g, 0x1028, 1u << 25 | 1u << 30); /* VME */
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 1)[1] & (VP | L4CS | L4E), VP | L4CS);
    assert_int_equal(guest_rx_desc(g, 0, 1)[1] >> 48, 0x6123);
    assert_int_equal(guest_rx_desc(g, 0, 1)[1] >> 32 & 0xffff, bytes - 4);
    assert_memory_equal(guest_rx_buffer(g, 0, 1), frame, 12);
    assert_memory_equal(guest_rx_buffer(g, 0, 1) + 12, frame + 16, bytes - 16);
}

static void crc_when_not_stripped(void **state)
{
    struct guest *g = *state;
    /* the CRC-32 of "123456789" is known; a frame's is over all its bytes */
    uint32_t bytes = guest_frame_ip4(frame, 17, 64, -1), crc = UINT32_MAX;

    guest_receive_on(g, 0, 2, 1);
    guest_refill(g, 0, 30);
    guest_write(g, 0x4240, guest_read(g, 0x4240) & ~2u);
    assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    assert_int_equal(guest_rx_desc(g, 0, 0)[1] >> 32 & 0xffff, bytes + 4);
    for (uint32_t i = 0; i < bytes + 4; i++) {
        crc ^= guest_rx_buffer(g, 0, 0)[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    assert_int_equal(crc, 0xdebb20e3); /* the residue of every frame with a good CRC */
}

static void rss_on(struct guest *g)
{
    static const uint8_t key[40] = {
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
        0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
        0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

    for (uint32_t i = 0; i < 10; i++) {
        uint32_t word;

        memcpy(&word, key + 4 * i, 4);
        guest_write(g, 0xeb80 + 4 * i, word);
    }
    for (uint32_t i = 0; i < 32; i++)
        guest_write(g, 0xeb00 + 4 * i, 0x03020100);
    guest_write(g, 0x5000, 1u << 13); /* PCSD */
}

/* Hashes of the specification's verification suite. */
static void rss_known_hashes(void **state)
{
    struct guest *g = *state;
    uint32_t bytes, hash;

    rss_on(g);
    bytes = guest_frame_ip4(frame, 6, 64, -1);
    guest_write(g, 0xec80, 1 | 1u << 17);
    x82599_rss(g->dev, frame, bytes, &hash);
    assert_int_equal(hash, 0x323e8fc2);
    guest_write(g, 0xec80, 1 | 1u << 16 | 1u << 17);
    assert_int_equal(x82599_rss(g->dev, frame, bytes, &hash), 0x51ccc178 & 3);
    assert_int_equal(hash, 0x51ccc178);
    frame[20] = 0x20; /* a fragment has no ports */
    x82599_rss(g->dev, frame, bytes, &hash);
    assert_int_equal(hash, 0x323e8fc2);
    bytes = guest_frame_ip6_tcp(frame, 64);
    guest_write(g, 0xec80, 1 | 1u << 20);
    x82599_rss(g->dev, frame, bytes, &hash);
    assert_int_equal(hash, 0x2cc18cd5);
    guest_write(g, 0xec80, 1 | 1u << 20 | 1u << 21);
    x82599_rss(g->dev, frame, bytes, &hash);
    assert_int_equal(hash, 0x40207d3d);
}

static void rss_chooses_the_queue(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 6, 64, -1);

    rss_on(g);
    guest_write(g, 0xec80, 1 | 1u << 16);
    for (unsigned q = 0; q < 4; q++) {
        guest_receive_on(g, q, 2, 1);
        guest_refill(g, q, 30);
    }
    for (unsigned flow = 0; flow < 24; flow++) {
        frame[34] = (uint8_t)flow; /* the sum is wrong from here on: no matter */
        assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
    }
    for (unsigned q = 0; q < 4; q++) {
        uint64_t got = x82599_counters(g->dev)->rx_queue[q];

        assert_true(got > 0);
        for (unsigned i = 0; i < got; i++) {
            assert_int_equal(guest_rx_desc(g, q, i)[0] >> 32 & 3, q); /* hash, RETA = i & 3 */
            assert_int_equal(guest_rx_desc(g, q, i)[0] & 15, 1);
        }
    }
}

static void losses_are_counted(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 6, 64, -1);

    guest_receive_on(g, 0, 2, 1);
    x82599_missed(g->dev, frame, bytes);
    assert_int_equal(guest_read(g, 0x3fa0), 1);
    assert_int_equal(guest_read(g, 0x800) & 1u << 17, 1u << 17);
    guest_write(g, 0x1014, 2 | 1u << 25 | 1u << 28); /* DROP_EN */
    x82599_missed(g->dev, frame, bytes);
    assert_int_equal(guest_read(g, 0x3fa0), 0);
    assert_int_equal(guest_read(g, 0x1430), 1);
    guest_write(g, 0x1028, 0); /* a queue that is off swallows */
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
    x82599_link(g->dev, false);
    assert_int_equal(receive(g, bytes), X82599_RX_DROPPED);
}

/* The ring wraps, and the device never takes the descriptor at the tail. */
static void ring_wraps(void **state)
{
    struct guest *g = *state;
    uint32_t bytes = guest_frame_ip4(frame, 6, 64, -1);

    guest_receive_on(g, 0, 2, 1);
    for (unsigned turn = 0; turn < 10; turn++) {
        guest_refill(g, 0, GUEST_DESCS - 1);
        for (unsigned i = 0; i < GUEST_DESCS - 1; i++)
            assert_int_equal(receive(g, bytes), X82599_RX_ACCEPTED);
        assert_int_equal(receive(g, bytes), X82599_RX_NO_DESCRIPTOR);
        assert_false(x82599_rx_room(g->dev));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(advanced_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_sums_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(jumbo_fills_a_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(address_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(vlan_filter_and_strip, setup, teardown),
        cmocka_unit_test_setup_teardown(crc_when_not_stripped, setup, teardown),
        cmocka_unit_test_setup_teardown(rss_known_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(rss_chooses_the_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(losses_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(ring_wraps, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
