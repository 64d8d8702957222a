/* SPDX-License-Identifier: BSD-2-Clause */
#include "trial.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define DRAIN_MAX_NS (15 * NS_PER_S) /* the end of a trial comes, whatever the machine does */
#define LATE_NS UINT64_C(1000000) /* a stall of this host */
#define PROBE_QUIET_NS UINT64_C(30000000)
#define READS_PER_TICK_MAX 64       /* then send again */
#define LINKS_MAX 16

struct trial {
    struct link *links;
    unsigned link_count;
    const struct source *source;
    const struct trial_config *config;
    struct trial_result *result;
    struct tally tallies[FRAME_LANES_MAX];
    uint32_t next_seq[FRAME_LANES_MAX];
    uint64_t in_flight;
    uint64_t quiet_since_ns; /* last frame in, or last give-up */
};

uint64_t trial_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t when_ns)
{
    const struct timespec when = {(time_t)(when_ns / NS_PER_S), (long)(when_ns % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}

void trial_sleep(uint64_t for_ns)
{
    sleep_until(trial_now_ns() + for_ns);
}

/* Sleeps until the time comes or, when asked, a frame. */
static void wait_until(const struct trial *t, uint64_t when_ns)
{
    struct pollfd fds[LINKS_MAX];
    uint64_t now_ns = trial_now_ns();
    if (now_ns >= when_ns)
        return;
    if (!t->config->block) {
        sleep_until(when_ns);
        return;
    }
    for (unsigned i = 0; i < t->link_count; i++)
        fds[i] = (struct pollfd){.fd = t->links[i].fd, .events = POLLIN};
    const struct timespec left = {(time_t)((when_ns - now_ns) / NS_PER_S),
                                  (long)((when_ns - now_ns) % NS_PER_S)};
    (void)ppoll(fds, t->link_count, &left, NULL);
}

/* Sends one frame that is due; false: the window is full. */
static bool send_one(struct trial *t, uint64_t now_ns)
{
    unsigned lane = (unsigned)(t->result->offered % t->source->lane_count);
    uint32_t seq = t->next_seq[lane];
    struct link *out = &t->links[t->source->lanes[lane].from];
    uint8_t *at = NULL;
    if (t->in_flight < t->config->window)
        at = link_room(out, source_bytes(t->source, lane, seq));
    if (!at)
        return false;
    link_commit(out, source_build(t->source, lane, seq, now_ns, at));
    t->next_seq[lane] = seq + 1;
    t->in_flight++;
    t->result->offered++;
    if (t->result->sent++ == 0)
        t->result->first_sent_ns = now_ns;
    t->result->last_sent_ns = now_ns;
    return true;
}

static void judge(struct trial *t, unsigned port, const uint8_t *frame, size_t bytes,
                  uint64_t now_ns)
{
    struct trial_result *r = t->result;
    struct frame_id id = {0};
    enum frame_verdict verdict = source_check(t->source, port, frame, bytes, &id);
    if (verdict == FRAME_STALE) {
        r->stale++;
        return;
    }
    if (verdict == FRAME_FOREIGN) {
        r->foreign++;
        return;
    }
    t->quiet_since_ns = now_ns;
    if (r->received++ == 0)
        r->first_received_ns = now_ns;
    r->last_received_ns = now_ns;
    if (t->in_flight > 0)
        t->in_flight--;
    if (verdict == FRAME_CORRUPT) {
        r->corrupt++;
        return;
    }
    enum tally_verdict order = tally_take(&t->tallies[id.lane], id.flow, id.seq);
    if (order == TALLY_UNKNOWN)
        r->corrupt++;
    if (order == TALLY_GOOD || order == TALLY_REORDERED)
        histogram_add(&r->latency, (now_ns - id.sent_ns) & ((UINT64_C(1) << 48) - 1));
}

static bool stolen(struct trial_thief *thief)
{
    return thief && ++thief->seen % thief->one_in == 0;
}

/* Takes what came in; false: a port was closed. */
static bool receive(struct trial *t)
{
    for (unsigned port = 0; port < t->link_count; port++) {
        struct link *link = &t->links[port];
        for (unsigned reads = 0; reads < READS_PER_TICK_MAX; reads++) {
            const uint8_t *frame;
            size_t bytes, taken = 0;
            if (!link_receive(link))
                return false;
            uint64_t now_ns = trial_now_ns();
            while ((frame = link_next(link, &bytes)) != NULL) {
                taken++;
                if (stolen(t->config->thief))
                    continue;
                judge(t, port, frame, bytes, now_ns);
                if (t->config->capture)
                    (void)pcap_append(t->config->capture, now_ns, frame, bytes);
            }
            if (taken == 0)
                break;
        }
    }
    return true;
}

static bool flush(struct trial *t)
{
    bool open = true;
    for (unsigned port = 0; port < t->link_count; port++)
        open = link_flush(&t->links[port]) && open;
    return open;
}

/* Frames that a dead link swallowed must not keep the window shut for ever. */
static void expire(struct trial *t, uint64_t now_ns)
{
    if (t->config->expire_ns && now_ns - t->quiet_since_ns > t->config->expire_ns) {
        t->in_flight = 0;
        t->quiet_since_ns = now_ns;
    }
}

/* Frames due at a time. */
static uint64_t due_at(const struct trial_config *config, uint64_t elapsed_ns)
{
    if (config->rate_pps == 0)
        return config->frames;
    uint64_t due = (uint64_t)((double)elapsed_ns * (double)config->rate_pps / (double)NS_PER_S);
    return due < config->frames ? due : config->frames;
}

/* Sends what is due; returns by how much the schedule moves because the window is full. */
static uint64_t send_due(struct trial *t, uint64_t begin_ns, uint64_t now_ns)
{
    struct trial_result *r = t->result;
    uint64_t due = due_at(t->config, now_ns - begin_ns);
    while (r->offered < due) {
        if (send_one(t, now_ns))
            continue;
        if (!t->config->open_loop)
            break;
        r->offered++;
        r->not_sent++;
    }
    if (r->offered >= due || t->config->rate_pps == 0)
        return 0;
    return (due - r->offered) * NS_PER_S / t->config->rate_pps;
}

/* Sleeps to the next tick; returns how much too late this host woke us, when that is long. */
static uint64_t sleep_tick(struct trial *t, uint64_t begin_ns)
{
    uint64_t tick = (trial_now_ns() - begin_ns) / t->config->tick_ns + 1;
    uint64_t wake_ns = begin_ns + tick * t->config->tick_ns;
    wait_until(t, wake_ns);
    uint64_t woken_ns = trial_now_ns();
    uint64_t late_ns = woken_ns > wake_ns ? woken_ns - wake_ns : 0;
    if (late_ns > t->result->late_max_ns)
        t->result->late_max_ns = late_ns;
    return late_ns > LATE_NS ? late_ns : 0;
}

/* Nothing more is to be sent: the time is up, or the window is full and nothing comes back. */
static bool given_up(const struct trial *t, uint64_t started_ns, uint64_t now_ns)
{
    if (t->config->limit_ns && now_ns - started_ns >= t->config->limit_ns)
        return true;
    return t->in_flight >= t->config->window && now_ns > t->quiet_since_ns &&
           now_ns - t->quiet_since_ns >= t->config->quiet_ns;
}

static void send_all(struct trial *t)
{
    uint64_t started_ns = trial_now_ns();
    uint64_t begin_ns = started_ns; /* of the schedule, which may stand still */
    t->quiet_since_ns = started_ns;
    while (t->result->offered < t->config->frames && !t->result->closed) {
        uint64_t now_ns = trial_now_ns();
        uint64_t held_ns = send_due(t, begin_ns, now_ns);
        begin_ns += held_ns;
        t->result->held_ns += held_ns;
        if (!flush(t) || !receive(t))
            t->result->closed = true;
        expire(t, now_ns);
        if (!t->config->open_loop && given_up(t, started_ns, now_ns))
            break;
        uint64_t late_ns = sleep_tick(t, begin_ns);
        begin_ns += late_ns;
        t->result->paused_ns += late_ns;
    }
}

static bool all_back(const struct trial *t)
{
    uint64_t back = t->result->corrupt;
    for (unsigned i = 0; i < t->source->lane_count; i++)
        back += t->tallies[i].unique;
    return back >= t->result->sent;
}

/* Waits for the last frames: all came back, or nothing came for a while. */
static void drain(struct trial *t)
{
    uint64_t begin_ns = trial_now_ns();
    uint64_t end_ns = begin_ns + DRAIN_MAX_NS;
    t->quiet_since_ns = begin_ns;
    while (!t->result->closed) {
        if (!flush(t) || !receive(t))
            t->result->closed = true;
        uint64_t now_ns = trial_now_ns();
        uint64_t quiet_ns = all_back(t) ? t->config->after_ns : t->config->quiet_ns;
        if (now_ns > end_ns || now_ns - t->quiet_since_ns >= quiet_ns)
            break;
        sleep_until(now_ns + t->config->tick_ns);
    }
}

static void sum_up(struct trial *t)
{
    struct trial_result *r = t->result;
    for (unsigned i = 0; i < t->source->lane_count; i++) {
        r->good += t->tallies[i].unique;
        r->reordered += t->tallies[i].reordered;
        r->duplicates += t->tallies[i].duplicates;
        tally_free(&t->tallies[i]);
    }
    r->lost = r->sent - r->good;
}

static const char *begin(struct trial *t)
{
    if (t->link_count > LINKS_MAX)
        return "too many ports";
    for (unsigned i = 0; i < t->source->lane_count; i++) {
        uint64_t frames = t->config->frames / t->source->lane_count + 1;
        if (!tally_init(&t->tallies[i], (uint32_t)frames, t->source->flows)) {
            sum_up(t);
            return "no memory";
        }
    }
    /* What an earlier trial left behind is not ours. */
    for (unsigned port = 0; port < t->link_count; port++) {
        size_t bytes;
        for (unsigned reads = 0; reads < READS_PER_TICK_MAX; reads++) {
            if (!link_receive(&t->links[port]))
                return "the machine closed a port";
            if (!link_next(&t->links[port], &bytes))
                break;
            while (link_next(&t->links[port], &bytes))
                ;
        }
    }
    return NULL;
}

const char *trial_run(struct link *links, unsigned link_count, const struct source *source,
                      const struct trial_config *config, struct trial_result *result)
{
    struct trial t = {.links = links, .link_count = link_count, .source = source,
                      .config = config, .result = result};
    memset(result, 0, sizeof(*result));
    const char *wrong = begin(&t);
    if (wrong)
        return wrong;
    send_all(&t);
    drain(&t);
    sum_up(&t);
    return NULL;
}

const char *trial_probe(struct link *links, unsigned link_count, const struct source *source,
                        uint64_t every_ns, uint64_t timeout_ns, struct trial_result *result)
{
    const struct trial_config config = {.frames = timeout_ns / every_ns + 1, .window = UINT64_MAX,
                                        .tick_ns = every_ns, .block = true,
                                        .quiet_ns = PROBE_QUIET_NS};
    struct trial t = {.links = links, .link_count = link_count, .source = source,
                      .config = &config, .result = result};
    memset(result, 0, sizeof(*result));
    const char *wrong = begin(&t);
    if (wrong)
        return wrong;
    uint64_t next_ns = trial_now_ns();
    uint64_t end_ns = next_ns + timeout_ns;
    while (result->received == 0 && trial_now_ns() < end_ns && !result->closed) {
        if (trial_now_ns() >= next_ns) {
            if (!send_one(&t, trial_now_ns()))
                result->not_sent++; /* nobody reads the link yet */
            next_ns += every_ns;
        }
        if (!flush(&t) || !receive(&t))
            result->closed = true;
        if (result->received == 0)
            wait_until(&t, next_ns);
    }
    if (result->received > 0)
        drain(&t); /* probes that waited in queues do not meet the next trial */
    sum_up(&t);
    return NULL;
}

bool trial_sink(struct link *links, unsigned link_count, uint64_t for_ns,
                struct trial_sink *sinks)
{
    uint64_t end_ns = trial_now_ns() + for_ns;
    while (trial_now_ns() < end_ns) {
        for (unsigned port = 0; port < link_count; port++) {
            size_t bytes;
            if (!link_receive(&links[port]))
                return false;
            while (link_next(&links[port], &bytes)) {
                sinks[port].frames++;
                sinks[port].bytes += bytes;
            }
        }
        sleep_until(trial_now_ns() + 100000);
    }
    return true;
}
