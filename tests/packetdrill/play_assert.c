/* SPDX-License-Identifier: BSD-2-Clause */
/* `assert NAME OP VALUE`: NAME is tcpi_state of the connection that is talked of, or any counter
 * of the stack (struct net_counters). */
#include "play.h"

#include "state.h"
#include "tcp/conn.h"

#include <string.h>

/* As Linux numbers the states in tcp_info. */
static const uint8_t linux_states[] = {
    [TCP_CLOSED] = 7,     [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3, [TCP_ESTABLISHED] = 1,
    [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5, [TCP_CLOSE_WAIT] = 8,   [TCP_CLOSING] = 11,
    [TCP_LAST_ACK] = 9,   [TCP_TIME_WAIT] = 6,
};
enum { LINUX_LISTEN = 10 };

static int64_t state_now(const struct play *p)
{
    const struct ip_addr local = world_addr(), remote = world_peer();
    const struct flow *flow = p->flows.now;
    const struct tcp_conn *conn;

    if (flow == NULL)
        return linux_states[TCP_CLOSED];
    conn = conn_find(p->world.net, &local, flow->local_port, &remote, flow->remote_port);
    if (conn != NULL)
        return linux_states[conn->state];
    return tcp_listener_find(p->world.net, &local, flow->local_port) != NULL
               ? LINUX_LISTEN
               : linux_states[TCP_CLOSED];
}

static bool value_of(const struct play *p, const char *name, int64_t *value)
{
    const uint64_t *counters = (const uint64_t *)net_counters(p->world.net);

    if (strcmp(name, "tcpi_state") == 0) {
        *value = state_now(p);
        return true;
    }
    for (uint32_t i = 0; i < NET_COUNTERS; i++)
        if (strcmp(net_counter_rows[i].name, name) == 0) {
            *value = (int64_t)counters[i];
            return true;
        }
    return false;
}

static bool holds(int64_t a, const char *op, int64_t b)
{
    if (strcmp(op, "==") == 0)
        return a == b;
    if (strcmp(op, "!=") == 0)
        return a != b;
    if (strcmp(op, "<=") == 0)
        return a <= b;
    if (strcmp(op, ">=") == 0)
        return a >= b;
    return strcmp(op, "<") == 0 ? a < b : a > b;
}

void play_assert(struct play *p, const struct script_assert *check)
{
    int64_t value;

    if (!value_of(p, check->name, &value))
        play_fail(p, "%s is neither tcpi_state nor a counter", check->name);
    else if (!holds(value, check->op, check->value))
        play_fail(p, "%s is %lld, expected %s %lld", check->name, (long long)value, check->op,
                  (long long)check->value);
}
