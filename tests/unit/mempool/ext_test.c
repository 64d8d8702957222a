/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * External segments and kept buffers against a plain model of them: random sequences of take,
 * send, acknowledge, send again while the device holds it, completion, reset, other cores, and
 * mistakes. Each pin is released exactly once, never while anybody needs its bytes; then they
 * are freed, so that a device that still read them would be seen (ASan). ext_test SEQUENCES
 * [SEED] runs others.
 */
#include "fixture.h"

#include <mempool/ext.h>
#include <mempool/take.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS 12
#define PLAIN 8
#define VALUES 4
#define FLYING_MAX (HEADERS + PLAIN)
#define VALUE_BYTES 24
#define STEPS 24

static uint32_t sequences = 1000000, seed = 1;

struct value {
    struct buf_pin pin;
    uint8_t *bytes;
    uint32_t uses; /* the model's: owner and headers */
    bool owned, live;
};

/* The model of one buffer: what its byte must be, and which value it names. */
struct expected {
    struct buf *b;
    enum buf_owner owner;
    struct value *value;
};

static struct pool *headers, *plain;
static struct expected header[HEADERS], kept[PLAIN];
static struct value value[VALUES];
static struct expected *flying[FLYING_MAX]; /* the device's ring, oldest first */
static uint32_t flying_count;
static uint64_t released_count, made_count, refused;

static struct buf_ref ref_of(const struct expected *e)
{
    return (struct buf_ref){e->b, e->b->owner};
}

static void release(struct buf_pin *pin)
{
    struct value *v = RT_CONTAINER_OF(pin, struct value, pin);
    struct buf *b;

    assert_true(v->live);
    assert_int_equal(v->uses, 0); /* the model let go of it, too */
    v->live = false;
    released_count++;
    free(v->bytes);
    b = pool_take(plain); /* it may: see ext.h */
    if (b != NULL)
        buf_free(b);
}

static void use_less(struct value *v)
{
    v->uses--;
}

static void new_value(struct value *v)
{
    if (v->live)
        return;
    *v = (struct value){.bytes = malloc(VALUE_BYTES), .uses = 1, .owned = true, .live = true};
    assert_non_null(v->bytes);
    memset(v->bytes, (int)(made_count & 0xff), VALUE_BYTES);
    buf_pin_init(&v->pin, release);
    made_count++;
}

static void owner_lets_go(struct value *v)
{
    if (!v->owned)
        return;
    v->owned = false;
    use_less(v);
    buf_pin_put(&v->pin);
}

static struct expected *entry_of(struct expected *all, uint32_t count, enum buf_owner owner)
{
    uint32_t first = rnd(count);

    for (uint32_t i = 0; i < count; i++)
        if (all[(first + i) % count].owner == owner)
            return &all[(first + i) % count];
    return NULL;
}

/* Names some of a value; also of one whose owner has let go, while somebody needs it. */
static void take_header(struct value *v)
{
    uint32_t from = rnd(VALUE_BYTES);
    struct buf *b;

    if (!v->live)
        return;
    b = buf_ext_take(headers, &v->pin, v->bytes + from, VALUE_BYTES - from);
    if (b == NULL)
        return;
    assert_ptr_equal(buf_ext_pin(b), &v->pin);
    assert_int_equal(header[buf_index(b)].owner, BUF_POOL);
    header[buf_index(b)] = (struct expected){b, BUF_EXT, v};
    v->uses++;
}

static void take_plain(void)
{
    struct buf *b = pool_take(plain);

    if (b == NULL)
        return;
    kept[buf_index(b)] = (struct expected){b, BUF_STACK, NULL};
    if (rnd(4) == 0)
        return;
    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT));
    kept[buf_index(b)].owner = BUF_KEPT;
}

/* What a driver does: its bytes are read at completion. */
static void send(struct expected *e)
{
    if (e == NULL)
        return;
    assert_true(buf_is_mine(e->b->owner));
    buf_to_nic(e->b->owner);
    if (*e->b->owner == BUF_NIC)
        buf_poison(e->b);
    e->owner = (enum buf_owner)(uint8_t)((int)e->owner + BUF_TO_NIC);
    flying[flying_count++] = e;
}

