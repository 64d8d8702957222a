/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of all kinds in turn, in one buffer or several: with requests that change from one to
 * the next, from pools of several shapes, and such that are not what they say. */
#include "ixgbe_port.h"

#include <mempool/ext.h>
#include <string.h>

#define BATCHES 400
#define IP_AT 14
#define L4_AT 34
#define TAG_BYTES 4
#define FRAME_BYTES_MAX 700
#define WAITING_MAX 64 /* at most a batch is on its way */
#define SMALL_ROOM_BYTES 256

enum kind { PLAIN, UDP_SUMS, TCP_SUMS, IP_SUM, TCP_SUMS_TAG, TAG, KINDS };

struct expected {
    enum kind kind;
    uint32_t bytes, seed;
    uint16_t tag;
};

static struct expected waiting[WAITING_MAX];
static uint32_t waiting_first, waiting_end;
static uint64_t state;

static uint32_t rnd(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static bool has_sums(enum kind kind)
{
    return kind == UDP_SUMS || kind == TCP_SUMS || kind == TCP_SUMS_TAG;
}

static void fill(uint8_t *frame, const struct expected *e)
{
    if (e->kind == PLAIN || e->kind == TAG)
        card_fill(frame, e->bytes, e->seed);
    else
        card_ip4(frame, e->bytes, e->kind != UDP_SUMS, e->seed, SUMS_REQUEST);
}

/* The next frame that left is the next one given, with what it asked for. */
static void check(struct card *card, const uint8_t *frame, uint32_t bytes)
{
    const struct expected *e = &waiting[waiting_first++ % WAITING_MAX];
    bool tagged = e->kind == TAG || e->kind == TCP_SUMS_TAG;
    uint8_t wanted[FRAME_BYTES_MAX], got[FRAME_BYTES_MAX + TAG_BYTES];

    assert_true(waiting_first <= waiting_end);
    assert_int_equal(bytes, e->bytes + (tagged ? TAG_BYTES : 0));
    memcpy(got, frame, bytes);
    if (tagged) {
        assert_int_equal(got[12] << 8 | got[13], 0x8100);
        assert_int_equal(got[14] << 8 | got[15], e->tag);
        memmove(got + 12, got + 12 + TAG_BYTES, e->bytes - 12);
    }
    fill(wanted, e);
    if (has_sums(e->kind)) {
        assert_true(card_sums_right(got, e->bytes));
        memcpy(wanted + IP_AT + 10, got + IP_AT + 10, 2);
        memcpy(wanted + L4_AT + 6, got + L4_AT + 6, 2);
        memcpy(wanted + L4_AT + 16, got + L4_AT + 16, 2);
    } else if (e->kind == IP_SUM) {
        assert_true(got[IP_AT + 10] != 0 || got[IP_AT + 11] != 0);
        memcpy(wanted + IP_AT + 10, got + IP_AT + 10, 2);
    }
    assert_memory_equal(got, wanted, e->bytes);
}

/* Headers of 54 bytes in a buffer of `headers`, the rest behind it in the card's own. */
static struct buf *apart(struct card *card, struct pool *headers, const uint8_t *frame,
                         uint32_t bytes)
{
    struct buf *b = NULL, *payload = card_chain(card, frame + 54, bytes - 54, bytes);

    for (unsigned i = 0; i < 1000 && b == NULL; i++)
        b = pool_take(headers); /* hostile builds fail now and then */
    assert_non_null(b);
    memcpy(buf_data(b), frame, 54);
    b->data_len = 54;
    b->next = payload;
    b->segments = 2;
    b->pkt_len = bytes;
    return b;
}

static struct buf *any_frame(struct card *card, struct pool *headers, uint32_t seed)
{
    static const uint32_t flags[KINDS] = {
        [UDP_SUMS] = BUF_TX_IP_CSUM | BUF_TX_UDP_CSUM,
        [TCP_SUMS] = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM,
        [IP_SUM] = BUF_TX_IP_CSUM,
        [TCP_SUMS_TAG] = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM | BUF_TX_VLAN,
        [TAG] = BUF_TX_VLAN,
    };
    struct expected e = {(enum kind)rnd(KINDS), 60 + rnd(FRAME_BYTES_MAX - 60), seed,
                         (uint16_t)(5 + rnd(2))};
    uint8_t frame[FRAME_BYTES_MAX];
    uint32_t shape = rnd(4);
    struct buf *b;

    fill(frame, &e);
    if (shape < 2)
        b = card_chain(card, frame, e.bytes, FRAME_BYTES_MAX);
    else if (shape == 2)
        b = apart(card, headers, frame, e.bytes);
    else
        b = card_chain(card, frame, e.bytes, RT_MAX(e.bytes / 3 + 1, 54u)); /* headers in one */
    b->flags = flags[e.kind];
    b->l2_bytes = IP_AT;
    b->l3_bytes = L4_AT - IP_AT;
    b->vlan_tci = e.tag; /* asked for or not */
    waiting[waiting_end++ % WAITING_MAX] = e;
    return b;
}

static void send_batches(struct card *card, struct pool *headers)
{
    uint32_t seed = 1;

    waiting_first = 0;
    waiting_end = 0;
    card->on_sent = check;
    for (uint32_t i = 0; i < BATCHES; i++) {
        struct buf_batch batch = {.count = 0};
        uint32_t count = 1 + rnd(32);

        for (uint32_t k = 0; k < count; k++)
            batch.buf[batch.count++] = any_frame(card, headers, seed++);
        for (uint32_t calls = 0; calls < 100 && batch.count > 0; calls++)
            nic_tx(card->nic->txq[0], &batch);
        assert_int_equal(batch.count, 0);
        assert_int_equal(waiting_first, waiting_end);
    }
    assert_int_equal(card->nic->txq[0]->stats.bad_request, 0);
    assert_int_equal(card->nic->txq[0]->stats.packets, waiting_end);
    assert_int_equal(x82599_counters(card->dev)->bad_descs, 0);
}

static void all_kinds_in_turn(void **test)
{
    struct card *card = card_start(&card_config, 1);

    state = 1;
    send_batches(card, card->pool);
    card_stop(card);
    card_free(card);
}

static struct pool *make_pool(const char *name, uint32_t headroom_bytes, uint32_t room_bytes)
{
    struct pool_config config = {.name = name, .cores = 1, .count = 256,
                                 .headroom_bytes = headroom_bytes, .room_bytes = room_bytes};
    struct pool *pool = NULL;

    assert_int_equal(pool_create_config(&config, &pool), RT_OK);
    return pool;
}

/* With a pool of a smaller room there is none whose frames may go unlooked at. */
static void all_kinds_with_a_small_pool(void **test)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    struct pool *small = make_pool("small", BUF_HEADROOM_BYTES, SMALL_ROOM_BYTES);

    card_bring_up(card, &card_config);
    state = 2;
    send_batches(card, small);
    card_stop(card);
    assert_int_equal(small->free, small->total);
    card_free(card);
}

