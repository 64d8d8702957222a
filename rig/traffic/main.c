/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic SOCKET,MAC SOCKET,MAC ... : sends and checks frames on the ports of a machine.
 *
 * Commands come on stdin, one JSON object a line; each is answered by one on stdout, so one
 * boot serves many trials:
 *
 *   {"cmd":"run","lanes":"0>1,1>0","rate_pps":20000,"frames":40000,"sizes":"60","flows":16,
 *    "mode":"mac"}             checked (trial.h); rate_pps 0: as fast as the window lets
 *   {"cmd":"probe","lanes":"0>1","every_us":5000,"timeout_ms":10000}  until one comes back
 *   {"cmd":"replay","lanes":"0>1","pcap":"x.pcap","rate_pps":1000}   each frame once, or "frames"
 *   {"cmd":"bursts","lanes":"0>1","first":1,"last":1024,"gap_us":1000,"seed":1}
 *                              k = first..last frames at once, then silence of 0..gap_us
 *   {"cmd":"sink","ms":1000}   counts what comes out (txonly)
 *   {"cmd":"quit"}
 *
 * run, replay, bursts: also window, open_loop, limit_ms, tick_us, quiet_ms, after_us, expire_ms,
 * block (true: wake at each frame); run, replay: capture (file). An answer has "ok":true, or
 * "ok":false and "error".
 *
 * `traffic --drop-one-in N SOCKET,MAC ...` is a test of the rig: one frame in N of all that come
 * back vanishes before it is looked at. Every verdict must find that.
 */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define LINKS_MAX 8
#define LINE_BYTES 4096
#define CONNECT_TIMEOUT_MS 10000
#define TIMER_SLACK_NS 1

struct state {
    struct link links[LINKS_MAX];
    unsigned link_count;
    uint16_t trial;
    struct trial_thief thief;
    struct trial_result result; /* large: not on the stack */
};

static void answer_error(const char *error)
{
    (void)printf("{\"ok\":false,\"error\":\"%s\"}\n", error);
}

static double us(uint64_t ns)
{
    return (double)ns / 1000.0;
}

static void print_latency(const struct histogram *h)
{
    const char *comma = "";
    double mean = h->count ? us(h->sum_ns) / (double)h->count : 0;
    (void)printf("\"latency_us\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f,"
                 "\"mean\":%.1f},\"histogram\":[",
                 us(histogram_quantile_ns(h, 500)), us(histogram_quantile_ns(h, 900)),
                 us(histogram_quantile_ns(h, 990)), us(h->max_ns), mean);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (h->bucket[i] == 0)
            continue;
        (void)printf("%s[%.3f,%llu]", comma, us(histogram_bucket_ns(i)),
                     (unsigned long long)h->bucket[i]);
        comma = ",";
    }
    (void)printf("]");
}

static double per_second(uint64_t count, uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)count * 1e9 / (double)(to_ns - from_ns) : 0;
}

static void answer_result(const struct trial_result *r)
{
    const struct {
        const char *name;
        uint64_t value;
    } counters[] = {
        {"offered", r->offered},         {"sent", r->sent},
        {"received", r->received},       {"good", r->good},
        {"lost", r->lost},               {"not_sent", r->not_sent},
        {"reordered", r->reordered},     {"corrupt", r->corrupt},
        {"duplicates", r->duplicates},   {"stale", r->stale},
        {"foreign", r->foreign},         {"late_max_us", r->late_max_ns / 1000},
        {"paused_us", r->paused_ns / 1000}, {"held_us", r->held_ns / 1000},
        {"first_sent_ns", r->first_sent_ns},
        {"first_received_ns", r->first_received_ns},
    };
    (void)printf("{\"ok\":true,\"closed\":%s,", r->closed ? "true" : "false");
    for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        (void)printf("\"%s\":%llu,", counters[i].name, (unsigned long long)counters[i].value);
    (void)printf("\"offered_pps\":%.0f,\"received_pps\":%.0f,\"seconds\":%.3f,",
                 per_second(r->offered, r->first_sent_ns, r->last_sent_ns),
                 per_second(r->good, r->first_sent_ns, r->last_received_ns),
                 (double)(r->last_sent_ns - r->first_sent_ns) / 1e9);
    print_latency(&r->latency);
    (void)printf("}\n");
}

