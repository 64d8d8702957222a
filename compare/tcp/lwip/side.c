/* SPDX-License-Identifier: BSD-2-Clause */
/* tidy: dead: rig/commands/lwip.py builds it with lwIP's source, where that is fetched. */
/* lwIP's raw API with the application of app.c: 64 bytes and an answer, or whole segments. */
#include "side.h"

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>
#include <string.h>

#define MESSAGE_BYTES 64
#define SEGMENT_BYTES 1448
#define PORT 7
#define CONNS_MAX 16384
#define AHEAD_BYTES (64 * SEGMENT_BYTES)

struct app_conn {
    struct tcp_pcb *pcb;
    uint64_t number;
    uint64_t message[MESSAGE_BYTES / 8]; /* stays until it is acknowledged: sent without a copy */
};
static struct app_conn conns[CONNS_MAX];
static unsigned opened, accepted_count;
static uint64_t done_count, bad_count, sent_number, next_number, got_bytes;
static uint64_t segment[SEGMENT_BYTES / 8];
static int is_bulk;
static struct netif netif;
static uint32_t clock_ms;
static void (*link_put)(const void *data, unsigned bytes, int last);

u32_t sys_now(void)
{
    return clock_ms;
}

/* ---- the link ---- */

static err_t link_out(struct netif *out, struct pbuf *p)
{
    (void)out;
    for (; p != NULL; p = p->next)
        link_put(p->payload, p->len, p->next == NULL);
    return ERR_OK;
}

static void *link_in(const void *data, unsigned bytes)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_POOL);

    if (p == NULL)
        abort();
    if (p->next == NULL)
        memcpy(p->payload, data, bytes);
    else
        pbuf_take(p, data, (u16_t)bytes);
    return p;
}

static void side_input(void *packet)
{
    if (netif.input(packet, &netif) != ERR_OK)
        pbuf_free(packet);
}

static err_t netif_up(struct netif *n)
{
    n->name[0] = 'm';
    n->name[1] = 'r';
    n->mtu = 1500;
    n->hwaddr_len = 6;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
               NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
    n->output = etharp_output;
    n->linkoutput = link_out;
    return ERR_OK;
}

static void side_init(uint8_t number, void (*put)(const void *data, unsigned bytes, int last))
{
    const uint8_t mac[6] = {2, 0, 0, 0, 0, number};
    ip4_addr_t addr, mask, gateway;

    link_put = put;
    lwip_init();
    IP4_ADDR(&addr, 10, 0, 0, number);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 0, 0, 0, 0);
    memcpy(netif.hwaddr, mac, 6);
    if (netif_add(&netif, &addr, &mask, &gateway, NULL, netif_up, ethernet_input) == NULL)
        abort();
    netif_set_default(&netif);
}

/* ---- the applications ---- */

static void app_send(struct app_conn *c, uint64_t number)
{
    memset(c->message, 0, sizeof(c->message));
    c->message[0] = number;
    c->message[1] = ~number;
    if (tcp_write(c->pcb, c->message, MESSAGE_BYTES, 0) != ERR_OK || tcp_output(c->pcb) != ERR_OK)
        bad_count++;
}

static err_t client_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct app_conn *c = arg;

    if (p == NULL || err != ERR_OK)
        return ERR_OK;
    if (p->tot_len != MESSAGE_BYTES || memcmp(p->payload, &c->number, 8) != 0)
        bad_count++;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    done_count++;
    app_send(c, ++c->number);
    return ERR_OK;
}

static err_t server_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct app_conn *c = arg;
    uint64_t number;

    if (p == NULL || err != ERR_OK)
        return ERR_OK;
    if (p->tot_len != MESSAGE_BYTES)
        bad_count++;
    memcpy(&number, p->payload, 8);
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    app_send(c, number);
    return ERR_OK;
}

static err_t bulk_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    if (p == NULL || err != ERR_OK)
        return ERR_OK;
    if (got_bytes % SEGMENT_BYTES == 0 && memcmp(p->payload, &next_number, 8) != 0)
        next_number = 0; /* its application reuses one segment: looked at, not judged */
    got_bytes += p->tot_len;
    done_count = got_bytes / SEGMENT_BYTES;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct app_conn *c = &conns[accepted_count++];

    (void)arg;
    if (err != ERR_OK)
        return err;
    c->pcb = pcb;
    tcp_arg(pcb, c);
    tcp_nagle_disable(pcb);
    tcp_recv(pcb, is_bulk ? bulk_received : server_received);
    return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)err;
    tcp_nagle_disable(pcb);
    opened++;
    return ERR_OK;
}

static void side_listen(int bulk)
{
    struct tcp_pcb *pcb = tcp_new();

    is_bulk = bulk;
    if (tcp_bind(pcb, IP_ADDR_ANY, PORT) != ERR_OK)
        abort();
    pcb = tcp_listen_with_backlog(pcb, 255);
    tcp_accept(pcb, accepted);
}

static void side_connect(uint8_t number, unsigned count, int bulk)
{
    is_bulk = bulk;
    for (unsigned i = 0; i < count; i++) {
        struct app_conn *c = &conns[opened + i];
        ip_addr_t addr;

        IP4_ADDR(&addr, 10, 0, 0, number);
        c->pcb = tcp_new();
        if (c->pcb == NULL)
            abort();
        tcp_arg(c->pcb, c);
        tcp_recv(c->pcb, client_received);
        if (tcp_connect(c->pcb, &addr, PORT, connected) != ERR_OK)
            abort();
    }
}

static void side_request(unsigned number)
{
    app_send(&conns[number], ++conns[number].number);
}

static void side_fill(void)
{
    struct tcp_pcb *pcb = conns[0].pcb;

    while (pcb->snd_buf >= TCP_SND_BUF - AHEAD_BYTES + SEGMENT_BYTES) {
        segment[0] = sent_number++;
        if (tcp_write(pcb, segment, SEGMENT_BYTES, 0) != ERR_OK)
            break;
    }
    (void)tcp_output(pcb);
}

static void side_tick(uint32_t now_ms)
{
    clock_ms = now_ms;
    sys_check_timeouts();
}

static uint64_t side_done(void)
{
    return done_count;
}

static unsigned side_open(void)
{
    return opened;
}

static uint64_t side_bad(void)
{
    return bad_count;
}

static const char *side_version(void)
{
    return LWIP_VERSION_STRING;
}

const struct side_ops side_ops = {
    .init = side_init, .listen = side_listen, .connect = side_connect, .link_in = link_in,
    .input = side_input, .request = side_request, .fill = side_fill, .tick = side_tick,
    .done = side_done, .open = side_open, .bad = side_bad, .version = side_version,
};
