/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include <rt/assert.h>

/* ---- taken apart ---- */

/* The options that we read; others are skipped. A number each, in network order. */
static const struct {
    uint8_t code, bytes;
    bool more; /* a list, of which we want the first */
} options[] = {
    {DHCP_MASK, 4, false},          {DHCP_ROUTER, 4, true},
    {DHCP_MTU, 2, false},           {DHCP_LEASE_TIME, 4, false},
    {DHCP_OVERLOAD, 1, false},      {DHCP_MESSAGE_KIND, 1, false},
    {DHCP_SERVER_ID, 4, false},     {DHCP_RENEWAL_TIME, 4, false},
    {DHCP_REBINDING_TIME, 4, false},
};

/* Values by code; 0: not there, which means the same as 0 for all of them. */
struct values {
    uint32_t by_code[DHCP_CLIENT_ID];
};

/* False: of a length that it cannot have. What comes twice counts once. */
static bool take_option(struct values *values, uint8_t code, const uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(options); i++) {
        uint32_t value = 0;

        if (options[i].code != code)
            continue;
        if (bytes < options[i].bytes || bytes % options[i].bytes != 0 ||
            (bytes > options[i].bytes && !options[i].more))
            return false;
        for (uint32_t j = 0; j < options[i].bytes; j++)
            value = value << 8 | data[j];
        if (values->by_code[code] == 0)
            values->by_code[code] = value;
        return true;
    }
    return true;
}

/* Options up to their end, or the end of the place. False: one overruns it. */
static bool take_options(struct values *values, const uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes && data[i] != DHCP_END;) {
        uint32_t length;

        if (data[i] == DHCP_PAD) {
            i++;
            continue;
        }
        if (bytes - i < 2)
            return false;
        length = data[i + 1];
        if (length > bytes - i - 2 || !take_option(values, data[i], &data[i + 2], length))
            return false;
        i += 2 + length;
    }
    return true;
}

/* Ones, then zeroes; without a mask the class says it (RFC 950 2.1). False: it is none. */
static bool prefix_of(uint32_t mask, uint32_t addr, uint32_t *bits)
{
    if ((~mask & (~mask + 1)) != 0)
        return false;
    if (mask != 0)
        *bits = 32 - (uint32_t)__builtin_ctz(mask);
    else
        *bits = addr >> 31 == 0 ? 8 : addr >> 30 == 2 ? 16 : 24;
    return true;
}

static struct ip_addr addr_of(uint32_t value)
{
    return ip_addr_v4(be32_put(value));
}

/* RFC 2131 4.4.5: a half and seven eighths of the lease, unless the server says it better. */
static void set_times(struct dhcp_message *m, uint32_t renewal_s, uint32_t rebinding_s)
{
    m->rebinding_s = (uint32_t)((uint64_t)m->lease_s * 7 / 8);
    m->renewal_s = m->lease_s / 2;
    if (rebinding_s == 0)
        rebinding_s = m->rebinding_s;
    if (renewal_s == 0)
        renewal_s = m->renewal_s;
    if (renewal_s < rebinding_s && rebinding_s < m->lease_s) {
        m->renewal_s = renewal_s;
        m->rebinding_s = rebinding_s;
    }
}

static bool header_is_right(const struct dhcp_header *h, const uint8_t mac[6])
{
    return h->op == DHCP_BOOT_REPLY && h->hardware == DHCP_ETHERNET && h->hardware_bytes == 6 &&
           __builtin_memcmp(h->mac, mac, 6) == 0 && be32_get(h->cookie) == DHCP_COOKIE;
}

bool dhcp_parse(const uint8_t *data, uint32_t bytes, const uint8_t mac[6],
                struct dhcp_message *out)
{
    const struct dhcp_header *h = (const struct dhcp_header *)(const void *)data;
    struct values values = {.by_code = {0}};
    uint32_t overload;

