/* SPDX-License-Identifier: BSD-2-Clause */
/* Routers and switches of the link hear which groups we want to hear (MLDv2, RFC 3810): those of
 * neighbour discovery, from every source. Queries are answered, those of MLDv1 (RFC 2710), too,
 * by the reports of version 2. */
#ifndef TCP_IP_MLD_H
#define TCP_IP_MLD_H

#include "ip.h"

/* All groups of the interface in one report. `changed`: as new ones. False: no buffer. */
bool mld_report_groups(struct net_if *iface, bool changed);
/* A query, whose checksum is right; borrowed. */
void mld_input(const struct ip_packet *message);

#endif
