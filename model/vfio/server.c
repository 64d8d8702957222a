/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * millrace-nic82599: software 82599 cards for QEMU >= 10.1, by vfio-user.
 *
 *   millrace-nic82599 --card SOCKET,backend=gen:60 [--card ...]
 *   qemu-system-x86_64 -object memory-backend-memfd,id=ram0,size=1G,share=on
 *       -M q35,memory-backend=ram0
 *       -device '{"driver":"vfio-user-pci","socket":{"type":"unix","path":"SOCKET"}}'
 *
 * Standard input takes commands, one a line (see `usage`); its end does not end the server.
 */
#include "card.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CARDS_MAX 4u
#define FEED_BUDGET 128u
#define IDLE_NS 1000000000ull
#define SHARED_NS 50000ull /* how often doorbells in memory are looked for when idle */
#define SPIN_NS 200000ull  /* how long they are looked for without a pause after the last */
#define POLLS (2 * CARDS_MAX + 1)

static const char usage[] =
    "millrace-nic82599 --card SOCKET[,OPTION=VALUE..] [--card ..] [--with-parent]\n"
    "  id=10fb|1528        82599 with SFP+, or X540\n"
    "  mac=00:1b:21:82:59:00\n"
    "  backend=sink|gen:BYTES[+FLOWS]|stream:PATH|tap:NAME|pcap:IN[+OUT]\n"
    "  seed=N              of the faults\n"
    "  link_ms=N           how long negotiation takes\n"
    "  share=1             ring pages mapped into the guest: needs a core to spare\n"
    "  lossy=1             frames without a descriptor are lost instead of waiting\n"
    "commands on standard input: report | quit | CARD link up|down | CARD fault NAME [QUEUE] |\n"
    "  CARD chance NAME OF_65536 | CARD replug\n";

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

static bool parse_mac(const char *text, uint8_t mac[6])
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

static bool parse_number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return end != text && *end == '\0' && errno == 0 && *out <= most;
}

static bool parse_option(struct card_options *o, const char *name, char *value)
{
    uint64_t number;
    char *plus;

    if (strcmp(name, "backend") == 0) {
        plus = strchr(value, '+'); /* a comma separates options */
        if (plus != NULL)
            *plus = ',';
        o->backend = value;
        return true;
    }
    if (strcmp(name, "mac") == 0)
        return parse_mac(value, o->mac);
    if (strcmp(name, "id") == 0) {
        o->device_id = strcmp(value, "1528") == 0 ? X82599_ID_X540 : X82599_ID_SFP;
        return strcmp(value, "10fb") == 0 || strcmp(value, "1528") == 0;
    }
    if (!parse_number(value, UINT64_MAX, &number))
        return false;
    if (strcmp(name, "seed") == 0)
        o->seed = number;
    else if (strcmp(name, "link_ms") == 0 && number <= 60000)
        o->link_up_ns = number * 1000000;
    else if (strcmp(name, "share") == 0 && number <= 1)
        o->share = number == 1;
    else if (strcmp(name, "lossy") == 0 && number <= 1)
        o->lossy = number == 1;
    else
        return false;
    return true;
}

/* Cuts `text` up; the options point into it. */
static bool parse_card(char *text, struct card_options *o)
{
    char *next = strchr(text, ',');

    *o = (struct card_options){.socket = text, .backend = "sink", .device_id = X82599_ID_SFP};
    while (next != NULL) { /* shortens what is left */
        char *name = next + 1, *value = strchr(name, '=');

        *next = '\0';
        next = value == NULL ? NULL : strchr(value, ',');
        if (next != NULL)
            *next = '\0';
        if (value != NULL)
            *value++ = '\0';
        if (value == NULL || !parse_option(o, name, value)) {
            fprintf(stderr, "option %s is not understood\n%s", name, usage);
            return false;
        }
    }
    return true;
}

/* ---- commands ---- */

static bool fault_of(const char *name, enum x82599_fault *kind)
{
    for (unsigned k = 0; k < X82599_FAULT_KINDS; k++) {
        if (strcmp(x82599_fault_name((enum x82599_fault)k), name) == 0) {
            *kind = (enum x82599_fault)k;
            return true;
        }
    }
    return false;
}

static bool card_command(struct card *card, const char *verb, const char *what,
                         const char *number)
{
    enum x82599_fault kind;

    if (strcmp(verb, "link") == 0) {
        x82599_link(card->dev, strcmp(what, "up") == 0);
        return strcmp(what, "up") == 0 || strcmp(what, "down") == 0;
    }
    if (strcmp(verb, "replug") == 0) {
        x82599_replug(card->dev);
        return true;
    }
    if (!fault_of(what, &kind))
        return false;
    if (strcmp(verb, "fault") == 0)
        x82599_fault_now(card->dev, kind, (unsigned)strtoul(number, NULL, 0));
    else if (strcmp(verb, "chance") == 0)
        x82599_fault_chance(card->dev, kind, (uint32_t)strtoul(number, NULL, 0));
    else
        return false;
    return true;
}

