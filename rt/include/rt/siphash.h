/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash of short inputs that nobody without the
 * key can foresee: of first sequence numbers, ports, tables. Pure. */
#ifndef RT_SIPHASH_H
#define RT_SIPHASH_H

#include <rt/base.h>

uint64_t rt_siphash(const uint8_t key[16], const void *data, size_t bytes);

#endif
