/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of rt/host. */
#ifndef RT_HOST_PRIVATE_H
#define RT_HOST_PRIVATE_H

#include <rt/host.h>

/* Ends a running host_catch() of this thread; returns when there is none. */
void host_caught(const char *message);
/* Wakes a core: kick or interrupt. */
void host_core_wake(unsigned core);
/* Sleeps until woken or the time has come; true: woken. */
bool host_core_sleep(unsigned core, uint64_t until_us);

#endif
