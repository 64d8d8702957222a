/* SPDX-License-Identifier: BSD-2-Clause */
/* Received frames: address filters, what the frame is, checksums, RSS (7.1.1 to 7.1.2, 7.1.11). */
#include "x82599_frame.h"

#include <string.h>

#define ETH_BYTES 14u
#define VLAN_BYTES 4u

static uint16_t read16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t x82599_sum(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
    uint32_t i = 0;

    for (; i + 1 < bytes; i += 2) {
        sum += read16(p + i);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    if (i < bytes)
        sum += (uint32_t)p[i] << 8;
    return sum;
}

uint16_t x82599_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* ---- filters, 7.1.1 ---- */

bool x82599_is_vlan(const struct x82599 *dev, const uint8_t *frame)
{
    return read16(frame + 12) == FIELD_GET(VLNCTRL_VET, x82599_get(dev, R_VLNCTRL));
}

static bool exact(const struct x82599 *dev, const uint8_t *mac)
{
    uint32_t low = (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
                   (uint32_t)mac[3] << 24;
    uint32_t high = (uint32_t)mac[4] | (uint32_t)mac[5] << 8;

    for (unsigned i = 0; i < 128; i++) {
        uint32_t rah = x82599_get(dev, R_RAH(i));

        if ((rah & RAH_AV) != 0 && (rah & 0xffff) == high && x82599_get(dev, R_RAL(i)) == low)
            return true;
    }
    return false;
}

/* 8.2.3.7.7: 12 of the top 16 bits of the address choose a bit of the table. */
static bool multicast_hash(const struct x82599 *dev, const uint8_t *mac)
{
    uint32_t control = x82599_get(dev, R_MCSTCTRL);
    unsigned shift = 4 - FIELD_GET(MCSTCTRL_MO, control);
    uint32_t hash;

    if ((control & MCSTCTRL_MFE) == 0)
        return false;
    if (shift == 1)
        shift = 0; /* offset 3 takes bits 43:32, not 44:33 */
    hash = ((uint32_t)mac[4] | (uint32_t)mac[5] << 8) >> shift & 0xfff;
    return (x82599_get(dev, R_MTA(hash / 32)) >> (hash % 32) & 1) != 0;
}

static bool vlan_filter(const struct x82599 *dev, const uint8_t *frame)
{
    uint32_t id = read16(frame + ETH_BYTES) & 0xfffu;

    if ((x82599_get(dev, R_VLNCTRL) & VLNCTRL_VFE) == 0 || !x82599_is_vlan(dev, frame))
        return true;
    return (x82599_get(dev, R_VFTA(id / 32)) >> (id % 32) & 1) != 0;
}

bool x82599_filter(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint32_t fctrl = x82599_get(dev, R_FCTRL);
    bool pass;

    if (memcmp(frame, broadcast, 6) == 0)
        pass = (fctrl & FCTRL_BAM) != 0;
    else if ((frame[0] & 1) != 0)
        pass = (fctrl & FCTRL_MPE) != 0 || multicast_hash(dev, frame) || exact(dev, frame);
    else
        pass = (fctrl & FCTRL_UPE) != 0 || exact(dev, frame);
    return pass && vlan_filter(dev, frame);
}

/* ---- headers ---- */

/* Cursor over the frame: everything is checked against `bytes`. */
struct headers {
    const uint8_t *ip;
    uint32_t ip_bytes;     /* header */
    uint32_t l4_bytes;     /* header and payload, as the IP length says */
    uint8_t protocol;
    bool v4, v6, fragment, l4_whole;
};

static bool find_ip4(const uint8_t *p, uint32_t bytes, struct headers *h)
{
    uint32_t header, total;

    RT_ASSERT(!h->v4 && !h->v6);
    if (bytes < 20 || p[0] >> 4 != 4)
        return false;
    header = (p[0] & 15u) * 4;
    total = read16(p + 2);
    if (header < 20 || header > bytes || total < header)
        return false;
    h->v4 = true;
    h->ip_bytes = header;
    h->l4_bytes = total - header;
    h->protocol = p[9];
    h->fragment = (read16(p + 6) & 0x3fff) != 0;
    h->l4_whole = !h->fragment && h->l4_bytes <= bytes - header;
    return true;
}

static bool find_ip6(const uint8_t *p, uint32_t bytes, struct headers *h)
{
    RT_ASSERT(!h->v4 && !h->v6);
    if (bytes < 40 || p[0] >> 4 != 6)
        return false;
    h->v6 = true;
    h->ip_bytes = 40; /* extension headers are not walked: the packet stays IPv6 without L4 */
    h->l4_bytes = read16(p + 4);
    h->protocol = p[6];
    h->l4_whole = h->l4_bytes <= bytes - 40;
    return true;
}

static bool find_ip(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes,
                    struct headers *h)
{
    uint32_t at = ETH_BYTES;
    uint16_t type;

    *h = (struct headers){0};
    if (bytes < ETH_BYTES)
        return false;
    if (x82599_is_vlan(dev, frame))
        at += VLAN_BYTES;
    if (bytes < at)
        return false;
    type = read16(frame + at - 2);
    h->ip = frame + at;
    if (type == 0x0800)
        return find_ip4(h->ip, bytes - at, h);
    return type == 0x86dd && find_ip6(h->ip, bytes - at, h);
}

static uint32_t pseudo(const struct headers *h)
{
    uint32_t sum = h->v4 ? x82599_sum(h->ip + 12, 8, 0) : x82599_sum(h->ip + 8, 32, 0);

    RT_ASSERT_NE(h->v4, h->v6);
    return sum + h->protocol + h->l4_bytes;
}

/* 7.1.11: TCP and UDP sums of whole packets. A UDP sum of zero was not made; the 82599 takes it
 * for a wrong one (erratum), the X540 does not. */
static uint32_t check_l4(const struct x82599 *dev, const struct headers *h)
{
    const uint8_t *l4 = h->ip + h->ip_bytes;
    bool udp = h->protocol == 17;

    RT_ASSERT_NE(h->v4, h->v6);
    if (!h->l4_whole || h->l4_bytes < (udp ? 8u : 20u))
        return 0;
    if (udp && read16(l4 + 6) == 0)
        return dev->config.device_id == X82599_ID_X540 ? 0 : RXD_L4CS | RXD_UDPCS | RXD_L4E;
    return RXD_L4CS | (udp ? RXD_UDPCS : 0) |
           (x82599_fold(x82599_sum(l4, h->l4_bytes, pseudo(h))) != 0xffff ? RXD_L4E : 0);
}

/* ---- RSS, 7.1.2.8 ---- */

static uint32_t rss_type(uint32_t mrqc, const struct headers *h, bool ports)
{
    if (h->v4) {
        if (ports && h->protocol == 6 && (mrqc & MRQC_TCP4) != 0)
            return RSS_TCP4;
        if (ports && h->protocol == 17 && (mrqc & MRQC_UDP4) != 0)
            return RSS_UDP4;
        return (mrqc & MRQC_IP4) != 0 ? RSS_IP4 : RSS_NONE;
    }
    if (ports && h->protocol == 6 && (mrqc & MRQC_TCP6) != 0)
        return RSS_TCP6;
    if (ports && h->protocol == 17 && (mrqc & MRQC_UDP6) != 0)
        return RSS_UDP6;
    return (mrqc & MRQC_IP6) != 0 ? RSS_IP6 : RSS_NONE;
}

static void rss(const struct x82599 *dev, const struct headers *h, struct x82599_parsed *out)
{
    uint32_t mrqc = x82599_get(dev, R_MRQC), address_bytes = h->v4 ? 8 : 32;
    bool ports = !h->fragment && h->l4_whole && h->l4_bytes >= 8;
    uint8_t tuple[RSS_INPUT_MAX];

    RT_ASSERT_NE(h->v4, h->v6);
    if (FIELD_GET(MRQC_MODE, mrqc) != 1)
        return;
    out->rss_type = rss_type(mrqc, h, ports);
    if (out->rss_type == RSS_NONE)
        return;
    memcpy(tuple, h->ip + (h->v4 ? 12 : 8), address_bytes);
    if (out->rss_type != RSS_IP4 && out->rss_type != RSS_IP6) {
        memcpy(tuple + address_bytes, h->ip + h->ip_bytes, 4);
        address_bytes += 4;
    }
    out->hash = x82599_toeplitz(dev, tuple, address_bytes);
    out->queue = x82599_get(dev, R_RETA((out->hash & 127) / 4)) >> (8 * (out->hash & 3)) & 15;
}

void x82599_parse(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes,
                  struct x82599_parsed *out)
{
    struct headers h;

    *out = (struct x82599_parsed){0};
    if (!find_ip(dev, frame, bytes, &h))
        return;
    if (h.v4) {
        out->type = RXD_TYPE_IP4 | (h.ip_bytes > 20 ? RXD_TYPE_IP4E : 0);
        out->status = RXD_IPCS;
        if (x82599_fold(x82599_sum(h.ip, h.ip_bytes, 0)) != 0xffff)
            out->status |= RXD_IPE;
    } else {
        out->type = RXD_TYPE_IP6;
    }
    if (!h.fragment && (h.protocol == 6 || h.protocol == 17)) {
        out->type |= h.protocol == 6 ? RXD_TYPE_TCP : RXD_TYPE_UDP;
        out->status |= check_l4(dev, &h);
    } else if (!h.fragment && h.protocol == 132) {
        out->type |= RXD_TYPE_SCTP;
    }
    rss(dev, &h, out);
}

unsigned x82599_rss(const struct x82599 *dev, const uint8_t *frame, uint32_t bytes,
                    uint32_t *hash)
{
    struct x82599_parsed parsed;

    x82599_parse(dev, frame, bytes, &parsed);
    RT_ASSERT_LT(parsed.queue, X82599_QUEUES);
    if (hash != NULL)
        *hash = parsed.hash;
    return parsed.queue;
}