static void command(struct card *cards, unsigned count, const char *line)
{
    char verb[16] = "", what[32] = "", number[16] = "";
    unsigned card;

    if (strcmp(line, "quit") == 0) {
        stop = 1;
        return;
    }
    if (strcmp(line, "report") == 0) {
        for (unsigned i = 0; i < count; i++)
            card_report(&cards[i], i);
        return;
    }
    if (sscanf(line, "%u %15s %31s %15s", &card, verb, what, number) < 2 || card >= count ||
        !card_command(&cards[card], verb, what, number))
        printf("{\"error\":\"not understood\"}\n");
    else
        printf("{\"ok\":true}\n");
    (void)fflush(stdout);
}

/* False: end of input. */
static bool commands(struct card *cards, unsigned count)
{
    static char line[256];
    static size_t used;
    ssize_t got = read(STDIN_FILENO, line + used, sizeof(line) - 1 - used);
    char *end;

    if (got <= 0)
        return false;
    used += (size_t)got;
    line[used] = '\0';
    for (end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) { /* shortens it */
        *end = '\0';
        command(cards, count, line);
        used -= (size_t)(end + 1 - line);
        memmove(line, end + 1, used + 1);
    }
    if (used == sizeof(line) - 1)
        used = 0; /* a line that long is nothing of ours */
    return true;
}

/* ---- loop ---- */

static void client(struct card *card)
{
    if (card->vfu.fd < 0) {
        (void)vfu_accept(&card->vfu);
    } else if (!vfu_process(&card->vfu)) {
        memset(card->pending, 0, sizeof(card->pending));
        pci_space_reset(&card->space);
        x82599_power_on(card->dev); /* the machine is gone: the next one finds a fresh card */
    }
}

static bool turn(struct card *card, uint64_t now)
{
    unsigned moved;
    uint64_t sent = x82599_counters(card->dev)->tx_frames;

    x82599_step(card->dev, now);
    if (card->options.share)
        x82599_look(card->dev);
    moved = card_feed(card, FEED_BUDGET);
    if (card->backend->ops->flush != NULL)
        card->backend->ops->flush(card->backend);
    return moved > 0 || x82599_counters(card->dev)->tx_frames != sent;
}

/* The back end is polled only when its frames have somewhere to go. */
static void wait_for(struct card *cards, unsigned count, bool input, uint64_t wait_ns,
                     struct pollfd polls[POLLS])
{
    struct timespec timeout = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};

    for (unsigned i = 0; i < count; i++) {
        const struct card *card = &cards[i];
        int client_fd = card->vfu.fd >= 0 ? card->vfu.fd : card->vfu.listen_fd;

        polls[2 * i] = (struct pollfd){.fd = client_fd, .events = POLLIN};
        polls[2 * i + 1] = (struct pollfd){
            .fd = card->held == NULL ? card->backend->fd : -1, .events = POLLIN};
    }
    polls[2 * count] = (struct pollfd){.fd = input ? STDIN_FILENO : -1, .events = POLLIN};
    if (ppoll(polls, 2 * count + 1, &timeout, NULL) <= 0)
        memset(polls, 0, POLLS * sizeof(polls[0]));
}

static uint64_t next_wait(struct card *cards, unsigned count, uint64_t now, uint64_t busy_at)
{
    uint64_t wait = IDLE_NS;

    for (unsigned i = 0; i < count; i++) {
        uint64_t next = x82599_next_ns(cards[i].dev);

        if (next != UINT64_MAX)
            wait = RT_MIN(wait, next > now ? next - now : 0);
        if (cards[i].options.share)
            wait = RT_MIN(wait, now - busy_at < SPIN_NS ? 0 : SHARED_NS);
    }
    return wait;
}

static void serve(struct card *cards, unsigned count)
{
    struct pollfd polls[POLLS];
    uint64_t busy_at = 0;
    bool input = true;

    while (stop == 0) {
        uint64_t now = now_ns();
        bool busy = false;

        for (unsigned i = 0; i < count; i++)
            busy |= turn(&cards[i], now);
        if (busy)
            busy_at = now;
        wait_for(cards, count, input, busy ? 0 : next_wait(cards, count, now, busy_at), polls);
        for (unsigned i = 0; i < count; i++) {
            struct backend *b = cards[i].backend;

            if (polls[2 * i].revents != 0)
                client(&cards[i]);
            if (polls[2 * i + 1].revents != 0 && b->ops->readable != NULL)
                b->ops->readable(b);
        }
        if (polls[2 * count].revents != 0)
            input = commands(cards, count);
    }
}

int main(int argc, char **argv)
{
    static struct card cards[CARDS_MAX];
    struct sigaction action = {.sa_handler = on_signal};
    struct card_options options;
    unsigned count = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--with-parent") == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        } else if (strcmp(argv[i], "--card") == 0 && i + 1 < argc && count < CARDS_MAX) {
            if (!parse_card(argv[++i], &options) || !card_open(&cards[count], &options))
                return 1;
            count++;
        } else {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (count == 0) {
        fputs(usage, stderr);
        return 2;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    printf("{\"ready\":%u}\n", count);
    (void)fflush(stdout);
    serve(cards, count);
    for (unsigned i = 0; i < count; i++) {
        card_report(&cards[i], i);
        card_close(&cards[i]);
    }
    return 0;
}
