/* SPDX-License-Identifier: BSD-2-Clause */
/* What a driver implements. Errors as in <pmd/nic.h>; every wait inside has a deadline. */
#ifndef PMD_NIC_DRIVER_H
#define PMD_NIC_DRIVER_H

#include <pmd/nic.h>

struct nic_ops {
    enum rt_status (*configure)(struct nic *nic);
    enum rt_status (*rxq_setup)(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool);
    enum rt_status (*txq_setup)(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool);
    enum rt_status (*start)(struct nic *nic);
    void (*stop)(struct nic *nic);
    void (*poll_link)(struct nic *nic);
    void (*poll_stats)(struct nic *nic);
    enum rt_status (*set_promiscuous)(struct nic *nic, bool on);
    enum rt_status (*add_multicast)(struct nic *nic, const uint8_t mac[6]);
    enum rt_status (*set_vlan_filter)(struct nic *nic, uint16_t vlan, bool on);
};

struct nic_driver {
    const char *name;
    bool (*match)(const struct pci_dev *pci);
    /* Maps, resets, reads the MAC; fills nic->caps/mac/priv/ops. */
    enum rt_status (*probe)(struct nic *nic);
};

extern const struct nic_driver e1000e_driver;

#endif
