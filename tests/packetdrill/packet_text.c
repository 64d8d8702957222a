/* SPDX-License-Identifier: BSD-2-Clause */
/* `< S 0:0(0) win 32792 <mss 1460>` and its kind, read. */
#include "packet_text.h"

#include "wire/ip.h"
#include "wire/tcp.h"

#include <string.h>

static uint16_t read_flags(struct cursor *c)
{
    static const struct {
        char letter;
        uint16_t flag;
    } letters[] = {{'F', TCP_FIN}, {'S', TCP_SYN}, {'R', TCP_RST}, {'P', TCP_PSH},
                   {'.', TCP_ACK}, {'U', TCP_URG}, {'E', TCP_ECE}, {'W', TCP_CWR}};
    const char *start;
    uint16_t flags = 0;

    if (cursor_take(c, "-"))
        return 0;
    cursor_blanks(c);
    for (start = c->at; *c->at != '\0' && *c->at != ' '; c->at++) {
        uint32_t i = 0;

        while (i < RT_ARRAY_SIZE(letters) && letters[i].letter != *c->at)
            i++;
        if (i == RT_ARRAY_SIZE(letters))
            cursor_fail(c, "no flag of TCP: expected some of F S R P . U E W", "");
        flags |= letters[i].flag;
    }
    if (c->at == start)
        cursor_fail(c, "expected TCP flags", "");
    return flags;
}

/* first:end(bytes) */
static void read_range(struct cursor *c, struct script_packet *p)
{
    uint32_t end;

    p->seq = cursor_number(c);
    cursor_need(c, ":");
    end = cursor_number(c);
    cursor_need(c, "(");
    p->bytes = cursor_number(c);
    cursor_need(c, ")");
    if (p->seq + p->bytes != end)
        cursor_fail(c, "first:end(bytes) do not fit", "");
}

static void read_sacks(struct cursor *c, struct script_packet *p)
{
    cursor_blanks(c);
    while (cursor_has_digit(c)) {
        if (p->sack_count == SCRIPT_SACKS_MAX)
            cursor_fail(c, "too many SACK blocks", "");
        p->sacks[p->sack_count].first = cursor_number(c);
        cursor_need(c, ":");
        p->sacks[p->sack_count++].end = cursor_number(c);
        cursor_blanks(c);
    }
}

static void read_option(struct cursor *c, struct script_packet *p)
{
    struct script_option *o = &p->options[p->option_count++];

    *o = (struct script_option){.kind = TCP_OPT_NOP};
    if (cursor_take_word(c, "nop"))
        return;
    if (cursor_take_word(c, "eol")) {
        o->kind = TCP_OPT_END;
    } else if (cursor_take_word(c, "mss")) {
        o->kind = TCP_OPT_MSS;
        o->value = cursor_number(c);
    } else if (cursor_take_word(c, "wscale")) {
        o->kind = TCP_OPT_WINDOW_SCALE;
        o->value = cursor_number(c);
    } else if (cursor_take_word(c, "sackOK")) {
        o->kind = TCP_OPT_SACK_PERMITTED;
    } else if (cursor_take_word(c, "sack")) {
        o->kind = TCP_OPT_SACK;
        read_sacks(c, p);
    } else if (cursor_take_word(c, "TS")) {
        o->kind = TCP_OPT_TIMESTAMPS;
        cursor_need(c, "val");
        o->value = cursor_number(c);
        cursor_need(c, "ecr");
        o->echo = cursor_number(c);
    } else {
        cursor_fail(c, "no option of the subset", "");
    }
}

static void read_options(struct cursor *c, struct script_packet *p)
{
    if (cursor_take(c, "...")) {
        p->any_options = true;
        cursor_need(c, ">");
        return;
    }
    do {
        if (p->option_count == SCRIPT_OPTIONS_MAX)
            cursor_fail(c, "too many options", "");
        read_option(c, p);
    } while (cursor_take(c, ","));
    cursor_need(c, ">");
}

/* [ect0] and its kind, of the IP header */
static int8_t read_ecn(struct cursor *c)
{
    static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};
    char word[SCRIPT_WORD_BYTES];

    cursor_word(c, word);
    for (int8_t i = 0; i < (int8_t)RT_ARRAY_SIZE(names); i++)
        if (strcmp(word, names[i]) == 0) {
            cursor_need(c, "]");
            return i;
        }
    cursor_fail(c, "expected noecn, ect0, ect1 or ce", "");
}

