/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports of a UART, or of none. Included once, behind console.c. */
#ifndef TESTS_X86_CONSOLE_FAKE_H
#define TESTS_X86_CONSOLE_FAKE_H


static uint16_t there_at; /* port of the UART, 0: none */
static uint16_t second_at; /* of one that answers, and keeps nothing */
static uint32_t divisor;
static bool full;         /* the transmitter never empties */
static uint8_t scratch, fcr;
static char sent[4096];
static uint32_t sent_bytes, reads;
static uint8_t fifo_bits;
static const char *input;
static uint8_t memory_uart[64];

void fb_console_write(const char *text, size_t bytes)
{
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    assert_true(bytes <= sizeof(memory_uart));
    mmio->base = memory_uart;
    mmio->bytes = bytes;
    return RT_OK;
}

uint64_t hal_now_us(void)
{
    return fake.cycles / 1000;
}

static uint32_t in(uint16_t port)
{
    reads++;
    if (second_at != 0 && port >= second_at && port <= second_at + 7)
        return port - second_at == UART_SCRATCH ? scratch : 0;
    if (there_at == 0 || port < there_at || port > there_at + 7)
        return 0xff;
    switch (port - there_at) {
    case UART_DATA:
        return (uint8_t)*input++;
    case UART_FCR_IIR:
        return fifo_bits;
    case UART_LSR:
        return (full ? 0u : (uint32_t)LSR_THR_EMPTY | LSR_IDLE) |
               (input != NULL && *input != '\0' ? (uint32_t)LSR_DATA_READY : 0);
    case UART_SCRATCH:
        return scratch;
    default:
        return 0;
    }
}

static bool dlab;
static void (*on_byte)(void); /* each byte has just left */

static void out(uint16_t port, uint32_t value)
{
    if (second_at != 0 && port >= second_at && port <= second_at + 7) {
        scratch = port - second_at == UART_SCRATCH ? (uint8_t)value : scratch;
        return;
    }
    if (there_at == 0 || port < there_at || port > there_at + 7)
        return;
    if (dlab && port - there_at == UART_DATA)
        divisor = (divisor & 0xff00) | value;
    if (dlab && port - there_at == UART_IER)
        divisor = (divisor & 0xff) | value << 8;
    if (port - there_at == UART_SCRATCH)
        scratch = (uint8_t)value;
    if (port - there_at == UART_LCR)
        dlab = (value & LCR_DLAB) != 0;
    if (port - there_at == UART_FCR_IIR)
        fcr = (uint8_t)value;
    if (port - there_at == UART_DATA && !dlab && sent_bytes < sizeof(sent)) {
        sent[sent_bytes++] = (char)value;
        if (on_byte != NULL)
            on_byte();
    }
}

static int setup(void **state)
{
    fake_reset();
    fake.in = in;
    fake.out = out;
    there_at = COM1_PORT;
    second_at = 0;
    full = false;
    fifo_bits = IIR_FIFO_ON;
    input = NULL;
    sent_bytes = reads = 0;
    on_byte = NULL;
    memset(&pending, 0, sizeof(pending));
    memset(memory_uart, 0, sizeof(memory_uart));
    return 0;
}

#endif
