/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
    const char *name;
    int64_t value;
} symbols[] = {
#define SYMBOL(name) {#name, name}
    SYMBOL(AF_INET), SYMBOL(SOCK_STREAM), SYMBOL(IPPROTO_TCP), SYMBOL(SOL_SOCKET),
    {"SOL_TCP", IPPROTO_TCP}, {"SOL_IP", IPPROTO_IP},
    SYMBOL(SO_REUSEADDR), SYMBOL(SO_ERROR), SYMBOL(SO_LINGER), SYMBOL(SO_KEEPALIVE),
    SYMBOL(TCP_NODELAY), SYMBOL(TCP_USER_TIMEOUT), SYMBOL(TCP_KEEPIDLE), SYMBOL(TCP_KEEPINTVL),
    SYMBOL(TCP_KEEPCNT), SYMBOL(TCP_CORK), SYMBOL(MSG_MORE),
    SYMBOL(SHUT_RD), SYMBOL(SHUT_WR), SYMBOL(SHUT_RDWR),
    SYMBOL(F_GETFL), SYMBOL(F_SETFL), SYMBOL(O_RDWR), SYMBOL(O_NONBLOCK),
    SYMBOL(EAGAIN), SYMBOL(EINPROGRESS), SYMBOL(ECONNREFUSED), SYMBOL(ECONNRESET),
    SYMBOL(ECONNABORTED), SYMBOL(ETIMEDOUT), SYMBOL(EHOSTUNREACH), SYMBOL(ENETUNREACH),
    SYMBOL(EPIPE), SYMBOL(ENOTCONN), SYMBOL(EINVAL), SYMBOL(EBADF), SYMBOL(EADDRINUSE),
    SYMBOL(EISCONN),
#undef SYMBOL
    /* states as Linux's tcp_info numbers them */
    {"TCP_ESTABLISHED", 1}, {"TCP_SYN_SENT", 2}, {"TCP_SYN_RECV", 3},
    {"TCP_FIN_WAIT1", 4}, {"TCP_FIN_WAIT2", 5}, {"TCP_TIME_WAIT", 6}, {"TCP_CLOSE", 7},
    {"TCP_CLOSE_WAIT", 8}, {"TCP_LAST_ACK", 9}, {"TCP_LISTEN", 10}, {"TCP_CLOSING", 11},
};

int64_t call_text_symbol(struct cursor *c, const char *name)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(symbols); i++)
        if (strcmp(symbols[i].name, name) == 0)
            return symbols[i].value;
    cursor_fail(c, "a name that is not in the subset: ", name);
}

/* A number, or names joined by |. */
static int64_t read_number(struct cursor *c)
{
    const bool negative = cursor_take(c, "-");
    char word[SCRIPT_WORD_BYTES];
    int64_t value = 0;

    cursor_blanks(c);
    if (cursor_has_digit(c))
        return negative ? -(int64_t)cursor_number(c) : (int64_t)cursor_number(c);
    do {
        value |= call_text_symbol(c, cursor_word(c, word));
    } while (cursor_take(c, "|"));
    return value;
}

static void read_address(struct cursor *c, struct script_value *v)
{
    char text[IP_ADDR_TEXT_BYTES] = "";
    uint32_t bytes;

    v->kind = VALUE_ADDRESS;
    cursor_need(c, "=");
    cursor_need(c, "AF_INET");
    cursor_need(c, ",");
    cursor_need(c, "sin_port");
    cursor_need(c, "=");
    cursor_need(c, "htons(");
    v->port = (uint16_t)cursor_number(c);
    cursor_need(c, ")");
    cursor_need(c, ",");
    cursor_need(c, "sin_addr");
    cursor_need(c, "=");
    cursor_need(c, "inet_addr(\"");
    bytes = (uint32_t)strcspn(c->at, "\"");
    if (bytes < sizeof(text))
        memcpy(text, c->at, bytes);
    if (!ip_addr_parse(text, &v->addr))
        cursor_fail(c, "no address", "");
    c->at += bytes;
    cursor_need(c, "\")");
    cursor_need(c, "}");
}

static void read_struct(struct cursor *c, struct script_value *v)
{
    char name[SCRIPT_WORD_BYTES];

    if (strcmp(cursor_word(c, name), "sa_family") == 0) {
        read_address(c, v);
        return;
    }
    v->kind = VALUE_PAIR;
    cursor_need(c, "=");
    v->number = read_number(c);
    cursor_need(c, ",");
    cursor_word(c, name);
    cursor_need(c, "=");
    v->second = read_number(c);
    cursor_need(c, "}");
}

static void read_value(struct cursor *c, struct script_value *v)
{
    *v = (struct script_value){.kind = VALUE_ANY};
    if (cursor_take(c, "..."))
        return;
    if (cursor_take(c, "{")) {
        read_struct(c, v);
        return;
    }
    v->kind = VALUE_NUMBER;
    if (cursor_take(c, "[")) {
        v->number = read_number(c);
        cursor_need(c, "]");
        return;
    }
    v->number = read_number(c);
}

static void read_result(struct cursor *c, struct script_call *call)
{
    char word[SCRIPT_WORD_BYTES];

    cursor_need(c, "=");
    read_value(c, &call->result);
    if (call->result.kind == VALUE_NUMBER && call->result.number == -1)
        call->error = (int)call_text_symbol(c, cursor_word(c, word));
    if (cursor_take(c, "(")) { /* what packetdrill takes as an explanation */
        c->at += strcspn(c->at, ")\n");
        cursor_need(c, ")");
    }
}

void call_text_read(struct cursor *c, struct script_call *call)
{
    cursor_word(c, call->name);
    if (call->name[0] == '\0')
        cursor_fail(c, "expected < > %{ or a call", "");
    cursor_need(c, "(");
    while (!cursor_take(c, ")")) {
        if (call->arg_count == SCRIPT_ARGS_MAX)
            cursor_fail(c, "too many arguments", "");
        read_value(c, &call->args[call->arg_count++]);
        cursor_take(c, ",");
    }
    read_result(c, call);
}
