/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive-side scaling as every card here is set up: the same key, and a table of 128
 * entries that go 0, 1, ... queues - 1, 0, ... So software says of a flow which queue its
 * frames come by.
 *
 *     TCP that is whole: both addresses, both ports    other IP: both addresses    else: queue 0
 */
#ifndef PMD_RSS_H
#define PMD_RSS_H

#include <rt/base.h>

#define NIC_RSS_KEY_BYTES 40
#define NIC_RSS_ENTRIES 128
#define NIC_RSS_TUPLE_BYTES_MAX 36 /* IPv6: two addresses and two ports */

/* The one that Microsoft published with its vectors, as everybody uses it. */
extern const uint8_t nic_rss_key[NIC_RSS_KEY_BYTES];

/* The Toeplitz hash (82599 7.1.2.8) of addresses and ports as they are on the wire: source,
 * destination, source port, destination port. Its low seven bits are the entry. */
uint32_t nic_rss_hash(const uint8_t *tuple, uint32_t bytes);

#endif
