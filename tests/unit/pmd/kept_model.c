/* SPDX-License-Identifier: BSD-2-Clause */
/* See kept_model.h. */
#include "kept_model.h"

#include <stdlib.h>
#include <string.h>

#define PADDED_BYTES 60
#define GONE_BYTE 0xdd

struct kept_model kept_model;
static uint64_t random_state;

void kept_seed(uint64_t seed)
{
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

uint32_t kept_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % below;
}

/* ---- values ---- */

static uint8_t byte_of(uint32_t serial, uint32_t at)
{
    return (uint8_t)((serial * 31 + at) * UINT32_C(2654435761) >> 24);
}

static void release(struct buf_pin *pin)
{
    struct kept_value *v = RT_CONTAINER_OF(pin, struct kept_value, pin);

    assert_true(v->live && !v->owned);
    for (uint32_t i = 0; i < kept_model.headers->total; i++)
        assert_ptr_not_equal(kept_model.headers->pins[i], pin);
    v->live = false;
    kept_model.released++;
    memset(v->bytes, GONE_BYTE, v->length);
    free(v->bytes);
}

struct kept_value *kept_value_any(void)
{
    struct kept_value *v = &kept_model.value[kept_random(KEPT_VALUES)];

    if (v->live)
        return v;
    *v = (struct kept_value){.serial = (uint32_t)++kept_model.made, .owned = true, .live = true};
    v->length = 1 + kept_random(KEPT_VALUE_BYTES_MAX);
    v->bytes = malloc(v->length);
    assert_non_null(v->bytes);
    for (uint32_t i = 0; i < v->length; i++)
        v->bytes[i] = byte_of(v->serial, i);
    buf_pin_init(&v->pin, release);
    return v;
}

void kept_value_put(struct kept_value *v)
{
    if (!v->live || !v->owned)
        return;
    v->owned = false;
    buf_pin_put(&v->pin);
}

/* ---- what leaves the port ---- */

/* Of a segment that the card may hold already, too. */
static const void *start_of(const struct buf *b)
{
    return *b->owner == BUF_EXT_NIC ? b->outside : buf_start(b);
}

/* From now on the card may send this frame. */
void kept_expect(const struct buf *b)
{
    struct kept_model *m = &kept_model;
    struct kept_frame *w = &m->way[(m->way_first + m->way_count++) % KEPT_WAY_MAX];

    assert_true(m->way_count <= KEPT_WAY_MAX);
    w->bytes = 0;
    for (; b != NULL; b = b->next) {
        assert_true(w->bytes + b->data_len <= KEPT_FRAME_BYTES_MAX);
        memcpy(w->data + w->bytes, start_of(b), b->data_len);
        w->bytes += b->data_len;
    }
}

/* Byte by byte: what left the port is what the segments said, from where they said. */
void kept_frame_left(const uint8_t *frame, uint32_t bytes)
{
    struct kept_model *m = &kept_model;
    const struct kept_frame *w = &m->way[m->way_first];

    assert_true(m->way_count > 0);
    assert_in_range(bytes, w->bytes, RT_MAX(w->bytes, (uint32_t)PADDED_BYTES));
    assert_memory_equal(frame, w->data, w->bytes);
    m->way_first = (m->way_first + 1) % KEPT_WAY_MAX;
    m->way_count--;
    m->sent++;
}
