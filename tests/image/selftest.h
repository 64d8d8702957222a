/* SPDX-License-Identifier: BSD-2-Clause */
/* Self tests inside the image: what can only be seen on the machine itself. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <rt/base.h>

/* Returns NULL when it holds, SELFTEST_SKIP, or what is wrong (static text). */
struct selftest {
    const char *name;
    const char *(*run)(void);
};

#define SELFTEST_SKIP_ONE_CORE "SKIP one core"
#define SELFTEST_CHECK(cond)                                                                   \
    do {                                                                                       \
        if (!(cond))                                                                           \
            return #cond;                                                                      \
    } while (0)

/* Until the console has sent everything, 1 s at most: times that follow are not disturbed. */
void selftest_drain(void);

extern const struct selftest selftest_machine[];
extern const uint32_t selftest_machine_count;
extern const struct selftest selftest_cores[];
extern const uint32_t selftest_cores_count;

/* Choices of the boot argument fault=; each ends in a panic. */
#define SELFTEST_FAULTS                                                                        \
    "none|null|text_write|rodata_write|data_exec|stack_overflow|div0|ud2|ubsan|assert|gp|"     \
    "double_panic|after_seal|other_core|all_cores"
void selftest_fault(uint32_t which);

/* Shifts by more than the width: traps, because its file is built with UBSan. */
int selftest_undefined(int value, int shift);

#endif
