#ifndef MARTLET_STREAM_H
#define MARTLET_STREAM_H

// One end of a TCP connection: `family` is 4 or 6, an IPv4 address is in the first four bytes, the
// port is in host order, the scope is the interface's index where the address is link-local.
struct martlet_stream_end {
    unsigned char bytes[16];
    unsigned int scope;
    unsigned short port;
    unsigned char family;
};

// A TCP socket of `family` (4 or 6), of that family alone, non-blocking and close-on-exec, with
// control-plane DSCP and priority. Returns the descriptor, or a negative errno.
int martlet_stream_open(int family);

// What a socket that carries a session is to have: no delay of small segments, at most `unsent`
// bytes waiting in the kernel, `attempts` repetitions of the SYN. Returns 0 or a negative errno.
int martlet_stream_tune(int descriptor, int unsent, int attempts);

// Binds the socket to an interface. Returns 0 or a negative errno.
int martlet_stream_device(int descriptor, const char *interface);

// Binds to an address with a port that is chosen when it connects. Returns 0 or a negative errno.
int martlet_stream_source(int descriptor, const struct martlet_stream_end *source);

// Begins to connect. Returns 0 or a negative errno; in progress is 0.
int martlet_stream_connect(int descriptor, const struct martlet_stream_end *remote);

// Binds and listens; the header of each SYN is kept. Returns 0 or a negative errno.
int martlet_stream_listen(
    int descriptor, const struct martlet_stream_end *local, int backlog);

// Takes one connection. Returns its descriptor, or a negative errno; connections that ended before
// they were taken are passed over.
int martlet_stream_accept(int descriptor, struct martlet_stream_end *remote);

// Whether an attempt to connect has ended well: 1, not ended: 0, or badly: a negative errno.
int martlet_stream_connected(int descriptor);

// The near end of a socket. Returns 0 or a negative errno.
int martlet_stream_local(int descriptor, struct martlet_stream_end *end);

// The TTL or hop limit to send, 1–255, and the least to accept, 0 for any. Returns 0 or a negative
// errno.
int martlet_stream_hops(int descriptor, int family, int sent, int least);

// The TTL or hop limit of the SYN that an accepted connection began with, once; 0 when it is not
// known, or a negative errno.
int martlet_stream_syn_hops(int descriptor);

// Sets the key of TCP MD5 signatures for peers in a block, `count` 1–80, or removes it, `count` 0.
// Returns 0 or a negative errno.
int martlet_stream_key(int descriptor, const struct martlet_stream_end *network, int length,
    const void *key, unsigned int count);

// Receives. Returns how many bytes, 0 at the end of the stream, or a negative errno.
long martlet_stream_receive(int descriptor, void *buffer, unsigned long capacity);

// Sends. Returns how many bytes were taken, or a negative errno; a full socket is 0.
long martlet_stream_send(int descriptor, const void *bytes, unsigned long count);

// Bytes that were taken and not acknowledged, or, when `unsent` is not 0, not even sent; or a
// negative errno.
int martlet_stream_waiting(int descriptor, int unsent);

// Says that no more will be sent. Returns 0 or a negative errno.
int martlet_stream_finish(int descriptor);

// Makes the next close a reset that throws away what was not sent.
void martlet_stream_forsake(int descriptor);

#endif
