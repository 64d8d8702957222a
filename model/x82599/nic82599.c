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
#include "vfio/server.h"
#include "wire/backend.h"

#include <model/x82599.h>
#include <rt/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FEED_BUDGET 128u
#define SHARED_NS 50000ull /* how often doorbells in memory are looked for when idle */
#define SPIN_NS 200000ull  /* how long they are looked for without a pause after the last */
#define LINK_MS_MAX 60000u
/* Pages of the rings of queues 0 to 63: registers there have no side effects that matter. */
#define RX_RINGS 0x1000u
#define TX_RINGS 0x6000u
#define PAGE_BYTES 0x1000u

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

struct nic_options {
    const char *socket, *backend;
    uint16_t device_id;
    uint8_t mac[6];
    uint64_t seed, link_up_ns;
    bool share; /* ring pages are mapped into the guest */
    bool lossy; /* a frame without a descriptor is lost instead of waiting */
};

/* A card and the other end of its cable. */
struct nic {
    struct card card; /* first: server.h */
    struct nic_options options;
    struct x82599 *dev;
    struct backend *backend;
    const uint8_t *held; /* a frame without a descriptor */
    uint32_t held_bytes;
};

static struct nic *nic_of(struct card *card)
{
    return (struct nic *)(void *)card;
}

static const struct nic *nic_of_const(const struct card *card)
{
    return (const struct nic *)(const void *)card;
}

/* ---- options ---- */

