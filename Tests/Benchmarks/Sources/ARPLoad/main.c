// Asks who has an address and times the answers, over raw AF_PACKET sockets.
//
//   ARPLoad INTERFACE arp|ns ADDRESSES WINDOW SECONDS
//
// Asks in turn for ADDRESSES addresses from 198.18.0.0 or 2001:db8::1:0 upwards, with at most
// WINDOW questions outstanding. With a window of one it prints latencies, always the rate:
//   answers=… lost=… rate=…/s p50=…us p90=…us p99=…us max=…us
// It spins while it waits, so that it measures the responder and not its own wake-up.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
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

enum { FRAME = 512, BLOCK = 1 << 18, BLOCKS = 8, FRAMES = BLOCK / FRAME * BLOCKS };
enum { BATCH = 16, MAXIMUM_SAMPLES = 4 << 20 };

static const uint32_t base4 = 0xc6120000, base6 = 0x10000;
static uint8_t mac[6], *ring;
static int is_arp, receiver, sender, slot;
static uint32_t addresses;
static uint32_t samples[MAXIMUM_SAMPLES];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void put(uint8_t *to, uint32_t value) {
    value = htonl(value);
    memcpy(to, &value, 4);
}

static int write_question(uint8_t *out, uint32_t index) {
    uint8_t sender[16] = {0}, target[16] = {0};
    if (is_arp) {
        put(sender, 0xc6130001);
        put(target, base4 + index);
        return write_arp_question(out, mac, sender, target);
    }
    put(sender, 0x20010db8), put(sender + 12, 0xffffff);
    put(target, 0x20010db8), put(target + 12, base6 + index);
    return write_solicitation(out, mac, sender, target);
}

static void open_sockets(const char *interface) {
    int protocol = htons(is_arp ? ETH_P_ARP : ETH_P_IPV6);
    receiver = socket(AF_PACKET, SOCK_RAW, 0);
    sender = socket(AF_PACKET, SOCK_RAW, 0);
    if (receiver < 0 || sender < 0) fail("socket");
    struct ifreq request = {0};
    snprintf(request.ifr_name, IFNAMSIZ, "%s", interface);
    if (ioctl(sender, SIOCGIFHWADDR, &request)) fail(interface);
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    int version = TPACKET_V2, one = 1;
    struct tpacket_req layout = {BLOCK, BLOCKS, FRAME, FRAMES};
    if (setsockopt(receiver, SOL_PACKET, PACKET_VERSION, &version, sizeof version)
        || setsockopt(receiver, SOL_PACKET, PACKET_RX_RING, &layout, sizeof layout)
        || setsockopt(receiver, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one)
        || setsockopt(sender, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one))
        fail("setsockopt");
    ring = mmap(NULL, BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, receiver, 0);
    if (ring == MAP_FAILED) fail("mmap");
    struct sockaddr_ll local = {.sll_family = AF_PACKET};
    local.sll_ifindex = if_nametoindex(interface);
    if (bind(sender, (struct sockaddr *)&local, sizeof local)) fail("bind");
    local.sll_protocol = protocol;
    if (bind(receiver, (struct sockaddr *)&local, sizeof local)) fail("bind");
}

static void ask(uint32_t first, int how_many) {
    static uint8_t frames[BATCH][QUESTION_SPACE];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    for (int i = 0; i < how_many; i++) {
        uint32_t index = (first + i) % addresses;
        int length = write_question(frames[i], index);
        vectors[i] = (struct iovec){frames[i], length};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int sent = 0;
    while (sent < how_many) {
        int more = sendmmsg(sender, messages + sent, how_many - sent, 0);
        if (more > 0) sent += more;
    }
}

// Whether the next frame of the ring answers; -1 when there is none.
static int next_answer(void) {
    struct tpacket2_hdr *header = (struct tpacket2_hdr *)(ring + (size_t)slot * FRAME);
    if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return -1;
    uint8_t *in = (uint8_t *)header + header->tp_mac;
    // Announcements go to a group; only what is sent to us answers a question of ours.
    int answer =
        !memcmp(in, mac, 6) && (is_arp ? in[21] == 2 : in[20] == 58 && in[54] == 136);
    __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    slot = (slot + 1) % FRAMES;
    return answer;
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

int main(int argc, char **argv) {
    if (argc != 6) return fprintf(stderr, "usage: ARPLoad IF arp|ns COUNT WINDOW SECONDS\n"), 2;
    is_arp = !strcmp(argv[2], "arp");
    addresses = atoi(argv[3]);
    int window = atoi(argv[4]), outstanding = 0;
    open_sockets(argv[1]);
    uint64_t start = now(), end = start + (uint64_t)(atof(argv[5]) * 1e9), asked = start;
    uint64_t answers = 0, lost = 0, count = 0, last = start;
    uint32_t next = 0;
    for (uint64_t time = start; time < end; time = now()) {
        if (outstanding < window && (window == 1 || window - outstanding >= BATCH)) {
            int batch = window == 1 ? 1 : BATCH;
            asked = now();
            ask(next, batch);
            next += batch, outstanding += batch;
        }
        int answer;
        while ((answer = next_answer()) >= 0) {
            if (!answer) continue;
            last = now();
            answers++, outstanding--;
            if (window == 1 && count < MAXIMUM_SAMPLES) samples[count++] = last - asked;
        }
        if (outstanding > 0 && time > last + 50000000 && time > asked + 50000000)
            lost += outstanding, outstanding = 0;
    }
    double seconds = (now() - start) / 1e9;
    printf("answers=%llu lost=%llu rate=%.0f/s", (unsigned long long)answers,
        (unsigned long long)lost, answers / seconds);
    qsort(samples, count, sizeof samples[0], ascending);
    if (count > 0)
        printf(" p50=%.1fus p90=%.1fus p99=%.1fus max=%.1fus", samples[count / 2] / 1e3,
            samples[count * 9 / 10] / 1e3, samples[count * 99 / 100] / 1e3,
            samples[count - 1] / 1e3);
    printf("\n");
    return 0;
}
