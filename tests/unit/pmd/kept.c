/* SPDX-License-Identifier: BSD-2-Clause */
/* See kept.h. */
#include "kept_model.h"

#include "ring/ring.h"

#include <rt/host.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 100
#define KEPT 16
#define HEAD_BYTES 20
#define KEPT_BYTES_MAX 1060
#define PADDED_BYTES 60
#define STEPS 8
#define ROUND 2000 /* sequences from one stop to the next */
#define SEQUENCES 100000

_Static_assert(HEAD_BYTES + RT_MAX(KEPT_BYTES_MAX, 3 * KEPT_VALUE_BYTES_MAX) <=
                   KEPT_FRAME_BYTES_MAX, "every frame fits");

static const struct kept_maker *maker;
static struct kept_card card;
static struct kept_model *const m = &kept_model;
static struct buf *mine[HEADERS]; /* headers that are kept, here */
static struct buf *kept[KEPT];
static uint32_t mine_count, kept_count;
static uint64_t refused, refused_before, bad, sent_again, held_again;
static uint64_t sequences = SEQUENCES, seed = 1;

/* ---- frames ---- */

static struct buf *plain(uint32_t bytes)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 100 && b == NULL && card.pool->free > 0; i++)
        b = pool_take(card.pool); /* hostile builds fail now and then */
    if (b != NULL) {
        memset(buf_data(b), 0x88, bytes);
        b->data_len = (uint16_t)bytes;
        b->pkt_len = bytes;
    }
    return b;
}

/* Behind the headers of `first`, a piece of a value. */
static bool append(struct buf *first, struct buf *last, struct kept_value *v)
{
    uint32_t from = kept_random(v->length), bytes = 1 + kept_random(v->length - from);
    struct buf *b = NULL;

    if (mine_count < HEADERS)
        b = buf_ext_take(m->headers, &v->pin, v->bytes + from, bytes);
    if (b == NULL)
        return false;
    mine[mine_count++] = b;
    last->next = b;
    first->segments++;
    first->pkt_len += bytes;
    return true;
}

/* Headers that say which value follows, and up to three pieces of it. */
static struct buf *frame_of(struct kept_value *v)
{
    struct buf *first = plain(HEAD_BYTES), *last = first;
    uint32_t pieces = 1 + kept_random(3);

    if (first == NULL)
        return NULL;
    memcpy(buf_data(first), &v->serial, sizeof(v->serial));
    for (uint32_t i = 0; i < pieces && append(first, last, v); i++)
        last = last->next;
    return first;
}

/* One frame that may be sent; what the card does not take is freed, but for what is kept. */
static void send(struct buf *b)
{
    struct buf_batch batch = {.count = 1, .buf = {b}};

    kept_expect(b);
    nic_tx(card.nic->txq[0], &batch);
    if (batch.count == 0)
        return;
    m->way_count--; /* it is left here: the last one that was expected */
    if (*b->owner == BUF_STACK)
        buf_batch_free(&batch);
}

static void send_value(void)
{
    struct kept_value *v = kept_value_any();
    struct buf *b;

    for (uint32_t i = 0; i < mine_count; i++)
        held_again += m->headers->pins[buf_index(mine[i])] == &v->pin &&
                      *mine[i]->owner == BUF_EXT_NIC;
    b = frame_of(v);
    if (b != NULL)
        send(b);
}

static void send_kept(void)
{
    struct buf *b = NULL;

    if (kept_count < KEPT)
        b = plain(PADDED_BYTES + kept_random(KEPT_BYTES_MAX - PADDED_BYTES));
    if (b == NULL)
        return;
    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT));
    kept[kept_count++] = b;
    send(b);
}

/* What the card has sent may be sent again; what it still holds is refused. (A call that finds
 * the ring nearly full looks first whether the card is done.) */
static void send_kept_again(void)
{
    struct buf *b = kept_count > 0 ? kept[kept_random(kept_count)] : NULL;
    struct buf_batch batch = {.count = 1, .buf = {b}};
    const struct nic_queue_stats *stats = &card.nic->txq[0]->stats;
    uint64_t refusals = buf_refusals(), packets = stats->packets;

    if (b == NULL)
        return;
    if (*b->owner == BUF_KEPT) {
        send(b);
        sent_again++;
        return;
    }
    kept_expect(b);
    nic_tx(card.nic->txq[0], &batch);
    m->way_count -= stats->packets == packets; /* not taken */
    if (batch.count != 0)
        return; /* the ring is full: not looked at */
    refusals = buf_refusals() - refusals;
    assert_int_equal(stats->packets - packets + refusals, 1);
    refused += refusals;
}

/* What is on the card as a further segment of a second frame: that is refused, this stays. */
static void send_a_segment_twice(void)
{
    struct buf *b = mine_count > 0 ? mine[kept_random(mine_count)] : NULL, *first;
    const struct nic_queue_stats *stats = &card.nic->txq[0]->stats;
    uint64_t before = stats->bad_request, packets = stats->packets;
    struct buf_batch batch = {.count = 0};

    if (kept_count > 0 && kept_random(2) == 0)
        b = kept[kept_random(kept_count)];
    if (b == NULL || b->next != NULL ||
        (*b->owner != BUF_EXT_NIC && *b->owner != BUF_KEPT_NIC) ||
        (first = plain(HEAD_BYTES)) == NULL)
        return;
    first->next = b;
    first->segments = 2;
    first->pkt_len = HEAD_BYTES + b->data_len;
    batch.buf[batch.count++] = first;
    kept_expect(first);
    nic_tx(card.nic->txq[0], &batch);
    m->way_count -= stats->packets == packets;
    if (batch.count == 0)
        assert_int_equal(stats->bad_request - before + stats->packets - packets, 1);
    buf_batch_free(&batch);
    bad += stats->bad_request - before;
}

