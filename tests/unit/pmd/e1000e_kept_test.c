/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept while the card sends it, on the software 82574: see kept.h. It has sent a frame
 * before it says so, and now and then takes frames that it sends much later. */
#include "e1000e_port.h"
#include "fake_e1000e_part.h"
#include "kept.h"

#include <string.h>

#define LOOK_US 200000 /* as the kit looks */
#define LOOKS_MAX 100

static void on_sent(struct fake_e1000e *f, const struct fake_tx *tx)
{
    kept_frame_left(tx->data, tx->bytes);
}

static struct port *port_of(void *ctx)
{
    return &((struct bench *)ctx)->port[0];
}

static void pass(void *ctx)
{
    struct fake_e1000e *fake = port_of(ctx)->fake;

    fake->stuck_tx = false;
    fake_tx_run(fake, 0);
    fake_tx_report(fake, 0);
    fake->stuck_tx = kept_random(4) == 0;
}

static void stick(void *ctx)
{
    port_of(ctx)->fake->stuck_tx = true;
}

static bool holds_frames(const struct fake_e1000e *fake)
{
    return fake->reg[E1000E_TDH(0) / 4] != fake->reg[E1000E_TDT(0) / 4];
}

/* The registers are as after power-on; or, when it holds a frame, it stands still for long
 * enough. */
static void recover(void *ctx)
{
    struct port *port = port_of(ctx);
    const struct nic_counter *row = &port->nic->counters[port->nic->counter_count -
                                                         NIC_WATCH_ROWS + NIC_RECOVERIES];
    uint64_t before = row->value;

    if (!holds_frames(port->fake) || kept_random(2) == 0)
        memset(port->fake->reg, 0, sizeof(port->fake->reg));
    for (uint32_t i = 0; i < LOOKS_MAX && row->value == before; i++) {
        host_clock_advance_us(LOOK_US);
        nic_poll_link(port->nic);
    }
    assert_int_equal(row->value, before + 1);
    port->fake->stuck_tx = false;
}

static void stop(void *ctx)
{
    bench_stop_and_check(ctx);
}

static void start(void *ctx)
{
    struct port *port = port_of(ctx);

    bench_configure(ctx, &port_config);
    port->fake->late_reports = kept_random(2) != 0;
    assert_int_equal(nic_start(port->nic), RT_OK);
    nic_poll_link(port->nic);
}

static struct kept_card make(void)
{
    struct bench *bench = bench_start(1, &port_config);
    struct port *port = &bench->port[0];

    nic_poll_link(port->nic);
    port->fake->sent = on_sent;
    port->fake->late_reports = true;
    return (struct kept_card){.nic = port->nic, .pool = bench->pool, .ctx = bench, .pass = pass,
                              .stick = stick, .recover = recover, .stop = stop, .start = start};
}

static void end(void *ctx)
{
    bench_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct kept_maker maker = {make, end};

    return kept_main(argc, argv, &maker);
}
