/* SPDX-License-Identifier: BSD-2-Clause */
#include "client.h"

#include "../chain.h"
#include "../state.h"

#include <rt/assert.h>
#include <rt/siphash.h>

static const struct ip_addr none;

/* ---- what it says ---- */

static uint32_t draw(struct dhcp_client *client)
{
    uint8_t seed[22] = {0};

    client->drawn++;
    __builtin_memcpy(seed, client->iface->config.mac, 6);
    __builtin_memcpy(seed + 6, &client->drawn, sizeof(client->drawn));
    __builtin_memcpy(seed + 14, &client->net->now_us, sizeof(client->net->now_us));
    return (uint32_t)rt_siphash(client->net->config.key, seed, sizeof(seed));
}

void dhcp_new_exchange(struct dhcp_client *client)
{
    client->xid = draw(client);
    client->tries = 0;
    client->secs = 0;
    client->begun_us = client->asked_us = client->net->now_us;
}

/* Which addresses a message names (RFC 2131 table 5). */
static struct dhcp_wish wish_of(const struct dhcp_client *client, enum dhcp_kind kind)
{
    const bool in_use = client->state == DHCP_RENEWING || client->state == DHCP_REBINDING;
    struct dhcp_wish wish = {
        .kind = kind,
        .xid = client->xid,
        .secs = client->secs,
        .mtu_bytes = client->iface->config.mtu_bytes,
        .mac = client->iface->config.mac,
    };

    if (kind == DHCP_RELEASE || (kind == DHCP_REQUEST && in_use))
        wish.client = client->addr;
    else
        wish.wanted = client->addr;
    if (kind == DHCP_RELEASE || kind == DHCP_DECLINE || client->state == DHCP_REQUESTING)
        wish.server = client->server;
    return wish;
}

void dhcp_send(struct dhcp_client *client, enum dhcp_kind kind)
{
    const struct dhcp_wish wish = wish_of(client, kind);
    const bool to_server = kind == DHCP_RELEASE || client->state == DHCP_RENEWING;
    const struct udp_way way = {
        .peer = to_server ? client->server : ip_addr_v4_of(255, 255, 255, 255),
        .own = wish.client,
        .port = DHCP_SERVER_PORT,
        .iface = client->config.iface,
    };
    struct buf *b = pool_take(client->net->config.pool);

    if (b == NULL)
        return;
    b->data_len = (uint16_t)dhcp_build(&wish, buf_data(b), BUF_ROOM_BYTES);
    if (udp_try_send(client->net->dhcp_sock, &way, &b) == RT_OK)
        client->net->counters.dhcp_out++;
    else
        buf_free(b); /* the timer comes back to it */
}

/* ---- when ---- */

/* 4, 8, 16, 32, 64 s, each a second more or less at random, so that hosts that were switched on
 * together do not ask together (RFC 2131 4.1). */
static void arm_again(struct dhcp_client *client)
{
    const uint32_t doublings = RT_MIN(client->tries - 1u, (uint32_t)DHCP_WAIT_DOUBLINGS);
    const uint64_t wait_us = ((uint64_t)DHCP_FIRST_WAIT_US << doublings) - 1000000 +
                             draw(client) % 2000001;

    RT_ASSERT_LE(1u, (uint32_t)client->tries);
    timer_arm(&client->net->wheel, &client->timer, client->net->now_us + wait_us);
}

static void ask(struct dhcp_client *client)
{
    const bool discover = client->state == DHCP_SELECTING;

    client->tries = (uint8_t)RT_MIN(client->tries + 1u, (uint32_t)UINT8_MAX);
    if (discover) /* a REQUEST says the same as the DISCOVER before it */
        client->secs = (uint16_t)RT_MIN((client->net->now_us - client->begun_us) / 1000000,
                                        (uint64_t)UINT16_MAX);
    dhcp_send(client, discover ? DHCP_DISCOVER : DHCP_REQUEST);
    arm_again(client);
}

void dhcp_wait(struct dhcp_client *client, uint64_t us)
{
    client->state = DHCP_WAITING;
    timer_arm(&client->net->wheel, &client->timer, client->net->now_us + us);
}

void dhcp_begin(struct dhcp_client *client)
{
    client->state = DHCP_WAITING;
    timer_cancel(&client->net->wheel, &client->timer);
    if (!client->iface->link_up)
        return; /* dhcp_link() comes */
    dhcp_new_exchange(client);
    client->state = DHCP_SELECTING;
    ask(client);
}

/* May the address that we have, or had, still be used here? (RFC 2131 3.2) */
static void reboot(struct dhcp_client *client)
{
    dhcp_new_exchange(client);
    client->state = DHCP_REBOOTING;
    ask(client);
}

