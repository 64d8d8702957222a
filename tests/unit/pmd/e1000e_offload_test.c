/* SPDX-License-Identifier: BSD-2-Clause */
/* What frames ask of the chip on their way out: checksums, a tag. */
#include "e1000e_port.h"

#include <stdlib.h>
#include <string.h>

static struct fake_tx *sent_last;

static void keep_sent(struct fake_e1000e *f, const struct fake_tx *tx)
{
    memcpy(sent_last, tx, sizeof(*tx));
}

static struct buf *checksum_frame(struct pool *pool, uint32_t flags, uint16_t l3)
{
    struct buf *b = frame_buf(pool, 100, 1);

    b->flags = flags;
    b->l2_bytes = 14;
    b->l3_bytes = l3;
    return b;
}

static void run_tx_checksums(void **state)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];
    struct nic_tx_ring *q = nic_tx_ring_of(port->txq);
    struct buf *b;
    uint16_t next;

    sent_last = calloc(1, sizeof(*sent_last));
    port->fake->sent = keep_sent;
    port_send_one(port, checksum_frame(bench->pool, BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM, 20));
    assert_true(sent_last->ip_sum && sent_last->l4_sum);
    /* ip at 14, its sum at 24, ends at 33; tcp at 34, its sum at 50 */
    assert_int_equal(sent_last->context, UINT64_C(0x0000322200211800) | 14);
    next = q->next;
    port_send_one(port, checksum_frame(bench->pool, BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM, 20));
    assert_int_equal((q->next + q->descs - next) % q->descs, 1); /* the context is kept */
    port_send_one(port, checksum_frame(bench->pool, BUF_TX_UDP_CSUM | BUF_TX_IPV6, 40));
    assert_true(!sent_last->ip_sum && sent_last->l4_sum);
    assert_int_equal(sent_last->context, UINT64_C(0x00003c3600000000));
    port_send_one(port, checksum_frame(bench->pool, BUF_TX_IP_CSUM, 20));
    assert_true(sent_last->ip_sum && !sent_last->l4_sum);
    port_send_one(port, frame_buf(bench->pool, 60, 1));
    assert_true(!sent_last->ip_sum && !sent_last->l4_sum);
    /* Known requests; another context, of a frame whose tag we put in; the first ones again. */
    for (unsigned k = 0; k < 4; k++) {
        b = checksum_frame(bench->pool, BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM, 20);
        if (k == 2)
            b->flags |= BUF_TX_VLAN;
        port_send_one(port, b);
        assert_true(sent_last->ip_sum && sent_last->l4_sum);
        assert_int_equal(sent_last->context & 0xff, k == 2 ? 18 : 14);
    }
    assert_int_equal(port->txq->stats.bad_request, 0);
    assert_int_equal(port->fake->tx_frames, 9);
    free(sent_last);
    bench_stop_and_check(bench);
    bench_free(bench);
}

/* Tags go in by the chip when it strips them too, else by us: the wire sees the same. */
static void run_tx_vlan(void **state)
{
    for (unsigned strip = 0; strip < 2; strip++) {
        struct nic_config c = port_with(1, 1514, strip);
        struct bench *bench = bench_start(1, &c);
        struct port *port = &bench->port[0];
        struct buf *b = frame_buf(bench->pool, 60, 9);
        uint8_t plain[60];

        frame_fill(plain, sizeof(plain), 9);
        sent_last = calloc(1, sizeof(*sent_last));
        port->fake->sent = keep_sent;
        b->flags = BUF_TX_VLAN;
        b->vlan_tci = 0xa123;
        port_send_one(port, b);
        assert_int_equal(sent_last->vlan, strip);
        assert_int_equal(sent_last->bytes, strip ? 60 : 64);
        assert_int_equal(port->txq->stats.bytes, 60); /* whoever puts the tag in */
        if (strip)
            assert_int_equal(sent_last->vlan_tci, 0xa123);
        else
            assert_memory_equal(sent_last->data + 12, "\x81\x00\xa1\x23", 4);
        assert_memory_equal(sent_last->data, plain, 12);
        assert_memory_equal(sent_last->data + (strip ? 12 : 16), plain + 12, 48);
        free(sent_last);
        bench_stop_and_check(bench);
        bench_free(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_tx_checksums),
        cmocka_unit_test(run_tx_vlan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
