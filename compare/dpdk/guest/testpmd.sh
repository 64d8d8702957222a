# SPDX-License-Identifier: BSD-2-Clause
# What the Linux guest of `./millrace compare dpdk` does, run by its /init (busybox sh).
# One forwarding core (1), the other (0) is Linux's own. The words on the console that it answers
# let the host read Linux's counters without disturbing it in between.
mkdir -p /var/run /dev/hugepages
mount -t hugetlbfs none /dev/hugepages
retry=@RETRY@
[ -z "$retry" ] || echo "set fwd @MODE@ retry" > /retry
echo @ID@ > /sys/bus/pci/drivers/uio_pci_generic/new_id
dpdk-testpmd --no-telemetry --in-memory -d librte_mempool_ring.so.23 @PMD@ -l 0-1 -n 1 -- \
    --forward-mode=@MODE@ --auto-start --nb-cores=1 --rxd=@DESCS@ --txd=@DESCS@ \
    --burst=@BURST@ --total-num-mbufs=@MBUFS@ --stats-period 86400 \
    ${retry:+--cmdline-file=/retry} < /dev/null &
while read word; do
    if [ "$word" = counters ]; then
        echo "counters $(head -n 1 /proc/stat | cut -d ' ' -f 1) interrupts=$(grep ^intr \
/proc/stat | cut -d ' ' -f 2) total_kb=$(grep MemTotal: /proc/meminfo | tr -dc 0-9) \
available_kb=$(grep MemAvailable: /proc/meminfo | tr -dc 0-9)"
    fi
done < /dev/ttyS0