void dhcp_arm_lease(struct dhcp_client *client)
{
    const uint64_t due_us = client->state == DHCP_BOUND ? client->renew_us : client->end_us;

    if (due_us == UINT64_MAX)
        timer_cancel(&client->net->wheel, &client->timer);
    else
        timer_arm(&client->net->wheel, &client->timer, due_us);
}

/* Half of what is left until `until_us`, at least a minute, and not beyond it (4.4.5). */
static void arm_renew(struct dhcp_client *client, uint64_t until_us)
{
    const uint64_t now_us = client->net->now_us, left_us = until_us - now_us;

    RT_ASSERT_LT(now_us, until_us);
    timer_arm(&client->net->wheel, &client->timer,
              now_us + RT_MIN(left_us, RT_MAX(left_us / 2, (uint64_t)DHCP_RENEW_WAIT_US)));
}

/* A lease in use moves on: renewed from T1 on, by anybody from T2 on, over at its end. */
static void keep(struct dhcp_client *client)
{
    const uint64_t now_us = client->net->now_us;

    if (now_us >= client->end_us) {
        dhcp_drop_lease(client);
        client->net->counters.dhcp_expired++;
        dhcp_begin(client);
        return;
    }
    if (client->state == DHCP_BOUND) {
        dhcp_new_exchange(client);
        client->state = DHCP_RENEWING;
    }
    if (client->state == DHCP_RENEWING && now_us >= client->rebind_us)
        client->state = DHCP_REBINDING; /* the same exchange: a late answer is good, too */
    dhcp_send(client, DHCP_REQUEST);
    arm_renew(client, client->state == DHCP_RENEWING ? client->rebind_us : client->end_us);
}

/* Nobody says whether the address may be used: for the rest of its time it may (3.2). */
static void give_up_reboot(struct dhcp_client *client)
{
    if (client->setup.count == 0) {
        dhcp_begin(client);
        return;
    }
    client->state = DHCP_BOUND;
    if (client->net->now_us < client->renew_us)
        dhcp_arm_lease(client);
    else
        keep(client);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct dhcp_client *client = RT_CONTAINER_OF(timer, struct dhcp_client, timer);

    switch ((enum dhcp_state)client->state) {
    case DHCP_STOPPED:
        RT_ASSERT_NE(client->state, DHCP_STOPPED); /* it has no timer */
        return;
    case DHCP_WAITING:
        dhcp_begin(client);
        return;
    case DHCP_SELECTING:
        if (client->iface->link_up)
            ask(client);
        else
            dhcp_begin(client);
        return;
    case DHCP_REQUESTING:
        if (client->tries < DHCP_REQUESTS)
            ask(client);
        else
            dhcp_begin(client);
        return;
    case DHCP_REBOOTING:
        if (client->setup.count != 0 && now_us >= client->end_us)
            keep(client);
        else if (client->tries < DHCP_REQUESTS)
            ask(client);
        else
            give_up_reboot(client);
        return;
    case DHCP_PROBING: /* the lease ended before the link was there to ask */
    case DHCP_BOUND:
    case DHCP_RENEWING:
    case DHCP_REBINDING:
        keep(client);
    }
}

void dhcp_link(struct dhcp_client *client, bool up)
{
    if (!up || client->state == DHCP_STOPPED || client->state == DHCP_PROBING)
        return;
    if (ip_addr_is_unspecified(&client->addr) || client->state == DHCP_WAITING ||
        client->state == DHCP_SELECTING || client->state == DHCP_REQUESTING)
        dhcp_begin(client);
    else
        reboot(client); /* perhaps another link */
}

/* ---- what it hears ---- */

static bool is_from(const struct dhcp_client *client, const struct dhcp_message *m)
{
    return ip_addr_equal(&m->server, &client->server);
}

/* Whether an ACK or NAK answers what we asked: of the server that we asked, where it was one. */
static bool is_answer(const struct dhcp_client *client, const struct dhcp_message *m)
{
    switch ((enum dhcp_state)client->state) {
    case DHCP_REQUESTING:
    case DHCP_RENEWING:
        return is_from(client, m);
    case DHCP_REBOOTING:
    case DHCP_REBINDING:
        return true;
    case DHCP_STOPPED:
    case DHCP_WAITING:
    case DHCP_SELECTING:
    case DHCP_PROBING:
    case DHCP_BOUND:
        return false;
    }
    return false;
}

/* The first that can be used is taken; the number stays (RFC 2131 4.4.1). */
static bool offered(struct dhcp_client *client, const struct dhcp_message *m)
{
    if (client->state != DHCP_SELECTING || !ip_addr_is_host(&m->yours) ||
        !ip_addr_is_host(&m->server) || m->lease_s == 0)
        return false;
    client->addr = m->yours;
    client->server = m->server;
    client->state = DHCP_REQUESTING;
    client->tries = 0;
    client->asked_us = client->net->now_us;
    ask(client);
    return true;
}

