#define _GNU_SOURCE
#include "martlet_capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

pcap_t *martlet_capture_open_file(
    const char *path, int *code, long long *offset, char message[PCAP_ERRBUF_SIZE]) {
    message[0] = 0;
    *code = 0;
    *offset = -1;
    // A copy of standard input, because closing the handle closes the file.
    int input = strcmp(path, "-") ? -1 : dup(STDIN_FILENO);
    FILE *file = input >= 0 ? fdopen(input, "rb") : fopen(path, "rbe");
    if (!file) {
        *code = errno != 0 ? errno : EIO;
        if (input >= 0) close(input);
        return NULL;
    }
    pcap_t *handle =
        pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, message);
    if (!handle) {
        *offset = ftell(file);
        fclose(file);
    }
    return handle;
}

long long martlet_capture_offset(pcap_t *handle) {
    FILE *file = pcap_file(handle);
    return file ? ftell(file) : -1;
}

// libpcap's own codes carry no errno; these are the ones an operator can act on.
static int errno_of(int status, int last) {
    switch (status) {
        case PCAP_ERROR_NO_SUCH_DEVICE: return ENODEV;
        case PCAP_ERROR_PERM_DENIED: return EPERM;
        case PCAP_ERROR_IFACE_NOT_UP: return ENETDOWN;
        default: return last != 0 ? last : EIO;
    }
}

static int start(pcap_t *handle, const struct martlet_capture_options *options) {
    if (pcap_set_immediate_mode(handle, 1) || pcap_set_promisc(handle, 0)
        || pcap_set_snaplen(handle, options->snapshot_length)
        || pcap_set_buffer_size(handle, options->ring_bytes)) {
        return EINVAL;
    }
    // A clock without nanoseconds is no reason to see nothing: microseconds do.
    (void)pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
    errno = 0;
    int status = pcap_activate(handle);
    if (status < 0) return errno_of(status, errno);
    // Version 2 tells the interface of each frame; where there is only version 1, that does.
    if (pcap_datalink(handle) == DLT_LINUX_SLL) (void)pcap_set_datalink(handle, DLT_LINUX_SLL2);
    struct bpf_program program;
    if (pcap_compile(handle, &program, options->filter, 1, PCAP_NETMASK_UNKNOWN)) return EINVAL;
    errno = 0;
    status = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
    return status ? errno_of(status, errno) : 0;
}

pcap_t *martlet_capture_open_live(
    const struct martlet_capture_options *options, int *code, char message[PCAP_ERRBUF_SIZE]) {
    message[0] = 0;
    errno = 0;
    pcap_t *handle = pcap_create(options->interface, message);
    if (!handle) {
        *code = errno != 0 ? errno : ENOMEM;
        return NULL;
    }
    *code = start(handle, options);
    if (*code) {
        snprintf(message, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(handle));
        pcap_close(handle);
        return NULL;
    }
    if (pcap_setnonblock(handle, 1, message)) {
        *code = errno != 0 ? errno : EIO;
        pcap_close(handle);
        return NULL;
    }
    return handle;
}

int martlet_capture_next(pcap_t *handle, struct martlet_capture_frame *frame) {
    struct pcap_pkthdr *header;
    int status = pcap_next_ex(handle, &header, &frame->bytes);
    if (status != 1) return status;
    long long fraction = header->ts.tv_usec;
    if (pcap_get_tstamp_precision(handle) != PCAP_TSTAMP_PRECISION_NANO) fraction *= 1000;
    // Unsigned: the seconds of a damaged file may be anything.
    frame->nanoseconds = (long long)((unsigned long long)header->ts.tv_sec * 1000000000ULL
        + (unsigned long long)fraction);
    frame->length = header->len;
    frame->captured = header->caplen;
    return 1;
}
