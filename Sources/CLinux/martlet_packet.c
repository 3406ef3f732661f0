#define _GNU_SOURCE
#include "martlet_packet.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// libpcap's own codes carry no errno; these are the ones an operator can act on.
static int errno_of(int status, int last) {
    switch (status) {
        case PCAP_ERROR_NO_SUCH_DEVICE: return ENODEV;
        case PCAP_ERROR_PERM_DENIED: return EPERM;
        case PCAP_ERROR_IFACE_NOT_UP: return ENETDOWN;
        default: return last != 0 ? last : EIO;
    }
}

static int configure(pcap_t *handle, const struct martlet_packet_options *options, int *code) {
    // Immediate mode makes libpcap use TPACKET_V2: a frame is visible the moment it arrives.
    if (pcap_set_immediate_mode(handle, 1) || pcap_set_promisc(handle, 0)
        || pcap_set_snaplen(handle, options->snapshot_length)
        || pcap_set_buffer_size(handle, options->ring_bytes)) {
        *code = EINVAL;
        return -1;
    }
    errno = 0;
    int status = pcap_activate(handle);
    if (status < 0) {
        *code = errno_of(status, errno);
        return -1;
    }
    struct bpf_program program;
    errno = 0;
    if (pcap_compile(handle, &program, options->filter, 1, PCAP_NETMASK_UNKNOWN)) {
        *code = EINVAL;
        return -1;
    }
    status = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
    if (status) {
        *code = errno_of(status, errno);
        return -1;
    }
    // Frames we send must not come back. libpcap's direction drops them after the kernel copied
    // them into the ring; the socket option (Linux 4.20) keeps the kernel from copying at all.
    (void)pcap_setdirection(handle, PCAP_D_IN);
    int one = 1;
    (void)setsockopt(pcap_get_selectable_fd(handle), SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
        sizeof one);
    return 0;
}

pcap_t *martlet_packet_open(
    const struct martlet_packet_options *options, int *code, char message[PCAP_ERRBUF_SIZE]) {
    message[0] = 0;
    errno = 0;
    pcap_t *handle = pcap_create(options->interface, message);
    if (!handle) {
        *code = errno != 0 ? errno : ENOMEM;
        return NULL;
    }
    if (configure(handle, options, code)) {
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

int martlet_socket_error(int descriptor) {
    int code = 0;
    socklen_t size = sizeof code;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) ? errno : code;
}

int martlet_packet_send(int descriptor, const void *frame, unsigned long count) {
    for (;;) {
        if (send(descriptor, frame, count, MSG_DONTWAIT) >= 0) return 0;
        if (errno != EINTR) return -errno;
    }
}

int martlet_packet_send_many(int descriptor, const unsigned char *frames, unsigned long stride,
    const unsigned short *lengths, unsigned int count) {
    struct mmsghdr messages[MARTLET_PACKET_BATCH];
    struct iovec vectors[MARTLET_PACKET_BATCH];
    if (count > MARTLET_PACKET_BATCH) return (int)count;
    if (count == 1) return martlet_packet_send(descriptor, frames, lengths[0]) ? 1 : 0;
    memset(messages, 0, sizeof messages);
    for (unsigned int i = 0; i < count; i++) {
        vectors[i].iov_base = (void *)(frames + i * stride);
        vectors[i].iov_len = lengths[i];
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    unsigned int done = 0, failed = 0;
    while (done < count) {
        int sent = sendmmsg(descriptor, messages + done, count - done, MSG_DONTWAIT);
        if (sent > 0) {
            done += (unsigned int)sent;
        } else if (errno != EINTR) {
            // The first of the rest cannot be sent; the others may.
            done++;
            failed++;
        }
    }
    return (int)failed;
}

int martlet_packet_multicast(
    int descriptor, const char *interface, const unsigned char *group, int join) {
    struct packet_mreq request;
    memset(&request, 0, sizeof request);
    request.mr_ifindex = (int)if_nametoindex(interface);
    if (request.mr_ifindex == 0) return -errno;
    request.mr_type = group ? PACKET_MR_MULTICAST : PACKET_MR_ALLMULTI;
    if (group) {
        request.mr_alen = 6;
        memcpy(request.mr_address, group, 6);
    }
    int option = join ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
    return setsockopt(descriptor, SOL_PACKET, option, &request, sizeof request) ? -errno : 0;
}
