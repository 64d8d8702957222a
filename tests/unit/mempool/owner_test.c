/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of <mempool/owner.h>: every verb on every value of the owner byte. What the table
 * has happens, with its pin; everything else is refused and counted, and the byte stays. And
 * back: what the verbs do is the whole of buf_may_move(), no pair less.
 */
#include "fixture.h"

#include <mempool/ext.h>
#include <mempool/poison.h>
#include <mempool/take.h>
#include <string.h>

#define DOMAIN ((enum buf_owner)(BUF_APP + 3))
#define MOVES_MAX 4

static struct pool *pool; /* of headers */
static struct buf *b;     /* its only one */
static struct buf_pin pin;
static uint32_t releases;

struct verb {
    const char *name;
    void (*run)(void);
    unsigned core;
    bool taken; /* the buffer is in its pool's stack before */
    struct {
        enum buf_owner from, to;
        bool put; /* the pin */
    } move[MOVES_MAX];
    unsigned moves;
};

static struct buf_ref ref(void)
{
    return (struct buf_ref){b, b->owner};
}

static void run_take(void)
{
    uint64_t failed;

    do {
        failed = pool->stats.failed;
        (void)pool_take(pool);
    } while (pool->stats.failed != failed);
}

static void run_refill(void)
{
    pool->free--;
    (void)buf_move(b, b->owner, BUF_POOL, BUF_NIC);
}

/* As a data path does it. */
static void run_transmit(void)
{
    if (buf_is_mine(b->owner))
        buf_to_nic(b->owner);
    else
        (void)buf_refuse(b, BUF_STACK, BUF_NIC);
}

static void run_sent(void)
{
    buf_sent(ref());
}

static void run_submit(void)
{
    (void)buf_to_nvme(b, b->owner);
}

static void run_complete(void)
{
    (void)buf_from_nvme(b, b->owner);
}

static void run_let_go(void)
{
    buf_let_go(ref());
}

static void run_let_go_inline(void)
{
    buf_let_go_inline(ref());
}

static void run_free(void)
{
    buf_free(b);
}

static void run_pin(void)
{
    (void)!buf_pin_bytes(b);
}

static void run_unpin(void)
{
    buf_unpin_bytes(ref());
}

static void run_collect(void)
{
    void *item = b;

    assert_int_equal(ring_put(pool->home[1], &item, 1), 1);
    pool->waiting = 1;
    (void)pool_collect(pool);
}

#define RUN_MOVE(name, from, to)                                                               \
    static void name(void)                                                                     \
    {                                                                                          \
        (void)buf_move(b, b->owner, from, to);                                                 \
    }
RUN_MOVE(run_receive, BUF_NIC, BUF_STACK)
RUN_MOVE(run_name, BUF_STACK, BUF_EXT)
RUN_MOVE(run_keep, BUF_STACK, BUF_KEPT)
RUN_MOVE(run_keep_of_app, DOMAIN, BUF_KEPT)
RUN_MOVE(run_deliver, BUF_STACK, DOMAIN)
RUN_MOVE(run_accept, DOMAIN, BUF_STACK)
RUN_MOVE(run_pass, BUF_STACK, BUF_RING)
RUN_MOVE(run_take_over, BUF_RING, BUF_STACK)

