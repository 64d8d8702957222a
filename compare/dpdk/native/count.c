/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts instructions by single-stepping a child between two stops that it makes itself. */
#include "native.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS_MAX 2000000u /* a region is some thousand instructions */

static void stop_here(void)
{
    (void)raise(SIGSTOP);
}

static void child(const struct native_region *region, unsigned times)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(1);
    for (unsigned i = 0; i < times; i++) {
        region->prepare(region->ctx);
        stop_here();
        stop_here(); /* an empty region: what the stops themselves cost */
        region->run(region->ctx);
        stop_here();
        region->finish(region->ctx);
    }
    _exit(0);
}

static bool runs_to_stop(pid_t pid)
{
    int status = 0;

    return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGSTOP;
}

/* Steps from one stop to the next; 0: it did not get there. */
static uint64_t steps(pid_t pid)
{
    for (uint64_t n = 1; n <= STEPS_MAX; n++) {
        int status = 0;

        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 ||
            waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
            return 0;
        if (WSTOPSIG(status) == SIGSTOP)
            return n;
    }
    return 0;
}

uint64_t native_count(const struct native_region *region, unsigned times)
{
    uint64_t total = 0, overhead, counted;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        child(region, times);
    if (pid < 0)
        return 0;
    for (unsigned i = 0; i < times; i++) {
        if (!runs_to_stop(pid))
            break;
        overhead = steps(pid);
        counted = steps(pid);
        if (overhead == 0 || counted < overhead) {
            total = 0;
            break;
        }
        total += counted - overhead;
        if (ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
            break;
    }
    (void)kill(pid, SIGKILL); /* its own child; it may have ended already */
    (void)waitpid(pid, &status, 0);
    return total;
}
