/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serial console: a 16550 (or 8250) by ports or memory. Registers: National Semiconductor
 * PC16550D data sheet, section 8. Every wait is bounded, and a UART that stays full for
 * that long is given up for the time being: a console must never stop the machine.
 *
 * A line of 100 bytes takes 9 ms at 115200 baud. Once a fault can be reported (console_buffer),
 * text waits in memory and leaves by hal_console_pump(): in delays, in idle cores and from a
 * timer. A panic and the exit send what waits, then each line at once.
 */
#include <rt/hal.h>

#include "console.h"
#include "framebuffer.h"
#include "x86.h"

enum uart_reg {
    UART_DATA = 0,    /* RBR, THR; divisor low when DLAB */
    UART_IER = 1,     /* divisor high when DLAB */
    UART_FCR_IIR = 2, /* FIFO control on write, interrupt identification on read */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_SCRATCH = 7,
};

enum {
    LCR_8N1 = 0x03,
    LCR_DLAB = 0x80,
    FCR_ENABLE_CLEAR = 0x07,
    IIR_FIFO_ON = 0xc0,
    MCR_DTR_RTS_OUT2 = 0x0b,
    LSR_DATA_READY = 0x01,
    LSR_THR_EMPTY = 0x20,
    LSR_IDLE = 0x40,
    LSR_ABSENT = 0xff,
    COM1_PORT = 0x3f8,
    COM1_DIVISOR = 1, /* 115200 baud from the 1.8432 MHz that every PC has there */
    DIVISOR_MAX = 0xffff,
    UART_FIFO_BYTES = 16,
    /* A full FIFO at 115200 baud needs 1.4 ms; a port read takes about 1 us on hardware. */
    UART_WAIT_READS = 20000,
    OUT_BYTES = 65536, /* power of two */
    PUMP_BYTES = 32,   /* at a time: 0.4 ms under QEMU, which takes bytes without end */
    TAKE_US = 100000, /* a burst takes 1.4 ms; the host may stop the core in it for long */
    SPCR_TYPE_16550 = 0,
    SPCR_TYPE_16450 = 1,
    SPCR_TYPE_16550_GAS = 0x12,
    GAS_BYTE = 1, /* access sizes, ACPI 6.5 5.2.3.2 */
    GAS_WORD = 2,
    GAS_DWORD = 3,
};

struct uart {
    bool present;
    bool by_memory;
    uint16_t port;
    uint32_t stride_bytes; /* between registers; in memory also the size of an access */
    uint32_t burst_bytes;  /* that fit once the transmitter is empty */
    bool stuck;            /* did not drain in time; looked at once a write only */
    struct hal_mmio mmio;
    const char *name;
};

static struct uart uart = {.name = "none"};

static uint8_t uart_read(enum uart_reg reg)
{
    const uint32_t offset = (uint32_t)reg * uart.stride_bytes;

    if (!uart.by_memory)
        return x86_in8((uint16_t)(uart.port + offset));
    if (uart.stride_bytes == 4)
        return (uint8_t)hal_read32(&uart.mmio, offset);
    if (uart.stride_bytes == 2)
        return (uint8_t)*(const volatile uint16_t *)(uart.mmio.base + offset);
    return uart.mmio.base[offset];
}

static void uart_write(enum uart_reg reg, uint8_t value)
{
    const uint32_t offset = (uint32_t)reg * uart.stride_bytes;

    if (!uart.by_memory)
        x86_out8((uint16_t)(uart.port + offset), value);
    else if (uart.stride_bytes == 4)
        hal_write32(&uart.mmio, offset, value);
    else if (uart.stride_bytes == 2)
        *(volatile uint16_t *)(uart.mmio.base + offset) = value;
    else
        uart.mmio.base[offset] = value;
}

/* The scratch register keeps what is written; nothing at the address reads all ones. */
static bool uart_answers(void)
{
    uart_write(UART_SCRATCH, 0x5a);
    if (uart_read(UART_SCRATCH) != 0x5a)
        return false;
    uart_write(UART_SCRATCH, 0xa5);
    return uart_read(UART_SCRATCH) == 0xa5 && uart_read(UART_LSR) != LSR_ABSENT;
}