static const struct verb verbs[] = {
    {"take", run_take, 0, true, {{BUF_POOL, BUF_STACK, false}}, 1},
    {"name", run_name, 0, false, {{BUF_STACK, BUF_EXT, false}}, 1},
    {"refill", run_refill, 0, true, {{BUF_POOL, BUF_NIC, false}}, 1},
    {"receive", run_receive, 0, false, {{BUF_NIC, BUF_STACK, false}}, 1},
    {"transmit", run_transmit, 0, false,
     {{BUF_STACK, BUF_NIC, false}, {BUF_KEPT, BUF_KEPT_NIC, false},
      {BUF_EXT, BUF_EXT_NIC, false}}, 3},
    {"sent", run_sent, 0, false,
     {{BUF_NIC, BUF_POOL, false}, {BUF_KEPT_NIC, BUF_KEPT, false},
      {BUF_EXT_NIC, BUF_EXT, false}, {BUF_ACKED_NIC, BUF_POOL, true}}, 4},
    {"sent elsewhere", run_sent, 1, false,
     {{BUF_NIC, BUF_RING, false}, {BUF_KEPT_NIC, BUF_KEPT, false},
      {BUF_EXT_NIC, BUF_EXT, false}, {BUF_ACKED_NIC, BUF_ACKED_RING, false}}, 4},
    {"submit", run_submit, 0, false,
     {{BUF_STACK, BUF_NVME, false}, {BUF_KEPT, BUF_KEPT_NVME, false},
      {BUF_EXT, BUF_EXT_NVME, false}}, 3},
    {"complete", run_complete, 0, false,
     {{BUF_NVME, BUF_STACK, false}, {BUF_KEPT_NVME, BUF_KEPT, false},
      {BUF_EXT_NVME, BUF_EXT, false}}, 3},
    {"keep", run_keep, 0, false, {{BUF_STACK, BUF_KEPT, false}}, 1},
    {"keep of app", run_keep_of_app, 0, false, {{DOMAIN, BUF_KEPT, false}}, 1},
    {"let go", run_let_go, 0, false,
     {{BUF_KEPT, BUF_POOL, false}, {BUF_EXT, BUF_POOL, true},
      {BUF_KEPT_NIC, BUF_NIC, false}, {BUF_EXT_NIC, BUF_ACKED_NIC, false}}, 4},
    {"let go in line", run_let_go_inline, 0, false,
     {{BUF_KEPT, BUF_POOL, false}, {BUF_EXT, BUF_POOL, true},
      {BUF_KEPT_NIC, BUF_NIC, false}, {BUF_EXT_NIC, BUF_ACKED_NIC, false}}, 4},
    {"let go in line elsewhere", run_let_go_inline, 1, false,
     {{BUF_KEPT, BUF_RING, false}, {BUF_EXT, BUF_ACKED_RING, false},
      {BUF_KEPT_NIC, BUF_NIC, false}, {BUF_EXT_NIC, BUF_ACKED_NIC, false}}, 4},
    {"let go elsewhere", run_let_go, 1, false,
     {{BUF_KEPT, BUF_RING, false}, {BUF_EXT, BUF_ACKED_RING, false},
      {BUF_KEPT_NIC, BUF_NIC, false}, {BUF_EXT_NIC, BUF_ACKED_NIC, false}}, 4},
    {"free", run_free, 0, false, {{BUF_STACK, BUF_POOL, false}}, 1},
    {"free elsewhere", run_free, 1, false, {{BUF_STACK, BUF_RING, false}}, 1},
    {"collect", run_collect, 0, false,
     {{BUF_RING, BUF_POOL, false}, {BUF_ACKED_RING, BUF_POOL, true}}, 2},
    {"deliver", run_deliver, 0, false, {{BUF_STACK, DOMAIN, false}}, 1},
    {"accept", run_accept, 0, false, {{DOMAIN, BUF_STACK, false}}, 1},
    {"pass", run_pass, 0, false, {{BUF_STACK, BUF_RING, false}}, 1},
    {"take over", run_take_over, 1, false, {{BUF_RING, BUF_STACK, false}}, 1},
    {"pin", run_pin, 0, false, {{BUF_STACK, BUF_PINNED, false}}, 1},
    {"unpin", run_unpin, 0, false, {{BUF_PINNED, BUF_POOL, false}}, 1},
    {"unpin elsewhere", run_unpin, 1, false, {{BUF_PINNED, BUF_RING, false}}, 1},
};

static void released(struct buf_pin *p)
{
    assert_ptr_equal(p, &pin);
    releases++;
}

static void prepare(const struct verb *verb, unsigned owner)
{
    buf_unpoison(b);
    b->next = NULL;
    *b->owner = (uint8_t)owner;
    pool->stack[0] = ref();
    pool->free = verb->taken ? 1 : 0;
    pool->pins[0] = &pin;
    pin.uses = 1;
    releases = 0;
    host_set_core(verb->core);
}

