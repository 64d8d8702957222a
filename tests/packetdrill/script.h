/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A script: events in order, each with its time. The language is a subset of packetdrill's
 * (README.md); what is not in it is refused with the line.
 */
#ifndef TESTS_PACKETDRILL_SCRIPT_H
#define TESTS_PACKETDRILL_SCRIPT_H

#include <stdio.h>
#include <tcp/addr.h>

#define SCRIPT_EVENTS_MAX 512
#define SCRIPT_ARGS_MAX 6
#define SCRIPT_OPTIONS_MAX 16
#define SCRIPT_SACKS_MAX 4
#define SCRIPT_WORD_BYTES 32

enum time_kind {
    TIME_ABSOLUTE, /* since the start */
    TIME_RELATIVE, /* since the event before */
    TIME_ANY,      /* `*`: when it happens */
};
struct script_time {
    enum time_kind kind;
    bool is_range;
    uint64_t from_us, to_us; /* the same, unless it is a range */
};

/* An option as it is written; SACK blocks lie in the packet. */
struct script_option {
    uint8_t kind; /* enum tcp_option */
    uint32_t value, echo;
};

struct script_packet {
    bool is_icmp;
    uint16_t src_port, dst_port; /* 0: those of the connection that is talked of */
    /* TCP, or what an ICMP error quotes */
    uint32_t seq, bytes, ack, window, urgent;
    uint16_t flags;
    bool has_ack, has_window, any_options;
    int8_t ecn; /* of the IP header; -1: not said */
    uint32_t option_count, sack_count;
    struct script_option options[SCRIPT_OPTIONS_MAX];
    struct {
        uint32_t first, end;
    } sacks[SCRIPT_SACKS_MAX];
    /* ICMP */
    uint8_t type, code;
    uint16_t mtu;
};

enum value_kind {
    VALUE_ANY,     /* ... */
    VALUE_NUMBER,  /* also a name, several joined by |, and [number] */
    VALUE_ADDRESS, /* {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("...")} */
    VALUE_PAIR,    /* {onoff=1, linger=0} */
};
struct script_value {
    enum value_kind kind;
    int64_t number, second;
    uint16_t port;
    struct ip_addr addr;
};

struct script_call {
    char name[SCRIPT_WORD_BYTES];
    struct script_value args[SCRIPT_ARGS_MAX];
    uint32_t arg_count;
    bool blocks; /* until end_us, after its start or absolute as the event is */
    uint64_t end_us;
    struct script_value result;
    int error; /* errno that goes with -1; 0: none is named */
};

enum event_kind { EVENT_IN, EVENT_OUT, EVENT_CALL, EVENT_ASSERT };
struct script_assert { /* NAME OP VALUE */
    char name[SCRIPT_WORD_BYTES], op[3];
    int64_t value;
};
struct script_event {
    uint32_t line;
    enum event_kind kind;
    struct script_time time;
    union {
        struct script_packet packet;
        struct script_call call;
        struct script_assert check;
    };
};

/* What stands in front of the events: `--tolerance_usecs=N`, `--mtu=N`, and
 * `sysctl -q millrace.NAME=N` in back quotes. */
struct script_settings {
    uint64_t tolerance_us;
    uint32_t mtu_bytes, rx_window, tx_room, conns, quick_acks, mss_max;
};

struct script {
    const char *path;
    struct script_settings settings;
    uint32_t event_count;
    struct script_event events[SCRIPT_EVENTS_MAX];
};

/* Reads a file. False: a message of the kind FILE:LINE: ... was written to `errors`. */
bool script_read(struct script *script, const char *path, FILE *errors);

#endif
