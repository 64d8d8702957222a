/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library functions that compilers call by themselves, and the few that we call.
 *
 * Large blocks go by 16-byte SSE2 moves: pools of many MiB are cleared at start, and byte
 * loops (or `rep stos` under an emulator) would be most of the boot time.
 */
#include <rt/base.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *text, int c, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t bytes);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t bytes);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);

typedef uint8_t vec16 __attribute__((vector_size(16)));
typedef vec16 vec16_any __attribute__((aligned(1), may_alias));

#define STRING_BLOCK 64

void *memset(void *to, int value, size_t bytes)
{
    uint8_t *p = to;
    const uint8_t b = (uint8_t)value;
    const vec16 v = {b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b};

    for (; bytes >= STRING_BLOCK; bytes -= STRING_BLOCK, p += STRING_BLOCK) {
        *(vec16_any *)p = v;
        *(vec16_any *)(p + 16) = v;
        *(vec16_any *)(p + 32) = v;
        *(vec16_any *)(p + 48) = v;
    }
    for (; bytes > 0; bytes--, p++)
        *p = b;
    return to;
}

static void copy_up(uint8_t *d, const uint8_t *s, size_t bytes)
{
    for (; bytes >= STRING_BLOCK; bytes -= STRING_BLOCK, d += STRING_BLOCK, s += STRING_BLOCK) {
        const vec16 a = *(const vec16_any *)s;
        const vec16 b = *(const vec16_any *)(s + 16);
        const vec16 c = *(const vec16_any *)(s + 32);
        const vec16 e = *(const vec16_any *)(s + 48);

        *(vec16_any *)d = a;
        *(vec16_any *)(d + 16) = b;
        *(vec16_any *)(d + 32) = c;
        *(vec16_any *)(d + 48) = e;
    }
    for (; bytes > 0; bytes--)
        *d++ = *s++;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    copy_up(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    /* Upwards is safe when the target lies below; each block is read whole before it is
     * written, and writes stay below what is still to be read. */
    if ((uintptr_t)d <= (uintptr_t)s || (uintptr_t)d - (uintptr_t)s >= bytes) {
        copy_up(d, s, bytes);
        return to;
    }
    while (bytes > 0) {
        bytes--;
        d[bytes] = s[bytes];
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;

    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

void *memchr(const void *text, int c, size_t bytes)
{
    const uint8_t *p = text;

    for (size_t i = 0; i < bytes; i++) {
        if (p[i] == (uint8_t)c)
            return (void *)(uintptr_t)(p + i);
    }
    return NULL;
}

size_t strnlen(const char *text, size_t bytes)
{
    size_t n = 0;

    while (n < bytes && text[n] != '\0')
        n++;
    return n;
}

size_t strlen(const char *text)
{
    return strnlen(text, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (a[i] != b[i])
            return (uint8_t)a[i] < (uint8_t)b[i] ? -1 : 1;
        if (a[i] == '\0')
            return 0;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int c)
{
    return memchr(text, c, strlen(text) + 1);
}

char *strrchr(const char *text, int c)
{
    for (size_t i = strlen(text) + 1; i > 0; i--) {
        if (text[i - 1] == (char)c)
            return (char *)(uintptr_t)(text + i - 1);
    }
    return NULL;
}
