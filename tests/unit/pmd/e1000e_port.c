/* SPDX-License-Identifier: BSD-2-Clause */
#include "e1000e_port.h"

#include <stdlib.h>
#include <string.h>

const struct nic_config port_config = {
    .rxqs = 1,
    .txqs = 1,
    .rx_descs = 64,
    .tx_descs = 64,
    .frame_max_bytes = 1514,
    .irq_mode = NIC_IRQ_MSIX,
    .promiscuous = true,
    .rx_checksum = true,
};

struct bench *bench_new(uint32_t ports, uint16_t device)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    host_clock_virtual(0);
    host_set_core_count(2);
    host_set_core(0);
    host_irq_reset();
    host_console_capture(bench->console, sizeof(bench->console));
    bench->ports = ports;
    for (uint32_t i = 0; i < ports; i++) {
        bench->port[i].fake = calloc(1, sizeof(struct fake_e1000e));
        assert_non_null(bench->port[i].fake);
        fake_add(bench->port[i].fake, 2 + i, device);
    }
    return bench;
}

void bench_configure(struct bench *bench, const struct nic_config *config)
{
    for (uint32_t i = 0; i < bench->ports; i++) {
        struct port *port = &bench->port[i];

        port->nic = nic_get(i);
        assert_non_null(port->nic);
        assert_int_equal(nic_configure(port->nic, config), RT_OK);
        for (uint16_t q = 0; q < config->rxqs; q++)
            assert_int_equal(nic_rxq_setup(port->nic, q, 0, bench->pool), RT_OK);
        for (uint16_t q = 0; q < config->txqs; q++)
            assert_int_equal(nic_txq_setup(port->nic, q, 0, bench->pool), RT_OK);
        port->rxq = port->nic->rxq[0];
        port->txq = port->nic->txq[0];
    }
}

struct bench *bench_ready(uint32_t ports, const struct nic_config *config)
{
    struct bench *bench = bench_new(ports, 0x10d3);

    pci_scan();
    assert_int_equal(nic_probe_all(), ports);
    assert_int_equal(pool_create("test", 0, 2, PORT_POOL, &bench->pool), RT_OK);
    bench_configure(bench, config);
    return bench;
}

struct bench *bench_start(uint32_t ports, const struct nic_config *config)
{
    struct bench *bench = bench_ready(ports, config);

    for (uint32_t i = 0; i < ports; i++)
        assert_int_equal(nic_start(bench->port[i].nic), RT_OK);
    return bench;
}

void bench_free(struct bench *bench)
{
    host_console_capture(NULL, 0);
    fake_reset_all();
    pool_forget_all();
    host_memory_reset();
    host_clock_real();
    for (uint32_t i = 0; i < bench->ports; i++)
        free(bench->port[i].fake);
    free(bench);
}

void bench_stop_and_check(struct bench *bench)
{
    static const uint8_t frame[60];

    for (uint32_t i = 0; i < bench->ports; i++) {
        nic_stop(bench->port[i].nic);
        assert_false(fake_receive(bench->port[i].fake, frame, sizeof(frame), NULL));
    }
    pool_collect(bench->pool);
    assert_int_equal(bench->pool->free, bench->pool->total);
    assert_int_equal(pool_count_owner(bench->pool, BUF_POOL), bench->pool->total);
}

bool bench_logged(const struct bench *bench, const char *text)
{
    return strstr(bench->console, text) != NULL;
}

void frame_fill(uint8_t *frame, uint32_t bytes, uint32_t seed)
{
    for (uint32_t i = 0; i < bytes; i++)
        frame[i] = (uint8_t)((i + seed) * 2654435761u >> 24);
}

bool frame_is(const uint8_t *frame, uint32_t bytes, uint32_t seed)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (frame[i] != (uint8_t)((i + seed) * 2654435761u >> 24))
            return false;
    return true;
}

struct buf *frame_buf(struct pool *pool, uint32_t bytes, uint32_t seed)
{
    struct buf *b = NULL;

    for (unsigned i = 0; i < 1000 && b == NULL; i++)
        b = pool_take(pool); /* hostile builds fail now and then */
    assert_non_null(b);
    frame_fill(buf_data(b), bytes, seed);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    return b;
}

struct nic_config port_with(uint16_t queues, uint16_t frame_max, bool vlan)
{
    struct nic_config c = port_config;

    c.rxqs = queues;
    c.txqs = queues;
    c.frame_max_bytes = frame_max;
    c.vlan_strip = vlan;
    return c;
}

bool port_receive(struct port *port, uint32_t bytes, uint32_t seed, const struct fake_rx *how)
{
    uint8_t frame[FAKE_FRAME_MAX];

    frame_fill(frame, bytes, seed);
    return fake_receive(port->fake, frame, bytes, how);
}

void port_send_one(struct port *port, struct buf *b)
{
    struct buf_batch batch = {.count = 1, .buf = {b}};

    nic_tx(port->txq, &batch);
    assert_int_equal(batch.count, 0);
}
