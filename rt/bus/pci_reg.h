/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration space: offsets and bits. Sections of PCI Local Bus 3.0 (LB), PCI Express
 * Base 4.0 (PE) and PCI-to-PCI Bridge 1.2 (BR). Words are named after their dword. */
#ifndef RT_CORE_PCI_REG_H
#define RT_CORE_PCI_REG_H

#include <rt/base.h>

#define PCI_ID 0x00 /* LB 6.2.1: vendor 15:0, device 31:16; all ones: nothing there */
#define PCI_NOTHING UINT32_MAX

#define PCI_COMMAND 0x04 /* LB 6.2.2; status in the upper half is write-1-to-clear */
#define PCI_COMMAND_IO RT_BIT(0)
#define PCI_COMMAND_MEMORY RT_BIT(1)
#define PCI_COMMAND_BUS_MASTER RT_BIT(2)
#define PCI_COMMAND_INTX_OFF RT_BIT(10)
#define PCI_COMMAND_MASK RT_BITS(15, 0)
#define PCI_STATUS_CAP_LIST RT_BIT(20) /* LB 6.2.3, as seen in the dword */

#define PCI_CLASS 0x08 /* LB 6.2.1 */
#define PCI_CLASS_REVISION RT_BITS(7, 0)
#define PCI_CLASS_PROG_IF RT_BITS(15, 8)
#define PCI_CLASS_SUB RT_BITS(23, 16)
#define PCI_CLASS_BASE RT_BITS(31, 24)

#define PCI_HEADER 0x0c /* LB 6.2.1 */
#define PCI_HEADER_TYPE RT_BITS(22, 16)
#define PCI_HEADER_MULTI RT_BIT(23)
enum { PCI_HEADER_NORMAL = 0, PCI_HEADER_BRIDGE = 1 };

#define PCI_BAR0 0x10 /* LB 6.2.5.1 */
#define PCI_BAR_IO RT_BIT(0)
#define PCI_BAR_TYPE RT_BITS(2, 1)
#define PCI_BAR_TYPE_64 2
#define PCI_BAR_MEMORY_MASK UINT32_C(0xfffffff0)

#define PCI_BRIDGE_BUSES 0x18 /* BR 3.2.5: primary, secondary, subordinate */
#define PCI_BRIDGE_SECONDARY RT_BITS(15, 8)
#define PCI_SUBSYSTEM 0x2c /* LB 6.2.4; header type 0 only */
#define PCI_CAP_POINTER 0x34
#define PCI_CAP_POINTER_MASK RT_BITS(7, 2)
#define PCI_INTERRUPT 0x3c /* LB 6.2.4 */
#define PCI_INTERRUPT_LINE RT_BITS(7, 0)
#define PCI_INTERRUPT_PIN RT_BITS(15, 8) /* 0: it has none */
#define PCI_CAP_ID RT_BITS(7, 0)
#define PCI_CAP_NEXT RT_BITS(15, 10) /* low two bits are reserved: LB 6.7 */
#define PCI_CAP_FIRST 0x40
#define PCI_CAPS_MAX 48 /* (256 - 64) / 4: more would be a loop */

enum { PCI_CAP_MSI = 0x05, PCI_CAP_EXPRESS = 0x10, PCI_CAP_MSIX = 0x11 };

/* MSI, LB 6.8.1: control in the upper half of the first dword. */
#define PCI_MSI_ENABLE RT_BIT(16)
#define PCI_MSI_VECTORS RT_BITS(22, 20) /* log2 of vectors in use */
#define PCI_MSI_64BIT RT_BIT(23)
#define PCI_MSI_MASKABLE RT_BIT(24)
#define PCI_MSI_ADDRESS 0x04
#define PCI_MSI_ADDRESS_HIGH 0x08
#define PCI_MSI_DATA_32 0x08
#define PCI_MSI_DATA_64 0x0c
#define PCI_MSI_MASK_32 0x0c
#define PCI_MSI_MASK_64 0x10

/* MSI-X, LB 6.8.2 */
#define PCI_MSIX_SIZE RT_BITS(26, 16) /* entries - 1 */
#define PCI_MSIX_MASK_ALL RT_BIT(30)
#define PCI_MSIX_ENABLE RT_BIT(31)
#define PCI_MSIX_TABLE 0x04
#define PCI_MSIX_TABLE_BAR RT_BITS(2, 0)
#define PCI_MSIX_TABLE_OFFSET UINT32_C(0xfffffff8)
#define PCI_MSIX_ENTRY_BYTES 16
#define PCI_MSIX_ENTRY_ADDRESS 0
#define PCI_MSIX_ENTRY_ADDRESS_HIGH 4
#define PCI_MSIX_ENTRY_DATA 8
#define PCI_MSIX_ENTRY_CONTROL 12
#define PCI_MSIX_ENTRY_MASKED RT_BIT(0)

/* Controls of a function, PE 7.5.3.4, 7.5.3.7, 7.5.3.16; the upper half of each is status. */
#define PCI_EXPRESS_VERSION RT_BITS(19, 16)
#define PCI_EXPRESS_DEVICE 0x08
#define PCI_EXPRESS_DEVICE2 0x28 /* from version 2 on */
#define PCI_EXPRESS_LINK 0x10 /* PE 7.5.3.7; link status above is write-1-to-clear */
#define PCI_EXPRESS_LINK_CONTROL RT_BITS(15, 0)
#define PCI_EXPRESS_LINK_ASPM RT_BITS(1, 0)

enum { PCI_CLASS_STORAGE = 0x01, PCI_CLASS_NETWORK = 0x02 };
enum { PCI_SUBCLASS_NVME = 0x08 };

#endif
