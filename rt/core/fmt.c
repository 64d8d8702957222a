/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text without a C library: the same code in the image and on the host, so that
 * a log line tested there is the line printed here. No allocation, no locale, no floats.
 */
#include <rt/log.h>

enum {
    FMT_DIGITS_MAX = 24,  /* 2^64 in decimal has 20 */
    FMT_WIDTH_MAX = 1024, /* a wider field is our own mistake; bound the padding */
};

struct out {
    char *text;
    size_t room;   /* bytes in text, with the NUL */
    size_t wanted; /* length without truncation */
};

struct spec {
    bool left;
    bool zeros;
    bool plus;
    bool upper;
    int width;
    int precision; /* -1: none given */
    int longs;     /* -2 hh, -1 h, 0, 1 l or z, 2 ll */
};

static void put(struct out *o, char c)
{
    if (o->wanted + 1 < o->room)
        o->text[o->wanted] = c;
    o->wanted++;
}

static void pad(struct out *o, char c, int count)
{
    for (int i = 0; i < count; i++)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
    int length = 0;

    if (text == NULL)
        text = "(null)";
    while ((s->precision < 0 || length < s->precision) && text[length] != '\0')
        length++;
    if (!s->left)
        pad(o, ' ', s->width - length);
    for (int i = 0; i < length; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', s->width - length);
}

static int digits_of(uint64_t value, unsigned base, bool upper, char *digits)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    int count = 0;

    for (; value != 0 && count < FMT_DIGITS_MAX; value /= base)
        digits[count++] = set[value % base];
    return count;
}

static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned base,
                       const char *prefix)
{
    char digits[FMT_DIGITS_MAX];
    int count = digits_of(value, base, s->upper, digits);
    int least = s->precision < 0 ? 1 : s->precision;
    int prefix_length = 0;
    int zeros;

    while (prefix[prefix_length] != '\0')
        prefix_length++;
    zeros = least > count ? least - count : 0;
    if (s->zeros && !s->left && s->precision < 0 && s->width > prefix_length + count + zeros)
        zeros = s->width - prefix_length - count;
    if (!s->left)
        pad(o, ' ', s->width - prefix_length - zeros - count);
    for (int i = 0; i < prefix_length; i++)
        put(o, prefix[i]);
    pad(o, '0', zeros);
    while (count > 0)
        put(o, digits[--count]);
    if (s->left)
        pad(o, ' ', s->width - prefix_length - zeros - digits_of(value, base, false, digits));
}

static const char *read_int(const char *fmt, va_list *args, int *value)
{
    int v = 0;

    if (*fmt == '*') {
        v = va_arg(*args, int);
        *value = RT_MAX(RT_MIN(v, FMT_WIDTH_MAX), -FMT_WIDTH_MAX);
        return fmt + 1;
    }
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        v = RT_MIN(v * 10 + (*fmt - '0'), FMT_WIDTH_MAX);
    *value = v;
    return fmt;
}

/* Reads flags, width, precision and length; returns the conversion character's place. */
static const char *read_spec(const char *fmt, va_list *args, struct spec *s)
{
    *s = (struct spec){.precision = -1};
    for (;; fmt++) {
        if (*fmt == '-')
            s->left = true;
        else if (*fmt == '0')
            s->zeros = true;
        else if (*fmt == '+')
            s->plus = true;
        else
            break;
    }
    fmt = read_int(fmt, args, &s->width);
    if (s->width < 0) {
        s->left = true;
        s->width = -s->width;
    }
    if (*fmt == '.')
        fmt = read_int(fmt + 1, args, &s->precision);
    for (;; fmt++) {
        if (*fmt == 'l')
            s->longs++;
        else if (*fmt == 'h')
            s->longs--;
        else if (*fmt == 'z' || *fmt == 'j' || *fmt == 't')
            s->longs = 1;
        else
            break;
    }
    return fmt;
}

static uint64_t read_unsigned(const struct spec *s, va_list *args)
{
    if (s->longs > 0)
        return va_arg(*args, uint64_t);
    if (s->longs == -1)
        return (uint16_t)va_arg(*args, unsigned);
    if (s->longs <= -2)
        return (uint8_t)va_arg(*args, unsigned);
    return va_arg(*args, unsigned);
}

static int64_t read_signed(const struct spec *s, va_list *args)
{
    if (s->longs > 0)
        return va_arg(*args, int64_t);
    if (s->longs == -1)
        return (int16_t)va_arg(*args, int);
    if (s->longs <= -2)
        return (int8_t)va_arg(*args, int);
    return va_arg(*args, int);
}

static void put_signed(struct out *o, const struct spec *s, va_list *args)
{
    int64_t value = read_signed(s, args);

    if (value < 0)
        put_number(o, s, 0 - (uint64_t)value, 10, "-");
    else
        put_number(o, s, (uint64_t)value, 10, s->plus ? "+" : "");
}

static void convert(struct out *o, struct spec *s, char conversion, va_list *args)
{
    switch (conversion) {
    case 's':
        put_text(o, s, va_arg(*args, const char *));
        break;
    case 'c':
        put_text(o, s, (char[2]){(char)va_arg(*args, int), '\0'});
        break;
    case 'd':
    case 'i':
        put_signed(o, s, args);
        break;
    case 'u':
        put_number(o, s, read_unsigned(s, args), 10, "");
        break;
    case 'X':
        s->upper = true;
        put_number(o, s, read_unsigned(s, args), 16, "");
        break;
    case 'x':
        put_number(o, s, read_unsigned(s, args), 16, "");
        break;
    case 'p':
        put_number(o, s, (uintptr_t)va_arg(*args, void *), 16, "0x");
        break;
    default: /* a conversion we do not have: show it rather than hide it */
        put(o, '%');
        put(o, conversion);
    }
}

size_t rt_vsnprintf(char *text, size_t bytes, const char *fmt, va_list args)
{
    struct out o = {.text = text, .room = bytes};
    va_list copy; /* a va_list parameter may be an array: only a local one has an address */

    va_copy(copy, args);
    for (; *fmt != '\0'; fmt++) {
        struct spec s;

        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        if (fmt[1] == '%') {
            put(&o, *++fmt);
            continue;
        }
        fmt = read_spec(fmt + 1, &copy, &s);
        if (*fmt == '\0')
            break;
        convert(&o, &s, *fmt, &copy);
    }
    va_end(copy);
    if (bytes != 0)
        text[RT_MIN(o.wanted, bytes - 1)] = '\0';
    return o.wanted;
}

size_t rt_snprintf(char *text, size_t bytes, const char *fmt, ...)
{
    va_list args;
    size_t wanted;

    va_start(args, fmt);
    wanted = rt_vsnprintf(text, bytes, fmt, args);
    va_end(args);
    return wanted;
}
