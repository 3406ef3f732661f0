#ifndef MARTLET_BFD_H
#define MARTLET_BFD_H

#include "martlet_datagram.h"

enum {
    // The most packets of one system call.
    MARTLET_BFD_BATCH = 64,
    // Bytes kept of each: the Length field of a BFD packet counts to 255 (RFC 5880 §4.1).
    MARTLET_BFD_SLOT = 256,
};

// A packet that arrived, whose bytes are in the slot of the same number.
struct martlet_bfd_arrival {
    struct martlet_datagram_end peer;
    // Where it was sent to; the port is not filled in.
    struct martlet_datagram_end local;
    // The index of the interface it came in on, 0 when not known.
    int interface;
    // The TTL or hop limit it arrived with, -1 when not known.
    int hops;
    // Bytes kept.
    unsigned int length;
    // For how many nanoseconds of wall time it has waited, -1 when not known.
    long long age;
};

// A UDP socket that takes what comes to `port` on every address of the family (4 or 6) alone, with
// the destination, the interface, the hops left and the time of arrival. Non-blocking and
// close-on-exec. Nobody else may share the port. Returns the descriptor, or a negative errno.
int martlet_bfd_listen(int family, unsigned short port, int receive_buffer);

// The same, but everything that comes is dropped: only the port is held.
int martlet_bfd_hold(int family, unsigned short port);

// Receives up to MARTLET_BFD_BATCH packets into slots of MARTLET_BFD_SLOT bytes, never waiting.
// Returns how many, or a negative errno.
int martlet_bfd_receive(
    int descriptor, unsigned char *slots, struct martlet_bfd_arrival *arrivals);

// A UDP socket that only sends, with TTL or hop limit 255 and control-plane DSCP, from `local` (all
// zero: what the route says; its port is taken as it is) and, unless NULL, out of `interface` alone.
// Returns the descriptor, or a negative errno.
int martlet_bfd_transmitter(const struct martlet_datagram_end *local, const char *interface);

// Sends one packet; `scope` is the interface of a link-local destination, else 0. Returns 0 or a
// negative errno.
int martlet_bfd_transmit(int descriptor, const struct martlet_datagram_end *peer, int scope,
    const unsigned char *bytes, unsigned int count);

// What else is sent and received on an interface below UDP: echo packets, which come back with our
// own address as their source, and the link-layer addresses of the peers.
enum { MARTLET_BFD_LINK_BYTES = 8 };

struct martlet_bfd_frame {
    // The sender's link-layer address.
    unsigned char link[MARTLET_BFD_LINK_BYTES];
    unsigned int link_length;
    unsigned int length;
    long long age;
};

// A packet socket that sees packets of the family to `port` or `other` of UDP on the interface
// with that index, from their IP header on. Returns the descriptor, or a negative errno.
int martlet_bfd_tap(int family, int interface, unsigned short port, unsigned short other);

// Takes one frame off. Returns 1, 0 when none waits, or a negative errno.
int martlet_bfd_tap_receive(
    int descriptor, unsigned char *bytes, unsigned int capacity, struct martlet_bfd_frame *frame);

// Sends an IP packet to a station. Returns 0 or a negative errno.
int martlet_bfd_tap_send(int descriptor, int family, int interface, const unsigned char *link,
    unsigned int link_length, const unsigned char *bytes, unsigned int count);

// A descriptor that is readable while one of those added to it is; closing one takes it out.
int martlet_bfd_group(void);

// Adds a descriptor. Returns 0 or a negative errno.
int martlet_bfd_group_add(int group, int descriptor);

#endif
