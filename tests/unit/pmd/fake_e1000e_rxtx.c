/* SPDX-License-Identifier: BSD-2-Clause */
/* The software 82574's data path: descriptors to frames and back. */
#include "fake_e1000e_part.h"

#include "e1000e_reg.h"
#include "intel/intel.h"

#include <assert.h>
#include <string.h>

enum { BUFFER_BYTES = 2048 };

/* Bytes of buffers that belong to the device are poisoned for everybody else: the device moves
 * them one by one, uninstrumented. */
__attribute__((no_sanitize("address"))) static void dma_copy(void *to, const void *from,
                                                              uint32_t bytes)
{
    volatile uint8_t *t = to;
    const volatile uint8_t *f = from;

    for (uint32_t i = 0; i < bytes; i++)
        t[i] = f[i];
}

/* ---- transmit ---- */

static void tx_frame_end(struct fake_e1000e *f, uint64_t command)
{
    f->tx.vlan = (command & E1000E_TXD_VLE) != 0;
    f->tx.vlan_tci = (uint16_t)(command >> E1000E_TXD_VLAN_SHIFT);
    f->tx.ip_sum = (command & E1000E_TXD_POPTS_IXSM) != 0;
    f->tx.l4_sum = (command & E1000E_TXD_POPTS_TXSM) != 0;
    f->tx.context = f->tx_context[0] | (uint64_t)f->tx_context[1] << 32;
    f->tx_frames++;
    *fake_reg(f, INTEL_GPTC) += 1;
    *fake_reg(f, INTEL_GOTCL) += f->tx.bytes + 4;
    if (f->sent != NULL)
        f->sent(f, &f->tx);
    f->tx.bytes = 0;
    f->tx.descs = 0;
}

static void tx_one(struct fake_e1000e *f, uint32_t queue, struct e1000e_tx_desc *d)
{
    uint32_t length = (uint32_t)d->command & E1000E_TXD_LENGTH;

    assert((d->command & E1000E_TXD_DEXT) != 0);
    if ((d->command & E1000E_TXD_TYPE_DATA) == 0) {
        memcpy(f->tx_context, &d->address, sizeof(f->tx_context));
    } else {
        assert(length > 0 && f->tx.bytes + length <= FAKE_FRAME_MAX);
        dma_copy(f->tx.data + f->tx.bytes, fake_at(d->address), length);
        f->tx.bytes += length;
        f->tx.queue = queue;
        f->tx.descs++;
        if ((d->command & E1000E_TXD_EOP) != 0)
            tx_frame_end(f, d->command);
    }
}

static struct e1000e_tx_desc *tx_ring(struct fake_e1000e *f, uint32_t queue)
{
    return fake_at(*fake_reg(f, E1000E_TDBAL(queue)) |
                   (uint64_t)*fake_reg(f, E1000E_TDBAH(queue)) << 32);
}

void fake_tx_report(struct fake_e1000e *f, uint32_t queue)
{
    uint32_t *at = &f->tx_reported[queue], head = *fake_reg(f, E1000E_TDH(queue));
    uint32_t descs = *fake_reg(f, E1000E_TDLEN(queue)) / 16;

    while (*at != head && fake_may_dma(f)) {
        struct e1000e_tx_desc *d = tx_ring(f, queue) + *at;

        if ((d->command & E1000E_TXD_RS) != 0)
            d->command |= E1000E_TXD_DD;
        *at = (*at + 1) % descs;
    }
}

void fake_tx_run(struct fake_e1000e *f, uint32_t queue)
{
    uint32_t *head = fake_reg(f, E1000E_TDH(queue)), tail = *fake_reg(f, E1000E_TDT(queue));
    uint32_t descs = *fake_reg(f, E1000E_TDLEN(queue)) / 16;

    if (f->stuck_tx || (*fake_reg(f, E1000E_TCTL) & E1000E_TCTL_EN) == 0 ||
        (*fake_reg(f, E1000E_TARC(queue)) & E1000E_TARC_QUEUE_ENABLE) == 0 || tail >= descs)
        return;
    while (*head != tail && fake_may_dma(f)) {
        tx_one(f, queue, tx_ring(f, queue) + *head);
        *head = (*head + 1) % descs;
    }
    if (!f->late_reports)
        fake_tx_report(f, queue);
    assert(f->tx.bytes == 0); /* the tail moved inside a frame: some chips cut it there */
}