/* False: it answers nothing that was asked. */
static bool heard(struct dhcp_client *client, const struct dhcp_message *m)
{
    if (m->xid != client->xid)
        return false;
    if (m->kind == DHCP_OFFER)
        return offered(client, m);
    if (!is_answer(client, m))
        return false;
    if (m->kind == DHCP_NAK) {
        client->net->counters.dhcp_refused++;
        dhcp_refused(client);
        return true;
    }
    if (m->kind != DHCP_ACK || m->lease_s == 0 || !ip_addr_equal(&m->yours, &client->addr))
        return false;
    dhcp_granted(client, m);
    return true;
}

static void on_received(struct udp_sock *sock, struct buf *chain_owned, const struct udp_way *way)
{
    struct net *net = udp_ctx(sock);
    struct dhcp_client *client = net->ifs[way->iface].dhcp;
    struct dhcp_message m;
    uint8_t data[DHCP_BYTES_MOST];
    const uint32_t bytes = chain_owned->pkt_len;

    net->counters.dhcp_in++;
    if (client == NULL || bytes > sizeof(data)) {
        net->counters.dhcp_bad++;
    } else {
        chain_copy_out(chain_owned, 0, data, bytes);
        if (!dhcp_parse(data, bytes, client->iface->config.mac, &m))
            net->counters.dhcp_bad++;
        else if (way->port != DHCP_SERVER_PORT || !heard(client, &m))
            net->counters.dhcp_ignored++;
    }
    udp_give_back(net, chain_owned);
}

/* ---- begun and ended ---- */

const char *dhcp_state_name(enum dhcp_state state)
{
    static const char *const names[] = {
        [DHCP_STOPPED] = "stopped",       [DHCP_WAITING] = "waiting",
        [DHCP_SELECTING] = "selecting",   [DHCP_REQUESTING] = "requesting",
        [DHCP_REBOOTING] = "rebooting",   [DHCP_PROBING] = "probing",
        [DHCP_BOUND] = "bound",           [DHCP_RENEWING] = "renewing",
        [DHCP_REBINDING] = "rebinding",
    };

    return names[state];
}

static enum rt_status open_socket(struct net *net)
{
    static const struct udp_ops ops = {.received = on_received};
    const struct udp_open how = {.port = DHCP_CLIENT_PORT, .ops = &ops, .ctx = net};

    return net->dhcp_sock != NULL ? RT_OK : udp_open(net, &how, &net->dhcp_sock);
}

enum rt_status dhcp_create(struct net *net, const struct dhcp_config *config,
                           struct dhcp_client **out)
{
    struct net_if *iface = &net->ifs[config->iface];
    struct dhcp_client *client;
    enum rt_status st;

    RT_ASSERT_LT(config->iface, net->if_count);
    RT_ASSERT(net->udp != NULL);
    if (iface->dhcp != NULL)
        return RT_BUSY;
    st = open_socket(net);
    client = st == RT_OK ? hal_alloc(sizeof(*client), RT_CACHE_LINE, "DHCP") : NULL;
    if (client == NULL)
        return st != RT_OK ? st : RT_NO_MEMORY;
    *client = (struct dhcp_client){
        .net = net,
        .iface = iface,
        .config = *config,
        .state = DHCP_WAITING,
        .addr = config->known,
        .timer = {.fn = on_timer},
    };
    iface->dhcp = client;
    *out = client;
    if (iface->link_up && ip_addr_is_host(&client->addr))
        reboot(client);
    else
        dhcp_begin(client);
    return RT_OK;
}

void dhcp_release(struct dhcp_client *client)
{
    timer_cancel(&client->net->wheel, &client->timer);
    if (client->setup.count != 0 && client->state != DHCP_PROBING) {
        dhcp_new_exchange(client);
        dhcp_send(client, DHCP_RELEASE);
    }
    client->state = DHCP_STOPPED; /* before the address goes: who is told of it sees why */
    dhcp_drop_lease(client);
    client->addr = none;
}

void dhcp_close(struct dhcp_client *client)
{
    timer_cancel(&client->net->wheel, &client->timer);
    client->state = DHCP_STOPPED;
}

enum dhcp_state dhcp_state(const struct dhcp_client *client)
{
    return (enum dhcp_state)client->state;
}

uint32_t dhcp_lease_s(const struct dhcp_client *client, uint64_t now_us)
{
    if (client->setup.count == 0 || now_us >= client->end_us)
        return 0;
    return client->end_us == UINT64_MAX
               ? UINT32_MAX
               : (uint32_t)((client->end_us - now_us) / 1000000);
}
