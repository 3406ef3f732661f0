#ifndef MARTLET_ROUTER_H
#define MARTLET_ROUTER_H

// An ICMPv6 message and how it came.
struct martlet_router_message {
    unsigned char source[16];
    // Longer than the buffer when it was cut.
    unsigned int length;
    // As received; 0 when the kernel did not say.
    unsigned char hop_limit;
};

// A raw ICMPv6 socket bound to `interface` that hears router solicitations and advertisements
// there, non-blocking and close-on-exec. It sends with hop limit 255 and does not hear itself.
// Returns the descriptor, or a negative errno with the name of the call at `call`.
int martlet_router_open(const char *interface, const char **call);

// Receives one message. Returns 1, 0 when none waits, or a negative errno.
int martlet_router_receive(int descriptor, unsigned char *buffer, unsigned int capacity,
    struct martlet_router_message *message);

// Sends one message to the group whose sixteen bytes are at `group`; the kernel puts in source and
// checksum. Returns 0 or a negative errno.
int martlet_router_send(int descriptor, const char *interface, const unsigned char *group,
    const unsigned char *message, unsigned int count);

#endif
