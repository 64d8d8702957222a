/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of sockets that packetdrill makes. */
#include "adaptor.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

enum { LET_OTHERS_US = 1000 };

/* A call that sleeps on its thread until it can be answered. */
struct call {
    int (*make)(const struct call *call);
    int fd, result;
    uint8_t *data;
    const uint8_t *from;
    uint32_t bytes;
    bool more;
    struct ip_addr addr;
    uint16_t port;
};

/* What a call of C returns, errno set. */
static int answer(int result)
{
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/* Descriptors are real ones, so that whoever closes what is left finds something to close. */
static int real_fd(int ours)
{
    int fd;

    if (ours < 0)
        return answer(ours);
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || fd >= ADAPTOR_FDS_MAX)
        world_fail("no descriptor");
    adaptor.ours[fd] = ours;
    return fd;
}

int adaptor_fd(int fd)
{
    return fd >= 0 && fd < ADAPTOR_FDS_MAX && adaptor.ours[fd] != 0 ? adaptor.ours[fd] : -1;
}

/* ---- calls that may sleep ---- */

/* After each turn: what sleeps is tried again, and its thread goes on before time does. */
void adaptor_turned(void *ctx)
{
    struct call *c = adaptor.sleeping;
    int result;

    if (c == NULL)
        return;
    result = c->make(c);
    if (result == -EAGAIN)
        return;
    c->result = result;
    adaptor.sleeping = NULL;
    pthread_cond_broadcast(&adaptor.answered);
    pthread_mutex_unlock(&adaptor.lock);
    usleep(LET_OTHERS_US);
    pthread_mutex_lock(&adaptor.lock);
}

/* Calls come between turns; the stack knows the time of its last turn only. */
static void begin(void)
{
    pthread_mutex_lock(&adaptor.lock);
    world_turn(&adaptor.world);
}

static int run(struct call *c)
{
    const struct sock *s;

    begin();
    s = sockets_get(&adaptor.sockets, adaptor_fd(c->fd));
    c->result = c->make(c);
    if (c->result == -EAGAIN && s != NULL && !s->nonblocking) {
        adaptor.sleeping = c;
        world_turn(&adaptor.world);
        while (adaptor.sleeping == c)
            pthread_cond_wait(&adaptor.answered, &adaptor.lock);
    }
    world_turn(&adaptor.world);
    pthread_mutex_unlock(&adaptor.lock);
    return c->result;
}

static int make_accept(const struct call *c)
{
    return sockets_accept(&adaptor.sockets, adaptor_fd(c->fd));
}

static int make_connect(const struct call *c)
{
    return sockets_connect(&adaptor.sockets, adaptor_fd(c->fd), &c->addr, c->port);
}

static int make_read(const struct call *c)
{
    return sockets_read(&adaptor.sockets, adaptor_fd(c->fd), c->data, c->bytes);
}

static int make_write(const struct call *c)
{
    return sockets_write(&adaptor.sockets, adaptor_fd(c->fd), c->from, c->bytes, c->more);
}

static int pd_accept(void *ctx, int fd, struct sockaddr *addr, socklen_t *bytes)
{
    struct call c = {.make = make_accept, .fd = fd};
    const int result = run(&c);

    if (result >= 0)
        adaptor_fill_addr(addr, bytes, sockets_get(&adaptor.sockets, result)->conn);
    return real_fd(result);
}

static int pd_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t bytes)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
    struct call c = {.make = make_connect, .fd = fd, .port = ntohs(in->sin_port),
                     .addr = adaptor_addr(addr)};
    const int result = run(&c);

    return answer(result == -EAGAIN ? -EINPROGRESS : result);
}

static ssize_t pd_recv(void *ctx, int fd, void *data, size_t bytes, int flags)
{
    struct call c = {.make = make_read, .fd = fd, .data = data, .bytes = (uint32_t)bytes};

    return answer(run(&c));
}

static ssize_t pd_read(void *ctx, int fd, void *data, size_t bytes)
{
    return pd_recv(ctx, fd, data, bytes, 0);
}

