/* SPDX-License-Identifier: BSD-2-Clause */
/* The framebuffer console on plain memory of exactly its size, so that ASan guards the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/x86/framebuffer.c"

static uint8_t *screen;
static struct boot_framebuffer mode;

static void open_screen(uint32_t width_px, uint32_t height_px, uint8_t bits, uint32_t extra)
{
    mode = (struct boot_framebuffer){.width_px = width_px,
                                     .height_px = height_px,
                                     .pitch_bytes = width_px * bits / 8 + extra,
                                     .bits_per_px = bits,
                                     .red_shift = 16,
                                     .green_shift = 8};
    size_t bytes = (size_t)mode.pitch_bytes * height_px;
    screen = malloc(bytes);
    assert_non_null(screen);
    memset(screen, 0x55, bytes);
    mode.base = (uint64_t)(uintptr_t)screen;
    fb_console_init(&mode, mode.base + bytes);
    assert_non_null(fb.base);
}

static uint32_t pixel(uint32_t x, uint32_t y)
{
    uint32_t v = 0;
    memcpy(&v, screen + (size_t)y * mode.pitch_bytes + (size_t)x * mode.bits_per_px / 8,
           mode.bits_per_px / 8U);
    return v;
}

/* What a reader sees in one cell must be the glyph, dot by dot. */
static void expect_glyph(uint32_t row, uint32_t column, char c)
{
    uint32_t s = fb.scale_px;
    for (uint32_t y = 0; y < CELL_HEIGHT_DOTS * s; y++) {
        for (uint32_t x = 0; x < CELL_WIDTH_DOTS * s; x++) {
            bool inside = y / s < FONT_HEIGHT_DOTS && x / s < FONT_WIDTH_DOTS;
            bool lit = inside && (font[c - FONT_FIRST][y / s] >> (4 - x / s) & 1) != 0;
            uint32_t seen = pixel(column * CELL_WIDTH_DOTS * s + x,
                                  row * CELL_HEIGHT_DOTS * s + y);
            assert_int_equal(seen, lit ? fb.ink : 0);
        }
    }
}

static void say(const char *text)
{
    fb_console_write(text, strlen(text));
}

static void test_text(void **state)
{
    static const struct {
        uint32_t width, height;
        uint8_t bits;
        uint32_t extra;
    } modes[] = {{1280, 800, 32, 0}, {640, 480, 24, 64}, {800, 600, 16, 16}, {320, 200, 32, 4}};
    (void)state;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(modes); i++) {
        open_screen(modes[i].width, modes[i].height, modes[i].bits, modes[i].extra);
        say("Ag@\r\n\tx\nq~");
        expect_glyph(0, 0, 'A');
        expect_glyph(0, 1, 'g');
        expect_glyph(0, 2, '@');
        expect_glyph(1, 0, ' ');
        expect_glyph(1, 8, 'x');
        expect_glyph(2, 1, '~');
        free(screen);
    }
}

static void test_wrap_and_scroll(void **state)
{
    char line[16];
    (void)state;
    open_screen(320, 200, 32, 0);
    for (uint32_t i = 0; i < fb.columns + 1; i++)
        say("w");
    expect_glyph(0, fb.columns - 1, 'w');
    expect_glyph(1, 0, 'w');
    for (uint32_t i = 0; i < 1000; i++) {
        (void)snprintf(line, sizeof(line), "\n%c", (int)('a' + i % 26));
        say(line);
        assert_true(fb.row < fb.rows);
        expect_glyph(fb.row, 0, line[1]);
        expect_glyph(fb.row - 1, 0, i == 0 ? 'w' : (char)('a' + (i - 1) % 26));
    }
    free(screen);
}

static void test_refused(void **state)
{
    (void)state;
    open_screen(640, 480, 32, 0);
    const struct boot_framebuffer good = mode;
    uint64_t end = good.base + (uint64_t)good.pitch_bytes * good.height_px;
    struct boot_framebuffer bad[10];
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(bad); i++)
        bad[i] = good;
    bad[0].base = 0;
    bad[1].bits_per_px = 8;
    bad[2].width_px = 100;
    bad[3].height_px = 20000;
    bad[4].pitch_bytes = 640;
    bad[5].pitch_bytes = UINT32_MAX;
    bad[6].height_px = 481; /* one line behind the end */
    bad[7].base = UINT64_MAX - 3;
    bad[8].base = good.base + 2;
    bad[9].width_px = UINT32_MAX;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(bad); i++) {
        fb_console_init(&bad[i], end);
        assert_null(fb.base);
        say("nothing happens\n");
    }
    fb_console_init(&good, end - 1);
    assert_null(fb.base);
    free(screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_wrap_and_scroll),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
