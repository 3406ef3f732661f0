// Opens connections, or sends datagrams, and says how many came through.
//
//   ConnectionLoad serve PORT
//   ConnectionLoad connect ADDRESS PORT WINDOW SECONDS
//   ConnectionLoad flood ADDRESS PORT SECONDS
//
// serve: over TCP it answers a byte with a byte; over UDP it counts datagrams, and answers a short
// one with how many there were since the last short one. connect: new connections with one byte
// each way, WINDOW at once, each ended by a reset so that none lingers:
//   connections=… failed=… rate=…/s p50=…us p99=…us max=…us
// flood: datagrams of 64 bytes on one flow, as fast as they go:
//   sent=… received=… rate=…/s cpu=…us
// cpu is that of this process for one datagram. The kernel works a datagram off in the name of who
// sends it, on its way through several namespaces too; so other work on the machine counts less
// than in the rate.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, MAXIMUM_SAMPLES = 4 << 20, MAXIMUM_WINDOW = 1024, BATCH = 64 };

static double clock_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double now(void) { return clock_of(CLOCK_MONOTONIC); }

static int fail(const char *what) { return perror(what), 1; }

static void watch(int poll, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event)) exit(fail("epoll_ctl"));
}

// Answers from the address that was asked, which is none of the host's own.
static void answer(int wire, struct msghdr *asked, uint64_t count) {
    struct iovec vector = {&count, sizeof count};
    struct msghdr reply = *asked;
    reply.msg_iov = &vector;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&reply); part; part = CMSG_NXTHDR(&reply, part))
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(part);
            info->ipi_spec_dst = info->ipi_addr;
            info->ipi_ifindex = 0;
        }
    sendmsg(wire, &reply, 0);
}

static void count_datagrams(int wire) {
    static uint64_t count;
    static char data[BATCH][128], control[BATCH][64];
    static struct sockaddr_in from[BATCH];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){data[i], sizeof data[i]};
            messages[i].msg_hdr = (struct msghdr){
                &from[i], sizeof from[i], &vectors[i], 1, control[i], sizeof control[i], 0};
        }
        int received = recvmmsg(wire, messages, BATCH, MSG_DONTWAIT, NULL);
        if (received <= 0) return;
        for (int i = 0; i < received; i++) {
            if (messages[i].msg_len > 8) {
                count++;
                continue;
            }
            answer(wire, &messages[i].msg_hdr, count);
            count = 0;
        }
    }
}

static int serve(int port) {
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, room = 32 << 20;
    int wire = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(wire, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&local, sizeof local) || listen(listener, 4096)
        || bind(wire, (struct sockaddr *)&local, sizeof local))
        return fail("bind");
    watch(poll, listener, EPOLLIN, listener);
    watch(poll, wire, EPOLLIN, wire);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = (int)events[i].data.u64;
            if (fd == wire) {
                count_datagrams(wire);
                continue;
            }
            if (fd != listener) {
                char byte[16];
                if (read(fd, byte, sizeof byte) <= 0 || write(fd, byte, 1) != 1) close(fd);
                continue;
            }
            int guest;
            while ((guest = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
                watch(poll, guest, EPOLLIN, guest);
        }
    }
}

struct attempt {
    int fd;
    double begin;
};

static int poll_fd;
static struct sockaddr_in target;
static struct attempt attempts[MAXIMUM_WINDOW];

static void open_connection(int slot) {
    struct attempt *attempt = &attempts[slot];
    struct linger reset = {1, 0};
    attempt->begin = now();
    attempt->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (attempt->fd < 0) exit(fail("socket"));
    setsockopt(attempt->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (connect(attempt->fd, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)
        exit(fail("connect"));
    watch(poll_fd, attempt->fd, EPOLLOUT, slot);
}

static int ascending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static int connect_all(int window, double seconds) {
    float *times = malloc(MAXIMUM_SAMPLES * sizeof *times);
    if (!times || window < 1 || window > MAXIMUM_WINDOW) return fail("connect");
    poll_fd = epoll_create1(0);
    double begin = now(), end = begin + seconds, time = begin;
    uint64_t done = 0, failed = 0;
    for (int slot = 0; slot < window; slot++) open_connection(slot);
    while (time < end) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poll_fd, events, EVENTS, 1000);
        time = now();
        for (int i = 0; i < count; i++) {
            int slot = (int)events[i].data.u64, fd = attempts[slot].fd;
            char byte = 'x';
            if (events[i].events & (EPOLLERR | EPOLLHUP)) {
                failed++;
            } else if (events[i].events & EPOLLOUT) {
                struct epoll_event next = {.events = EPOLLIN, .data.u64 = slot};
                if (write(fd, &byte, 1) == 1) {
                    epoll_ctl(poll_fd, EPOLL_CTL_MOD, fd, &next);
                    continue;
                }
                failed++;
            } else if (read(fd, &byte, 1) == 1) {
                if (done < MAXIMUM_SAMPLES)
                    times[done] = (float)((now() - attempts[slot].begin) * 1e6);
                done++;
            } else {
                failed++;
            }
            close(fd);
            open_connection(slot);
        }
    }
    uint64_t kept = done < MAXIMUM_SAMPLES ? done : MAXIMUM_SAMPLES;
    if (!kept) return fprintf(stderr, "no connection\n"), 1;
    qsort(times, kept, sizeof *times, ascending);
    printf("connections=%lu failed=%lu rate=%.0f/s p50=%.1fus p99=%.1fus max=%.1fus\n", done,
           failed, done / (time - begin), times[kept / 2], times[kept * 99 / 100],
           times[kept - 1]);
    return 0;
}

// Asks how many arrived; the first answer that comes.
static uint64_t ask(int wire) {
    uint64_t count = 0;
    for (int round = 0; round < 20; round++) {
        send(wire, "?", 1, 0);
        if (recv(wire, &count, sizeof count, 0) == sizeof count) return count;
    }
    return 0;
}

static int flood(double seconds) {
    int wire = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval patience = {0, 500000};
    setsockopt(wire, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (wire < 0 || connect(wire, (struct sockaddr *)&target, sizeof target))
        return fail("connect");
    ask(wire);
    char data[64] = "load";
    struct iovec vector = {data, sizeof data};
    struct mmsghdr messages[BATCH];
    for (int i = 0; i < BATCH; i++)
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
    uint64_t sent = 0;
    double begin = now(), time = begin, spent = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    while (time < begin + seconds) {
        int count = sendmmsg(wire, messages, BATCH, 0);
        if (count > 0) sent += count;
        time = now();
    }
    spent = clock_of(CLOCK_PROCESS_CPUTIME_ID) - spent;
    uint64_t received = ask(wire);
    printf("sent=%lu received=%lu rate=%.0f/s cpu=%.3fus\n", sent, received,
           received / (time - begin), spent / sent * 1e6);
    return received == 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "serve")) return serve(atoi(argv[2]));
    if (argc >= 5) {
        target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
        if (inet_pton(AF_INET, argv[2], &target.sin_addr) != 1) return fail(argv[2]);
        if (argc == 6 && !strcmp(argv[1], "connect"))
            return connect_all(atoi(argv[4]), atof(argv[5]));
        if (argc == 5 && !strcmp(argv[1], "flood")) return flood(atof(argv[4]));
    }
    fprintf(stderr, "usage: ConnectionLoad serve PORT | connect ADDRESS PORT WINDOW SECONDS | "
                    "flood ADDRESS PORT SECONDS\n");
    return 2;
}