/* The model of buf_sent() and buf_let_go(); on another core what is home is in the ring. */
static void sent_in_model(struct expected *e, bool elsewhere)
{
    if (e->owner == BUF_KEPT_NIC || e->owner == BUF_EXT_NIC) {
        e->owner = (enum buf_owner)(uint8_t)((int)e->owner - BUF_TO_NIC);
        return;
    }
    if (elsewhere) {
        e->owner = e->value != NULL ? BUF_ACKED_RING : BUF_RING;
        return;
    }
    e->owner = BUF_POOL;
    if (e->value != NULL)
        use_less(e->value);
}

static void let_go_in_model(struct expected *e, bool elsewhere)
{
    if (e->owner == BUF_KEPT_NIC) {
        e->owner = BUF_NIC;
    } else if (e->owner == BUF_EXT_NIC) {
        e->owner = BUF_ACKED_NIC;
    } else {
        e->owner = BUF_NIC; /* as if the device were just done with it */
        sent_in_model(e, elsewhere);
    }
}

static uint32_t device_reads(const struct expected *e)
{
    uint32_t sum = 0;

    if (e->value == NULL)
        return 0;
    assert_true(e->value->live);
    for (uint32_t i = 0; i < VALUE_BYTES; i++)
        sum += e->value->bytes[i];
    return sum;
}

/* The oldest that the device has; a hostile one reports any, or one that it has not. */
static void complete(bool elsewhere)
{
    uint32_t at = rnd(8) == 0 ? rnd(flying_count) : 0;
    struct expected *e = flying[at];

    (void)device_reads(e);
    memmove(&flying[at], &flying[at + 1], (flying_count - at - 1) * sizeof(flying[0]));
    flying_count--;
    sent_in_model(e, elsewhere);
    host_set_core(elsewhere ? 1 : 0);
    buf_sent(ref_of(e));
    host_set_core(0);
}

static void reset(void)
{
    bool elsewhere = rnd(3) == 0;

    while (flying_count > 0)
        complete(elsewhere);
}

static void let_go(struct expected *e, bool elsewhere)
{
    if (e == NULL)
        return;
    let_go_in_model(e, elsewhere);
    host_set_core(elsewhere ? 1 : 0);
    buf_let_go(ref_of(e));
    host_set_core(0);
}

static void collect(void)
{
    for (uint32_t i = 0; i < HEADERS; i++) {
        if (header[i].owner != BUF_ACKED_RING)
            continue;
        header[i].owner = BUF_POOL;
        use_less(header[i].value);
    }
    for (uint32_t i = 0; i < PLAIN; i++)
        if (kept[i].owner == BUF_RING)
            kept[i].owner = BUF_POOL;
    pool_collect(headers);
    pool_collect(plain);
}

/* Let go twice, sent although the device has it, completed although it has not: refused. */
static void mistake(void)
{
    struct expected *e = rnd(2) ? &header[rnd(HEADERS)] : &kept[rnd(PLAIN)];
    bool may_go = e->owner == BUF_KEPT || e->owner == BUF_EXT || e->owner == BUF_KEPT_NIC ||
                  e->owner == BUF_EXT_NIC;
    bool flies = e->owner == BUF_NIC || e->owner == BUF_KEPT_NIC || e->owner == BUF_EXT_NIC ||
                 e->owner == BUF_ACKED_NIC;

    if (e->b == NULL)
        return;
    if (!may_go) {
        buf_let_go(ref_of(e));
        refused++;
    }
    if (!flies) {
        buf_sent(ref_of(e));
        refused++;
    }
    assert_int_equal(buf_is_mine(e->b->owner), may_go && !flies ? 1 : e->owner == BUF_STACK);
}

