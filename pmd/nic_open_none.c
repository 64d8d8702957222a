/* SPDX-License-Identifier: BSD-2-Clause */
/* In an image there are cards only; soft/nic_open.c is a Linux process's. */
#include <pmd/nic.h>

enum rt_status nic_open(const char *place)
{
    return RT_NOT_FOUND;
}
