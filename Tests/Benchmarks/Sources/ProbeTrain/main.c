// A train of numbered probes at an even pace, and when each was answered.
//
//   ProbeTrain FILE INTERVAL SECONDS udp ADDRESS PORT
//   ProbeTrain FILE INTERVAL SECONDS ask INTERFACE SENDER ADDRESS COUNT EACH
//
// `udp` sends a datagram every INTERVAL µs through the kernel, as a client does that has one flow,
// and waits for its echo. `ask` sends EACH questions (ARP, or neighbour solicitations for IPv6)
// every INTERVAL µs, in turn for COUNT addresses from ADDRESS upwards, as a host does that has
// nothing in its cache; who answers is read from a capture. Ends after SECONDS or on SIGTERM, and
// then writes FILE: one line of totals with its own lateness, then of every datagram the moment it
// was sent and the moment of its echo (seconds since 1970; 0: none).
//
// A slot that is missed is skipped, not made up for: a burst after a pause would hide the pause.
// `hole` is the longest time between two probes, so the longest gap that is our own doing.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../Question/question.h"

enum { MAXIMUM_PROBES = 2 << 20, MAXIMUM_EACH = 64 };

struct probe {
    uint64_t sent, answered;
};

static struct probe *probes;
static uint32_t *lateness;
static uint32_t count, slots;
static uint64_t skipped, hole;
static volatile sig_atomic_t is_over;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void end(int number) {
    (void)number;
    is_over = 1;
}

// MARK: - What a probe is

static int wire = -1;
static uint8_t mac[6], sender[16], target[16];
static int family, each;
static uint32_t addresses, turn;

static int parse(const char *text, uint8_t *out) {
    if (inet_pton(AF_INET6, text, out) == 1) return AF_INET6;
    if (inet_pton(AF_INET, text, out) == 1) return AF_INET;
    fprintf(stderr, "%s is no address\n", text);
    exit(2);
}