static void step(void)
{
    struct expected *e;

    switch (rnd(14)) {
    case 0:
        new_value(&value[rnd(VALUES)]);
        break;
    case 1:
    case 2: /* a header more, perhaps while the device has others: sending again */
        take_header(&value[rnd(VALUES)]);
        break;
    case 3:
        take_plain();
        break;
    case 4:
    case 5:
        send(entry_of(header, HEADERS, BUF_EXT));
        break;
    case 6:
        e = entry_of(kept, PLAIN, BUF_KEPT);
        send(e != NULL ? e : entry_of(kept, PLAIN, BUF_STACK));
        break;
    case 7:
        if (flying_count > 0)
            complete(false);
        break;
    case 8:
        let_go(entry_of(header, HEADERS, rnd(2) ? BUF_EXT_NIC : BUF_EXT), false);
        break;
    case 9:
        let_go(entry_of(kept, PLAIN, rnd(2) ? BUF_KEPT_NIC : BUF_KEPT), false);
        break;
    case 10:
        owner_lets_go(&value[rnd(VALUES)]);
        break;
    case 11:
        if (rnd(4) == 0)
            reset();
        break;
    case 12:
        if (rnd(4) == 0)
            let_go(entry_of(header, HEADERS, BUF_EXT), true);
        else
            collect();
        break;
    default:
        mistake();
        break;
    }
}

static void check(void)
{
    for (uint32_t i = 0; i < HEADERS; i++)
        assert_int_equal(headers->owners[i], header[i].owner);
    for (uint32_t i = 0; i < PLAIN; i++)
        assert_int_equal(plain->owners[i], kept[i].owner);
    for (uint32_t i = 0; i < VALUES; i++)
        if (value[i].live)
            assert_int_equal(value[i].pin.uses, value[i].uses);
}

/* Everybody lets go, in an order of chance; then everything is home. */
static void end(void)
{
    bool first = rnd(2) != 0;

    if (first)
        reset();
    for (uint32_t i = 0; i < HEADERS; i++)
        if (header[i].owner == BUF_EXT || header[i].owner == BUF_EXT_NIC)
            let_go(&header[i], false);
    for (uint32_t i = 0; i < VALUES; i++)
        owner_lets_go(&value[i]);
    for (uint32_t i = 0; i < PLAIN; i++) {
        if (kept[i].owner == BUF_KEPT || kept[i].owner == BUF_KEPT_NIC)
            let_go(&kept[i], false);
        if (kept[i].owner == BUF_STACK) {
            buf_free(kept[i].b);
            kept[i].owner = BUF_POOL;
        }
    }
    reset();
    collect();
    check();
    assert_int_equal(released_count, made_count);
    assert_int_equal(headers->free, headers->total);
    assert_int_equal(plain->free, plain->total);
    assert_int_equal(buf_refusals(), refused);
}

static void make_pools(void)
{
    const struct pool_config config = {.name = "headers", .cores = 2, .count = HEADERS};
    const struct pool_config small = {.name = "plain", .cores = 2, .count = PLAIN,
                                      .headroom_bytes = 16, .room_bytes = 48};

    assert_int_equal(pool_create_config(&config, &headers), RT_OK);
    assert_int_equal(pool_create_config(&small, &plain), RT_OK);
    assert_int_equal(headers->stride_bytes, sizeof(struct buf)); /* a cache line each */
    refused = buf_refusals();
}

static void random_sequences(void **state)
{
    make_pools();
    for (uint32_t i = 0; i < sequences; i++) {
        rnd_seed(seed + i);
        for (uint32_t n = 0; n < STEPS; n++)
            step();
        check();
        end();
    }
    assert_true(sequences < 1000 || made_count > sequences);
    print_message("%u sequences, %llu pins made and released, %llu mistakes refused\n",
                  sequences, (unsigned long long)made_count, (unsigned long long)refused);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(random_sequences),
    };

    if (argc > 1)
        sequences = (uint32_t)strtoul(argv[1], NULL, 0);
    if (argc > 2)
        seed = (uint32_t)strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
