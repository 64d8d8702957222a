/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept while the card sends it, on the software 82599: random sequences of sending
 * values that lie elsewhere, acknowledging, sending again while the card holds the first,
 * letting the value go, late and premature completions, a full ring, recovery, stop and start.
 * Each pin is released exactly once, and then its bytes are freed, so that the model, which
 * reads them by DMA, is caught by ASan when it is too late. What leaves the port is looked at.
 * KEPT_SEQUENCES and KEPT_SEED in the environment run others.
 */
#include "ixgbe_port.h"

#include <mempool/ext.h>
#include <stdlib.h>
#include <string.h>

#define VALUES 6
#define HEADERS 100
#define KEPT 16
#define VALUE_BYTES_MAX 300
#define HEAD_BYTES 20
#define KEPT_BYTES_MAX 1060
#define WANTED_BYTES_MAX RT_MAX(KEPT_BYTES_MAX, HEAD_BYTES + 3 * VALUE_BYTES_MAX)
#define STEPS 8
#define ROUND 2000 /* sequences from one stop to the next */

struct value {
    struct buf_pin pin;
    uint8_t *bytes;
    uint32_t length, serial;
    bool owned, live;
};

static struct card *card;
static struct pool *headers;
static struct value value[VALUES];
static struct buf *mine[HEADERS]; /* headers that are kept, here */
static struct buf *kept[KEPT];
static uint32_t mine_count, kept_count;
static uint64_t made, released, refused, refused_before, bad, sent_again, held_again;
static uint64_t random_state;

static uint32_t rnd(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % below;
}

static uint64_t environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static uint8_t byte_of(uint32_t serial, uint32_t at)
{
    return (uint8_t)((serial * 31 + at) * UINT32_C(2654435761) >> 24);
}

/* ---- values ---- */

static void release(struct buf_pin *pin)
{
    struct value *v = RT_CONTAINER_OF(pin, struct value, pin);

    assert_true(v->live && !v->owned);
    for (uint32_t i = 0; i < headers->total; i++)
        assert_ptr_not_equal(headers->pins[i], pin);
    v->live = false;
    released++;
    free(v->bytes);
}

static struct value *a_value(void)
{
    struct value *v = &value[rnd(VALUES)];

    if (v->live)
        return v;
    *v = (struct value){.length = 1 + rnd(VALUE_BYTES_MAX), .serial = (uint32_t)++made,
                        .owned = true, .live = true};
    v->bytes = malloc(v->length);
    assert_non_null(v->bytes);
    for (uint32_t i = 0; i < v->length; i++)
        v->bytes[i] = byte_of(v->serial, i);
    buf_pin_init(&v->pin, release);
    return v;
}

static void owner_lets_go(struct value *v)
{
    if (!v->live || !v->owned)
        return;
    v->owned = false;
    buf_pin_put(&v->pin);
}

/* ---- frames ---- */

static struct buf *plain(uint32_t bytes)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 100 && b == NULL && card->pool->free > 0; i++)
        b = pool_take(card->pool); /* hostile builds fail now and then */
    if (b != NULL) {
        memset(buf_data(b), 0x88, bytes);
        b->data_len = (uint16_t)bytes;
        b->pkt_len = bytes;
    }
    return b;
}

/* Behind the headers of `first`, a piece of a value. */
static bool append(struct buf *first, struct buf *last, struct value *v)
{
    uint32_t from = rnd(v->length), bytes = 1 + rnd(v->length - from);
    struct buf *b = NULL;

    if (mine_count < HEADERS)
        b = buf_ext_take(headers, &v->pin, v->bytes + from, bytes);
    if (b == NULL)
        return false;
    mine[mine_count++] = b;
    last->next = b;
    first->segments++;
    first->pkt_len += bytes;
    return true;
}

/* Headers that say which value follows, and up to three pieces of it. */
static struct buf *frame_of(struct value *v)
{
    struct buf *first = plain(HEAD_BYTES), *last = first;
    uint32_t pieces = 1 + rnd(3);

    if (first == NULL)
        return NULL;
    memcpy(buf_data(first), &v->serial, sizeof(v->serial));
    for (uint32_t i = 0; i < pieces && append(first, last, v); i++)
        last = last->next;
    return first;
}

