/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe: semaphores with the other function and the firmware, EEPROM. Core 0. */
#include "ixgbe.h"

#include <rt/log.h>

#define SEMAPHORE_TRIES 200
#define SEMAPHORE_STEP_US 50
#define SYNC_TRIES 40
#define SYNC_STEP_US 5000

/* DS 10.5.4: SMBI keeps the other function out, SWESMBI (X540, X550: REGSMP) the firmware. Both
 * are held only while SW_FW_SYNC changes. A holder that died left SMBI set: after the deadline
 * it is taken over once, as the datasheet tells. */
static enum rt_status take_smbi(struct ixgbe *dev)
{
    for (unsigned i = 0; i < 2 * SEMAPHORE_TRIES; i++) {
        uint32_t value = ixgbe_read(dev, IXGBE_SWSM);

        if (value == UINT32_MAX)
            return RT_IO;
        if ((value & IXGBE_SWSM_SMBI) == 0)
            return RT_OK;
        if (i == SEMAPHORE_TRIES) {
            rt_log("%s swsm=0x%08x action=\"semaphore taken over\"", dev->nic->name,
                   value);
            ixgbe_write(dev, IXGBE_SWSM, value & ~(IXGBE_SWSM_SMBI | IXGBE_SWSM_SWESMBI));
        }
        hal_delay_us(SEMAPHORE_STEP_US);
    }
    return RT_TIMEOUT;
}

static enum rt_status take_second(struct ixgbe *dev)
{
    for (unsigned i = 0; i < SEMAPHORE_TRIES; i++) {
        if ((dev->model->flags & IXGBE_REGSMP) != 0) {
            if ((ixgbe_read(dev, IXGBE_SW_FW_SYNC) & IXGBE_SYNC_REGSMP) == 0)
                return RT_OK;
        } else {
            ixgbe_write(dev, IXGBE_SWSM, ixgbe_read(dev, IXGBE_SWSM) | IXGBE_SWSM_SWESMBI);
            if ((ixgbe_read(dev, IXGBE_SWSM) & IXGBE_SWSM_SWESMBI) != 0)
                return RT_OK;
        }
        hal_delay_us(SEMAPHORE_STEP_US);
    }
    return RT_TIMEOUT;
}

static void give_both(struct ixgbe *dev)
{
    if ((dev->model->flags & IXGBE_REGSMP) != 0)
        ixgbe_write(dev, IXGBE_SW_FW_SYNC,
                    ixgbe_read(dev, IXGBE_SW_FW_SYNC) & ~IXGBE_SYNC_REGSMP);
    ixgbe_write(dev, IXGBE_SWSM,
                ixgbe_read(dev, IXGBE_SWSM) & ~(IXGBE_SWSM_SMBI | IXGBE_SWSM_SWESMBI));
    (void)ixgbe_read(dev, IXGBE_STATUS);
}

/* Once: RT_BUSY when the other function or the firmware holds one of them. What could not be given
 * back, for a semaphore that sticks, is still ours. */
static enum rt_status sync_try(struct ixgbe *dev, uint32_t resources)
{
    uint32_t theirs, value;
    enum rt_status st;

    resources &= ~dev->synced;
    if (resources == 0)
        return RT_OK;
    theirs = resources << IXGBE_SYNC_FW_SHIFT;
    st = take_smbi(dev);
    if (st == RT_OK)
        st = take_second(dev);
    if (st != RT_OK) {
        nic_complain(dev->nic, "semaphore-timeout", "swsm", ixgbe_read(dev, IXGBE_SWSM));
        return st;
    }
    value = ixgbe_read(dev, IXGBE_SW_FW_SYNC);
    if ((value & (resources | theirs)) == 0) {
        ixgbe_write(dev, IXGBE_SW_FW_SYNC, value | resources);
        dev->synced |= resources;
    } else {
        st = RT_BUSY;
    }
    give_both(dev);
    return st;
}

enum rt_status ixgbe_sync_step(struct ixgbe *dev, struct nic_steps *steps, uint32_t resources)
{
    enum rt_status st = sync_try(dev, resources);

