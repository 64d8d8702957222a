/* SPDX-License-Identifier: BSD-2-Clause */
#include "net_address.h"

#include <rt/assert.h>

enum { FIELDS = 10, CLIENT = 0, GATEWAY = 2, MASK = 3, DEVICE = 5, PROTO = 6 };

/* Said of a word with a slip, of an address with /24 and of one of IPv6, too. */
static const char not_a_client[] = "it is neither dhcp nor off, nor does it begin with the IPv4"
                                   " address of a host, as 192.0.2.1:::255.255.255.0 does (of"
                                   " IPv6: ip6=)";

typedef char net_field[IP_ADDR_TEXT_BYTES];

static bool is_word(const char *text, const char *word)
{
    return __builtin_strcmp(text, word) == 0;
}

/* Copies the next field, up to a ':', a ',' or the end; false: it is too long. */
static bool next_field(const char **text, net_field field)
{
    uint32_t i = 0;

    for (; **text != '\0' && **text != ':' && **text != ','; (*text)++) {
        if (i == sizeof(net_field) - 1)
            return false;
        field[i++] = **text;
    }
    field[i] = '\0';
    return true;
}

/* The fields of an entry; those that are not there are empty. Moves behind the entry. */
static bool split(const char **text, net_field fields[FIELDS], uint32_t *count, const char **why)
{
    for (uint32_t i = 0; i < FIELDS; i++)
        fields[i][0] = '\0';
    *count = 0;
    for (;;) { /* FIELDS times at most */
        *why = "it has more than ten fields";
        if (*count == FIELDS)
            return false;
        *why = "a field is longer than an address";
        if (!next_field(text, fields[(*count)++]))
            return false;
        if (**text != ':')
            return true;
        ++*text;
    }
}

/* A mask of ones, then zeroes. */
static bool prefix_of(const struct ip_addr *mask, uint32_t *bits)
{
    const uint32_t value = be32_get(ip_addr_get_v4(mask));

    if (!ip_addr_is_v4(mask) || (~value & (~value + 1)) != 0)
        return false;
    *bits = value == 0 ? 0 : 32 - (uint32_t)__builtin_ctz(value);
    return true;
}

/* How the address is found: dhcp, by hand, or not at all. Those of older days are not there. */
static bool read_proto(const char *proto, struct net_address *out)
{
    out->dhcp = is_word(proto, "dhcp") || is_word(proto, "on") || is_word(proto, "any");
    out->off = is_word(proto, "off") || is_word(proto, "none");
    return out->dhcp || out->off;
}

/* "1", "port1" or "eth1": our port 1. */
static bool read_device(const char *text, uint32_t *port)
{
    uint32_t digits = 0;

    if (__builtin_strncmp(text, "port", 4) == 0)
        text += 4;
    else if (__builtin_strncmp(text, "eth", 3) == 0)
        text += 3;
    for (*port = 0; text[digits] >= '0' && text[digits] <= '9' && digits < 3; digits++)
        *port = *port * 10 + (uint32_t)(text[digits] - '0');
    return digits != 0 && text[digits] == '\0';
}

static bool read_client(const char *text, struct net_address *out)
{
    return ip_addr_parse(text, &out->addr) && ip_addr_is_v4(&out->addr) &&
           ip_addr_is_host(&out->addr);
}

/* Neither the subnet itself nor its broadcast (RFC 1122 3.2.1.3); two hosts on a line of their own
 * have both of its addresses (RFC 3021). */
static bool is_one_of_many(const struct net_address *client)
{
    const uint32_t hosts = client->prefix_bits == 0 ? UINT32_MAX
                                                    : (1U << (32 - client->prefix_bits)) - 1;
    const uint32_t host = be32_get(ip_addr_get_v4(&client->addr)) & hosts;

    RT_ASSERT_LE(client->prefix_bits, 32u);
    return hosts <= 1 || (host != 0 && host != hosts);
}

static bool read_by_hand(net_field fields[FIELDS], struct net_address *out, const char **why)
{
    struct ip_addr mask;

    *why = not_a_client;
    if (!read_client(fields[CLIENT], out))
        return false;
    *why = "it has no mask, as in 192.0.2.1:::255.255.255.0";
    if (!ip_addr_parse(fields[MASK], &mask) || !prefix_of(&mask, &out->prefix_bits))
        return false;
    *why = "the client is the first or the last address of its subnet";
    if (!is_one_of_many(out))
        return false;
    *why = "the gateway is no address of the same subnet";
    out->has_gateway = fields[GATEWAY][0] != '\0';
    return !out->has_gateway ||
           (ip_addr_parse(fields[GATEWAY], &out->gateway) && ip_addr_is_v4(&out->gateway) &&
            !ip_addr_equal(&out->gateway, &out->addr) &&
            ip_addr_same_prefix(&out->gateway, &out->addr, out->prefix_bits));
}

/* One entry; without a device it is for port `number`, a word alone for every port. */
static bool read_entry(const char **text, uint32_t number, struct net_address *out,
                       const char **why)
{
    net_field fields[FIELDS];
    uint32_t count;

    *out = (struct net_address){.port = number};
    if (!split(text, fields, &count, why))
        return false;
    if (count == 1 && read_proto(fields[0], out)) {
        out->port = NET_ADDRESS_EVERY_PORT;
        return true;
    }
    *why = "the device is no port of ours, as 0 or port0";
    if (fields[DEVICE][0] != '\0' && !read_device(fields[DEVICE], &out->port))
        return false;
    *why = "the proto is none of dhcp, on, any, off, none";
    if (fields[PROTO][0] != '\0' && !read_proto(fields[PROTO], out))
        return false;
    *why = not_a_client;
    if (out->dhcp)
        return fields[CLIENT][0] == '\0' || read_client(fields[CLIENT], out);
    out->off &= fields[CLIENT][0] == '\0'; /* with an address: this one, and no protocol */
    return out->off || read_by_hand(fields, out, why);
}

bool net_addresses_parse(const char *text, struct net_addresses *out, const char **why,
                         uint32_t *entry)
{
    uint32_t in_order = 0;

    out->count = 0;
    for (*entry = 1;; ++*entry) { /* NET_ADDRESS_ENTRIES at most */
        struct net_address *next = &out->entry[out->count];

        *why = "there are more than 16";
        if (out->count == NET_ADDRESS_ENTRIES)
            return false;
        if (!read_entry(&text, in_order, next, why))
            return false;
        in_order += next->port == in_order;
        out->count++;
        if (*text == '\0')
            return true;
        RT_ASSERT_EQ(*text, ',');
        text++;
    }
}

bool net_addresses_of(const struct net_addresses *all, uint32_t port, struct net_setup *setup,
                      const struct net_address **dhcp)
{
    RT_ASSERT_LE(all->count, (uint32_t)NET_ADDRESS_ENTRIES);
    *setup = (struct net_setup){.probe = true};
    *dhcp = NULL;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct net_address *a = &all->entry[i];

        if ((a->port != port && a->port != NET_ADDRESS_EVERY_PORT) || a->off)
            continue;
        if (a->dhcp) {
            *dhcp = a;
            continue;
        }
        if (setup->count == NET_ADDRS_MAX)
            return false;
        setup->addrs[setup->count].addr = a->addr;
        setup->addrs[setup->count++].prefix_bits = a->prefix_bits;
        if (a->has_gateway && !setup->has_gateway) {
            setup->has_gateway = true;
            setup->gateway = a->gateway;
        }
    }
    return *dhcp == NULL || setup->count == 0; /* a lease is all that an interface has */
}
