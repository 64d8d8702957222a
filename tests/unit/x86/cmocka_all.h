/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka wants these before its own header. */
#ifndef TEST_X86_CMOCKA_ALL_H
#define TEST_X86_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
