/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP asks of a port: all of it is the C library's. */
#ifndef COMPARE_LWIP_CC_H
#define COMPARE_LWIP_CC_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_RAND() ((unsigned)rand())
#define LWIP_PLATFORM_DIAG(x) do { printf x; } while (0)
#define LWIP_PLATFORM_ASSERT(x) do { puts(x); abort(); } while (0)

#endif
