/* SPDX-License-Identifier: BSD-2-Clause */
#include "net_address.h"

#include <kit/net.h>
#include <rt/log.h>

enum { TEXT_BYTES = 128, FIELDS = 4 };

static char ip_text[TEXT_BYTES];

static const struct arg net_args[] = {
    {.name = "ip", .type = ARG_STRING, .unit = "client::gateway:mask", .max = TEXT_BYTES,
     .preset = "", .dst = ip_text,
     .help = "IPv4 address of the port, as Linux writes it: 192.0.2.1::192.0.2.254:255.255.255.0;"
             " the gateway may be empty"},
};

const struct arg_table kit_net_arg_table = {
    .title = "net",
    .args = net_args,
    .count = RT_ARRAY_SIZE(net_args),
};

/* Copies the next field, up to a ':' or the end; false: it is too long. */
static bool next_field(const char **text, char field[IP_ADDR_TEXT_BYTES])
{
    uint32_t i = 0;

    for (; **text != '\0' && **text != ':'; (*text)++) {
        if (i == IP_ADDR_TEXT_BYTES - 1)
            return false;
        field[i++] = **text;
    }
    field[i] = '\0';
    *text += **text == ':';
    return true;
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

bool net_address_parse(const char *text, struct net_address *out, const char **why)
{
    char fields[FIELDS][IP_ADDR_TEXT_BYTES];
    struct ip_addr mask;

    for (uint32_t i = 0; i < FIELDS; i++)
        if (!next_field(&text, fields[i])) {
            *why = "a field is too long for an address";
            return false;
        }
    *why = "the client is no address of a host";
    if (!ip_addr_parse(fields[0], &out->addr) || !ip_addr_is_v4(&out->addr) ||
        !ip_addr_is_host(&out->addr))
        return false;
    *why = "what follows the mask, and a server, have no meaning here";
    if (*text != '\0' || fields[1][0] != '\0')
        return false;
    *why = "the mask is none, as 255.255.255.0";
    if (!ip_addr_parse(fields[3], &mask) || !prefix_of(&mask, &out->prefix_bits))
        return false;
    *why = "the gateway is no address of the same subnet";
    out->has_gateway = fields[2][0] != '\0';
    return !out->has_gateway ||
           (ip_addr_parse(fields[2], &out->gateway) &&
            ip_addr_same_prefix(&out->gateway, &out->addr, out->prefix_bits));
}

bool kit_net_address(struct net *net, uint32_t iface)
{
    struct net_address address;
    const char *why = "there is none: ip=client::gateway:mask";

    if (ip_text[0] == '\0' || !net_address_parse(ip_text, &address, &why) ||
        net_addr_add(net, iface, &address.addr, address.prefix_bits) != RT_OK ||
        (address.has_gateway && net_gateway_set(net, iface, &address.gateway) != RT_OK)) {
        rt_log("net iface=%u ip=\"%s\" error=\"%s\"", iface, ip_text, why);
        return false;
    }
    rt_log("net iface=%u ip=%s", iface, ip_text);
    return true;
}