static bool on_option(void *ctx, const char *name, char *value)
{
    struct nic_options *o = ctx;
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
        return server_mac(value, o->mac);
    if (strcmp(name, "id") == 0) {
        o->device_id = strcmp(value, "1528") == 0 ? X82599_ID_X540 : X82599_ID_SFP;
        return strcmp(value, "10fb") == 0 || strcmp(value, "1528") == 0;
    }
    if (!server_number(value, UINT64_MAX, &number))
        return false;
    if (strcmp(name, "seed") == 0)
        o->seed = number;
    else if (strcmp(name, "link_ms") == 0 && number <= LINK_MS_MAX)
        o->link_up_ns = number * 1000000;
    else if (strcmp(name, "share") == 0 && number <= 1)
        o->share = number == 1;
    else if (strcmp(name, "lossy") == 0 && number <= 1)
        o->lossy = number == 1;
    else
        return false;
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

static bool nic_command(struct card *card, const char *verb, const char *what,
                        const char *number)
{
    struct x82599 *dev = nic_of(card)->dev;
    enum x82599_fault kind;

    if (strcmp(verb, "link") == 0) {
        x82599_link(dev, strcmp(what, "up") == 0);
        return strcmp(what, "up") == 0 || strcmp(what, "down") == 0;
    }
    if (strcmp(verb, "replug") == 0) {
        x82599_replug(dev);
        return true;
    }
    if (!fault_of(what, &kind))
        return false;
    if (strcmp(verb, "fault") == 0)
        x82599_fault_now(dev, kind, (unsigned)strtoul(number, NULL, 0));
    else if (strcmp(verb, "chance") == 0)
        x82599_fault_chance(dev, kind, (uint32_t)strtoul(number, NULL, 0));
    else
        return false;
    return true;
}

/* ---- what the device asks for ---- */

static void *on_dma(void *ctx, uint64_t phys, uint32_t bytes, bool device_writes)
{
    return card_dma(ctx, phys, bytes, device_writes);
}

static void on_interrupt(void *ctx, unsigned vector)
{
    card_interrupt(ctx, vector);
}

static void on_transmit(void *ctx, unsigned queue, const uint8_t *frame, uint32_t bytes)
{
    struct nic *nic = ctx;

    nic->backend->ops->transmit(nic->backend, frame, bytes);
}

/* ---- frames ---- */

/* Frames from the back end to the device, at most a budget. Returns how many moved. */
static unsigned feed(struct nic *nic)
{
    unsigned moved = 0;

    RT_ASSERT(nic->held == NULL || nic->held_bytes >= BACKEND_FRAME_MIN);
    while (moved < FEED_BUDGET) {
        if (nic->held == NULL) {
            if (nic->backend->always && !x82599_rx_room(nic->dev) && !nic->options.lossy)
                break; /* a generator makes frames for descriptors, not for the bin */
            nic->held = nic->backend->ops->receive(nic->backend, &nic->held_bytes);
        }
        if (nic->held == NULL)
            break;
        if (x82599_receive(nic->dev, nic->held, nic->held_bytes) == X82599_RX_NO_DESCRIPTOR) {
            if (!nic->options.lossy)
                break;
            x82599_missed(nic->dev, nic->held, nic->held_bytes);
        }
        nic->held = NULL;
        moved++;
    }
    return moved;
}

static bool nic_turn(struct card *card, uint64_t now_ns)
{
    struct nic *nic = nic_of(card);
    uint64_t sent = x82599_counters(nic->dev)->tx_frames;
    unsigned moved;

    x82599_step(nic->dev, now_ns);
    if (nic->options.share)
        x82599_look(nic->dev);
    moved = feed(nic);
    if (nic->backend->ops->flush != NULL)
        nic->backend->ops->flush(nic->backend);
    return moved > 0 || x82599_counters(nic->dev)->tx_frames != sent;
}

static uint64_t nic_wait_ns(const struct card *card, uint64_t now_ns, uint64_t idle_ns)
{
    const struct nic *nic = nic_of_const(card);
    uint64_t next = x82599_next_ns(nic->dev), wait = UINT64_MAX;

    if (next != UINT64_MAX)
        wait = next > now_ns ? next - now_ns : 0;
    if (nic->options.share)
        wait = RT_MIN(wait, idle_ns < SPIN_NS ? 0 : SHARED_NS);
    return wait;
}

/* The back end is polled only when its frames have somewhere to go. */
static int nic_input_fd(const struct card *card)
{
    const struct nic *nic = nic_of_const(card);

    return nic->held == NULL ? nic->backend->fd : -1;
}

static void nic_input(struct card *card)
{
    struct backend *b = nic_of(card)->backend;

    if (b->ops->readable != NULL)
        b->ops->readable(b);
}

static void nic_report(const struct card *card, unsigned number)
{
    const struct nic *nic = nic_of_const(card);
    const struct x82599_counters *c = x82599_counters(nic->dev);
    const struct backend *b = nic->backend;
    char more[256] = "";

    if (b->ops->report != NULL)
        b->ops->report(b, more, sizeof(more));
    printf("{\"card\":%u,\"rx_frames\":%llu,\"rx_dropped\":%llu,\"rx_missed\":%llu,"
           "\"tx_frames\":%llu,\"tx_descs\":%llu,\"tx_contexts\":%llu,\"interrupts\":%llu,"
           "\"mmio_reads\":%llu,\"mmio_writes\":%llu,\"resets\":%llu,\"dma_errors\":%llu,"
           "\"bad_descs\":%llu,\"bad_tails\":%llu,\"unshared_maps\":%llu,\"messages\":%llu,"
           "\"backend_in\":%llu,\"backend_out\":%llu,\"backend_lost\":%llu%s}\n",
           number, (unsigned long long)c->rx_frames, (unsigned long long)c->rx_dropped,
           (unsigned long long)c->rx_missed, (unsigned long long)c->tx_frames,
           (unsigned long long)c->tx_descs, (unsigned long long)c->tx_contexts,
           (unsigned long long)c->interrupts, (unsigned long long)c->reads,
           (unsigned long long)c->writes, (unsigned long long)c->resets,
           (unsigned long long)c->dma_errors, (unsigned long long)c->bad_descs,
           (unsigned long long)c->bad_tails, (unsigned long long)card->vfu.unmapped,
           (unsigned long long)card->vfu.messages,
           (unsigned long long)b->received, (unsigned long long)b->sent,
           (unsigned long long)b->lost, more);
}

/* ---- life ---- */

static bool share_bar(struct nic *nic, struct x82599_config *config)
{
    struct vfu *vfu = &nic->card.vfu;
    int fd = memfd_create("nic82599", MFD_CLOEXEC);

    RT_ASSERT_LE(vfu->area_count, VFU_AREAS);
    if (fd < 0 || ftruncate(fd, X82599_BAR_BYTES) != 0)
        return false;
    config->bar = mmap(NULL, X82599_BAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    vfu->share_fd = fd;
    vfu->area_count = 2;
    vfu->area[0].offset = RX_RINGS;
    vfu->area[1].offset = TX_RINGS;
    vfu->area[0].bytes = vfu->area[1].bytes = PAGE_BYTES;
    return config->bar != MAP_FAILED;
}

static bool create(struct nic *nic)
{
    const struct nic_options *o = &nic->options;
    struct x82599_config config = {.device_id = o->device_id, .seed = o->seed,
                                   .link_up_ns = o->link_up_ns, .ctx = nic, .dma = on_dma,
                                   .transmit = on_transmit, .interrupt = on_interrupt};

    memcpy(config.mac, o->mac, sizeof(config.mac));
    if (o->share && !share_bar(nic, &config)) {
        perror("shared registers");
        return false;
    }
    nic->dev = x82599_create(&config);
    if (nic->dev == NULL)
        fprintf(stderr, "no memory for a card\n");
    return nic->dev != NULL;
}

static bool nic_open(struct card *card, char *text)
{
    struct nic *nic = nic_of(card);
    char error[256];
    uint8_t mac[6];

    nic->options = (struct nic_options){
        .socket = text, .backend = "sink", .device_id = X82599_ID_SFP};
    if (!server_options(text, on_option, &nic->options, usage))
        return false;
    card_init(card);
    if (!create(nic))
        return false;
    x82599_mac(nic->dev, mac);
    nic->backend = backend_open(nic->options.backend, mac, error, sizeof(error));
    if (nic->backend == NULL) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    if (!card_listen(card, &x82599_ops, nic->dev, nic->options.socket)) {
        perror(nic->options.socket);
        return false;
    }
    return true;
}

static void nic_close(struct card *card)
{
    struct nic *nic = nic_of(card);

    card_close(card);
    backend_close(nic->backend);
    x82599_destroy(nic->dev);
}

int main(int argc, char **argv)
{
    static const struct served_ops ops = {
        .usage = usage, .bytes = sizeof(struct nic), .open = nic_open, .close = nic_close,
        .turn = nic_turn, .wait_ns = nic_wait_ns, .input_fd = nic_input_fd, .input = nic_input,
        .command = nic_command, .report = nic_report};

    return server_main(&ops, argc, argv);
}
