/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash of short inputs that nobody without the
 * key can foresee: of first sequence numbers, ports, tables. Pure. */
#ifndef RT_SIPHASH_H
#define RT_SIPHASH_H

#include <rt/base.h>

/* Of `bytes` at `data`, of any alignment. About 1 cycle a byte and 50 more. Any core. */
uint64_t rt_siphash(const uint8_t key[16], const void *data, size_t bytes);

#endif
