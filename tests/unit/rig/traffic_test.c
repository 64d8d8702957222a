/* SPDX-License-Identifier: BSD-2-Clause */
/* The pure parts of the traffic program: frames, histogram, tally, captures, commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"

static struct frame_plan a_plan(uint16_t bytes)
{
    struct frame_plan plan = {.dst = {0x52, 1, 2, 3, 4, 5}, .src = {2, 9, 8, 7, 6, 5},
                              .trial = 77, .lane = 3, .flows = 10, .size_count = 1};
    plan.sizes[0] = bytes;
    frame_expect(&plan, FRAME_IO, 1, (const uint8_t[6]){0});
    return plan;
}

static void frame_comes_back_good_in_every_size(void **state)
{
    uint8_t frame[FRAME_MAX_BYTES];
    for (uint16_t bytes = FRAME_MIN_BYTES; bytes <= FRAME_MAX_BYTES; bytes++) {
        struct frame_plan plan = a_plan(bytes);
        struct frame_id id;
        uint32_t seq = bytes * 31u;
        assert_int_equal(frame_build(&plan, seq, UINT64_C(0xabcdef123456789), frame), bytes);
        assert_int_equal(frame_identify(frame, bytes, &id), FRAME_GOOD);
        assert_int_equal(id.seq, seq);
        assert_int_equal(id.flow, seq % 10);
        assert_int_equal(id.lane, 3);
        assert_int_equal(id.sent_ns, UINT64_C(0xdef123456789));
        assert_int_equal(frame_check(&plan, frame, bytes, &id), FRAME_GOOD);
    }
}

static void every_changed_bit_is_seen(void **state)
{
    uint8_t frame[FRAME_MAX_BYTES];
    struct frame_plan plan = a_plan(100);
    size_t bytes = frame_build(&plan, 5, 123456, frame);
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        struct frame_id id;
        frame[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        enum frame_verdict verdict = frame_identify(frame, bytes, &id);
        if (verdict == FRAME_GOOD)
            verdict = frame_check(&plan, frame, bytes, &id);
        assert_int_not_equal(verdict, FRAME_GOOD);
        frame[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static void short_frames_are_not_read_beyond(void **state)
{
    for (size_t bytes = 0; bytes < FRAME_MIN_BYTES; bytes++) {
        uint8_t *frame = calloc(1, bytes + 1); /* the sanitizer watches its end */
        struct frame_id id;
        assert_int_equal(frame_identify(frame, bytes, &id), FRAME_FOREIGN);
        free(frame);
    }
}

/* RFC 1071: the sum over a header with its checksum is all ones. */
static void ip_header_is_valid(void **state)
{
    uint8_t frame[FRAME_MAX_BYTES];
    struct frame_plan plan = a_plan(1514);
    for (uint32_t seq = 0; seq < 100000; seq += 77) {
        uint32_t sum = 0;
        (void)frame_build(&plan, seq, 0, frame);
        for (unsigned i = 14; i < 34; i += 2)
            sum += (uint32_t)frame[i] << 8 | frame[i + 1];
        sum = (sum & 0xffff) + (sum >> 16);
        assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
    }
}

static void addresses_are_expected_by_mode(void **state)
{
    static const uint8_t port_mac[6] = {0x52, 0x54, 0, 0, 0, 9};
    static const uint8_t l2fwd_dst[6] = {2, 0, 0, 0, 0, 4};
    struct frame_plan plan = a_plan(60);
    frame_expect(&plan, FRAME_MAC, 4, port_mac);
    assert_memory_equal(plan.back_dst, l2fwd_dst, 6);
    assert_memory_equal(plan.back_src, port_mac, 6);
    frame_expect(&plan, FRAME_MACSWAP, 4, port_mac);
    assert_memory_equal(plan.back_dst, plan.src, 6);
    assert_memory_equal(plan.back_src, plan.dst, 6);
}

static void frame_of_another_trial_is_stale(void **state)
{
    uint8_t frame[FRAME_MAX_BYTES];
    struct frame_plan plan = a_plan(60);
    struct frame_id id;
    size_t bytes = frame_build(&plan, 1, 0, frame);
    plan.trial++;
    assert_int_equal(frame_identify(frame, bytes, &id), FRAME_GOOD);
    assert_int_equal(frame_check(&plan, frame, bytes, &id), FRAME_STALE);
}

