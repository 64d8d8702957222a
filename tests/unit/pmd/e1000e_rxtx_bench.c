/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receives and sends bursts of 32 frames of 60 bytes on the software device, forever the same.
 * For instruction counts: valgrind --tool=callgrind ./e1000e_rxtx_bench, then divide what
 * e1000e_rx and e1000e_tx cost by the number of frames that it prints.
 */
#include "e1000e_port.h"

#include <stdio.h>
#include <stdlib.h>

#define BURST 32
#define BURSTS 2000

int main(int argc, char **argv)
{
    struct nic_config c = port_config;
    uint32_t bursts = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : BURSTS;
    static const uint8_t frame[60] = {0x02};
    uint64_t cycles = 0, frames = 0;
    struct bench *bench;

    c.rx_descs = 256;
    c.tx_descs = 256;
    bench = bench_start(1, &c);
    for (uint32_t i = 0; i < bursts; i++) {
        struct buf_batch batch;
        uint64_t begin;

        batch.count = 0;
        for (uint32_t k = 0; k < BURST; k++)
            assert_true(fake_receive(bench->port[0].fake, frame, sizeof(frame), NULL));
        begin = __builtin_ia32_rdtsc();
        frames += nic_rx(bench->port[0].rxq, &batch, BURST);
        cycles += __builtin_ia32_rdtsc() - begin;
        nic_tx(bench->port[0].txq, &batch);
        assert_int_equal(batch.count, 0);
    }
    printf("frames=%llu rx_cycles_per_frame=%.1f\n", (unsigned long long)frames,
           (double)cycles / (double)frames);
    bench_stop_and_check(bench);
    bench_free(bench);
    return 0;
}