/* Runs a trial on a source that is ready, with the capture file that was asked for. */
static const char *run_source(struct state *s, const struct json_object *object,
                              const struct source *source, struct trial_config *config)
{
    const char *path = json_text(object, "capture", NULL);
    if (s->thief.one_in)
        config->thief = &s->thief;
    if (path) {
        config->capture = pcap_create(path);
        if (!config->capture)
            return "capture: cannot create the file";
    }
    const char *wrong = trial_run(s->links, s->link_count, source, config, &s->result);
    if (config->capture && fclose(config->capture) != 0 && !wrong)
        wrong = "capture: cannot write the file";
    if (!wrong)
        answer_result(&s->result);
    return wrong;
}

static const char *do_run(struct state *s, const struct json_object *object)
{
    struct source source;
    struct trial_config config;
    const char *wrong = command_source(object, s->links, s->link_count, ++s->trial, &source);
    if (!wrong)
        wrong = command_config(object, &config);
    return wrong ? wrong : run_source(s, object, &source, &config);
}

static const char *do_probe(struct state *s, const struct json_object *object)
{
    struct source source;
    const char *wrong = command_source(object, s->links, s->link_count, ++s->trial, &source);
    if (wrong)
        return wrong;
    uint64_t every_us = json_number(object, "every_us", 5000, 1000000);
    uint64_t timeout_ms = json_number(object, "timeout_ms", 10000, 3600000);
    if (every_us == 0 || every_us > 1000000 || timeout_ms > 3600000)
        return "every_us, timeout_ms: out of range";
    wrong = trial_probe(s->links, s->link_count, &source, every_us * 1000, timeout_ms * 1000000,
                        &s->result);
    if (!wrong)
        answer_result(&s->result);
    return wrong;
}

static const char *do_replay(struct state *s, const struct json_object *object)
{
    struct source source;
    struct trial_config config;
    struct pcap pcap;
    const char *wrong = command_source(object, s->links, s->link_count, ++s->trial, &source);
    if (!wrong && source.lane_count != 1)
        wrong = "replay: one lane";
    if (!wrong)
        wrong = command_config(object, &config);
    if (wrong)
        return wrong;
    wrong = pcap_load(&pcap, json_text(object, "pcap", ""));
    if (!wrong && !json_text(object, "frames", NULL))
        config.frames = pcap.count;
    source.flows = FRAME_FLOWS_MAX;
    if (!wrong && !source_replay(&source, &pcap, (uint32_t)config.frames))
        wrong = "no memory";
    if (!wrong)
        wrong = run_source(s, object, &source, &config);
    source_free(&source);
    pcap_free(&pcap);
    return wrong;
}

/* xorshift64: gaps need no better. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Bursts of every length, each followed by a silence of random length, so that their ends
 * meet a machine that polls, one that is just going to sleep and one that sleeps. */
static const char *do_bursts(struct state *s, const struct json_object *object)
{
    struct source source;
    struct trial_config config;
    uint64_t first = json_number(object, "first", 1, 65536);
    uint64_t last = json_number(object, "last", 1024, 65536);
    uint64_t gap_us = json_number(object, "gap_us", 1000, 1000000);
    uint64_t seed = json_number(object, "seed", 1, UINT32_MAX) | 1;
    uint64_t bursts = 0, frames = 0, left = 0, other = 0, worst_us = 0, left_at = 0;
    const char *wrong = command_config(object, &config);
    config.rate_pps = 0;
    config.thief = s->thief.one_in ? &s->thief : NULL;
    for (uint64_t k = first; k <= last && !wrong; k++) {
        wrong = command_source(object, s->links, s->link_count, ++s->trial, &source);
        config.frames = k;
        if (!wrong)
            wrong = trial_run(s->links, s->link_count, &source, &config, &s->result);
        const struct trial_result *r = &s->result;
        if (wrong)
            break;
        bursts++;
        frames += k;
        left += r->lost;
        left_at = r->lost ? k : left_at;
        other += r->reordered + r->corrupt + r->duplicates;
        worst_us = r->latency.max_ns / 1000 > worst_us ? r->latency.max_ns / 1000 : worst_us;
        trial_sleep(next_random(&seed) % (gap_us + 1) * 1000);
    }
    if (wrong)
        return wrong;
    (void)printf("{\"ok\":true,\"bursts\":%llu,\"frames\":%llu,\"left\":%llu,"
                 "\"left_at\":%llu,\"other_faults\":%llu,\"latency_max_us\":%llu}\n",
                 (unsigned long long)bursts, (unsigned long long)frames,
                 (unsigned long long)left, (unsigned long long)left_at,
                 (unsigned long long)other, (unsigned long long)worst_us);
    return NULL;
}

