#ifndef MARTLET_CAPTURE_H
#define MARTLET_CAPTURE_H

#include <pcap/pcap.h>

// One captured frame. `bytes` belongs to the handle and is valid until the next call.
struct martlet_capture_frame {
    long long nanoseconds;       // since 1970
    unsigned int length;         // on the wire
    unsigned int captured;       // of these, how many are at `bytes`
    const unsigned char *bytes;
};

// How to open a live handle. Interface "any" is all of them, with Linux cooked headers v2.
struct martlet_capture_options {
    const char *interface;
    const char *filter;
    int snapshot_length;
    int ring_bytes;
};

// Opens a file of any form that libpcap reads; "-" is standard input. Returns NULL on failure, with
// `code` set to an errno, or to 0 when the file is not as it has to be, `offset` to where reading
// ended (-1 when that is not known), and `message` to libpcap's text.
pcap_t *martlet_capture_open_file(
    const char *path, int *code, long long *offset, char message[PCAP_ERRBUF_SIZE]);

// How much of a file has been read; -1 when that is not known.
long long martlet_capture_offset(pcap_t *handle);

// Opens a non-blocking handle that sees frames in both directions. Returns NULL on failure, with
// `code` set to an errno and `message` to libpcap's text.
pcap_t *martlet_capture_open_live(
    const struct martlet_capture_options *options, int *code, char message[PCAP_ERRBUF_SIZE]);

// The next frame: 1 when there is one, 0 when none waits, -1 on failure (see pcap_geterr), -2 at
// the end of a file.
int martlet_capture_next(pcap_t *handle, struct martlet_capture_frame *frame);

#endif