static void sizes_are_parsed(void **state)
{
    static const char *const bad[] = {"", "59", "9019", "60,", ",60", "60-", "60-59", "x", "60x",
                                      "60,100-200", "-60", "60 ,61", "99999999999999999999"};
    uint16_t sizes[FRAME_SIZES_MAX];
    assert_int_equal(frame_parse_sizes("60", sizes), 1);
    assert_int_equal(frame_parse_sizes("60,594,9018", sizes), 3);
    assert_int_equal(sizes[2], 9018);
    assert_int_equal(frame_parse_sizes("imix", sizes), 12);
    assert_int_equal(frame_parse_sizes("60-9018", sizes), FRAME_SIZES_MAX);
    assert_int_equal(sizes[0], 60);
    assert_int_equal(sizes[FRAME_SIZES_MAX - 1], 9018);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(frame_parse_sizes(bad[i], sizes), 0);
}

static void quantiles_are_within_a_bucket(void **state)
{
    struct histogram *h = calloc(1, sizeof(*h));
    for (uint64_t ns = 1; ns <= 100000; ns++)
        histogram_add(h, ns);
    for (unsigned per_mille = 1; per_mille < 1000; per_mille++) {
        uint64_t got = histogram_quantile_ns(h, per_mille);
        uint64_t want = per_mille * 100;
        assert_true(got <= want && want - got <= want / 16 + 1);
    }
    assert_int_equal(histogram_quantile_ns(h, 1000), 100000);
    histogram_add(h, UINT64_MAX); /* lands in the last bucket */
    assert_true(histogram_quantile_ns(h, 1000) == UINT64_MAX);
    free(h);
}

static void buckets_ascend(void **state)
{
    for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++)
        assert_true(histogram_bucket_ns(i) > histogram_bucket_ns(i - 1));
}

static void tally_tells_faults_apart(void **state)
{
    struct tally t;
    assert_true(tally_init(&t, 100, 2));
    assert_int_equal(tally_take(&t, 0, 0), TALLY_GOOD);
    assert_int_equal(tally_take(&t, 0, 4), TALLY_GOOD);
    assert_int_equal(tally_take(&t, 1, 1), TALLY_GOOD); /* another flow */
    assert_int_equal(tally_take(&t, 0, 2), TALLY_REORDERED);
    assert_int_equal(tally_take(&t, 0, 2), TALLY_DUPLICATE);
    assert_int_equal(tally_take(&t, 0, 4), TALLY_DUPLICATE);
    assert_int_equal(tally_take(&t, 0, 100), TALLY_UNKNOWN);
    assert_int_equal(tally_take(&t, 2, 5), TALLY_UNKNOWN);
    assert_int_equal(tally_take(&t, 0, 99), TALLY_GOOD);
    assert_int_equal(t.unique, 5);
    assert_int_equal(t.reordered, 1);
    assert_int_equal(t.duplicates, 2);
    tally_free(&t);
}

static const uint32_t pcap_header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};

/* A file with one frame of `bytes`, cut after `file_bytes`. */
static uint8_t *a_capture(uint32_t bytes, size_t file_bytes)
{
    uint8_t *file = calloc(1, sizeof(pcap_header) + 16 + bytes);
    const uint32_t record[4] = {1, 2, bytes, bytes};
    memcpy(file, pcap_header, sizeof(pcap_header));
    memcpy(file + sizeof(pcap_header), record, sizeof(record));
    uint8_t *cut = malloc(file_bytes ? file_bytes : 1); /* the sanitizer watches its end */
    memcpy(cut, file, file_bytes);
    free(file);
    return cut;
}

static void captures_are_read_whole_or_refused(void **state)
{
    const size_t whole = sizeof(pcap_header) + 16 + 60;
    for (size_t bytes = 0; bytes <= whole; bytes++) {
        struct pcap p;
        const char *wrong = pcap_parse(&p, a_capture(60, bytes), bytes);
        if (bytes == whole)
            assert_null(wrong);
        else
            assert_non_null(wrong);
        assert_int_equal(p.count, bytes == whole ? 1 : 0);
        pcap_free(&p);
    }
}

