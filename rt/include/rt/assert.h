/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions for our own bugs. They stay on in release builds, so they compare cheap
 * values only, and print both operands. Hostile input is never asserted: it is dropped
 * and counted. RT_INVARIANT walks whole structures and exists in hostile builds only.
 */
#ifndef RT_ASSERT_H
#define RT_ASSERT_H

#include <rt/base.h>

/* Prints core, back trace, registers and the last trace events, then stops every core. */
RT_NORETURN RT_COLD void rt_panic(const char *fmt, ...) RT_PRINTF(1, 2);

/* For the macros below: both operands and the expression, then as rt_panic(). */
RT_NORETURN RT_COLD void rt_assert_failed(const char *file, int line, const char *expr,
                                          uint64_t left, uint64_t right);

#define RT_ASSERT_OP(a, op, b)                                                                   \
    do {                                                                                         \
        __typeof__(a) rt_left_ = (a);                                                            \
        __typeof__(b) rt_right_ = (b);                                                           \
        if (RT_UNLIKELY(!(rt_left_ op rt_right_)))                                               \
            rt_assert_failed(__FILE__, __LINE__, #a " " #op " " #b, (uint64_t)rt_left_,          \
                             (uint64_t)rt_right_);                                               \
    } while (0)

#define RT_ASSERT_EQ(a, b) RT_ASSERT_OP(a, ==, b)
#define RT_ASSERT_NE(a, b) RT_ASSERT_OP(a, !=, b)
#define RT_ASSERT_LT(a, b) RT_ASSERT_OP(a, <, b)
#define RT_ASSERT_LE(a, b) RT_ASSERT_OP(a, <=, b)
#define RT_ASSERT(cond)                                                                          \
    do {                                                                                         \
        if (RT_UNLIKELY(!(cond)))                                                                \
            rt_assert_failed(__FILE__, __LINE__, #cond, 0, 0);                                   \
    } while (0)

#ifdef RT_HOSTILE
#define RT_INVARIANT(cond) RT_ASSERT(cond)
#else
#define RT_INVARIANT(cond)                                                                       \
    do {                                                                                         \
        if (0)                                                                                   \
            RT_ASSERT(cond);                                                                     \
    } while (0)
#endif

#endif
