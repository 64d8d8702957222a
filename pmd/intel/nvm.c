/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel: the EEPROM by its register (82574 10.2.2.5, 82599 8.2.3.2.2). Core 0. */
#include "intel.h"

#define WORD_TIMEOUT_US 10000

enum rt_status intel_nvm_read(const struct nic *nic, uint32_t eerd_reg, uint32_t word,
                              uint16_t *value)
{
    uint32_t reg = 0;
    enum rt_status st;

    RT_ASSERT_LT(eerd_reg, nic->mmio.bytes);
    *value = 0;
    if (word >= INTEL_NVM_WORDS_MAX) { /* a pointer in the part leads there */
        nic_complain(nic, "nvm-address", "word", word);
        return RT_IO;
    }
    hal_write32(&nic->mmio, eerd_reg, FIELD_PUT(INTEL_EERD_ADDR, word) | INTEL_EERD_START);
    st = hal_wait_reg(&nic->mmio, eerd_reg, INTEL_EERD_DONE, INTEL_EERD_DONE, WORD_TIMEOUT_US,
                      &reg);
    if (st != RT_OK)
        nic_complain(nic, "nvm-timeout", "eerd", reg);
    *value = (uint16_t)FIELD_GET(INTEL_EERD_DATA, reg);
    return st;
}

enum rt_status intel_nvm_check_sum(const struct nic *nic, uint16_t sum)
{
    if (sum == INTEL_NVM_SUM)
        return RT_OK;
    nic_complain(nic, "nvm-checksum", "sum", sum);
    return RT_IO;
}
