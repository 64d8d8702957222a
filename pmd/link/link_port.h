/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the link. Towards the application it is a device of soft/, towards the
 * port below it is an application: between the two lies a wire each way.
 */
#ifndef PMD_LINK_LINK_PORT_H
#define PMD_LINK_LINK_PORT_H

#include "link/wire.h"
#include "soft/soft.h"

struct link_port {
    struct soft_port port; /* first: nic->priv */
    struct nic *below;
    struct link_config config;
    struct wire in, out;
    struct pool *in_pool, *out_pool; /* the queues' below: received into, sent from */
    struct buf_batch waiting;        /* left by the transmit queue below */
    uint8_t box[SOFT_BOX_BYTES];
};
_Static_assert(offsetof(struct link_port, port) == 0, "what soft_port_of() returns");

RT_INLINE struct link_port *link_of(const struct nic *nic)
{
    return nic->priv;
}

/* link_path.c: the data path's functions. The queue's core, or core 0 before it runs. */
void link_rxq_run(struct nic_rxq *rxq);
void link_txq_run(struct nic_txq *txq);

#endif
