/* SPDX-License-Identifier: BSD-2-Clause */
/* Built with the UBSan traps of a debug image, whatever the rest of the build has. */
#include "selftest.h"

int selftest_undefined(int value, int shift)
{
    return value << shift;
}