static const struct {
    const char *type, *code;
    uint8_t type_number, code_number;
} icmp_names[] = {
    {"unreachable", "net_unreachable", ICMP_UNREACHABLE, ICMP_NET},
    {"unreachable", "host_unreachable", ICMP_UNREACHABLE, ICMP_HOST},
    {"unreachable", "protocol_unreachable", ICMP_UNREACHABLE, ICMP_PROTOCOL},
    {"unreachable", "port_unreachable", ICMP_UNREACHABLE, ICMP_PORT},
    {"unreachable", "frag_needed", ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED},
    {"source_quench", "", 4, 0},
    {"time_exceeded", "exceeded_in_transit", ICMP_TIME_EXCEEDED, 0},
};

/* [first:end(bytes)] of the segment that is quoted, then what happened to it. */
static void read_icmp(struct cursor *c, struct script_packet *p)
{
    char type[SCRIPT_WORD_BYTES], code[SCRIPT_WORD_BYTES] = "";
    uint32_t i = 0;

    p->is_icmp = true;
    cursor_word(c, type);
    cursor_blanks(c);
    if (*c->at != '[' && strncmp(c->at, "mtu", 3) != 0 && strcmp(type, "source_quench") != 0)
        cursor_word(c, code);
    while (i < RT_ARRAY_SIZE(icmp_names) &&
           (strcmp(type, icmp_names[i].type) != 0 || strcmp(code, icmp_names[i].code) != 0))
        i++;
    if (i == RT_ARRAY_SIZE(icmp_names))
        cursor_fail(c, "no ICMP error of the subset", "");
    p->type = icmp_names[i].type_number;
    p->code = icmp_names[i].code_number;
    if (cursor_take_word(c, "mtu"))
        p->mtu = (uint16_t)cursor_number(c);
    cursor_need(c, "[");
    read_range(c, p);
    cursor_need(c, "]");
}

void packet_text_read(struct cursor *c, struct script_packet *p)
{
    *p = (struct script_packet){.ecn = -1};
    if (cursor_take(c, "["))
        p->ecn = read_ecn(c);
    if (cursor_take_word(c, "icmp")) {
        read_icmp(c, p);
        return;
    }
    cursor_blanks(c);
    if (cursor_has_digit(c)) {
        p->src_port = (uint16_t)cursor_number(c);
        cursor_need(c, ">");
        p->dst_port = (uint16_t)cursor_number(c);
    }
    p->flags = read_flags(c);
    read_range(c, p);
    if (cursor_take_word(c, "ack")) {
        p->has_ack = true;
        p->ack = cursor_number(c);
    }
    if (cursor_take_word(c, "win")) {
        p->has_window = true;
        p->window = cursor_number(c);
    }
    if (cursor_take_word(c, "urg"))
        p->urgent = cursor_number(c);
    if (cursor_take(c, "<"))
        read_options(c, p);
}

/* ---- written, for messages ---- */

static void write_options(const struct script_packet *p, FILE *out)
{
    static const char *const names[] = {
        [TCP_OPT_MSS] = "mss", [TCP_OPT_WINDOW_SCALE] = "wscale",
        [TCP_OPT_SACK_PERMITTED] = "sackOK", [TCP_OPT_SACK] = "sack", [TCP_OPT_NOP] = "nop",
        [TCP_OPT_END] = "eol", [TCP_OPT_TIMESTAMPS] = "TS"};

    for (uint32_t i = 0; i < p->option_count; i++) {
        const struct script_option *o = &p->options[i];

        fprintf(out, "%s%s", i == 0 ? " <" : ",", names[o->kind]);
        if (o->kind == TCP_OPT_TIMESTAMPS)
            fprintf(out, " val %u ecr %u", o->value, o->echo);
        else if (o->kind == TCP_OPT_MSS || o->kind == TCP_OPT_WINDOW_SCALE)
            fprintf(out, " %u", o->value);
        for (uint32_t j = 0; o->kind == TCP_OPT_SACK && j < p->sack_count; j++)
            fprintf(out, " %u:%u", p->sacks[j].first, p->sacks[j].end);
    }
    fputs(p->any_options ? " <...>" : p->option_count != 0 ? ">" : "", out);
}

const char *packet_text_write(const struct script_packet *p, char *text, size_t bytes)
{
    FILE *out = fmemopen(text, bytes, "w");

    if (out == NULL)
        return "";
    for (uint32_t i = 0; i < 8; i++)
        if ((p->flags >> i & 1) != 0)
            fputc("FSRP.UEW"[i], out);
    if (p->flags == 0)
        fputc('-', out);
    fprintf(out, " %u:%u(%u)", p->seq, p->seq + p->bytes, p->bytes);
    if (p->has_ack)
        fprintf(out, " ack %u", p->ack);
    if (p->has_window)
        fprintf(out, " win %u", p->window);
    if (p->urgent != 0)
        fprintf(out, " urg %u", p->urgent);
    write_options(p, out);
    fclose(out);
    return text;
}
