/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on a linear framebuffer. Frame memory is uncached and slow to read, so it is only ever
 * written: the text is kept in `cells`, and scrolling draws what changed. The screen moves
 * up by a quarter at a time, so that a line costs little more than its own characters.
 */
#include <rt/hal.h>

#include "font.h"
#include "framebuffer.h"

enum {
    COLUMNS_MAX = 240,
    ROWS_MAX = 100,
    SCALE_MAX = 4,
    WIDTH_PX_MIN = 320,
    HEIGHT_PX_MIN = 200,
    SIZE_PX_MAX = 16384,
    CELL_WIDTH_DOTS = FONT_WIDTH_DOTS + 1,
    CELL_HEIGHT_DOTS = FONT_HEIGHT_DOTS + 1,
    TAB_COLUMNS = 8,
    UNKNOWN_GLYPH_ROW = 0x1f,
    INK = 0xd0, /* light grey on black, the same in each colour */
};

static struct {
    volatile uint8_t *base; /* NULL: no console */
    uint32_t pitch_bytes;
    uint32_t px_bytes;
    uint32_t ink;
    uint32_t scale_px; /* of one dot */
    uint32_t columns, rows;
    uint32_t column, row; /* where the next character goes */
} fb;

static char cells[ROWS_MAX][COLUMNS_MAX];

static void put_px(volatile uint8_t *at, uint32_t colour)
{
    for (uint32_t i = 0; i < fb.px_bytes; i++)
        at[i] = (uint8_t)(colour >> i * 8);
}

/* One row of a glyph as pixels, `line` already in place. 32 bits a pixel, what firmware
 * gives nearly always, is worth its own loop: the boot log is a hundred thousand pixels. */
static void draw_dots(volatile uint8_t *line, uint32_t bits)
{
    volatile uint32_t *px = (volatile uint32_t *)(volatile void *)line;
    for (uint32_t dot = 0; dot < FONT_WIDTH_DOTS; dot++) {
        uint32_t colour = (bits >> (FONT_WIDTH_DOTS - 1 - dot) & 1) != 0 ? fb.ink : 0;
        for (uint32_t x = 0; x < fb.scale_px; x++) {
            if (fb.px_bytes == 4)
                px[dot * fb.scale_px + x] = colour;
            else
                put_px(line + (dot * fb.scale_px + x) * fb.px_bytes, colour);
        }
    }
}

static void draw_cell(uint32_t row, uint32_t column)
{
    uint8_t c = (uint8_t)cells[row][column];
    const uint8_t *glyph = c >= FONT_FIRST && c <= FONT_LAST ? font[c - FONT_FIRST] : NULL;
    uint64_t left_px = (uint64_t)column * CELL_WIDTH_DOTS * fb.scale_px;
    uint64_t top_px = (uint64_t)row * CELL_HEIGHT_DOTS * fb.scale_px;
    volatile uint8_t *line = fb.base + top_px * fb.pitch_bytes + left_px * fb.px_bytes;
    for (uint32_t dot = 0; dot < FONT_HEIGHT_DOTS; dot++) {
        for (uint32_t y = 0; y < fb.scale_px; y++) {
            draw_dots(line, glyph != NULL ? glyph[dot] : UNKNOWN_GLYPH_ROW);
            line += fb.pitch_bytes;
        }
    }
}

static void set_cell(uint32_t row, uint32_t column, char c)
{
    if (cells[row][column] == c)
        return;
    cells[row][column] = c;
    draw_cell(row, column);
}

/* Moves the text up by a quarter of the screen and draws the cells that differ. */
static void scroll(void)
{
    uint32_t up = RT_MAX(fb.rows / 4, 1U);
    for (uint32_t row = 0; row < fb.rows; row++)
        for (uint32_t column = 0; column < fb.columns; column++)
            set_cell(row, column, row + up < fb.rows ? cells[row + up][column] : ' ');
    fb.row -= up;
}

static void new_line(void)
{
    fb.column = 0;
    fb.row++;
    if (fb.row >= fb.rows)
        scroll();
}

static void put_char(char c)
{
    if (c == '\n') {
        new_line();
    } else if (c == '\r') {
        fb.column = 0;
    } else if (c == '\t') {
        fb.column = RT_ALIGN_UP(fb.column + 1, (uint32_t)TAB_COLUMNS);
    } else {
        if (fb.column >= fb.columns)
            new_line();
        set_cell(fb.row, fb.column, c);
        fb.column++;
    }
}

/* Firmware's description is not to be trusted: the last byte must be inside the limit. */
static bool usable(const struct boot_framebuffer *f, uint64_t limit_phys)
{
    if (f->base == 0 || (f->bits_per_px != 16 && f->bits_per_px != 24 && f->bits_per_px != 32))
        return false;
    if (f->width_px < WIDTH_PX_MIN || f->width_px > SIZE_PX_MAX ||
        f->height_px < HEIGHT_PX_MIN || f->height_px > SIZE_PX_MAX)
        return false;
    if (f->pitch_bytes < f->width_px * (f->bits_per_px / 8U) ||
        f->pitch_bytes > SIZE_PX_MAX * 8 || f->pitch_bytes % 4 != 0 || f->base % 4 != 0)
        return false;
    uint64_t bytes = (uint64_t)f->pitch_bytes * f->height_px;
    return f->base < limit_phys && bytes <= limit_phys - f->base;
}

static uint32_t ink_of(const struct boot_framebuffer *f)
{
    if (f->bits_per_px == 16) /* 5-6-5 */
        return (INK >> 3) << 11 | (INK >> 2) << 5 | INK >> 3;
    return (uint32_t)INK << (f->red_shift & 31) | (uint32_t)INK << (f->green_shift & 31) |
           (uint32_t)INK << (f->blue_shift & 31);
}

void fb_console_init(const struct boot_framebuffer *f, uint64_t limit_phys)
{
    fb.base = NULL;
    if (!usable(f, limit_phys))
        return;
    fb.pitch_bytes = f->pitch_bytes;
    fb.px_bytes = f->bits_per_px / 8U;
    fb.ink = ink_of(f);
    fb.scale_px = RT_MIN(f->width_px / 1024 + 1, (uint32_t)SCALE_MAX);
    fb.columns =
        RT_MIN(f->width_px / (CELL_WIDTH_DOTS * fb.scale_px), (uint32_t)COLUMNS_MAX);
    fb.rows = RT_MIN(f->height_px / (CELL_HEIGHT_DOTS * fb.scale_px), (uint32_t)ROWS_MAX);
    fb.column = fb.row = 0;
    fb.base = (volatile uint8_t *)(uintptr_t)f->base;
    __builtin_memset((void *)(uintptr_t)f->base, 0, (size_t)fb.pitch_bytes * f->height_px);
    for (uint32_t row = 0; row < fb.rows; row++)
        for (uint32_t column = 0; column < fb.columns; column++)
            cells[row][column] = ' ';
}

bool fb_console_present(void)
{
    return fb.base != NULL;
}

void fb_console_write(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && fb.base != NULL; i++)
        put_char(text[i]);
}
