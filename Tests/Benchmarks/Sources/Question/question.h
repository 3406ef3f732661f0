// Frames that ask who has an address: an ARP request to all, or a neighbour solicitation to the
// solicited-node group. Addresses are in network order; QUESTION_SPACE bytes are enough for either.

#ifndef QUESTION_H
#define QUESTION_H

#include <stdint.h>
#include <string.h>

enum { QUESTION_SPACE = 96 };

static inline int write_arp_question(
    uint8_t *out, const uint8_t mac[6], const uint8_t sender[4], const uint8_t target[4]) {
    static const uint8_t fixed[8] = {0, 1, 8, 0, 6, 4, 0, 1};
    memset(out, 0xff, 6);
    memcpy(out + 6, mac, 6);
    out[12] = 8, out[13] = 6;
    memcpy(out + 14, fixed, 8);
    memcpy(out + 22, mac, 6);
    memcpy(out + 28, sender, 4);
    memset(out + 32, 0, 6);
    memcpy(out + 38, target, 4);
    return 42;
}

static inline int write_solicitation(
    uint8_t *out, const uint8_t mac[6], const uint8_t sender[16], const uint8_t target[16]) {
    static const uint8_t group[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
    memset(out, 0, 86);
    uint8_t *ip = out + 14;
    out[0] = out[1] = 0x33, out[2] = 0xff;
    memcpy(out + 3, target + 13, 3);
    memcpy(out + 6, mac, 6);
    out[12] = 0x86, out[13] = 0xdd;
    ip[0] = 0x60, ip[5] = 32, ip[6] = 58, ip[7] = 255;
    memcpy(ip + 8, sender, 16);
    memcpy(ip + 24, group, 13);
    memcpy(ip + 37, target + 13, 3);
    ip[40] = 135;
    memcpy(ip + 48, target, 16);
    ip[64] = 1, ip[65] = 1;
    memcpy(ip + 66, mac, 6);
    uint32_t sum = 32 + 58;
    for (int i = 8; i < 72; i += 2) sum += ip[i] << 8 | ip[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    ip[42] = ~sum >> 8, ip[43] = ~sum;
    return 86;
}

#endif