static ssize_t pd_send(void *ctx, int fd, const void *data, size_t bytes, int flags)
{
    uint32_t done = 0;
    int result = 0;

    do { /* ends when all is taken, or at an error */
        struct call c = {.make = make_write, .fd = fd, .from = (const uint8_t *)data + done,
                         .bytes = (uint32_t)bytes - done, .more = (flags & MSG_MORE) != 0};

        result = run(&c);
        done += result > 0 ? (uint32_t)result : 0;
    } while (result > 0 && done < bytes);
    return done != 0 ? (ssize_t)done : answer(result);
}

static ssize_t pd_write(void *ctx, int fd, const void *data, size_t bytes)
{
    return pd_send(ctx, fd, data, bytes, 0);
}

/* tidy: parameters: packetdrill's table has them so */
static ssize_t pd_sendto(void *ctx, int fd, const void *data, size_t bytes, int flags,
                         const struct sockaddr *addr, socklen_t addr_bytes)
{
    return pd_send(ctx, fd, data, bytes, flags);
}

/* tidy: parameters: packetdrill's table has them so */
static ssize_t pd_recvfrom(void *ctx, int fd, void *data, size_t bytes, int flags,
                           struct sockaddr *addr, socklen_t *addr_bytes)
{
    return pd_recv(ctx, fd, data, bytes, flags);
}

/* All but the last part have more behind them. */
static ssize_t send_parts(int fd, const struct iovec *parts, int count, int flags)
{
    ssize_t done = 0;

    for (int i = 0; i < count; i++) {
        const int more = i + 1 < count ? MSG_MORE : 0;
        const ssize_t result =
            pd_send(NULL, fd, parts[i].iov_base, parts[i].iov_len, flags | more);

        if (result < 0)
            return done != 0 ? done : result;
        done += result;
    }
    return done;
}

static ssize_t pd_writev(void *ctx, int fd, const struct iovec *parts, int count)
{
    return send_parts(fd, parts, count, 0);
}

static ssize_t pd_readv(void *ctx, int fd, const struct iovec *parts, int count)
{
    return count > 0 ? pd_recv(ctx, fd, parts[0].iov_base, parts[0].iov_len, 0) : 0;
}

static ssize_t pd_sendmsg(void *ctx, int fd, const struct msghdr *msg, int flags)
{
    return send_parts(fd, msg->msg_iov, (int)msg->msg_iovlen, flags);
}

static ssize_t pd_recvmsg(void *ctx, int fd, struct msghdr *msg, int flags)
{
    return pd_readv(ctx, fd, msg->msg_iov, (int)msg->msg_iovlen);
}

/* ---- calls that do not ---- */

/* What a call did leaves with a turn. */
static int finish(int result)
{
    world_turn(&adaptor.world);
    pthread_mutex_unlock(&adaptor.lock);
    return answer(result);
}

static int pd_socket(void *ctx, int domain, int type, int protocol)
{
    int result = -EPROTONOSUPPORT;

    pthread_mutex_lock(&adaptor.lock);
    adaptor_begin();
    if (domain == (adaptor.ipv6 ? AF_INET6 : AF_INET) && (type & 0xf) == SOCK_STREAM)
        result = sockets_socket(&adaptor.sockets);
    pthread_mutex_unlock(&adaptor.lock);
    return real_fd(result);
}

static int pd_bind(void *ctx, int fd, const struct sockaddr *addr, socklen_t bytes)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;

    begin();
    return finish(sockets_bind(&adaptor.sockets, adaptor_fd(fd), ntohs(in->sin_port)));
}

static int pd_listen(void *ctx, int fd, int backlog)
{
    begin();
    return finish(sockets_listen(&adaptor.sockets, adaptor_fd(fd), backlog));
}

static int pd_shutdown(void *ctx, int fd, int how)
{
    begin();
    return finish(sockets_shutdown(&adaptor.sockets, adaptor_fd(fd), how));
}

static int pd_close(void *ctx, int fd)
{
    const int ours = adaptor_fd(fd);

    begin();
    if (ours >= 0) {
        adaptor.ours[fd] = 0;
        close(fd);
    }
    return finish(sockets_close(&adaptor.sockets, ours));
}