static void open_datagrams(const char *address, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found;
    if (getaddrinfo(address, port, &hints, &found)) fail(address);
    wire = socket(found->ai_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (wire < 0 || connect(wire, found->ai_addr, found->ai_addrlen)) fail(address);
    freeaddrinfo(found);
}

static void open_questions(char **arguments) {
    family = parse(arguments[1], sender);
    if (parse(arguments[2], target) != family) exit(2);
    addresses = atoi(arguments[3]), each = atoi(arguments[4]);
    if (addresses < 1 || each < 1 || each > MAXIMUM_EACH) exit(2);
    wire = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    if (wire < 0) fail("socket");
    struct ifreq request = {0};
    snprintf(request.ifr_name, IFNAMSIZ, "%s", arguments[0]);
    if (ioctl(wire, SIOCGIFHWADDR, &request)) fail(arguments[0]);
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    struct sockaddr_ll local = {.sll_family = AF_PACKET};
    local.sll_ifindex = if_nametoindex(arguments[0]);
    if (bind(wire, (struct sockaddr *)&local, sizeof local)) fail("bind");
}

static void send_questions(void) {
    static uint8_t frames[MAXIMUM_EACH][QUESTION_SPACE];
    struct iovec vectors[MAXIMUM_EACH];
    struct mmsghdr messages[MAXIMUM_EACH] = {0};
    int width = family == AF_INET ? 4 : 16;
    for (int i = 0; i < each; i++) {
        uint8_t asked[16];
        memcpy(asked, target, width);
        uint32_t low;
        memcpy(&low, asked + width - 4, 4);
        low = htonl(ntohl(low) + turn++ % addresses);
        memcpy(asked + width - 4, &low, 4);
        int length = family == AF_INET ? write_arp_question(frames[i], mac, sender, asked)
                                       : write_solicitation(frames[i], mac, sender, asked);
        vectors[i] = (struct iovec){frames[i], length};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    sendmmsg(wire, messages, each, 0);
}

static void send_probe(uint64_t time) {
    if (each) {
        send_questions();
        count += each;
        return;
    }
    if (count >= MAXIMUM_PROBES) return;
    probes[count].sent = time;
    uint64_t number = count++;
    // What cannot be sent is lost like what nobody answers.
    if (send(wire, &number, sizeof number, 0) < 0 && errno == EBADF) fail("send");
}

static void receive_echoes(void) {
    for (;;) {
        uint64_t number;
        ssize_t length = recv(wire, &number, sizeof number, 0);
        // An ICMP error of an earlier probe takes one call; what is behind it is still there.
        if (length < 0 && errno != EAGAIN && errno != EINTR) continue;
        if (length < 0) return;
        if (length == sizeof number && number < count && !probes[number].answered)
            probes[number].answered = now();
    }
}

// MARK: - The pace

static void wait_until(uint64_t due) {
    for (uint64_t time = now(); time < due && !is_over; time = now()) {
        struct timespec rest = {(due - time) / 1000000000, (due - time) % 1000000000};
        struct pollfd readable = {wire, POLLIN, 0};
        if (ppoll(&readable, each ? 0 : 1, &rest, NULL) > 0) receive_echoes();
    }
}

static void run(uint64_t interval, double seconds) {
    uint64_t due = now(), finish = due + (uint64_t)(seconds * 1e9), last = due;
    while (!is_over && due < finish) {
        wait_until(due);
        uint64_t time = now();
        if (is_over) break;
        if (time - last > hole) hole = time - last;
        last = time;
        if (slots < MAXIMUM_PROBES) lateness[slots++] = time - due;
        send_probe(time);
        due += interval;
        if (time >= due) {
            uint64_t missed = (time - due) / interval + 1;
            skipped += missed;
            due += missed * interval;
        }
    }
    if (each) return;
    is_over = 0;
    wait_until(now() + 300000000);
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void write_file(const char *path) {
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    double offset = real.tv_sec + real.tv_nsec / 1e9 - now() / 1e9;
    FILE *file = fopen(path, "w");
    if (!file) fail(path);
    uint64_t answered = 0;
    for (uint32_t i = 0; !each && i < count; i++) answered += probes[i].answered != 0;
    qsort(lateness, slots, sizeof lateness[0], ascending);
    fprintf(file, "probes=%u answered=%llu skipped=%llu", count, (unsigned long long)answered,
        (unsigned long long)skipped);
    if (slots > 0)
        fprintf(file, " late_p50=%.3f late_p99=%.3f late_max=%.3f", lateness[slots / 2] / 1e6,
            lateness[(uint64_t)slots * 99 / 100] / 1e6, lateness[slots - 1] / 1e6);
    fprintf(file, " hole=%.3f\n", hole / 1e6);
    for (uint32_t i = 0; !each && i < count; i++) {
        struct probe *probe = &probes[i];
        fprintf(file, "%.6f %.6f\n", probe->sent / 1e9 + offset,
            probe->answered ? probe->answered / 1e9 + offset : 0);
    }
    if (fclose(file)) fail(path);
}

int main(int argc, char **argv) {
    int is_udp = argc == 7 && !strcmp(argv[4], "udp");
    if (!is_udp && !(argc == 10 && !strcmp(argv[4], "ask")))
        return fprintf(stderr, "usage: see the head of main.c\n"), 2;
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &ending, NULL);
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (is_udp) open_datagrams(argv[5], argv[6]);
    else open_questions(argv + 5);
    probes = calloc(MAXIMUM_PROBES, sizeof *probes);
    lateness = calloc(MAXIMUM_PROBES, sizeof *lateness);
    if (!probes || !lateness) fail("memory");
    // Ahead of what the machine is busy with; without leave the lateness shows what it was worth.
    struct sched_param priority = {.sched_priority = 20};
    sched_setscheduler(0, SCHED_FIFO, &priority);
    run(strtoull(argv[2], NULL, 10) * 1000, atof(argv[3]));
    write_file(argv[1]);
    return 0;
}
