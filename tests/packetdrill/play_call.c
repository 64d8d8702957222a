/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of a script: made, and made again while they would block. */
#include "play.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

static int64_t arg(const struct script_call *c, uint32_t i)
{
    return i < c->arg_count && c->args[i].kind != VALUE_ANY ? c->args[i].number : 0;
}

static int call_socket(struct play *p, const struct script_call *c)
{
    return sockets_socket(&p->sockets);
}

static int call_bind(struct play *p, const struct script_call *c)
{
    return sockets_bind(&p->sockets, (int)arg(c, 0), c->args[1].port);
}

static int call_listen(struct play *p, const struct script_call *c)
{
    return sockets_listen(&p->sockets, (int)arg(c, 0), (int)arg(c, 1));
}

static int call_accept(struct play *p, const struct script_call *c)
{
    return sockets_accept(&p->sockets, (int)arg(c, 0));
}

static int call_connect(struct play *p, const struct script_call *c)
{
    const struct sock *s = sockets_get(&p->sockets, (int)arg(c, 0));
    const struct ip_addr peer =
        c->args[1].kind == VALUE_ADDRESS ? c->args[1].addr : world_peer();
    const int result =
        sockets_connect(&p->sockets, (int)arg(c, 0), &peer, c->args[1].port);

    return result == -EAGAIN && s != NULL && s->nonblocking ? -EINPROGRESS : result;
}

static int call_read(struct play *p, const struct script_call *c)
{
    return sockets_read(&p->sockets, (int)arg(c, 0), NULL, (uint32_t)arg(c, 2));
}

/* A blocking write returns when all was taken. */
static int call_write(struct play *p, const struct script_call *c)
{
    const struct sock *s = sockets_get(&p->sockets, (int)arg(c, 0));
    const uint32_t bytes = (uint32_t)arg(c, 2);
    const int result =
        sockets_write(&p->sockets, (int)arg(c, 0), NULL, bytes - p->waiting.written,
                      strcmp(c->name, "send") == 0 && (arg(c, 3) & MSG_MORE) != 0);

    if (result < 0)
        return result;
    p->waiting.written += (uint32_t)result;
    if (p->waiting.written < bytes && !s->nonblocking && c->blocks)
        return -EAGAIN;
    return (int)p->waiting.written;
}

static int call_shutdown(struct play *p, const struct script_call *c)
{
    return sockets_shutdown(&p->sockets, (int)arg(c, 0), (int)arg(c, 1));
}

static int call_close(struct play *p, const struct script_call *c)
{
    return sockets_close(&p->sockets, (int)arg(c, 0));
}

static int call_fcntl(struct play *p, const struct script_call *c)
{
    struct sock *s = sockets_get(&p->sockets, (int)arg(c, 0));

    if (s == NULL)
        return -EBADF;
    if (arg(c, 1) == F_GETFL)
        return O_RDWR | (s->nonblocking ? O_NONBLOCK : 0);
    s->nonblocking = (arg(c, 2) & O_NONBLOCK) != 0;
    return 0;
}

static int call_setsockopt(struct play *p, const struct script_call *c)
{
    struct sock *s = sockets_get(&p->sockets, (int)arg(c, 0));
    const int64_t level = arg(c, 1), name = arg(c, 2);

    if (s == NULL)
        return -EBADF;
    if (!sockets_option(s, (int)level, (int)name, (int)c->args[3].number,
                        (int)c->args[3].second))
        play_fail(p, "an option of sockets that the stack does not have");
    return 0;
}

static int call_getsockopt(struct play *p, const struct script_call *c)
{
    struct sock *s = sockets_get(&p->sockets, (int)arg(c, 0));
    int error;

    if (s == NULL)
        return -EBADF;
    if (arg(c, 1) != SOL_SOCKET || arg(c, 2) != SO_ERROR) {
        play_fail(p, "only SO_ERROR can be asked for");
        return 0;
    }
    error = sockets_error(s);
    if (c->args[3].kind == VALUE_NUMBER && error != c->args[3].number)
        play_fail(p, "SO_ERROR is %d (%s), expected %lld", error, strerror(error),
                  (long long)c->args[3].number);
    return 0;
}

static const struct {
    const char *name;
    uint32_t args;
    int (*make)(struct play *p, const struct script_call *c);
} calls[] = {
    {"socket", 3, call_socket},         {"bind", 3, call_bind},
    {"listen", 2, call_listen},         {"accept", 3, call_accept},
    {"connect", 3, call_connect},       {"read", 3, call_read},
    {"recv", 4, call_read},             {"write", 3, call_write},
    {"send", 4, call_write},            {"shutdown", 2, call_shutdown},
    {"close", 1, call_close},           {"fcntl", 2, call_fcntl},
    {"setsockopt", 5, call_setsockopt}, {"getsockopt", 5, call_getsockopt},
};

static int make(struct play *p, const struct script_call *c)
{
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(calls); i++) {
        if (strcmp(calls[i].name, c->name) != 0)
            continue;
        if (c->arg_count >= calls[i].args)
            return calls[i].make(p, c);
        play_fail(p, "%s wants %u arguments", c->name, calls[i].args);
        return 0;
    }
    play_fail(p, "a call that is not in the subset: %s", c->name);
    return 0;
}

static void look_at(struct play *p, const struct script_call *c, int result)
{
    if (c->result.kind == VALUE_ANY)
        return;
    if (result < 0 && (c->result.number != -1 || c->error != -result))
        play_fail(p, "%s() failed with %s, expected %lld%s%s", c->name, strerror(-result),
                  (long long)c->result.number, c->error != 0 ? " " : "",
                  c->error != 0 ? strerror(c->error) : "");
    else if (result >= 0 && result != c->result.number)
        play_fail(p, "%s() returned %d, expected %lld", c->name, result,
                  (long long)c->result.number);
}

void play_call(struct play *p, const struct script_event *e, uint64_t end_us)
{
    const struct script_call *c = &e->call;
    int result;

    p->waiting = (struct waiting){.event = NULL};
    result = make(p, c);
    if (result == -EAGAIN && c->blocks) {
        p->waiting.event = e;
        p->waiting.end_us = end_us;
    } else {
        if (c->blocks)
            play_fail(p, "%s() does not block", c->name);
        look_at(p, c, result);
    }
    world_turn(&p->world);
}

void play_call_again(void *ctx)
{
    struct play *p = ctx;
    const struct script_event *e = p->waiting.event;
    const uint64_t now_us = p->world.now_us, tolerance_us = p->script->settings.tolerance_us;
    int result;

    if (e == NULL || p->failed)
        return;
    result = make(p, &e->call);
    if (result == -EAGAIN)
        return;
    p->waiting.event = NULL;
    look_at(p, &e->call, result);
    if (now_us + tolerance_us < p->waiting.end_us || now_us > p->waiting.end_us + tolerance_us)
        play_fail(p, "%s() of line %u returned now, expected at %.6f s", e->call.name, e->line,
                  (double)(p->waiting.end_us - p->start_us) / 1e6);
}