static void acknowledge(void)
{
    for (uint32_t i = kept_random(10); i > 0 && mine_count > 0; i--) {
        uint32_t at = kept_random(mine_count);
        struct buf *b = mine[at];

        mine[at] = mine[--mine_count];
        buf_let_go((struct buf_ref){b, b->owner});
    }
    if (kept_count > 0 && kept_random(2) == 0) {
        uint32_t at = kept_random(kept_count);
        struct buf *b = kept[at];

        kept[at] = kept[--kept_count];
        buf_let_go((struct buf_ref){b, b->owner});
    }
}

/* ---- the card ---- */

/* It says done before it was asked to: all that may follow is that buffers come home early. Not
 * before it has sent: then nobody knows what it would send. */
static void completes_too_early(void)
{
    struct nic_tx_ring *q = nic_tx_ring_of(card.nic->txq[0]);

    if (m->way_count != 0)
        return;
    if (q->report_count != 0)
        q->desc[q->reports[q->report_first]].command |= NIC_TXD_DD;
    else
        q->desc[kept_random(q->descs)].command |= NIC_TXD_DD; /* nobody asked for this one */
}

static void recover(void)
{
    if (kept_random(2) == 0) {
        card.stick(card.ctx);
        for (uint32_t i = 0; i < 3 + kept_random(10); i++)
            send_value();
    }
    card.recover(card.ctx);
    m->way_count = 0; /* what it had not sent is lost */
}

static void step(void)
{
    switch (kept_random(12)) {
    case 0:
    case 1:
    case 2:
        send_value();
        break;
    case 3:
        send_kept();
        break;
    case 4:
        send_kept_again();
        break;
    case 5:
    case 6:
        acknowledge();
        break;
    case 7:
        kept_value_put(&m->value[kept_random(KEPT_VALUES)]);
        break;
    case 8:
        nic_tx_reclaim(card.nic->txq[0]);
        break;
    case 9:
        card.pass(card.ctx);
        break;
    case 10:
        if (kept_random(4) == 0)
            completes_too_early();
        break;
    default:
        send_a_segment_twice();
        break;
    }
}

/* Counts and bytes agree, whatever the card has done. */
static void check(void)
{
    uint32_t uses[KEPT_VALUES] = {0};

    assert_int_equal(buf_refusals() - refused_before, refused);
    for (uint32_t i = 0; i < m->headers->total; i++) {
        if (m->headers->pins[i] != NULL)
            uses[RT_CONTAINER_OF(m->headers->pins[i], struct kept_value, pin) - m->value]++;
        assert_int_equal(m->headers->owners[i] == BUF_POOL, m->headers->pins[i] == NULL);
    }
    for (uint32_t i = 0; i < KEPT_VALUES; i++) {
        if (m->value[i].live)
            assert_int_equal(m->value[i].pin.uses, uses[i] + m->value[i].owned);
        else
            assert_int_equal(uses[i], 0);
    }
    for (uint32_t i = 0; i < mine_count; i++)
        assert_true(*mine[i]->owner == BUF_EXT || *mine[i]->owner == BUF_EXT_NIC);
    for (uint32_t i = 0; i < kept_count; i++)
        assert_true(*kept[i]->owner == BUF_KEPT || *kept[i]->owner == BUF_KEPT_NIC);
}

/* ---- the test ---- */

/* Everybody lets go, before the stop or after it; then all buffers are home. */
static void stop(bool let_go_first)
{
    for (unsigned half = 0; half < 2; half++) {
        if ((half == 0) != let_go_first) {
            nic_stop(card.nic);
            continue;
        }
        while (mine_count > 0 || kept_count > 0)
            acknowledge();
        for (uint32_t i = 0; i < KEPT_VALUES; i++)
            kept_value_put(&m->value[i]);
    }
    m->way_count = 0;
    assert_int_equal(m->released, m->made);
    assert_int_equal(m->headers->free, m->headers->total);
    card.stop(card.ctx);
}

static void random_sequences(void **state)
{
    const struct pool_config config = {.name = "headers", .cores = 2, .count = HEADERS};

    kept_seed(seed);
    refused_before = buf_refusals();
    card = maker->make();
    assert_int_equal(pool_create_config(&config, &m->headers), RT_OK);
    for (uint64_t i = 1; i <= sequences; i++) {
        for (uint32_t n = 0; n < STEPS; n++)
            step();
        check();
        if (i % ROUND == ROUND / 2)
            recover();
        if (i % ROUND == 0) {
            stop(kept_random(2) == 0);
            card.start(card.ctx);
        }
    }
    stop(true);
    assert_true(m->released > sequences / 8);
    assert_true(held_again > 0 && sent_again > 0 && refused > 0 && bad > 0);
    print_message("%llu sequences, %llu frames, %llu pins, %llu sent again, %llu while held\n",
                  (unsigned long long)sequences, (unsigned long long)m->sent,
                  (unsigned long long)m->made, (unsigned long long)sent_again,
                  (unsigned long long)held_again);
    maker->free(card.ctx);
}

int kept_main(int argc, char **argv, const struct kept_maker *its_maker)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_sequences)};

    maker = its_maker;
    if (argc > 1)
        sequences = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