    if (bytes < sizeof(*h) || bytes > DHCP_BYTES_MOST || !header_is_right(h, mac) ||
        !take_options(&values, data + sizeof(*h), bytes - (uint32_t)sizeof(*h)))
        return false;
    overload = values.by_code[DHCP_OVERLOAD];
    if (overload > (DHCP_OVERLOAD_FILE | DHCP_OVERLOAD_NAME) ||
        ((overload & DHCP_OVERLOAD_FILE) != 0 &&
         !take_options(&values, h->file, sizeof(h->file))) ||
        ((overload & DHCP_OVERLOAD_NAME) != 0 &&
         !take_options(&values, h->server_name, sizeof(h->server_name))))
        return false;
    *out = (struct dhcp_message){
        .xid = be32_get(h->xid),
        .kind = values.by_code[DHCP_MESSAGE_KIND],
        .yours = ip_addr_v4(h->yours),
        .server = addr_of(values.by_code[DHCP_SERVER_ID]),
        .router = addr_of(values.by_code[DHCP_ROUTER]),
        .mtu_bytes = values.by_code[DHCP_MTU],
        .lease_s = values.by_code[DHCP_LEASE_TIME],
    };
    set_times(out, values.by_code[DHCP_RENEWAL_TIME], values.by_code[DHCP_REBINDING_TIME]);
    return prefix_of(values.by_code[DHCP_MASK], be32_get(h->yours), &out->prefix_bits);
}

/* ---- put together ---- */

struct writer {
    uint8_t *data;
    uint32_t bytes, room;
};

static void put(struct writer *w, const void *data, uint32_t bytes)
{
    RT_ASSERT_LE(bytes, w->room - w->bytes);
    __builtin_memcpy(w->data + w->bytes, data, bytes);
    w->bytes += bytes;
}

static void put_option(struct writer *w, uint8_t code, const void *data, uint32_t bytes)
{
    const uint8_t head[2] = {code, (uint8_t)bytes};

    RT_ASSERT_LE(bytes, (uint32_t)UINT8_MAX);
    put(w, head, sizeof(head));
    put(w, data, bytes);
}

static void put_addr(struct writer *w, uint8_t code, const struct ip_addr *addr)
{
    if (!ip_addr_is_unspecified(addr))
        put_option(w, code, &addr->bytes[12], 4);
}

static void put_options(struct writer *w, const struct dhcp_wish *wish)
{
    static const uint8_t wanted[] = {DHCP_MASK,      DHCP_ROUTER,       DHCP_MTU,
                                     DHCP_LEASE_TIME, DHCP_SERVER_ID,   DHCP_RENEWAL_TIME,
                                     DHCP_REBINDING_TIME};
    const uint8_t kind = (uint8_t)wish->kind;
    const be16_t longest = be16_put(wish->mtu_bytes);
    uint8_t id[7] = {DHCP_ETHERNET};

    /* As iPXE has it: another one would be another client, with a lease of its own. */
    __builtin_memcpy(id + 1, wish->mac, 6);
    put_option(w, DHCP_MESSAGE_KIND, &kind, sizeof(kind));
    put_option(w, DHCP_CLIENT_ID, id, sizeof(id));
    put_addr(w, DHCP_WANTED_ADDRESS, &wish->wanted);
    put_addr(w, DHCP_SERVER_ID, &wish->server);
    if (wish->kind == DHCP_DISCOVER || wish->kind == DHCP_REQUEST) {
        put_option(w, DHCP_LONGEST_MESSAGE, &longest, sizeof(longest));
        put_option(w, DHCP_WANTED_OPTIONS, wanted, sizeof(wanted));
    }
    put(w, (uint8_t[]){DHCP_END}, 1);
}

uint32_t dhcp_build(const struct dhcp_wish *wish, uint8_t *data, uint32_t room)
{
    struct dhcp_header h = {
        .op = DHCP_BOOT_REQUEST,
        .hardware = DHCP_ETHERNET,
        .hardware_bytes = 6,
        .xid = be32_put(wish->xid),
        .secs = be16_put(wish->secs),
        /* What answers an address that is not ours yet must be for everybody. */
        .flags = be16_put(ip_addr_is_unspecified(&wish->client) ? DHCP_BROADCAST : 0),
        .client = ip_addr_get_v4(&wish->client),
        .cookie = be32_put(DHCP_COOKIE),
    };
    struct writer w = {.data = data, .room = room};

    RT_ASSERT_LE((uint32_t)DHCP_BYTES_MIN, room);
    __builtin_memcpy(h.mac, wish->mac, 6);
    put(&w, &h, sizeof(h));
    put_options(&w, wish);
    if (w.bytes < DHCP_BYTES_MIN) {
        __builtin_memset(data + w.bytes, DHCP_PAD, DHCP_BYTES_MIN - w.bytes);
        w.bytes = DHCP_BYTES_MIN;
    }
    return w.bytes;
}
