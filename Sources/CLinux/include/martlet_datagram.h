#ifndef MARTLET_DATAGRAM_H
#define MARTLET_DATAGRAM_H

// The most datagrams of one system call.
enum { MARTLET_DATAGRAM_BATCH = 64 };

// One end of an exchange: `family` is 4 or 6, an IPv4 address is in the first four bytes, the port
// is in host order.
struct martlet_datagram_end {
    unsigned char bytes[16];
    unsigned short port;
    unsigned char family;
};

// A datagram of a batch, whose bytes are in the slot of the same number.
struct martlet_datagram {
    struct martlet_datagram_end peer;
    // Bytes to send, or received; longer than the slot when it was cut.
    unsigned int length;
    // After sending: 0, or the errno for which it was not sent.
    int failure;
};

// What came back for a datagram that was sent.
struct martlet_datagram_error {
    // Where it was sent to.
    struct martlet_datagram_end peer;
    int code;
    unsigned char origin, type, kind;
    // How much of the datagram's beginning was quoted.
    unsigned int quoted;
};

// A UDP socket bound to `local` (bytes all zero: every address of the family alone), non-blocking,
// close-on-exec, with an error queue, control-plane DSCP and priority, and never DF. Buffers are
// asked for in bytes. Returns the descriptor, or a negative errno.
int martlet_datagram_open(
    const struct martlet_datagram_end *local, int receive_buffer, int send_buffer);

// The port the socket is bound to, or a negative errno.
int martlet_datagram_port(int descriptor);

// Receives up to MARTLET_DATAGRAM_BATCH datagrams into slots of `stride` bytes, never waiting.
// Returns how many, 0 when none waits, or a negative errno.
int martlet_datagram_receive(int descriptor, unsigned char *slots, unsigned int stride,
    struct martlet_datagram *datagrams);

// Sends up to MARTLET_DATAGRAM_BATCH datagrams out of slots of `stride` bytes, never waiting, and
// sets `failure` of each. Returns how many were not sent.
int martlet_datagram_send(int descriptor, const unsigned char *slots, unsigned int stride,
    struct martlet_datagram *datagrams, unsigned int count);

// Takes one error off the queue, with up to `capacity` bytes of what was quoted. Returns 1, 0 when
// none waits, or a negative errno.
int martlet_datagram_failure(int descriptor, unsigned char *quoted, unsigned int capacity,
    struct martlet_datagram_error *error);

#endif
