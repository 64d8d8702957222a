/* SPDX-License-Identifier: BSD-2-Clause */
/* `assert NAME OP VALUE`: NAME is tcpi_state of the connection that is talked of, or any counter
 * of the stack (struct net_counters). */
#include "play.h"

#include "state.h"
#include "tcp/conn.h"

#include <string.h>

static int64_t state_now(const struct play *p)
{
    const struct ip_addr local = world_addr(), remote = world_peer();
    const struct flow *flow = p->flows.now;
    const struct tcp_conn *conn;

    if (flow == NULL)
        return sockets_linux_state(NULL, false);
    conn = conn_find(p->world.net, &local, flow->local_port, &remote, flow->remote_port);
    return sockets_linux_state(
        conn, tcp_listener_find(p->world.net, &local, flow->local_port) != NULL);
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