/* ---- receive ---- */

static bool strip_vlan(struct fake_e1000e *f, uint8_t *frame, uint32_t *bytes, uint16_t *tag)
{
    if ((*fake_reg(f, E1000E_CTRL) & E1000E_CTRL_VME) == 0 || *bytes < 18 || frame[12] != 0x81 ||
        frame[13] != 0x00)
        return false;
    *tag = (uint16_t)(frame[14] << 8 | frame[15]);
    memmove(frame + 12, frame + 16, *bytes - 16);
    *bytes -= 4;
    return true;
}

static void write_back(struct e1000e_rx_desc *d, const struct fake_rx *how, uint32_t status,
                       uint32_t length, uint16_t tag)
{
    uint64_t word = status | (uint64_t)length << E1000E_RXD_LENGTH_SHIFT |
                    (uint64_t)tag << E1000E_RXD_VLAN_SHIFT;
    bool last = (status & E1000E_RXD_EOP) != 0;

    d->low.wb.mrq = last ? how->hash_type | how->queue << 8 : 0;
    d->low.wb.rss_hash = last ? how->hash : 0;
    d->status = word; /* first without DD, as the chip does */
    RT_COMPILER_BARRIER();
    d->status = word | E1000E_RXD_DD;
}

bool fake_receive(struct fake_e1000e *f, const void *frame, uint32_t bytes,
                  const struct fake_rx *how)
{
    static const struct fake_rx plain;
    uint8_t copy[FAKE_FRAME_MAX];
    uint32_t queue, descs, need, done = 0, status = 0;
    uint32_t *head;
    uint64_t ring;
    uint16_t tag = 0;

    how = how != NULL ? how : &plain;
    queue = how->queue;
    head = fake_reg(f, E1000E_RDH(queue));
    descs = *fake_reg(f, E1000E_RDLEN(queue)) / 16;
    ring = *fake_reg(f, E1000E_RDBAL(queue)) | (uint64_t)*fake_reg(f, E1000E_RDBAH(queue)) << 32;
    if (!f->link || (*fake_reg(f, E1000E_RCTL) & E1000E_RCTL_EN) == 0 || !fake_may_dma(f))
        return false;
    assert((*fake_reg(f, E1000E_RFCTL) & E1000E_RFCTL_EXTEN) != 0 &&
           (*fake_reg(f, E1000E_RCTL) & E1000E_RCTL_SECRC) != 0);
    if (bytes + 4 > 1522 &&
        (*fake_reg(f, E1000E_RCTL) & E1000E_RCTL_LPE) == 0) { /* with CRC and tag */
        *fake_reg(f, INTEL_ROC) += 1;
        return false;
    }
    memcpy(copy, frame, bytes);
    if (strip_vlan(f, copy, &bytes, &tag))
        status = E1000E_RXD_VP;
    need = (bytes + BUFFER_BYTES - 1) / BUFFER_BYTES;
    if ((*fake_reg(f, E1000E_RDT(queue)) + descs - *head) % descs < need) {
        *fake_reg(f, E1000E_MPC) += 1;
        return false;
    }
    while (done < bytes) {
        struct e1000e_rx_desc *d = (struct e1000e_rx_desc *)fake_at(ring) + *head;
        uint32_t length = RT_MIN(bytes - done, (uint32_t)BUFFER_BYTES);
        bool last = done + length == bytes;

        dma_copy(fake_at(d->low.address), copy + done, length);
        done += length;
        write_back(d, how, last ? status | how->status | (how->no_eop ? 0 : E1000E_RXD_EOP) : 0,
                   how->set_length ? how->length : length, tag);
        *head = (*head + 1) % descs;
    }
    *fake_reg(f, INTEL_GPRC) += 1;
    *fake_reg(f, INTEL_GORCL) += bytes + 4;
    fake_raise(f, fake_msix_on(f) ? E1000E_INT_RXQ(queue) : E1000E_INT_RXT0);
    return true;
}
