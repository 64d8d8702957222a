/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram.h"

#define SUB (1u << HISTOGRAM_SUB_BITS)

static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (unsigned)ns;
    unsigned octave = 63 - (unsigned)__builtin_clzll(ns); /* >= HISTOGRAM_SUB_BITS */
    unsigned sub = (unsigned)(ns >> (octave - HISTOGRAM_SUB_BITS)) & (SUB - 1);
    unsigned bucket = ((octave - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS) + sub;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_bucket_ns(unsigned bucket)
{
    if (bucket < SUB)
        return bucket;
    unsigned octave = (bucket >> HISTOGRAM_SUB_BITS) + HISTOGRAM_SUB_BITS - 1;
    return (UINT64_C(1) << octave) +
           ((uint64_t)(bucket & (SUB - 1)) << (octave - HISTOGRAM_SUB_BITS));
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->sum_ns += ns;
    if (ns > h->max_ns)
        h->max_ns = ns;
    h->bucket[bucket_of(ns)]++;
}

uint64_t histogram_quantile_ns(const struct histogram *h, unsigned per_mille)
{
    uint64_t seen = 0;
    if (h->count == 0 || per_mille >= 1000)
        return h->max_ns;
    uint64_t rank = (h->count * per_mille + 999) / 1000; /* at least so many are not above */
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= rank && seen > 0)
            return histogram_bucket_ns(i);
    }
    return h->max_ns;
}
