/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host side of the hal: what tests, simulations and software devices do to the
 * "machine" that runs as a Linux process. Nothing here exists in an image.
 *
 * A unit test usually wants one thread and virtual time: host_clock_virtual(0), then
 * hal_delay_us() and hal_wait() move the clock by themselves, and host_set_core() lets
 * the one thread play several cores. Programs that want real threads call
 * host_cores_start().
 */
#ifndef RT_HOST_H
#define RT_HOST_H

#include <rt/hal.h>

/* ---- clock ---- */
void host_clock_virtual(uint64_t now_us); /* stop the real clock; 1 cycle = 1 ns from now */
void host_clock_advance_us(uint64_t us);
void host_clock_real(void);

/* ---- cores ---- */
/* One thread, `count` cores that it plays in turn. */
void host_set_core_count(unsigned count);
void host_set_core(unsigned core);
/* Starts threads for cores 1..count-1, parked; the caller is core 0. */
RT_NODISCARD enum rt_status host_cores_start(unsigned count);
void host_cores_stop(void); /* joins them; they must be parked */
uint64_t host_kicks(unsigned core);

/* ---- memory ---- */
void host_memory_limit(uint64_t bytes);        /* hal_alloc returns NULL above */
void host_memory_reset(void);                  /* frees everything, unseals, no limit */

/* ---- idle: in virtual time hal_wait() calls the hook, then moves the clock to until_us
 * unless the hook kicked the core or raised an interrupt for it ---- */
void host_wait_hook(void (*hook)(void *ctx, unsigned core, uint64_t until_us), void *ctx);
uint64_t host_waits(unsigned core); /* hal_wait() calls of that core */

/* ---- interrupts: what a device does when it writes its message ---- */
void host_msi(uint64_t address, uint32_t data);
void host_line(uint32_t line);              /* ... or raises its INTx line */
void host_irq_reset(void);                  /* forgets all vectors, no limit, no block */
void host_irq_block(uint64_t cores);        /* what goes to these (bits) does not arrive */
void host_irq_limit(uint32_t vectors_more); /* after these hal_irq_alloc() returns RT_FULL */

/* ---- PCI ---- */
struct host_pci_ops {
    uint32_t (*read32)(void *ctx, uint32_t bdf, uint32_t offset);
    void (*write32)(void *ctx, uint32_t bdf, uint32_t offset, uint32_t value);
};
void host_pci(const struct host_pci_ops *ops, void *ctx, uint32_t last_bus);
/* Registers a device's registers at a bus address, for hal_map_mmio(). */
RT_NODISCARD enum rt_status host_mmio_add(uint64_t phys, size_t bytes,
                                          const struct hal_mmio_ops *ops, void *ctx);
void host_mmio_reset(void);

/* ---- console ---- */
/* Sends output into a buffer (always NUL-ended, what does not fit is lost); NULL: stdout. */
void host_console_capture(char *out, size_t bytes);
void host_console_input(const char *text); /* what hal_console_read() gives; kept by pointer */
void host_console_stdin(bool on);          /* read standard input instead */

/* ---- panic and exit ---- */
/* Runs fn(arg); true when it ended in rt_panic, a failed assertion or hal_exit(); its
 * message ("exit code=N" for an exit) is copied to `message`. Calling thread only. */
bool host_catch(void (*fn)(void *), void *arg, char *message, size_t bytes);

/* What hal_smi_count() says from now on; counted at all, as a guest or not. */
void host_stolen(uint64_t smis, bool counted, bool guest);

#endif