/* Divisor 0 leaves the speed as firmware set it. */
static void uart_start(uint32_t divisor)
{
    uart_write(UART_LCR, LCR_8N1);
    uart_write(UART_IER, 0); /* polled only */
    if (divisor != 0) {
        uart_write(UART_LCR, LCR_8N1 | LCR_DLAB);
        uart_write(UART_DATA, (uint8_t)divisor);
        uart_write(UART_IER, (uint8_t)(divisor >> 8));
        uart_write(UART_LCR, LCR_8N1);
    }
    uart_write(UART_FCR_IIR, FCR_ENABLE_CLEAR);
    uart_write(UART_MCR, MCR_DTR_RTS_OUT2);
    uart.burst_bytes =
        (uart_read(UART_FCR_IIR) & IIR_FIFO_ON) == IIR_FIFO_ON ? UART_FIFO_BYTES : 1;
    uart.stuck = false;
}

void console_init(void)
{
    uart = (struct uart){.port = COM1_PORT, .stride_bytes = 1, .name = "none"};
    if (!uart_answers())
        return;
    uart.present = true;
    uart.name = "com1";
    uart_start(COM1_DIVISOR);
    uart_write(UART_DATA, '\n'); /* firmware may have left the cursor inside a line */
}

const char *console_name(void)
{
    return uart.name;
}

/* True when the transmitter can take a burst. */
static bool uart_wait(uint8_t mask)
{
    const uint32_t reads = uart.stuck ? 1 : UART_WAIT_READS;

    for (uint32_t i = 0; i < reads; i++) {
        if ((uart_read(UART_LSR) & mask) != 0) {
            uart.stuck = false;
            return true;
        }
        hal_pause();
    }
    uart.stuck = true;
    return false;
}

static void uart_send(const char *text, size_t bytes)
{
    size_t done = 0;
    uint32_t room = 0;

    while (done < bytes) { /* bounded: each round sends a byte or returns */
        if (room == 0 && !uart_wait(LSR_THR_EMPTY))
            return;
        room = room == 0 ? uart.burst_bytes : room;
        uart_write(UART_DATA, (uint8_t)text[done++]);
        room--;
    }
}

/* Text that waits. Writers are one at a time (the lock of the log); so are senders. */
static struct {
    char text[OUT_BYTES];
    uint32_t head, tail; /* free-running: next to send, next to write */
    bool on;
    bool sending;
    bool taken; /* by the core that ends the run: nobody else sends any more */
    uint32_t fruitless; /* looks in a row at a full port; at the limit nobody waits for it */
} pending;
_Static_assert(RT_IS_POW2(OUT_BYTES), "free-running indexes are masked");

static uint32_t out_waiting(void)
{
    return __atomic_load_n(&pending.tail, __ATOMIC_ACQUIRE) -
           __atomic_load_n(&pending.head, __ATOMIC_ACQUIRE);
}

static bool taken(void)
{
    return __atomic_load_n(&pending.taken, __ATOMIC_ACQUIRE);
}

/* Sends at most `bytes` of what waits; with `wait` as fast as the port goes, else what it takes
 * now. Returns what it sent. `head` moves with each byte: this core may be halted anywhere, and
 * the one that goes on must not send a burst twice. */
static uint32_t out_send(uint32_t bytes, bool wait)
{
    uint32_t head = pending.head, sent = 0;

    bytes = RT_MIN(bytes, out_waiting());
    while (sent < bytes) { /* bounded: each round sends a byte or leaves */
        uint32_t room = uart.burst_bytes;

        if (!(wait ? uart_wait(LSR_THR_EMPTY) : (uart_read(UART_LSR) & LSR_THR_EMPTY) != 0))
            break;
        for (; room > 0 && sent < bytes; room--, sent++) {
            uart_write(UART_DATA, (uint8_t)pending.text[(head + sent) & (OUT_BYTES - 1)]);
            __atomic_store_n(&pending.head, head + sent + 1, __ATOMIC_RELEASE);
        }
    }
    return sent;
}

bool hal_console_pump(void)
{
    bool stuck;

    if (!uart.present || out_waiting() == 0 || taken())
        return false;
    if (__atomic_test_and_set(&pending.sending, __ATOMIC_ACQUIRE))
        return false; /* another core is at it */
    if (out_send(PUMP_BYTES, false) != 0)
        pending.fruitless = 0;
    else if (pending.fruitless < UART_WAIT_READS)
        pending.fruitless++;
    stuck = pending.fruitless == UART_WAIT_READS;
    __atomic_clear(&pending.sending, __ATOMIC_RELEASE);
    return out_waiting() != 0 && !stuck;
}

static bool out_make_room(void)
{
    uint32_t sent = 1;

    for (uint32_t i = 0; i < UART_WAIT_READS && sent != 0 && out_waiting() == OUT_BYTES; i++) {
        if (__atomic_test_and_set(&pending.sending, __ATOMIC_ACQUIRE)) {
            hal_pause(); /* another core makes room */
            continue;
        }
        sent = out_send(UART_FIFO_BYTES, true);
        __atomic_clear(&pending.sending, __ATOMIC_RELEASE);
    }
    return out_waiting() != OUT_BYTES;
}

