/* SPDX-License-Identifier: BSD-2-Clause */
/* Latencies in log-linear buckets: 16 an octave, so a quantile is right within 6.25 %. Pure. */
#ifndef RIG_HISTOGRAM_H
#define RIG_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 4
#define HISTOGRAM_BUCKETS ((40 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS) /* to 2^40 ns */

struct histogram {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t max_ns;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);
/* Smallest value of the bucket (the exact maximum for 1000) that holds the quantile,
 * in thousandths: 500 is the median. 0 when the histogram is empty. */
uint64_t histogram_quantile_ns(const struct histogram *h, unsigned per_mille);
/* First value of a bucket. */
uint64_t histogram_bucket_ns(unsigned bucket);

#endif
