/* SPDX-License-Identifier: BSD-2-Clause */
/* Where valgrind's callgrind counts, and where memory accesses are looked at. */
#ifndef COMPARE_TCP_COUNT_H
#define COMPARE_TCP_COUNT_H

#include <rt/base.h>

#ifdef BENCH_VALGRIND
#include <valgrind/callgrind.h>
RT_INLINE void count_begin(void)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_TOGGLE_COLLECT;
}
RT_INLINE void count_end(void)
{
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_STOP_INSTRUMENTATION;
}
/* Not what is in between. */
RT_INLINE void count_pause(void)
{
    CALLGRIND_TOGGLE_COLLECT;
}
RT_INLINE void count_resume(void)
{
    CALLGRIND_TOGGLE_COLLECT;
}
#else
RT_INLINE void count_begin(void)
{
}
RT_INLINE void count_end(void)
{
}
RT_INLINE void count_pause(void)
{
}
RT_INLINE void count_resume(void)
{
}
#endif

#endif
