/* SPDX-License-Identifier: BSD-2-Clause */
/* Start page of the application processors: shared by ap.S and smp.c. Preprocessor only. */
#ifndef RT_X86_AP_H
#define RT_X86_AP_H

/* Offsets in the page that ap.S is copied to; the code lies below AP_DATA. */
#define AP_DATA 0x800
#define AP_GDTR (AP_DATA + 0x00)   /* limit, then 32-bit base */
#define AP_JUMP32 (AP_DATA + 0x08) /* 32-bit offset, then selector */
#define AP_JUMP64 (AP_DATA + 0x10)
#define AP_CR3 (AP_DATA + 0x18)
#define AP_CR4 (AP_DATA + 0x20)
#define AP_CR0 (AP_DATA + 0x28)
#define AP_EFER (AP_DATA + 0x30)
#define AP_ENTRY (AP_DATA + 0x38)
#define AP_XD_OFF (AP_DATA + 0x40) /* not 0: Execute Disable must be allowed first */
#define AP_GDT (AP_DATA + 0x48)

#define AP_CODE64 0x08
#define AP_FLAT_DATA 0x10
#define AP_CODE32 0x18

/* struct ap_slot, what a core finds its stack by. */
#define AP_SLOT_BYTES 24
#define AP_SLOT_APIC_ID 0
#define AP_SLOT_STACK 8
#define AP_SLOT_CORE 16

#endif
