/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APIC of the calling core: xAPIC by memory, x2APIC by MSR (Intel SDM 3A chapter 11). */
#ifndef RT_X86_APIC_H
#define RT_X86_APIC_H

#include <rt/acpi.h>

/* Interrupt vectors. 0..31 belong to the processor. */
enum irq_vector {
    VECTOR_PIC = 0x20,          /* 16 lines of the two 8259 */
    VECTOR_DEVICE = 0x30,       /* first one given to a device */
    VECTOR_DEVICE_END = 0xf0,
    VECTOR_KICK = 0xf0,         /* ends another core's halt */
    VECTOR_TIMER = 0xf1,        /* ends this core's halt at its deadline */
    VECTOR_ERROR = 0xfe,
    VECTOR_SPURIOUS = 0xff,
};

/* The machine stays in the mode that firmware left: it must hand over in x2APIC mode when ids
 * above 254 are in use, and its own code may not bear another one. (Tables have been seen that
 * list such ids out of memory never written.) Core 0, once, after the page tables. RT_NOT_FOUND
 * when there is no local APIC at all: then one core, and hal_wait() only pauses. */
RT_NODISCARD enum rt_status apic_init(void);
/* Switches on the APIC of the calling core, all its local sources masked. */
void apic_init_core(void);
bool apic_present(void);
bool apic_is_x2(void);
uint64_t apic_page(void); /* where its registers are mapped; 0 in x2APIC mode */
/* Messages can be sent to that id. In xAPIC mode 8 bits of it go out, and 255 means everybody:
 * Intel SDM 3A 11.6.1, ACPI 6.5 5.2.12.12. */
bool apic_reaches(uint32_t id);
uint32_t apic_id(void);
void apic_eoi(void);
/* An interrupt has arrived at this core and is not taken yet. */
bool apic_irq_waits(void);

void apic_send(uint32_t target_apic_id, uint8_t vector);
void apic_send_init(uint32_t target_apic_id);
void apic_send_startup(uint32_t target_apic_id, uint8_t page);
void apic_send_nmi(uint32_t target_apic_id);

/* Opens LINT0 for the 8259 pair (ExtINT) on the calling core: legacy interrupt lines. */
void apic_accept_8259(void);

/* One-shot timer. The rate is measured on core 0 against the (by then known) clock. */
void apic_timer_calibrate(uint32_t window_us);
uint64_t apic_timer_hz(void); /* 0: there is none; UINT64_MAX is never returned */
const char *apic_timer_mode(void); /* "deadline", "oneshot", "none" */
/* VECTOR_TIMER on this core in `us` from now (bounded by the timer's width: may be early). */
void apic_timer_arm(uint64_t us);
void apic_timer_disarm(void);

#endif
