/* SPDX-License-Identifier: BSD-2-Clause */
/* What TCP gives up while buffers are few (few.h): windows, and what came out of order. */
#include "../state.h"
#include "order.h"
#include "rx.h"

/* Two packets of the longest link, in the steps that windows have: less would stop who sends. */
static uint32_t small_window(const struct net *net)
{
    uint32_t mtu = 0;

    for (uint32_t i = 0; i < net->if_count; i++)
        mtu = RT_MAX(mtu, (uint32_t)net->ifs[i].config.mtu_bytes);
    return RT_MAX(2 * mtu, 2u << rx_scale_ours(net));
}

void tcp_relieve(struct net *net)
{
    struct tcp_stack *tcp = net->tcp;

    RT_ASSERT(tcp != NULL);
    tcp->window_most = tcp->config.rx_window;
    if (net->few.relieves)
        tcp->window_most = RT_MIN(tcp->config.rx_window, small_window(net));
    while (few_is(&net->few, FEW_EIGHTH) && tcp->early.oldest != NULL) /* one less each time */
        order_give_up(tcp->early.oldest);
}