/* Byte by byte: what left the port is what the segments said, from where they said. */
static void check_last(const uint8_t *wanted, uint32_t bytes)
{
    assert_int_equal(card->last.bytes, RT_MAX(bytes, 60u));
    assert_memory_equal(card->last.data, wanted, bytes);
}

static uint32_t copy_of(const struct buf *b, uint8_t *out)
{
    uint32_t bytes = 0;

    for (; b != NULL; b = b->next) {
        memcpy(out + bytes, buf_start(b), b->data_len);
        bytes += b->data_len;
    }
    return bytes;
}

/* One frame; what the card does not take is freed, but for what is kept. */
static void send(struct buf *b)
{
    struct buf_batch batch = {.count = 1, .buf = {b}};
    static uint8_t wanted[WANTED_BYTES_MAX];
    uint64_t before = card->sent_frames;
    uint32_t bytes = copy_of(b, wanted);

    nic_tx(card->nic->txq[0], &batch);
    if (batch.count == 0 && card->sent_frames != before)
        check_last(wanted, bytes);
    if (batch.count != 0 && *b->owner == BUF_STACK)
        buf_batch_free(&batch);
}

static void send_value(void)
{
    struct value *v = a_value();
    struct buf *b;

    for (uint32_t i = 0; i < mine_count; i++)
        held_again += headers->pins[buf_index(mine[i])] == &v->pin &&
                      *mine[i]->owner == BUF_EXT_NIC;
    b = frame_of(v);
    if (b != NULL)
        send(b);
}

static void send_kept(void)
{
    struct buf *b = kept_count < KEPT ? plain(60 + rnd(KEPT_BYTES_MAX - 60)) : NULL;

    if (b == NULL)
        return;
    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT));
    kept[kept_count++] = b;
    send(b);
}

/* What the card has sent may be sent again; what it still holds is refused. (The call looks
 * first whether the card is done.) */
static void send_kept_again(void)
{
    struct buf *b = kept_count > 0 ? kept[rnd(kept_count)] : NULL;
    struct buf_batch batch = {.count = 1, .buf = {b}};
    const struct nic_queue_stats *stats = &card->nic->txq[0]->stats;
    uint64_t refusals = buf_refusals(), packets = stats->packets;

    if (b == NULL)
        return;
    if (*b->owner == BUF_KEPT) {
        send(b);
        sent_again++;
        return;
    }
    nic_tx(card->nic->txq[0], &batch);
    if (batch.count != 0)
        return; /* the ring is full: not looked at */
    refusals = buf_refusals() - refusals;
    assert_int_equal(stats->packets - packets + refusals, 1);
    refused += refusals;
}

/* What is on the card as a further segment of a second frame: that is refused, this stays. */
static void send_a_segment_twice(void)
{
    struct buf *b = mine_count > 0 ? mine[rnd(mine_count)] : NULL, *first;
    const struct nic_queue_stats *stats = &card->nic->txq[0]->stats;
    uint64_t before = stats->bad_request, packets = stats->packets;
    struct buf_batch batch = {.count = 0};

    if (kept_count > 0 && rnd(2) == 0)
        b = kept[rnd(kept_count)];
    if (b == NULL || b->next != NULL ||
        (*b->owner != BUF_EXT_NIC && *b->owner != BUF_KEPT_NIC) ||
        (first = plain(HEAD_BYTES)) == NULL)
        return;
    first->next = b;
    first->segments = 2;
    first->pkt_len = HEAD_BYTES + b->data_len;
    batch.buf[batch.count++] = first;
    nic_tx(card->nic->txq[0], &batch);
    if (batch.count == 0)
        assert_int_equal(stats->bad_request - before + stats->packets - packets, 1);
    buf_batch_free(&batch);
    bad += stats->bad_request - before;
}

static void acknowledge(void)
{
    for (uint32_t i = rnd(10); i > 0 && mine_count > 0; i--) {
        uint32_t at = rnd(mine_count);
        struct buf *b = mine[at];

        mine[at] = mine[--mine_count];
        buf_let_go((struct buf_ref){b, b->owner});
    }
    if (kept_count > 0 && rnd(2) == 0) {
        uint32_t at = rnd(kept_count);
        struct buf *b = kept[at];

        kept[at] = kept[--kept_count];
        buf_let_go((struct buf_ref){b, b->owner});
    }
}

/* ---- the card ---- */

