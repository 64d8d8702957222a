/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boundary between what runs anywhere and what runs on bare metal.
 *
 * Everything above this header compiles for the bare machine (rt/x86) and as a Linux
 * process (rt/host: unit tests, simulation, native benchmarks); both directories have the
 * same file names. What is inlined on the data path is in <rt/hal_arch.h>, one file a
 * world: hal_cycles, hal_core_id, hal_pause, hal_fence, hal_read32/hal_write32, hal_phys, and
 *
 *   struct hal_mmio { volatile uint8_t *base; size_t bytes; ... };
 *
 * Interrupts on bare metal carry no code of drivers: an interrupt only counts and ends the
 * halt; the loop then polls its sources. Loops run with interrupts off; hal_wait() opens
 * them for the time of the halt, so whatever arrives after arming ends the halt at once.
 */
#ifndef RT_HAL_H
#define RT_HAL_H

#include <rt/base.h>
#include <rt/hal_arch.h>

#define HAL_CORES_MAX 64

/* ---- clock: one invariant counter, the same on every core; hal_cycles(), and cycles to
 * microseconds (no overflow for 500 years), are in <rt/hal_arch.h> ---- */
extern uint64_t hal_cycles_hz;               /* rate of hal_cycles() */
/* Any core, as all of this part. What would overflow is UINT64_MAX (bare machine). */
uint64_t hal_cycles_from_us(uint64_t us);
uint64_t hal_now_us(void); /* since start */
/* At least so long, awake; from 1 ms on it sends console text meanwhile. For starts and
 * recoveries, never from a loop's turn. */
void hal_delay_us(uint32_t us);

/* Poll a register until (value & mask) == want. RT_TIMEOUT after timeout_us; the caller logs
 * register and value. `value` may be NULL, else gets the last value read. `want` has no bit
 * outside of `mask`. Awake all the time, so not on the data path; the device's core. */
RT_NODISCARD enum rt_status hal_wait_reg(const struct hal_mmio *mmio, uint32_t offset,
                                         uint32_t mask, uint32_t want, uint32_t timeout_us,
                                         uint32_t *value);

/* ---- who else may stop this core ---- */
/* System management interrupts of this core since power-on; 0 where hal_smi_counted() is false:
 * only some of Intel's processors count them, and none does for a guest. Any core. */
uint64_t hal_smi_count(void);
bool hal_smi_counted(void);
bool hal_is_guest(void); /* a hypervisor, or an operating system, may take the core away */

/* ---- noise ---- */
/* A number of the machine's own generator. False: it has none, or none to give for now. Not to be
 * used as it is: <rt/random.h>. Any core. */
bool hal_random(uint64_t *out);

/* ---- cores ---- */
unsigned hal_core_count(void); /* cores that run; ids are 0..count-1 */
/* Runs fn(arg) on a parked core. Returns at once; `arg` lives until hal_core_idle() says that
 * fn has returned. RT_BUSY: it runs something; RT_INVALID: core 0, or one that is not there.
 * Core 0. */
RT_NODISCARD enum rt_status hal_core_run(unsigned core, void (*fn)(void *), void *arg);
bool hal_core_idle(unsigned core); /* parked: what it ran has returned; any core may ask */
/* Ends the other core's hal_wait(), also one that it is about to begin. Any core. */
void hal_core_kick(unsigned core);

/* ---- memory: zeroed, never given back; NULL when it is used up; a panic after the seal ---- */
/* `align`: a power of two. `what` it is for, a literal: <rt/memory_use.h> says who took how
 * much. Any core. */
void *hal_alloc(size_t bytes, size_t align, const char *what);
void hal_seal(void); /* the end of the start; logs who took how much. Core 0, once. */
uint64_t hal_memory_free_bytes(void); /* not taken yet; one piece may have to be smaller */

/* ---- idle ---- */
/* Halts this core until an interrupt, a kick or until_us (UINT64_MAX: no deadline); may
 * return earlier, so the caller looks again. Call with sources armed: what came since ends
 * it at once. */
void hal_wait(uint64_t until_us);

/* ---- interrupts by message (MSI, MSI-X) or line ---- */
struct hal_irq {
    uint64_t msi_address; /* what the device writes, and where; 0: a line */
    uint32_t msi_data;
    uint32_t vector;
    unsigned core; /* where it arrives */
    volatile uint64_t *count; /* interrupts seen, written by that core only */
};
/* A vector of that core, for a message; never given back. `name` is for the log. RT_FULL: the
 * core has none left; RT_UNSUPPORTED: no message reaches it; RT_INVALID: there is no such core.
 * Core 0. */
RT_NODISCARD enum rt_status hal_irq_alloc(unsigned core, const char *name, struct hal_irq *irq);
/* For INTx: routes a legacy line (PCI interrupt line register) to core 0. RT_INVALID: firmware
 * has not routed it; RT_UNSUPPORTED: the machine has no 8259. Core 0. */
RT_NODISCARD enum rt_status hal_irq_alloc_line(uint32_t line, const char *name,
                                               struct hal_irq *irq);
uint64_t hal_irq_total(unsigned core); /* device interrupts on that core, for statistics */

/* ---- PCI configuration space (ECAM, else ports) ----
 * bdf = segment << 16 | bus << 8 | device << 3 | function; `offset` in bytes, its two low bits
 * are ignored. All ones: nothing is there. Core 0: the ports are two accesses. */
uint32_t hal_pci_read32(uint32_t bdf, uint32_t offset);
void hal_pci_write32(uint32_t bdf, uint32_t offset, uint32_t value);
/* Where to look for host bridges: at first_bus there is one, up to last_bus there may be more.
 * The first range is segment 0's; each segment has one. False past the last range. */
#define HAL_PCI_RANGES_MAX 64
struct hal_pci_range {
    uint16_t segment;
    uint8_t first_bus, last_bus;
};
bool hal_pci_range(uint32_t index, struct hal_pci_range *range);
/* Maps a device's registers uncached. Same range twice gives the same mapping; it is never
 * taken away. RT_INVALID: no bytes, or RAM; RT_UNSUPPORTED: beyond the processor's last address
 * bit; RT_NO_MEMORY: for page tables. Core 0, before the seal. */
RT_NODISCARD enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio);

/* ---- console and power ---- */
/* Text waits in memory; hal_console_pump() sends a few bytes of it, at most 0.5 ms long, and
 * says whether more waits. Delays and halts pump by themselves; a core that never halts needs
 * a timer for it. Any core. */
void hal_console_write(const char *text, size_t bytes);
bool hal_console_pump(void);
int hal_console_read(void); /* next input byte, or -1 at once; one core at a time */
/* Stops the other cores, silences devices, then switches off, resets or halts as `at_stop` says
 * (a process: leaves it). Any core. */
RT_NORETURN void hal_exit(int code);

#endif