    RT_ASSERT_NE(resources, 0u);
    if (st == RT_BUSY && nic_step_us(steps) >= SYNC_TRIES * SYNC_STEP_US) {
        nic_complain(dev->nic, "resource-timeout", "sw_fw_sync",
                       ixgbe_read(dev, IXGBE_SW_FW_SYNC));
        st = RT_TIMEOUT;
    }
    steps->wait_us = st == RT_BUSY ? SYNC_STEP_US : 0;
    return st;
}

enum rt_status ixgbe_sync_take(struct ixgbe *dev, uint32_t resources)
{
    RT_ASSERT_NE(resources, 0u);
    for (unsigned i = 0; i < SYNC_TRIES; i++) {
        enum rt_status st = sync_try(dev, resources);

        if (st != RT_BUSY)
            return st;
        hal_delay_us(SYNC_STEP_US);
    }
    nic_complain(dev->nic, "resource-timeout", "sw_fw_sync", ixgbe_read(dev, IXGBE_SW_FW_SYNC));
    return RT_TIMEOUT;
}

void ixgbe_sync_give(struct ixgbe *dev, uint32_t resources)
{
    if ((dev->synced & resources) == 0 || take_smbi(dev) != RT_OK)
        return;
    if (take_second(dev) == RT_OK)
        ixgbe_write(dev, IXGBE_SW_FW_SYNC, ixgbe_read(dev, IXGBE_SW_FW_SYNC) & ~resources);
    dev->synced &= ~resources;
    give_both(dev);
}

enum rt_status ixgbe_nvm_read(struct ixgbe *dev, uint32_t word, uint16_t *value)
{
    RT_ASSERT((dev->synced & IXGBE_SYNC_NVM) != 0);
    return intel_nvm_read(dev->nic, IXGBE_EERD, word, value);
}

/* Words of the part; what EERD cannot address is not there for us (DS 8.2.3.2.1). */
static uint32_t nvm_words(const struct ixgbe *dev)
{
    uint32_t size = FIELD_GET(IXGBE_EEC_SIZE, ixgbe_read(dev, IXGBE_EEC));

    return RT_MIN(IXGBE_EEC_SIZE_WORDS_MIN << size, (uint32_t)INTEL_NVM_WORDS_MAX);
}

/* A section counts its words in its first one. Nothing is added when it leads out of the
 * part. */
static enum rt_status add_section(struct ixgbe *dev, uint16_t pointer, uint16_t *sum)
{
    const uint32_t part_words = nvm_words(dev);
    uint16_t words, value;
    enum rt_status st;

    if (pointer == 0 || pointer >= part_words)
        return RT_OK;
    st = ixgbe_nvm_read(dev, pointer, &words);
    if (st != RT_OK || words >= part_words - pointer)
        return st;
    for (uint32_t i = 1; i <= words; i++) {
        st = ixgbe_nvm_read(dev, pointer + i, &value);
        if (st != RT_OK)
            return st;
        *sum = (uint16_t)(*sum + value);
    }
    return RT_OK;
}

/* The X540's PHY firmware (4) and option ROM (5) are updated by themselves, and left out. */
static bool in_checksum(const struct ixgbe *dev, uint32_t word)
{
    RT_ASSERT_LE(word, (uint32_t)IXGBE_NVM_CHECKSUM_WORD);
    if (word < IXGBE_NVM_POINTERS_FIRST || word > IXGBE_NVM_POINTERS_LAST)
        return false;
    return (dev->model->flags & IXGBE_COPPER) == 0 ||
           (word != IXGBE_NVM_POINTER_PHY && word != IXGBE_NVM_POINTER_ROM);
}

/* DS 6.2.3: words 0 to 0x3f and the sections that 3 to 0xe point to add up to 0xbaba. */
enum rt_status ixgbe_nvm_check(struct ixgbe *dev)
{
    uint16_t sum = 0, value;
    enum rt_status st;

    for (uint32_t word = 0; word <= IXGBE_NVM_CHECKSUM_WORD; word++) {
        st = ixgbe_nvm_read(dev, word, &value);
        if (st != RT_OK)
            return st;
        sum = (uint16_t)(sum + value);
        if (in_checksum(dev, word))
            st = add_section(dev, value, &sum);
        if (st != RT_OK)
            return st;
    }
    return intel_nvm_check_sum(dev->nic, sum);
}