/* It says done before it is: all that may follow is that buffers come home early. */
static void completes_too_early(void)
{
    struct nic_tx_ring *q = nic_tx_ring_of(card->nic->txq[0]);

    if (q->report_count != 0)
        q->desc[q->reports[q->report_first]].command |= NIC_TXD_DD;
    else
        q->desc[rnd(q->descs)].command |= NIC_TXD_DD; /* nobody asked for this one */
}

static void recover(void)
{
    uint64_t before = x82599_counters(card->dev)->resets;

    x82599_fault_now(card->dev, X82599_FAULT_RESET_NEEDED, 0);
    card_pass_us(card, 100);
    for (uint32_t i = 0; i < 40; i++) {
        nic_poll_link(card->nic);
        (void)card_live_us(card, 20000);
    }
    assert_true(x82599_counters(card->dev)->resets > before);
}

static void stuck(void)
{
    x82599_fault_now(card->dev, X82599_FAULT_STUCK_TX, 0);
    for (uint32_t i = 0; i < 3 + rnd(10); i++)
        send_value();
}

static void step(void)
{
    switch (rnd(12)) {
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
        owner_lets_go(&value[rnd(VALUES)]);
        break;
    case 8:
        nic_tx_reclaim(card->nic->txq[0]);
        break;
    case 9:
        card_pass_us(card, 10); /* late write-backs come */
        break;
    case 10:
        if (rnd(4) == 0)
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
    uint32_t uses[VALUES] = {0};

    assert_int_equal(buf_refusals() - refused_before, refused);
    for (uint32_t i = 0; i < headers->total; i++) {
        if (headers->pins[i] != NULL)
            uses[RT_CONTAINER_OF(headers->pins[i], struct value, pin) - value]++;
        assert_int_equal(headers->owners[i] == BUF_POOL, headers->pins[i] == NULL);
    }
    for (uint32_t i = 0; i < VALUES; i++) {
        if (value[i].live)
            assert_int_equal(value[i].pin.uses, uses[i] + value[i].owned);
        else
            assert_int_equal(uses[i], 0);
    }
    for (uint32_t i = 0; i < mine_count; i++)
        assert_true(*mine[i]->owner == BUF_EXT || *mine[i]->owner == BUF_EXT_NIC);
    for (uint32_t i = 0; i < kept_count; i++)
        assert_true(*kept[i]->owner == BUF_KEPT || *kept[i]->owner == BUF_KEPT_NIC);
}

/* Everybody lets go, before the stop or after it; then all buffers are home. */
static void stop(bool let_go_first)
{
    for (unsigned half = 0; half < 2; half++) {
        if ((half == 0) != let_go_first) {
            nic_stop(card->nic);
            continue;
        }
        while (mine_count > 0 || kept_count > 0)
            acknowledge();
        for (uint32_t i = 0; i < VALUES; i++)
            owner_lets_go(&value[i]);
    }
    assert_int_equal(released, made);
    assert_int_equal(headers->free, headers->total);
    card_stop(card);
}

static void start(void)
{
    card_configure(card, &card_config);
    assert_int_equal(nic_start(card->nic), RT_OK);
}

static void random_sequences(void **state)
{
    const uint64_t sequences = environment("KEPT_SEQUENCES", 1000000);
    const struct pool_config config = {.name = "headers", .cores = 2, .count = HEADERS};

    random_state = environment("KEPT_SEED", 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    refused_before = buf_refusals();
    card = card_start(&card_config, random_state);
    assert_int_equal(pool_create_config(&config, &headers), RT_OK);
    for (uint64_t i = 1; i <= sequences; i++) {
        for (uint32_t n = 0; n < STEPS; n++)
            step();
        check();
        if (i % ROUND == ROUND / 2) {
            if (rnd(2) == 0)
                stuck();
            recover();
        }
        if (i % ROUND == 0) {
            stop(rnd(2) == 0);
            start();
            x82599_fault_chance(card->dev, X82599_FAULT_LATE_WRITEBACK,
                                i / ROUND % 2 != 0 ? 40000 : 0);
        }
    }
    stop(true);
    assert_true(released > sequences / 8);
    assert_true(held_again > 0 && sent_again > 0 && refused > 0 && bad > 0);
    print_message("%llu sequences, %llu frames, %llu pins, %llu sent again, %llu while held\n",
                  (unsigned long long)sequences, (unsigned long long)card->sent_frames,
                  (unsigned long long)made, (unsigned long long)sent_again,
                  (unsigned long long)held_again);
    card_free(card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_sequences)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