static int pd_fcntl(void *ctx, int fd, int command, ...)
{
    struct sock *s = sockets_get(&adaptor.sockets, adaptor_fd(fd));
    va_list args;
    int flags;

    if (s == NULL)
        return answer(-EBADF);
    if (command == F_GETFL)
        return O_RDWR | (s->nonblocking ? O_NONBLOCK : 0);
    if (command != F_SETFL)
        return answer(-EINVAL);
    va_start(args, command);
    flags = va_arg(args, int);
    va_end(args);
    s->nonblocking = (flags & O_NONBLOCK) != 0;
    return 0;
}

/* How much is to be read, or was not acknowledged yet. */
static int pd_ioctl(void *ctx, int fd, unsigned long request, ...)
{
    struct sock *s = sockets_get(&adaptor.sockets, adaptor_fd(fd));
    va_list args;
    int *value;

    if (s == NULL)
        return answer(-EBADF);
    if (request != FIONREAD && request != SIOCOUTQ)
        return answer(-ENOTTY);
    va_start(args, request);
    value = va_arg(args, int *);
    va_end(args);
    *value = (int)(request == FIONREAD ? sockets_unread(s) : adaptor_unacked(s));
    return 0;
}

static int pd_setsockopt(void *ctx, int fd, int level, int name, const void *value,
                         socklen_t bytes)
{
    struct sock *s = sockets_get(&adaptor.sockets, adaptor_fd(fd));
    int numbers[2] = {0, 0};

    if (s == NULL)
        return answer(-EBADF);
    memcpy(numbers, value, RT_MIN(bytes, (socklen_t)sizeof(numbers)));
    begin();
    /* What we do not know is no matter of what scripts see. */
    (void)sockets_option(s, level, name, numbers[0], numbers[1]);
    return finish(0);
}

static int pd_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *bytes)
{
    struct sock *s = sockets_get(&adaptor.sockets, adaptor_fd(fd));
    int number = 0;

    if (s == NULL)
        return answer(-EBADF);
    pthread_mutex_lock(&adaptor.lock);
    if (level == IPPROTO_TCP && name == TCP_INFO) {
        *bytes = adaptor_info(s, value, *bytes);
        return finish(0);
    }
    memset(value, 0, *bytes); /* what we do not know is 0 */
    if (level == SOL_SOCKET && name == SO_ERROR)
        number = sockets_error(s);
    if (level == IPPROTO_TCP && name == TCP_MAXSEG)
        number = (int)adaptor_mss(s);
    memcpy(value, &number, RT_MIN(*bytes, (socklen_t)sizeof(number)));
    return finish(0);
}

/* Python in scripts asks the C library, not the table: this library comes before it. */
int getsockopt(int fd, int level, int name, void *value, socklen_t *bytes)
{
    int (*next)(int, int, int, void *, socklen_t *);

    if (adaptor.running && adaptor_fd(fd) >= 0)
        return pd_getsockopt(NULL, fd, level, name, value, bytes);
    *(void **)&next = dlsym(RTLD_NEXT, "getsockopt");
    return next(fd, level, name, value, bytes);
}

void adaptor_calls(struct packetdrill_interface *out)
{
    out->socket = pd_socket;
    out->bind = pd_bind;
    out->listen = pd_listen;
    out->accept = pd_accept;
    out->connect = pd_connect;
    out->read = pd_read;
    out->readv = pd_readv;
    out->recv = pd_recv;
    out->recvfrom = pd_recvfrom;
    out->recvmsg = pd_recvmsg;
    out->write = pd_write;
    out->writev = pd_writev;
    out->send = pd_send;
    out->sendto = pd_sendto;
    out->sendmsg = pd_sendmsg;
    out->fcntl = pd_fcntl;
    out->ioctl = pd_ioctl;
    out->close = pd_close;
    out->shutdown = pd_shutdown;
    out->getsockopt = pd_getsockopt;
    out->setsockopt = pd_setsockopt;
}