static void frames_that_cannot_be_sent_are_skipped(void **state)
{
    static const uint32_t sizes[] = {0, 13, FRAME_MAX_BYTES + 1};
    for (unsigned i = 0; i < 3; i++) {
        struct pcap p;
        size_t bytes = sizeof(pcap_header) + 16 + sizes[i];
        assert_non_null(pcap_parse(&p, a_capture(sizes[i], bytes), bytes));
        assert_int_equal(p.skipped, 1);
        pcap_free(&p);
    }
}

static const char *parse(struct json_object *object, const char *text)
{
    static char line[256];
    assert_true(strlen(text) < sizeof(line));
    memcpy(line, text, strlen(text) + 1);
    return json_parse(object, line);
}

static void commands_are_parsed(void **state)
{
    struct json_object o;
    assert_null(parse(&o, "{\"a\": 12, \"b\" :\"x\\\"y\\\\\",\"c\":true , \"d\":false}\n"));
    assert_int_equal(o.count, 4);
    assert_int_equal(json_number(&o, "a", 0, 100), 12);
    assert_int_equal(json_number(&o, "a", 0, 11), 12); /* above the limit: limit + 1 */
    assert_int_equal(json_number(&o, "c", 0, 1), 1);
    assert_int_equal(json_number(&o, "d", 1, 1), 0);
    assert_int_equal(json_number(&o, "e", 7, 9), 7);
    assert_int_equal(json_number(&o, "b", 0, 9), 10);
    assert_string_equal(json_text(&o, "b", ""), "x\"y\\");
    assert_null(parse(&o, "{}"));
    assert_null(parse(&o, "{\"a\":1}"));
}

static void broken_commands_are_refused(void **state)
{
    static const char *const bad[] = {
        "", "{", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":\"1", "{a:1}", "{\"a\":1 2}",
        "{\"a\" 1}", "{\"a\":{}}", "{\"a\":1;}", "{\"a",
    };
    struct json_object o;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!parse(&o, bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void lanes_and_macs_are_parsed(void **state)
{
    struct link links[2] = {{.mac = {1, 2, 3, 4, 5, 6}}, {.mac = {6, 5, 4, 3, 2, 1}}};
    struct source source;
    struct json_object o;
    uint8_t mac[6];
    assert_null(parse(&o, "{\"lanes\":\"0>1,1>0\",\"mode\":\"mac\",\"flows\":9}"));
    assert_null(command_source(&o, links, 2, 5, &source));
    assert_int_equal(source.lane_count, 2);
    assert_int_equal(source.lanes[1].from, 1);
    assert_int_equal(source.lanes[1].to, 0);
    assert_memory_equal(source.lanes[1].plan.dst, links[1].mac, 6);
    assert_memory_equal(source.lanes[1].plan.back_src, links[0].mac, 6);
    assert_null(parse(&o, "{\"lanes\":\"0>2\"}"));
    assert_non_null(command_source(&o, links, 2, 5, &source));
    assert_true(command_mac("52:54:00:4d:52:ff", mac));
    assert_int_equal(mac[5], 0xff);
    assert_false(command_mac("52:54:00:4d:52", mac));
    assert_false(command_mac("52:54:00:4d:52:ff:00", mac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_comes_back_good_in_every_size),
        cmocka_unit_test(every_changed_bit_is_seen),
        cmocka_unit_test(short_frames_are_not_read_beyond),
        cmocka_unit_test(ip_header_is_valid),
        cmocka_unit_test(addresses_are_expected_by_mode),
        cmocka_unit_test(frame_of_another_trial_is_stale),
        cmocka_unit_test(sizes_are_parsed),
        cmocka_unit_test(quantiles_are_within_a_bucket),
        cmocka_unit_test(buckets_ascend),
        cmocka_unit_test(tally_tells_faults_apart),
        cmocka_unit_test(captures_are_read_whole_or_refused),
        cmocka_unit_test(frames_that_cannot_be_sent_are_skipped),
        cmocka_unit_test(commands_are_parsed),
        cmocka_unit_test(broken_commands_are_refused),
        cmocka_unit_test(lanes_and_macs_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