static uint64_t refused(struct card *card, struct buf *b)
{
    struct buf_batch batch = {1, {b}};
    uint64_t before = card->nic->txq[0]->stats.bad_request;

    nic_tx(card->nic->txq[0], &batch);
    assert_int_equal(batch.count, 0);
    return card->nic->txq[0]->stats.bad_request - before;
}

static struct buf *of_length(struct pool *pool, uint32_t bytes)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 1000 && b == NULL; i++)
        b = pool_take(pool);
    assert_non_null(b);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    return b;
}

/* A length beyond the buffer's own room: what lies there is another buffer's. */
static void lengths_beyond_the_own_room(void **test)
{
    struct card *card = card_new(X82599_ID_SFP, 1);
    struct pool *small = make_pool("small", BUF_HEADROOM_BYTES, SMALL_ROOM_BYTES);
    struct pool *headers = make_pool("headers", 0, 0);
    struct buf *b;

    card_bring_up(card, &card_config);
    assert_int_equal(refused(card, of_length(small, SMALL_ROOM_BYTES)), 0);
    assert_int_equal(card->sent_frames, 1);
    assert_int_equal(refused(card, of_length(small, SMALL_ROOM_BYTES + 1)), 1);
    assert_int_equal(refused(card, of_length(headers, 60)), 1);
    b = of_length(small, SMALL_ROOM_BYTES + 1);
    b->next = card_buf(card, 60, 1);
    b->segments = 2;
    b->pkt_len += 60;
    assert_int_equal(refused(card, b), 1);
    b = of_length(small, SMALL_ROOM_BYTES + 1);
    b->flags = BUF_TX_TSO | BUF_TX_TCP_CSUM;
    b->l2_bytes = IP_AT;
    b->l3_bytes = L4_AT - IP_AT;
    b->l4_bytes = 20;
    b->mss_bytes = 100;
    assert_int_equal(refused(card, b), 1);
    assert_int_equal(card->sent_frames, 1);
    card_stop(card);
    assert_int_equal(small->free, small->total);
    assert_int_equal(headers->free, headers->total);
    card_free(card);
}

/* A refused frame gives back what is the stack's in it, behind any number of kept segments. */
static void refused_behind_kept_ones(void **test)
{
    struct card *card = card_start(&card_config, 1);
    uint64_t refusals = buf_refusals();

    for (uint32_t kept = 1; kept <= 70; kept += 23) {
        struct buf *first = NULL, *held[70];

        for (uint32_t i = kept; i > 0; i--) {
            struct buf *b = card_buf(card, 60, i);

            assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT));
            b->next = first != NULL ? first : kept % 2 == 0 ? card_buf(card, 60, 0) : NULL;
            first = b;
            held[i - 1] = b;
        }
        first->segments = UINT8_MAX; /* more than a chip takes */
        assert_int_equal(refused(card, first), 1);
        for (uint32_t i = 0; i < kept; i++)
            buf_let_go((struct buf_ref){held[i], held[i]->owner});
        assert_int_equal(pool_count_owner(card->pool, BUF_STACK), 0);
    }
    assert_int_equal(buf_refusals(), refusals);
    card_stop(card);
    card_free(card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_in_turn),
        cmocka_unit_test(all_kinds_with_a_small_pool),
        cmocka_unit_test(lengths_beyond_the_own_room),
        cmocka_unit_test(refused_behind_kept_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
