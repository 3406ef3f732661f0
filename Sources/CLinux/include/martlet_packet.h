#ifndef MARTLET_PACKET_H
#define MARTLET_PACKET_H

#include <linux/if_packet.h>
#include <pcap/pcap.h>

// How to open a capture handle.
struct martlet_packet_options {
    const char *interface;
    const char *filter;
    int snapshot_length;
    int ring_bytes;
};

// Opens an immediate, non-promiscuous, non-blocking handle that sees only frames that arrive.
// Returns NULL on failure, with `code` set to an errno and `message` to libpcap's text.
pcap_t *martlet_packet_open(
    const struct martlet_packet_options *options, int *code, char message[PCAP_ERRBUF_SIZE]);

// The pending error of the socket behind `descriptor`, cleared by reading; 0 when there is none.
int martlet_socket_error(int descriptor);

// Sends one frame. Returns 0 or a negative errno.
int martlet_packet_send(int descriptor, const void *frame, unsigned long count);

// The most frames of one martlet_packet_send_many.
enum { MARTLET_PACKET_BATCH = 16 };

// Sends `count` frames that start every `stride` bytes, with one system call where possible.
// Returns how many could not be sent.
int martlet_packet_send_many(int descriptor, const unsigned char *frames, unsigned long stride,
    const unsigned short *lengths, unsigned int count);

// Makes the interface behind a packet socket accept (`join` not 0) frames to the group whose six
// bytes are at `group`, or to every group when that is NULL. Returns 0 or a negative errno.
int martlet_packet_multicast(
    int descriptor, const char *interface, const unsigned char *group, int join);

#endif
