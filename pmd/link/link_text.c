/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of a bad line in words; see link_config_parse(). */
#include <pmd/link.h>

#include <rt/assert.h>
#include <string.h>

#define DIGITS_MAX 18 /* any such number fits 64 bits */

/* A setting has the name of its field in struct link_way. */
struct setting {
    const char *name;
    size_t at, bytes;
};

#define SETTING(field) \
    {#field, offsetof(struct link_way, field), sizeof(((struct link_way *)0)->field)}

static const struct setting settings[] = {
    SETTING(seed),       SETTING(loss_ppm),   SETTING(duplicate_ppm), SETTING(corrupt_ppm),
    SETTING(reorder_ppm), SETTING(reorder_us), SETTING(delay_us),      SETTING(jitter_us),
    SETTING(rate_bps),   SETTING(frames_max), SETTING(bytes_max),
};

static const struct setting *find(const char *name, size_t bytes)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(settings); i++)
        if (strlen(settings[i].name) == bytes && memcmp(settings[i].name, name, bytes) == 0)
            return &settings[i];
    return NULL;
}

/* The number at *at, which moves behind it. False: there is none, or a longer one. */
static bool read_number(const char **at, uint64_t *number)
{
    const char *from = *at;

    *number = 0;
    for (; **at >= '0' && **at <= '9' && *at - from <= DIGITS_MAX; (*at)++)
        *number = *number * 10 + (uint64_t)(**at - '0');
    return *at != from && *at - from <= DIGITS_MAX;
}

static bool put(struct link_way *way, const struct setting *setting, uint64_t number)
{
    const uint32_t narrow = (uint32_t)number;

    RT_ASSERT_LE(setting->at + setting->bytes, sizeof(*way));
    if (setting->bytes == sizeof(number)) {
        memcpy((char *)way + setting->at, &number, sizeof(number));
        return true;
    }
    memcpy((char *)way + setting->at, &narrow, sizeof(narrow));
    return narrow == number;
}

bool link_config_parse(const char *text, struct link_config *config)
{
    const char *at = text;

    *config = (struct link_config){.in = {.seed = 0}};
    while (*at != '\0') { /* each setting moves it */
        const size_t name_bytes = strcspn(at + 1, "=");
        const struct setting *setting = find(at + 1, name_bytes);
        uint64_t number;

        if (*at != LINK_SETTING || setting == NULL || at[1 + name_bytes] != '=')
            return false;
        at += name_bytes + 2;
        if (!read_number(&at, &number) || !put(&config->in, setting, number))
            return false;
    }
    config->out = config->in;
    config->out.seed++;
    return true;
}
