/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMI counter is read where Intel's manual says that it is, and nowhere else. */
#include "../../../rt/x86/stolen.c"

#include "cmocka_all.h"

enum { GENU = 0x756e6547, AUTH = 0x68747541 };

static void where_the_counter_is_read(void **state)
{
    static const struct {
        const char *what;
        uint32_t vendor, signature, features;
        bool counted;
    } cases[] = {
        {"Nehalem", GENU, 0x106a5, 0, true},
        {"Sandy Bridge", GENU, 0x206a7, 0, true},
        {"Sapphire Rapids", GENU, 0x806f8, 0, true},
        {"Silvermont", GENU, 0x30678, 0, true},
        {"the same as a guest", GENU, 0x806f8, RT_BIT(31), false},
        {"Core 2, 65 nm", GENU, 0x006fb, 0, false},
        {"Core 2, 45 nm", GENU, 0x10676, 0, false},
        {"Dunnington", GENU, 0x106d1, 0, false},
        {"Bonnell", GENU, 0x106c2, 0, false},
        {"Cedarview", GENU, 0x30661, 0, false},
        {"Pentium 4", GENU, 0x00f29, 0, false},
        {"EPYC", AUTH, 0x800f12, 0, false},
    };

    for (unsigned i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        fake_reset();
        fake_cpuid(0, 0x16, cases[i].vendor, 0, 0);
        fake_cpuid(1, cases[i].signature, 0, cases[i].features, 0);
        fake.msrs[0].msr = MSR_SMI_COUNT;
        fake.msrs[0].value = UINT64_C(0xffff00000000) + 42; /* the upper half is reserved */
        if (hal_smi_counted() != cases[i].counted)
            fail_msg("%s: counted %d", cases[i].what, !cases[i].counted);
        assert_int_equal(hal_smi_count(), cases[i].counted ? 42 : 0);
        assert_int_equal(hal_is_guest(), cases[i].features != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_the_counter_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
