/* SPDX-License-Identifier: BSD-2-Clause */
#include "station.h"

#include "wire/checksum.h"
#include "wire/ip.h"

#include <mempool/pool.h>
#include <rt/host.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1071 3: the example; and what its words look like backwards. */
static void run_example(void **state)
{
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    assert_int_equal(be16_get(csum_partial(csum_add(0, data, sizeof(data)))), 0xddf2);
    assert_int_equal(be16_get(csum_fold(csum_add(0, data, sizeof(data)))), 0x220d);
}

/* The sum as it is defined, a byte at a time. */
static uint16_t plain_sum(const uint8_t *data, size_t bytes)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < bytes; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void run_lengths(void **state)
{
    uint8_t data[300];

    srand(1);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(rand() | (i % 3 == 0 ? 0xff : 0));
    for (size_t from = 0; from < 4; from++)
        for (size_t bytes = 0; bytes < sizeof(data) - 4; bytes++)
            assert_int_equal(be16_get(csum_partial(csum_add(0, data + from, bytes))),
                             plain_sum(data + from, bytes));
}

/* A chain cut anywhere, empty segments too, has the sum of its bytes. */
static void run_chain(void **state)
{
    struct pool *pool;
    uint8_t data[200];

    pool_takes_fail(false);
    host_memory_reset();
    assert_int_equal(pool_create("chain", 0, 1, 16, &pool), RT_OK);
    srand(2);
    for (uint32_t round = 0; round < 2000; round++) {
        struct buf *first = NULL, **link = &first;
        const uint32_t offset = (uint32_t)rand() % 40, bytes = (uint32_t)rand() % 160;
        uint32_t at = 0;

        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (uint8_t)rand();
        for (uint32_t i = 0; i < 8; i++) {
            struct buf *b = pool_take(pool);
            const uint32_t rest = (uint32_t)sizeof(data) - at;
            const uint32_t part = i == 7 ? rest : (uint32_t)rand() % (RT_MIN(rest, 60u) + 1);

            assert_non_null(b);
            memcpy(buf_data(b), data + at, part);
            b->data_len = (uint16_t)part;
            at += part;
            *link = b;
            link = &b->next;
        }
        assert_int_equal(be16_get(csum_partial(csum_add_chain(0, first, offset, bytes))),
                         plain_sum(data + offset, bytes));
        buf_free(first);
    }
    assert_int_equal(pool->free, pool->total);
    pool_forget_all();
    host_memory_reset();
}

/* The bytes of RFC 9293 3.1's and RFC 8200 8.1's pseudo headers, written out. */
static void run_pseudo(void **state)
{
    static const uint8_t v4[] = {192, 0, 2, 1, 198, 51, 100, 7, 0, 6, 0x12, 0x34};
    struct ip_addr src = ip_addr_v4_of(OUR_IP), dst = ip_addr_v4_of(FAR_IP);
    uint8_t v6[40] = {[34] = 0x12, [35] = 0x34, [39] = 6};

    assert_int_equal(be16_get(csum_partial(csum_pseudo(&src, &dst, IP_TCP, 0x1234))),
                     plain_sum(v4, sizeof(v4)));
    for (uint32_t i = 0; i < 16; i++) {
        v6[i] = src.bytes[i] = (uint8_t)(i * 17 + 1);
        v6[16 + i] = dst.bytes[i] = (uint8_t)(i * 5 + 9);
    }
    assert_int_equal(be16_get(csum_partial(csum_pseudo(&src, &dst, IP_TCP, 0x1234))),
                     plain_sum(v6, sizeof(v6)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_example),
        cmocka_unit_test(run_lengths),
        cmocka_unit_test(run_chain),
        cmocka_unit_test(run_pseudo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
