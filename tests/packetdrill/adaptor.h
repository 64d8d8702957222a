/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packetdrill itself drives our stack by this library (packetdrill --so_filename): it makes calls
 * of sockets, gives packets and waits for packets by the functions of a table that the library
 * fills in. The table is declared here from what packetdrill says of it; nothing of packetdrill
 * is in this tree.
 *
 * Time is virtual: the clock moves when packetdrill asks for the time, sleeps, or waits for a
 * packet. Blocking calls come on a thread of their own and sleep until the stack has an answer.
 *
 * What a script says of Linux beyond TCP comes from its runner (rig/testing/packetdrill.py):
 *
 *     MILLRACE_PD_SETTINGS   a folder, a file for each of sysctl's settings; read at the first
 *                            call of a socket, behind the script's own first command
 *     MILLRACE_PD_CUTS       "first:end:push ...": the packets with data that it names, numbers
 *                            counted from our SYN. Linux hands runs of segments to a card that
 *                            cuts them; what left at one moment is given in runs that end as
 *                            these do, and PSH, which advises nobody, is as they have it.
 */
#ifndef TESTS_PACKETDRILL_ADAPTOR_H
#define TESTS_PACKETDRILL_ADAPTOR_H

#include "sockets.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define ADAPTOR_FDS_MAX 1024
#define ADAPTOR_CUTS_MAX 512

struct call;

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);
    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *addr, socklen_t bytes);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *addr, socklen_t *bytes);
    int (*connect)(void *userdata, int fd, const struct sockaddr *addr, socklen_t bytes);
    ssize_t (*read)(void *userdata, int fd, void *data, size_t bytes);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *parts, int count);
    ssize_t (*recv)(void *userdata, int fd, void *data, size_t bytes, int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *data, size_t bytes, int flags,
                        struct sockaddr *addr, socklen_t *addr_bytes);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
    ssize_t (*write)(void *userdata, int fd, const void *data, size_t bytes);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *parts, int count);
    ssize_t (*send)(void *userdata, int fd, const void *data, size_t bytes, int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *data, size_t bytes, int flags,
                      const struct sockaddr *addr, socklen_t addr_bytes);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int name, void *value,
                      socklen_t *bytes);
    int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value,
                      socklen_t bytes);
    int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms);
    int (*netdev_send)(void *userdata, const void *packet, size_t bytes);
    int (*netdev_receive)(void *userdata, void *packet, size_t *bytes, long long *time_us);
    int (*usleep)(void *userdata, useconds_t us);
    int (*gettimeofday)(void *userdata, struct timeval *time, struct timezone *zone);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epoll, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *userdata, int epoll, struct epoll_event *events, int most,
                      int timeout_ms);
    int (*pipe)(void *userdata, int fds[2]);
    int (*splice)(void *userdata, int in, loff_t *in_offset, int out, loff_t *out_offset,
                  size_t bytes, unsigned flags);
};

/* A packet with data that the script names. */
struct cut {
    uint32_t first, end;
    bool push;
};

struct adaptor {
    bool running, begun, ipv6; /* begun: there is a stack */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct call *sleeping; /* a blocking call, on its thread */
    struct world world;
    struct sockets sockets;
    int ours[ADAPTOR_FDS_MAX]; /* by descriptor of the process; 0: not ours */
    uint32_t first_seq; /* of our last SYN */
    struct cut cuts[ADAPTOR_CUTS_MAX];
    uint32_t cut_count, cut_next;
    uint32_t overtaken; /* segments by which one was, at most: Linux's measure of reordering */
};
extern struct adaptor adaptor;

/* ---- adaptor.c ---- */
/* Starts the stack, if none runs yet. */
void adaptor_begin(void);

/* ---- adaptor_calls.c ---- */
/* Fills in the calls of sockets. */
void adaptor_calls(struct packetdrill_interface *out);
/* After each turn: a call that sleeps may have its answer. */
void adaptor_turned(void *ctx);
/* The descriptor of sockets.h that one of the process stands for; -1: none. */
int adaptor_fd(int fd);

/* ---- adaptor_addr.c ---- */
/* The peer's address, for accept(); NULL pointers: nobody asked. */
void adaptor_fill_addr(struct sockaddr *addr, socklen_t *bytes, const struct tcp_conn *conn);
struct ip_addr adaptor_addr(const struct sockaddr *addr);

/* ---- adaptor_settings.c ---- */
/* The stack as the script wants Linux to be. */
struct world_config adaptor_settings(void);

/* ---- adaptor_packet.c ---- */
/* Options of a SYN in the order that scripts for Linux expect; the checksum is made right. */
void adaptor_like_linux(uint8_t *packet, uint32_t bytes);
/* The number of the packet's first byte, and of the one behind its last. */
uint32_t adaptor_first(uint8_t *packet);
uint32_t adaptor_end(uint8_t *packet, uint32_t bytes);
/* Puts the segment behind the one before it. False: they do not belong together. */
bool adaptor_merge(uint8_t *packet, uint32_t *bytes, uint32_t most, const uint8_t *next,
                   uint32_t next_bytes);
void adaptor_push(uint8_t *packet, uint32_t bytes, bool push);

/* ---- adaptor_reorder.c ---- */
/* A packet comes in: what was a hole before it, and what is none any more behind it. */
void adaptor_look_before(void);
void adaptor_look_behind(void);

/* ---- adaptor_cuts.c ---- */
void adaptor_cuts_read(void);
/* The next packet of the script that begins there; NULL: none does. */
const struct cut *adaptor_cut(uint32_t first);

/* ---- adaptor_info.c ---- */
/* TCP_INFO of Linux, as far as we have it; returns the bytes. */
uint32_t adaptor_info(const struct sock *sock, void *to, uint32_t bytes);
/* TCP_MAXSEG and SIOCOUTQ. */
uint32_t adaptor_mss(const struct sock *sock);
uint32_t adaptor_unacked(const struct sock *sock);

#endif
