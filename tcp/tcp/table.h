/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which connection a segment belongs to: open addressing, linear probing, at most half full. A slot
 * is 8 bytes, so a probe reads one cache line, and the connection itself only when the whole hash
 * is right. What is taken out leaves no mark: those behind it move up (backward shift).
 *
 * The hash is keyed: strangers, who choose ports and, with a botnet, addresses, do not choose our
 * slots. Two multiplications of 64 by 64 bits with secret words, folded, stand for a whole SipHash:
 * nobody outside sees a hash, only how long a probe takes. A card's own hash is not used: most are
 * linear in the address, and their key is public.
 */
#ifndef TCP_TCP_TABLE_H
#define TCP_TCP_TABLE_H

#include <rt/base.h>
#include <tcp/addr.h>

struct tcp_slot {
    uint32_t hash;
    uint32_t number; /* of the connection, from 1 on; 0: free */
};

struct tcp_table {
    struct tcp_slot *slots;
    uint32_t mask;
    uint64_t secrets[4];
};

/* The four ends of a connection, ours first. */
struct tcp_ends {
    struct ip_addr local, remote;
    uint16_t local_port, remote_port;
};

RT_INLINE uint64_t table_fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
/* Of an IPv4 connection, from the words of a frame that came in: source and destination address,
 * source and destination port, as they lie there. */
RT_INLINE uint32_t table_hash_v4(const struct tcp_table *table, uint64_t addrs, uint32_t ports)
{
    const uint64_t mixed = table_fold(addrs ^ table->secrets[0], ports ^ table->secrets[1]);

    return (uint32_t)table_fold(mixed ^ table->secrets[2], table->secrets[3]);
}
RT_INLINE struct tcp_slot *table_slot(const struct tcp_table *table, uint32_t hash)
{
    return &table->slots[hash & table->mask];
}

/* What a frame from the peer has in these places. IPv4 only. */
uint64_t table_addrs(const struct tcp_ends *ends);
uint32_t table_ports(const struct tcp_ends *ends);

/* For that many connections; false: no memory. `key` is the stack's secret. */
bool table_make(struct tcp_table *table, uint32_t conns, const uint8_t key[16]);
/* Of any family. */
uint32_t table_hash(const struct tcp_table *table, const struct tcp_ends *ends);
void table_put(struct tcp_table *table, uint32_t hash, uint32_t number);
/* It is in the table. */
void table_remove(struct tcp_table *table, uint32_t hash, uint32_t number);

#endif
