// The yardstick: the least a responder over libpcap can do. Answers ARP and neighbour
// solicitations for `count` addresses from 198.18.0.0 and 2001:db8::1:0 upwards.
//
//   CResponder INTERFACE COUNT

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t prefix[12] = {0x20, 0x01, 0x0d, 0xb8};
static const uint32_t base4 = 0xc6120000, base6 = 0x10000;
static uint8_t mac[6];
static uint32_t count;
static pcap_t *handle;

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static uint16_t checksum(const uint8_t *packet, int length) {
    uint32_t sum = length + 58;
    for (int i = 8; i < 40 + length; i += 2) sum += packet[i] << 8 | packet[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

static void answer_arp(const uint8_t *in) {
    if (in[21] != 1 || word(in + 38) - base4 >= count) return;
    uint8_t out[42];
    memcpy(out, in + 22, 6);
    memcpy(out + 6, mac, 6);
    memcpy(out + 12, in + 12, 8);
    out[20] = 0, out[21] = 2;
    memcpy(out + 22, mac, 6);
    memcpy(out + 28, in + 38, 4);
    memcpy(out + 32, in + 22, 10);
    pcap_inject(handle, out, sizeof out);
}

static void answer_solicitation(const uint8_t *in) {
    if (in[54] != 135 || memcmp(in + 62, prefix, 12) || word(in + 74) - base6 >= count) return;
    uint8_t out[86] = {0};
    memcpy(out, in + 6, 6);
    memcpy(out + 6, mac, 6);
    out[12] = 0x86, out[13] = 0xdd, out[14] = 0x60, out[19] = 32, out[20] = 58, out[21] = 255;
    memcpy(out + 22, in + 62, 16);
    memcpy(out + 38, in + 22, 16);
    out[54] = 136, out[58] = 0x60;
    memcpy(out + 62, in + 62, 16);
    out[78] = 2, out[79] = 1;
    memcpy(out + 80, mac, 6);
    uint16_t sum = checksum(out + 14, 32);
    out[56] = sum >> 8, out[57] = sum;
    pcap_inject(handle, out, sizeof out);
}

static void received(u_char *user, const struct pcap_pkthdr *header, const u_char *in) {
    (void)user;
    uint16_t type = in[12] << 8 | in[13];
    if (type == 0x0806 && header->caplen >= 42) answer_arp(in);
    if (type == 0x86dd && header->caplen >= 78) answer_solicitation(in);
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: CResponder INTERFACE COUNT\n"), 2;
    count = atoi(argv[2]);
    struct ifreq request = {0};
    snprintf(request.ifr_name, IFNAMSIZ, "%s", argv[1]);
    int probe = socket(AF_INET, SOCK_DGRAM, 0);
    if (probe < 0 || ioctl(probe, SIOCGIFHWADDR, &request)) return perror(argv[1]), 1;
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    close(probe);
    char message[PCAP_ERRBUF_SIZE];
    handle = pcap_create(argv[1], message);
    if (!handle) return fprintf(stderr, "%s\n", message), 1;
    pcap_set_immediate_mode(handle, 1);
    pcap_set_snaplen(handle, 256);
    pcap_set_buffer_size(handle, 1 << 20);
    struct bpf_program program;
    const char *filter = "arp or (ip6 and ip6[6] = 58 and (ip6[40] = 135 or ip6[40] = 136))";
    if (pcap_activate(handle) < 0 || pcap_compile(handle, &program, filter, 1, 0)
        || pcap_setfilter(handle, &program) || pcap_setdirection(handle, PCAP_D_IN))
        return fprintf(stderr, "%s\n", pcap_geterr(handle)), 1;
    pcap_loop(handle, -1, received, NULL);
    return 0;
}
