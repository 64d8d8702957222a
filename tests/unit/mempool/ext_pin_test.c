/* SPDX-License-Identifier: BSD-2-Clause */
/* External segments one by one: what they name, what a freed chain leaves, what panics. */
#include "fixture.h"

#include <mempool/ext.h>
#include <mempool/take.h>
#include <string.h>

enum { HEADERS = 12, PLAIN = 8 };

static struct pool *headers, *plain;
static uint64_t refused;

static void make_pools(void)
{
    const struct pool_config config = {.name = "headers", .cores = 2, .count = HEADERS};
    const struct pool_config small = {.name = "plain", .cores = 2, .count = PLAIN,
                                      .headroom_bytes = 16, .room_bytes = 48};

    assert_int_equal(pool_create_config(&config, &headers), RT_OK);
    assert_int_equal(pool_create_config(&small, &plain), RT_OK);
    refused = buf_refusals();
}

static uint32_t releases;

static void count_release(struct buf_pin *pin)
{
    releases++;
}

static struct buf *header_for(struct buf_pin *pin, const void *at, uint32_t bytes)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 1000 && b == NULL && headers->free > 0; i++)
        b = buf_ext_take(headers, pin, at, bytes);
    assert_non_null(b);
    return b;
}

static void names_bytes_elsewhere(void **state)
{
    static const uint8_t stored[100] = {7};
    struct buf_pin pin;
    struct buf *b, *usual;

    make_pools();
    releases = 0;
    buf_pin_init_on(&pin, 0, count_release);
    b = header_for(&pin, stored, sizeof(stored));
    assert_ptr_equal(buf_start(b), stored);
    assert_int_equal(buf_bytes(b), 100);
    assert_int_equal(pin.uses, 2);
    buf_pin_put(&pin);
    assert_int_equal(releases, 0);
    buf_let_go((struct buf_ref){b, b->owner});
    assert_int_equal(releases, 1);
    usual = take(plain);
    assert_ptr_equal(buf_start(usual), buf_data(usual));
    buf_free(usual);
}

/* A received value stays where it is: its buffer is what headers name, until the last lets go. */
static struct buf *value_buf;

static void unpin_value(struct buf_pin *pin)
{
    releases++;
    buf_unpin_bytes((struct buf_ref){value_buf, value_buf->owner});
}

static void the_bytes_of_a_buffer_are_named(void **state)
{
    struct buf_pin pin;
    struct buf *b;
    uint64_t before;

    make_pools();
    releases = 0;
    before = buf_refusals();
    value_buf = take(plain);
    memset(buf_data(value_buf), 5, 8);
    assert_true(buf_pin_bytes(value_buf));
    assert_false(buf_pin_bytes(value_buf));
    buf_free(hidden(value_buf)); /* refused: headers will name it */
    assert_int_equal(buf_refusals(), before + 2);
    assert_int_equal(*value_buf->owner, BUF_PINNED);
    buf_pin_init(&pin, unpin_value);
    b = header_for(&pin, buf_data(value_buf), 8);
    buf_pin_put(&pin);
    assert_int_equal(buf_start(b)[7], 5);
    assert_int_equal(*value_buf->owner, BUF_PINNED);
    buf_let_go((struct buf_ref){b, b->owner});
    assert_int_equal(releases, 1);
    assert_int_equal(*value_buf->owner, BUF_POOL);
    assert_int_equal(plain->free, plain->total);
}

/* Only the stack's own can be pinned. What another has may be in a chain of its, and is refused as
 * any: its header is not looked at. */
static void what_others_have_is_not_pinned(void **state)
{
    struct buf *b, *more;
    uint64_t before;

    make_pools();
    before = buf_refusals();
    b = take(plain);
    more = take(plain);
    b->next = more;
    assert_true(buf_move(b, b->owner, BUF_STACK, BUF_KEPT)); /* in a frame that was sent */
    assert_false(buf_pin_bytes(b));
    assert_int_equal(*b->owner, BUF_KEPT);
    buf_let_go((struct buf_ref){b, b->owner});
    assert_false(buf_pin_bytes(hidden(b)));
    assert_int_equal(*b->owner, BUF_POOL);
    assert_int_equal(buf_refusals(), before + 2);
    buf_free(more);
    assert_int_equal(plain->free, plain->total);
}