/* What is in the ring home does not stay there for the next case. */
static void drain(void)
{
    void *item;

    host_set_core(0);
    pool->waiting = 0;
    while (ring_get(pool->home[1], &item, 1) == 1)
        ;
}

static void try_one(const struct verb *verb, unsigned owner)
{
    uint64_t before = buf_refusals();
    unsigned i = 0;

    while (i < verb->moves && (unsigned)verb->move[i].from != owner)
        i++;
    prepare(verb, owner);
    verb->run();
    if (i < verb->moves) {
        assert_int_equal(*b->owner, verb->move[i].to);
        assert_int_equal(buf_refusals(), before);
        assert_int_equal(releases, verb->move[i].put);
        assert_int_equal(pool->free, verb->move[i].to == BUF_POOL);
    } else {
        assert_int_equal(*b->owner, owner);
        assert_int_equal(buf_refusals(), before + 1);
        assert_int_equal(releases, 0);
        assert_int_equal(pool->free, 0); /* a corrupted free buffer is left out */
    }
    drain();
}

static void make_pool(void)
{
    const struct pool_config config = {.name = "headers", .cores = CORES, .count = 1};

    assert_int_equal(pool_create_config(&config, &pool), RT_OK);
    b = (struct buf *)(void *)pool->base;
    buf_pin_init(&pin, released);
}

static void every_verb_on_every_owner(void **state)
{
    make_pool();
    for (size_t v = 0; v < RT_ARRAY_SIZE(verbs); v++)
        for (unsigned owner = 0; owner <= UINT8_MAX; owner++)
            try_one(&verbs[v], owner);
}

static bool a_verb_does(unsigned from, unsigned to)
{
    for (size_t v = 0; v < RT_ARRAY_SIZE(verbs); v++)
        for (unsigned i = 0; i < verbs[v].moves; i++)
            if ((unsigned)verbs[v].move[i].from == from && (unsigned)verbs[v].move[i].to == to)
                return true;
    return false;
}

/* Domains are all alike: each looks as the one that the verbs have. */
static unsigned any_domain(unsigned owner)
{
    return owner >= BUF_APP && owner < BUF_EXT ? DOMAIN : owner;
}

static void the_table_is_what_verbs_do(void **state)
{
    for (unsigned from = 0; from <= UINT8_MAX; from++)
        for (unsigned to = 0; to <= UINT8_MAX; to++)
            assert_int_equal(buf_may_move((enum buf_owner)from, (enum buf_owner)to),
                             a_verb_does(any_domain(from), any_domain(to)));
}

/* The hot compare: which bytes may leave by the plain path, as a first and as a further
 * segment. */
static void what_a_device_may_get(void **state)
{
    for (unsigned owner = 0; owner <= UINT8_MAX; owner++) {
        uint8_t byte = (uint8_t)owner;
        bool inside = owner == BUF_STACK || owner == BUF_KEPT;

        assert_int_equal(buf_is_mine_inside(&byte), inside);
        assert_int_equal(buf_is_mine(&byte), inside || owner == BUF_EXT);
    }
}

static void every_owner_has_a_name(void **state)
{
    assert_string_equal(buf_owner_name(BUF_POOL), "pool");
    assert_string_equal(buf_owner_name(BUF_STACK), "stack");
    assert_string_equal(buf_owner_name(BUF_APP + BUF_DOMAINS_MAX - 1), "app");
    assert_string_equal(buf_owner_name(BUF_EXT), "external");
    assert_string_equal(buf_owner_name(BUF_PINNED + 1), "unknown");
    assert_string_equal(buf_owner_name(256), "unknown");
    for (unsigned owner = 0; owner <= BUF_PINNED; owner++)
        assert_string_not_equal(buf_owner_name(owner), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_verb_on_every_owner),
        TEST(the_table_is_what_verbs_do),
        TEST(what_a_device_may_get),
        TEST(every_owner_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