/* A full buffer goes on at the port's speed; what a stuck port does not take is lost. */
static void out_put(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (RT_UNLIKELY(out_waiting() == OUT_BYTES) && !out_make_room())
            return;
        pending.text[pending.tail & (OUT_BYTES - 1)] = text[i];
        __atomic_store_n(&pending.tail, pending.tail + 1, __ATOMIC_RELEASE);
    }
}

/* Text of the start leaves at once. A copy stays, for a port that is found later. */
static void out_keep(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && pending.tail < OUT_BYTES; i++)
        pending.text[pending.tail++] = text[i];
    pending.head = pending.tail;
}

void hal_console_write(const char *text, size_t bytes)
{
    if (!pending.on && !taken())
        out_keep(text, bytes);
    if (uart.present && pending.on)
        out_put(text, bytes);
    else if (uart.present)
        uart_send(text, bytes);
    fb_console_write(text, bytes);
}

int hal_console_read(void)
{
    uint8_t status = uart.present ? uart_read(UART_LSR) : 0;

    /* A port that went away (a BMC's virtual one) reads all ones: no bytes. */
    if ((status & LSR_DATA_READY) == 0 || status == LSR_ABSENT)
        return -1;
    return uart_read(UART_DATA);
}

/* ---- another port than COM1 ---- */

/* Only from a clock that the table names: 1.8432 MHz is what most have, not all. */
static uint32_t spcr_divisor(const struct acpi_spcr *spcr)
{
    const uint64_t per_bit = UINT64_C(16) * spcr->baud;
    uint64_t divisor;

    if (spcr->clock_hz == 0 || spcr->baud == 0)
        return 0;
    divisor = (spcr->clock_hz + per_bit / 2) / per_bit;
    return divisor <= DIVISOR_MAX ? (uint32_t)divisor : 0;
}

/* What the table describes, when that is a port we can drive. */
static bool spcr_uart(const struct acpi_spcr *spcr, struct uart *u)
{
    const struct acpi_gas *base = &spcr->base;

    if (!spcr->present || base->address == 0 || base->access > GAS_DWORD)
        return false;
    if (spcr->interface_type != SPCR_TYPE_16550 && spcr->interface_type != SPCR_TYPE_16450 &&
        spcr->interface_type != SPCR_TYPE_16550_GAS)
        return false;
    *u = (struct uart){.stride_bytes = 1, .name = "spcr"};
    if (base->space == ACPI_SPACE_IO) { /* one byte apart, whatever the access size says */
        u->port = (uint16_t)base->address;
        return base->address <= UINT16_MAX - 8;
    }
    u->by_memory = true;
    if (base->access > GAS_BYTE)
        u->stride_bytes = base->access == GAS_WORD ? 2 : 4;
    return base->space == ACPI_SPACE_MEMORY &&
           hal_map_mmio((phys_t){base->address}, 8 * u->stride_bytes, &u->mmio) == RT_OK;
}

bool console_use_spcr(const struct acpi_spcr *spcr)
{
    static const char moves[] = "console moves to the port that firmware names (SPCR)\n";
    const struct uart old = uart;
    struct uart new;

    if (!spcr_uart(spcr, &new))
        return false;
    if (old.present && !new.by_memory && new.port == old.port)
        return false; /* the one that we use already */
    uart = new;
    if (!uart_answers()) {
        uart = old;
        return false;
    }
    if (old.present) {
        uart = old;
        uart_send(moves, sizeof(moves) - 1);
        uart = new;
    }
    uart.present = true;
    uart_start(spcr_divisor(spcr));
    pending.head = 0; /* what was said so far once more, for those who listen there */
    return true;
}

/* ---- from the first line to the last ---- */

void console_buffer(void)
{
    pending.on = true;
}

void console_take(void)
{
    const uint64_t end_us = hal_now_us() + TAKE_US;

    if (taken())
        return;
    while (__atomic_test_and_set(&pending.sending, __ATOMIC_ACQUIRE) && hal_now_us() < end_us)
        hal_pause(); /* it is about to end; if it was halted in there, it never does */
    __atomic_store_n(&pending.taken, true, __ATOMIC_RELEASE);
}

void console_flush(void)
{
    console_take();
    pending.on = false;
    if (!uart.present)
        return;
    while (out_waiting() != 0 && out_send(OUT_BYTES, true) != 0) /* bounded: sends or ends */
        ;
    (void)uart_wait(LSR_IDLE);
}