/* A frame that was not sent is freed: its external segment stays with who keeps it. */
static void a_freed_chain_leaves_what_is_kept(void **state)
{
    struct buf_batch batch = {.count = 0};
    struct buf_pin pin;
    struct buf *b, *k, *tail;
    uint64_t before = buf_refusals();

    make_pools();
    releases = 0;
    buf_pin_init(&pin, count_release);
    batch.buf[batch.count++] = take(plain);
    b = header_for(&pin, &pin, 1);
    k = take(plain);
    assert_true(buf_move(k, k->owner, BUF_STACK, BUF_KEPT));
    tail = take(plain);
    batch.buf[0]->next = b;
    b->next = k;
    k->next = tail;
    buf_batch_free(&batch);
    assert_int_equal(*b->owner, BUF_EXT);
    assert_int_equal(*k->owner, BUF_KEPT);
    assert_int_equal(plain->free, PLAIN - 1);
    buf_let_go((struct buf_ref){k, k->owner});
    buf_let_go((struct buf_ref){b, b->owner});
    buf_free(hidden(b)); /* has no other owner than its keeper: refused */
    assert_int_equal(buf_refusals(), before + 1);
    assert_int_equal(releases, 0);
    buf_pin_put(&pin);
    assert_int_equal(releases, 1);
    assert_int_equal(plain->free, PLAIN);
}

static void puts_twice(void *arg)
{
    buf_pin_put(arg);
}

static void puts_elsewhere(void *arg)
{
    host_set_core(1);
    buf_pin_put(arg);
}

static void takes_after_release(void *arg)
{
    (void)buf_ext_take(headers, arg, arg, 1);
}

static void takes_from_a_pool_of_rooms(void *arg)
{
    (void)buf_ext_take(plain, arg, arg, 1);
}

static void mistakes_with_pins_panic(void **state)
{
    struct buf_pin pin;
    char message[256];

    make_pools();
    buf_pin_init(&pin, count_release);
    assert_true(host_catch(takes_from_a_pool_of_rooms, &pin, message, sizeof(message)));
    assert_true(host_catch(puts_elsewhere, &pin, message, sizeof(message)));
    assert_non_null(strstr(message, "pin->core == hal_core_id()"));
    host_set_core(0);
    buf_pin_put(&pin);
    assert_true(host_catch(puts_twice, &pin, message, sizeof(message)));
    assert_true(host_catch(takes_after_release, &pin, message, sizeof(message)));
    assert_non_null(strstr(message, "0u < pin->uses"));
}

static struct buf *late; /* of core 0's pool; core 1 frees it while core 0 collects */

static void release_frees_elsewhere(struct buf_pin *pin)
{
    host_set_core(1);
    buf_free(late);
    host_set_core(0);
}

/* A buffer that comes home while the rings are being emptied is there at the next collect. */
static void who_comes_home_meanwhile_is_not_lost(void **state)
{
    static uint8_t stored[10];
    struct buf_pin pin;
    struct buf *b;

    make_pools();
    buf_pin_init(&pin, release_frees_elsewhere);
    b = header_for(&pin, stored, sizeof(stored));
    late = take(headers);
    buf_pin_put(&pin);
    host_set_core(1);
    buf_let_go((struct buf_ref){b, b->owner}); /* goes home by ring: released there */
    host_set_core(0);
    assert_int_equal(pool_collect(headers), 1);
    assert_int_equal(pool_collect(headers), 1);
    assert_int_equal(headers->free, headers->total);
}

int __asan_address_is_poisoned(void const volatile *address) __attribute__((weak));

/* Nobody may read what lies in a home ring; AddressSanitizer tells who does. */
static void a_home_ring_is_poisoned(void **state)
{
    struct buf *b;
    uint8_t *data;

    if (__asan_address_is_poisoned == NULL)
        skip(); /* built without -Dsanitize */
    make_pools();
    b = take(plain);
    data = buf_data(hidden(b));
    assert_false(__asan_address_is_poisoned(data));
    host_set_core(1);
    buf_free(b);
    assert_true(__asan_address_is_poisoned(data));
    host_set_core(0);
    assert_int_equal(pool_collect(plain), 1);
    assert_true(__asan_address_is_poisoned(data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_bytes_elsewhere),
        TEST(the_bytes_of_a_buffer_are_named),
        TEST(what_others_have_is_not_pinned),
        TEST(a_freed_chain_leaves_what_is_kept),
        TEST(mistakes_with_pins_panic),
        TEST(who_comes_home_meanwhile_is_not_lost),
        TEST(a_home_ring_is_poisoned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