static const char *do_sink(struct state *s, const struct json_object *object)
{
    struct trial_sink sinks[LINKS_MAX] = {0};
    uint64_t ms = json_number(object, "ms", 1000, 3600000);
    if (!trial_sink(s->links, s->link_count, ms * 1000000, sinks))
        return "the machine closed a port";
    (void)printf("{\"ok\":true,\"ports\":[");
    for (unsigned i = 0; i < s->link_count; i++)
        (void)printf("%s{\"frames\":%llu,\"bytes\":%llu}", i ? "," : "",
                     (unsigned long long)sinks[i].frames, (unsigned long long)sinks[i].bytes);
    (void)printf("]}\n");
    return NULL;
}

/* Runs one command line; false: quit. */
static bool run_command(struct state *s, char *line)
{
    /* Each answers, unless it returns what is wrong. */
    static const struct {
        const char *name;
        const char *(*run)(struct state *s, const struct json_object *object);
    } commands[] = {{"run", do_run},
                    {"probe", do_probe},
                    {"replay", do_replay},
                    {"bursts", do_bursts},
                    {"sink", do_sink}};
    struct json_object object;
    const char *wrong = json_parse(&object, line);
    const char *name = wrong ? "" : json_text(&object, "cmd", "");
    if (strcmp(name, "quit") == 0)
        return false;
    if (!wrong)
        wrong = "cmd: run, probe, replay, bursts, sink or quit";
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i].name) == 0)
            wrong = commands[i].run(s, &object);
    }
    if (wrong)
        answer_error(wrong);
    return true;
}

/* SOCKET,MAC */
static const char *open_port(struct state *s, char *text)
{
    struct link *link = &s->links[s->link_count];
    uint8_t mac[6];
    char *comma = strrchr(text, ',');
    if (s->link_count == LINKS_MAX)
        return "too many ports";
    if (!comma || !command_mac(comma + 1, mac))
        return "SOCKET,MAC is wanted";
    *comma = 0;
    const char *wrong = link_open(link, text, CONNECT_TIMEOUT_MS);
    if (wrong)
        return wrong;
    memcpy(link->mac, mac, sizeof(mac));
    s->link_count++;
    return NULL;
}

/* Takes the options off the front of the arguments; how many words they were, -1: wrong. */
static int take_options(struct state *s, int argc, char **argv)
{
    char *end;
    if (argc < 2 || strcmp(argv[1], "--drop-one-in") != 0)
        return 0;
    s->thief.one_in = argc > 2 ? strtoull(argv[2], &end, 10) : 0;
    return s->thief.one_in > 0 && *end == 0 ? 2 : -1;
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: traffic [--drop-one-in N] SOCKET,MAC [SOCKET,MAC ...]\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct state state;
    static char line[LINE_BYTES];
    (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    (void)setvbuf(stdout, NULL, _IOFBF, 1u << 16);
    int options = take_options(&state, argc, argv);
    if (options < 0)
        return usage();
    for (int i = 1 + options; i < argc; i++) {
        const char *wrong = open_port(&state, argv[i]);
        if (wrong) {
            (void)fprintf(stderr, "traffic: %s: %s\n", argv[i], wrong);
            return 1;
        }
    }
    if (state.link_count == 0)
        return usage();
    (void)printf("{\"ok\":true,\"ports\":%u}\n", state.link_count);
    do {
        (void)fflush(stdout);
    } while (fgets(line, sizeof(line), stdin) && run_command(&state, line));
    for (unsigned i = 0; i < state.link_count; i++)
        link_close(&state.links[i]);
    return 0;
}
