/* SPDX-License-Identifier: BSD-2-Clause */
#include "vfio/server.h"

#include <errno.h>
#include <poll.h>
#include <rt/assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CARDS_MAX 4u
#define IDLE_NS 1000000000ull
#define POLLS (2 * CARDS_MAX + 1)

/* A client and an input a card, then standard input. */
struct server {
    const struct served_ops *ops;
    struct card *card[CARDS_MAX];
    unsigned count;
    struct pollfd polls[POLLS];
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    stop = number;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- options ---- */

bool server_mac(const char *text, uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++) {
        char *end;
        unsigned long byte = strtoul(text, &end, 16);

        if (end == text || byte > 255 || *end != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)byte;
        text = end + 1;
    }
    return true;
}

bool server_number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return end != text && *end == '\0' && errno == 0 && *out <= most;
}

bool server_options(char *text, bool (*option)(void *ctx, const char *name, char *value),
                    void *ctx, const char *usage)
{
    char *next = strchr(text, ',');

    while (next != NULL) { /* shortens what is left */
        char *name = next + 1, *value = strchr(name, '=');

        *next = '\0';
        next = value == NULL ? NULL : strchr(value, ',');
        if (next != NULL)
            *next = '\0';
        if (value != NULL)
            *value++ = '\0';
        if (value == NULL || !option(ctx, name, value)) {
            fprintf(stderr, "option %s is not understood\n%s", name, usage);
            return false;
        }
    }
    return true;
}

/* ---- commands ---- */

static void report_all(const struct server *s)
{
    for (unsigned i = 0; i < s->count; i++)
        s->ops->report(s->card[i], i);
    (void)fflush(stdout);
}

static void command(struct server *s, const char *line)
{
    char verb[16] = "", what[32] = "", number[16] = "";
    unsigned card;

    RT_ASSERT_LE(s->count, CARDS_MAX);
    if (strcmp(line, "quit") == 0) {
        stop = 1;
        return;
    }
    if (strcmp(line, "report") == 0) {
        report_all(s);
        return;
    }
    if (sscanf(line, "%u %15s %31s %15s", &card, verb, what, number) < 2 || card >= s->count ||
        !s->ops->command(s->card[card], verb, what, number))
        printf("{\"error\":\"not understood\"}\n");
    else
        printf("{\"ok\":true}\n");
    (void)fflush(stdout);
}

/* False: end of input. */
static bool commands(struct server *s)
{
    static char line[256];
    static size_t used;
    ssize_t got = read(STDIN_FILENO, line + used, sizeof(line) - 1 - used);
    char *end;

    RT_ASSERT_LT(used, sizeof(line));
    if (got <= 0)
        return false;
    used += (size_t)got;
    line[used] = '\0';
    for (end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) { /* shortens it */
        *end = '\0';
        command(s, line);
        used -= (size_t)(end + 1 - line);
        memmove(line, end + 1, used + 1);
    }
    if (used == sizeof(line) - 1)
        used = 0; /* a line that long is nothing of ours */
    return true;
}

/* ---- loop ---- */

static void wait_for(struct server *s, bool input, uint64_t wait_ns)
{
    struct timespec timeout = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};

    RT_ASSERT_LE(2 * s->count + 1, POLLS);
    for (unsigned i = 0; i < s->count; i++) {
        const struct vfu *vfu = &s->card[i]->vfu;

        s->polls[2 * i] = (struct pollfd){
            .fd = vfu->fd >= 0 ? vfu->fd : vfu->listen_fd, .events = POLLIN};
        s->polls[2 * i + 1] = (struct pollfd){
            .fd = s->ops->input_fd(s->card[i]), .events = POLLIN};
    }
    s->polls[2 * s->count] = (struct pollfd){.fd = input ? STDIN_FILENO : -1, .events = POLLIN};
    if (ppoll(s->polls, 2 * s->count + 1, &timeout, NULL) <= 0)
        memset(s->polls, 0, sizeof(s->polls));
}

static uint64_t next_wait(const struct server *s, uint64_t now, uint64_t busy_at)
{
    uint64_t wait = IDLE_NS;

    RT_ASSERT_LE(busy_at, now); /* time grows */
    if (busy_at == now)
        return 0;
    for (unsigned i = 0; i < s->count; i++)
        wait = RT_MIN(wait, s->ops->wait_ns(s->card[i], now, now - busy_at));
    return wait;
}

static void serve(struct server *s)
{
    uint64_t busy_at = 0;
    bool input = true;

    while (stop == 0) {
        uint64_t now = now_ns();

        for (unsigned i = 0; i < s->count; i++)
            if (s->ops->turn(s->card[i], now))
                busy_at = now;
        wait_for(s, input, next_wait(s, now, busy_at));
        for (unsigned i = 0; i < s->count; i++) {
            if (s->polls[2 * i].revents != 0)
                card_client(s->card[i]);
            if (s->polls[2 * i + 1].revents != 0)
                s->ops->input(s->card[i]);
        }
        if (s->polls[2 * s->count].revents != 0)
            input = commands(s);
    }
}

/* ---- life ---- */

static bool add(struct server *s, char *text)
{
    struct card *card = calloc(1, s->ops->bytes);

    RT_ASSERT_LT(s->count, CARDS_MAX);
    if (card == NULL || !s->ops->open(card, text)) {
        free(card);
        return false;
    }
    s->card[s->count++] = card;
    return true;
}

/* The exit status, 0: go on. */
static int parse(struct server *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--with-parent") == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        } else if (strcmp(argv[i], "--card") == 0 && i + 1 < argc && s->count < CARDS_MAX) {
            if (!add(s, argv[++i]))
                return 1;
        } else {
            s->count = 0;
            break;
        }
    }
    if (s->count == 0)
        fputs(s->ops->usage, stderr);
    return s->count == 0 ? 2 : 0;
}

int server_main(const struct served_ops *ops, int argc, char **argv)
{
    struct server s = {.ops = ops};
    struct sigaction action = {.sa_handler = on_signal};
    int status = parse(&s, argc, argv);

    if (status != 0)
        return status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    printf("{\"ready\":%u}\n", s.count);
    (void)fflush(stdout);
    serve(&s);
    report_all(&s);
    for (unsigned i = 0; i < s.count; i++) {
        ops->close(s.card[i]);
        free(s.card[i]);
    }
    return 0;
}
