/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_linux: the same 64-byte requests through Linux's stack over lo, both ends in one thread:
 *
 *     tcp_linux CONNS COUNT ROUNDS
 *
 * Each round of a connection is four calls, and epoll_wait() on either side for a batch of 32, as a
 * server that runs one loop makes them. Cycles a request, of all that: the thread runs both ends
 * and, as lo has it, the kernel's work for both.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

enum { MESSAGE_BYTES = 64, BATCH = 32, CONNS_MAX = 10000 };

static int clients[CONNS_MAX], client_poll, server_poll;

static void check(long answer, const char *what)
{
    if (answer >= 0)
        return;
    perror(what);
    exit(2);
}

static void watch(int poll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    const int on = 1;

    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "TCP_NODELAY");
    check(epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void open_all(unsigned conns)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(addr);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    check(listener, "socket");
    check(bind(listener, (struct sockaddr *)&addr, bytes), "bind");
    check(listen(listener, BATCH), "listen");
    check(getsockname(listener, (struct sockaddr *)&addr, &bytes), "getsockname");
    for (unsigned i = 0; i < conns; i++) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        int peer;

        check(fd, "socket");
        check(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "connect");
        peer = accept(listener, NULL, NULL);
        check(peer, "accept");
        watch(client_poll, fd);
        watch(server_poll, peer);
        clients[i] = fd;
    }
}

/* All that came in on a side is read, and answered; returns how many. */
static unsigned answer(int poll)
{
    struct epoll_event events[BATCH];
    const int count = epoll_wait(poll, events, BATCH, 1000);
    char message[MESSAGE_BYTES];

    check(count, "epoll_wait");
    for (int i = 0; i < count; i++) {
        const int fd = events[i].data.fd;

        if (recv(fd, message, sizeof(message), 0) != MESSAGE_BYTES ||
            send(fd, message, sizeof(message), 0) != MESSAGE_BYTES)
            check(-1, "a message in pieces");
    }
    return (unsigned)count;
}

int main(int argc, char **argv)
{
    const unsigned conns = argc == 4 ? (unsigned)atoi(argv[1]) : 0;
    const uint64_t count = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    const unsigned rounds = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
    const struct rlimit files = {2 * CONNS_MAX + 64, 2 * CONNS_MAX + 64};
    const char message[MESSAGE_BYTES] = {0};
    double least = 0;

    if (conns == 0 || conns > CONNS_MAX || count == 0)
        return 2;
    (void)setrlimit(RLIMIT_NOFILE, &files); /* else the limit there is, and "socket" fails */
    client_poll = epoll_create1(0);
    server_poll = epoll_create1(0);
    open_all(conns);
    for (unsigned i = 0; i < conns; i++)
        check(send(clients[i], message, sizeof(message), 0), "send");
    for (unsigned i = 0; i < rounds; i++) {
        const uint64_t begin = __rdtsc();
        uint64_t done = 0;
        double each;

        while (done < count) { /* epoll_wait() waits a second at most, then nothing is done */
            const unsigned asked = answer(server_poll), answered = answer(client_poll);

            if (asked == 0 && answered == 0)
                check(-1, "a message was lost");
            done += answered;
        }
        each = (double)(__rdtsc() - begin) / (double)done;
        least = i == 0 || each < least ? each : least;
    }
    printf("result mode=requests conns=%u cycles_min=%.0f\n", conns, least);
    return 0;
}
