/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree is a treap: in order by sequence number, and a heap by a number that is made of a
 * buffer's address, which no peer knows: so it is as deep as one of random order. */
#include "order.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/tcp.h"
#include "conn.h"
#include "seq.h"

#include <mempool/pool.h>

enum { WINDOWS = 2 /* true size of all buffers here, and held, in windows that we offer */ };

/* ---- the tree ---- */

struct links {
    struct buf *before, *behind;
} __attribute__((may_alias));
_Static_assert(sizeof(struct links) == 16 && offsetof(struct buf, outside) == 48 &&
                   sizeof(struct buf) == 64,
               "in the place of `outside` and `user`");

static struct links *links_of(struct buf *b)
{
    return (struct links *)(void *)&b->outside;
}

static uint32_t rank_of(const struct buf *b)
{
    return (uint32_t)(((uintptr_t)b * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* The block that begins last at or before `seq`. */
static struct buf *find(struct buf *root, uint32_t seq)
{
    struct buf *found = NULL;

    for (struct buf *b = root; b != NULL;) { /* once a level */
        const bool behind = seq_after(b->rss_hash, seq);

        if (!behind)
            found = b;
        b = behind ? links_of(b)->before : links_of(b)->behind;
    }
    return found;
}

/* The block that begins first behind `seq`. */
static struct buf *find_behind(struct buf *root, uint32_t seq)
{
    struct buf *found = NULL;

    for (struct buf *b = root; b != NULL;) { /* once a level */
        const bool behind = seq_after(b->rss_hash, seq);

        if (behind)
            found = b;
        b = behind ? links_of(b)->before : links_of(b)->behind;
    }
    return found;
}

static struct buf *find_last(struct buf *root)
{
    struct buf *b = root;

    while (b != NULL && links_of(b)->behind != NULL) /* once a level */
        b = links_of(b)->behind;
    return b;
}

/* Those of a tree that begin before `seq`, and the others. */
static void split(struct buf *tree, uint32_t seq, struct links *out)
{
    struct buf **before = &out->before, **behind = &out->behind;

    while (tree != NULL) { /* once a level */
        if (seq_before(tree->rss_hash, seq)) {
            *before = tree;
            before = &links_of(tree)->behind;
            tree = *before;
        } else {
            *behind = tree;
            behind = &links_of(tree)->before;
            tree = *behind;
        }
    }
    *before = *behind = NULL;
}

/* All of `a` lie before all of `b`. */
static struct buf *join(struct buf *a, struct buf *b)
{
    struct buf *tree, **link = &tree;

    while (a != NULL && b != NULL) { /* once a level of either */
        if (rank_of(a) > rank_of(b)) {
            *link = a;
            link = &links_of(a)->behind;
            a = *link;
        } else {
            *link = b;
            link = &links_of(b)->before;
            b = *link;
        }
    }
    *link = a != NULL ? a : b;
    return tree;
}

static void insert(struct buf **root, struct buf *b)
{
    struct buf **link = root;

    while (*link != NULL && rank_of(*link) > rank_of(b)) { /* once a level */
        struct links *links = links_of(*link);

        link = seq_before(b->rss_hash, (*link)->rss_hash) ? &links->before : &links->behind;
    }
    split(*link, b->rss_hash, links_of(b));
    *link = b;
}

static void take_out(struct buf **root, struct buf *b)
{
    struct buf **link = root;

    while (*link != b) { /* once a level */
        struct links *links = links_of(*link);

        link = seq_before(b->rss_hash, (*link)->rss_hash) ? &links->before : &links->behind;
        RT_ASSERT(*link != NULL);
    }
    *link = join(links_of(b)->before, links_of(b)->behind);
}

/* ---- blocks ---- */

/* A chain becomes a ring. */
static struct buf *make_block(struct buf *chain_owned, uint32_t first, uint32_t end)
{
    struct buf *last = chain_owned;

    while (last->next != NULL)
        last = last->next;
    last->next = chain_owned;
    last->rss_hash = first;
    last->rss_type = end;
    return last;
}

/* Out of the tree, and a chain again. */
static struct buf *take_block(struct tcp_conn *conn, struct buf *block)
{
    struct buf *chain = block->next;
    uint32_t true_bytes;

    take_out(&conn->order, block);
    chain->pkt_len = block->rss_type - block->rss_hash;
    block->next = NULL;
    true_bytes = chain_true_bytes(chain);
    RT_ASSERT_LE(true_bytes, conn->holes.true_bytes);
    conn->holes.true_bytes -= true_bytes;
    return chain;
}

/* Two that meet, neither in the tree. */
static struct buf *merge(struct buf *front, struct buf *back)
{
    struct buf *chain = front->next;

    RT_ASSERT_EQ(front->rss_type, back->rss_hash);
    front->next = back->next;
    back->next = chain;
    back->rss_hash = front->rss_hash;
    return back;
}

/* Into the tree, as one with those that it meets. */
static void put_block(struct tcp_conn *conn, struct buf *block)
{
    struct buf *front = find(conn->order, block->rss_hash);
    struct buf *back = find_behind(conn->order, block->rss_hash);

    if (front != NULL && front->rss_type == block->rss_hash) {
        take_out(&conn->order, front);
        block = merge(front, block);
    }
    if (back != NULL && back->rss_hash == block->rss_type) {
        take_out(&conn->order, back);
        block = merge(block, back);
    }
    insert(&conn->order, block);
}

/* ---- in ---- */

static void drop_block(struct tcp_conn *conn, struct buf *block)
{
    buf_free(take_block(conn, block));
}

/* Room for so many bytes more, in front of `seq`: what lies last goes (RFC 2018 8 allows it).
 * Nothing is kept while buffers are few in the pool that they are of. */
static bool make_room(struct tcp_conn *conn, const struct pool *pool, uint32_t seq,
                      uint32_t bytes)
{
    const uint64_t most = WINDOWS * (uint64_t)conn->net->tcp->config.rx_window;

    if (few_in(&conn->net->few, pool, FEW_EIGHTH))
        return false;
    while ((uint64_t)conn->holes.true_bytes + conn->held_bytes + bytes > most) {
        struct buf *last = find_last(conn->order); /* one less each time */

        if (last == NULL || !seq_after(last->rss_hash, seq))
            return false;
        conn->net->counters.tcp_order_dropped++;
        drop_block(conn, last);
    }
    return true;
}

/* Blocks that the bytes cover go; where they reach into one they are cut. Returns their end. */
static uint32_t cover(struct tcp_conn *conn, uint32_t first, uint32_t end)
{
    struct buf *block = find_behind(conn->order, first);

    while (block != NULL && seq_before(block->rss_hash, end)) { /* one less each time */
        const uint32_t at = block->rss_hash;

        order_twice(conn, at, seq_before(block->rss_type, end) ? block->rss_type : end);
        if (seq_after(block->rss_type, end))
            return at;
        drop_block(conn, block);
        block = find_behind(conn->order, first);
    }
    return end;
}

static void note_recent(struct tcp_order *holes, uint32_t seq)
{
    for (uint32_t i = ORDER_RECENT - 1; i > 0; i--)
        holes->recent[i] = holes->recent[i - 1];
    holes->recent[0] = seq;
    holes->recent_count = RT_MIN(holes->recent_count + 1, (uint32_t)ORDER_RECENT);
}

void order_put(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    struct buf *b = segment_owned->buf;
    uint32_t first = segment_owned->seq, end = first + segment_owned->bytes;
    const struct buf *front = find(conn->order, first);

    RT_ASSERT(seq_after(first, conn->rcv_nxt));
    if ((segment_owned->flags & TCP_FIN) != 0) {
        conn->fin_early = true;
        conn->holes.fin_seq = end;
    }
    if (first == end) {
        buf_free(b); /* a FIN alone */
        return;
    }
    if (front != NULL && seq_after(front->rss_type, first)) {
        const uint32_t known = RT_MIN(front->rss_type - first, end - first);

        order_twice(conn, first, first + known);
        if (known == end - first) {
            note_recent(&conn->holes, first);
            buf_free(b);
            return;
        }
        b = chain_skip(b, known);
        first += known;
    }
    end = cover(conn, first, end);
    chain_cut(b, end - first);
    if (!make_room(conn, b->pool, first, chain_true_bytes(b))) {
        conn->net->counters.tcp_order_dropped++;
        buf_free(b);
        return;
    }
    conn->holes.true_bytes += chain_true_bytes(b);
    note_recent(&conn->holes, first);
    put_block(conn, make_block(b, first, end));
    life_early(conn);
}

/* ---- out ---- */

struct buf *order_take(struct tcp_conn *conn, uint32_t next)
{
    struct buf *block, *chain = NULL;

    while ((block = find(conn->order, next)) != NULL) { /* one less each time */
        const uint32_t first = block->rss_hash, end = block->rss_type;

        if (seq_after(next, first))
            order_twice(conn, first, seq_before(end, next) ? end : next);
        if (seq_after(end, next)) {
            RT_ASSERT(chain == NULL);
            chain = chain_skip(take_block(conn, block), next - first);
        } else { /* all of it came another way */
            drop_block(conn, block);
        }
    }
    return chain;
}

void order_twice(struct tcp_conn *conn, uint32_t first, uint32_t end)
{
    RT_ASSERT(seq_before(first, end));
    conn->net->counters.tcp_twice++;
    conn->holes.twice = true;
    conn->holes.twice_first = first;
    conn->holes.twice_end = end;
}

bool order_has_sacks(const struct tcp_conn *conn)
{
    return conn->order != NULL || conn->holes.twice;
}

static void add_sack(struct tcp_options *options, uint32_t first, uint32_t end)
{
    options->sacks[options->sack_count].first = first;
    options->sacks[options->sack_count].end = end;
    options->sack_count++;
}

/* True: a block at or behind `from` in the list says so already. */
static bool is_said(const struct tcp_options *options, uint32_t from, uint32_t first)
{
    for (uint32_t i = from; i < options->sack_count; i++)
        if (options->sacks[i].first == first)
            return true;
    return false;
}

void order_sacks(struct tcp_conn *conn, struct tcp_options *options, uint32_t most)
{
    struct tcp_order *holes = &conn->holes;
    uint32_t from = 0;

    RT_ASSERT_LE(most, (uint32_t)TCP_SACK_BLOCKS_MAX);
    options->sack_count = 0;
    if (holes->twice) {
        add_sack(options, holes->twice_first, holes->twice_end);
        holes->twice = false;
        from = 1;
    }
    for (uint32_t i = 0; i < holes->recent_count && options->sack_count < most; i++) {
        const struct buf *block = find(conn->order, holes->recent[i]);

        if (block != NULL && seq_after(block->rss_type, holes->recent[i]) &&
            !is_said(options, from, block->rss_hash))
            add_sack(options, block->rss_hash, block->rss_type);
    }
}

void order_give_up(struct tcp_conn *conn)
{
    for (; conn->order != NULL; conn->net->counters.tcp_order_dropped++) /* one less each time */
        drop_block(conn, conn->order);
    RT_ASSERT_EQ(conn->holes.true_bytes, 0u);
    conn->holes.recent_count = 0;
    conn->fin_early = false;
    life_late(conn);
}

void order_close(struct tcp_conn *conn)
{
    while (conn->order != NULL) /* one less each time */
        drop_block(conn, conn->order);
    RT_ASSERT_EQ(conn->holes.true_bytes, 0u);
    conn->holes = (struct tcp_order){.true_bytes = 0};
}
