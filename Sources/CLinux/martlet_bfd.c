#define _GNU_SOURCE
#include "martlet_bfd.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>

static socklen_t encode(
    const struct martlet_datagram_end *end, int scope, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    if (end->family == 6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(end->port);
        v6->sin6_scope_id = (unsigned int)scope;
        memcpy(&v6->sin6_addr, end->bytes, 16);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(end->port);
    memcpy(&v4->sin_addr, end->bytes, 4);
    return sizeof *v4;
}

static void decode(const struct sockaddr_storage *address, struct martlet_datagram_end *end) {
    memset(end, 0, sizeof *end);
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        end->family = 6;
        end->port = ntohs(v6->sin6_port);
        memcpy(end->bytes, &v6->sin6_addr, 16);
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        end->family = 4;
        end->port = ntohs(v4->sin_port);
        memcpy(end->bytes, &v4->sin_addr, 4);
    }
}

static int open_udp(int family) {
    int descriptor = socket(
        family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    int on = 1;
    if (family == 6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on)) {
        int failure = -errno;
        close(descriptor);
        return failure;
    }
    return descriptor;
}

// Binds, and closes the descriptor when that fails.
static int bound(int descriptor, const struct sockaddr_storage *address, socklen_t size) {
    if (bind(descriptor, (const struct sockaddr *)address, size) == 0) return descriptor;
    int failure = -errno;
    close(descriptor);
    return failure;
}

// A filter that lets nothing in: what comes takes no memory, and is not answered with an ICMP error.
static int deafen(int descriptor) {
    struct sock_filter nothing[] = {{BPF_RET | BPF_K, 0, 0, 0}};
    struct sock_fprog program = {1, nothing};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
        ? -errno : 0;
}

static int attach_reports(int descriptor, int family) {
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) return -errno;
    if (family == 6) {
        if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on)) return -errno;
        if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on)) return -errno;
    } else {
        if (setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)) return -errno;
        if (setsockopt(descriptor, IPPROTO_IP, IP_RECVTTL, &on, sizeof on)) return -errno;
    }
    return 0;
}

static int open_port(int family, unsigned short port, int receive_buffer) {
    int descriptor = open_udp(family);
    if (descriptor < 0) return descriptor;
    int failure;
    if (receive_buffer > 0) {
        if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer,
                sizeof receive_buffer))
            (void)setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        failure = attach_reports(descriptor, family);
    } else {
        failure = deafen(descriptor);
    }
    if (failure) {
        close(descriptor);
        return failure;
    }
    struct martlet_datagram_end end = {.family = (unsigned char)family, .port = port};
    struct sockaddr_storage address;
    socklen_t size = encode(&end, 0, &address);
    return bound(descriptor, &address, size);
}

int martlet_bfd_listen(int family, unsigned short port, int receive_buffer) {
    return open_port(family, port, receive_buffer);
}

int martlet_bfd_hold(int family, unsigned short port) { return open_port(family, port, 0); }

// How long ago the kernel took a packet in, by the clock it stamped it with.
static long long age_of(const struct timespec *stamp) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    long long age = (now.tv_sec - stamp->tv_sec) * 1000000000LL + now.tv_nsec - stamp->tv_nsec;
    return age < 0 ? -1 : age;
}

static void read_stamp(const struct cmsghdr *part, long long *age) {
    struct timespec stamp;
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS
        || part->cmsg_len < CMSG_LEN(sizeof stamp))
        return;
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    *age = age_of(&stamp);
}

static void read_reports(struct msghdr *message, struct martlet_bfd_arrival *arrival) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        read_stamp(part, &arrival->age);
        if ((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TTL)
            || (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_HOPLIMIT)) {
            memcpy(&arrival->hops, CMSG_DATA(part), sizeof arrival->hops);
        } else if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            arrival->interface = info.ipi_ifindex;
            arrival->local.family = 4;
            memcpy(arrival->local.bytes, &info.ipi_addr, 4);
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            arrival->interface = (int)info.ipi6_ifindex;
            arrival->local.family = 6;
            memcpy(arrival->local.bytes, &info.ipi6_addr, 16);
        }
    }
}

int martlet_bfd_receive(
    int descriptor, unsigned char *slots, struct martlet_bfd_arrival *arrivals) {
    struct mmsghdr messages[MARTLET_BFD_BATCH];
    struct iovec vectors[MARTLET_BFD_BATCH];
    struct sockaddr_storage peers[MARTLET_BFD_BATCH];
    union {
        struct cmsghdr alignment;
        unsigned char bytes[160];
    } controls[MARTLET_BFD_BATCH];
    for (unsigned int i = 0; i < MARTLET_BFD_BATCH; i++) {
        vectors[i].iov_base = slots + (unsigned long)i * MARTLET_BFD_SLOT;
        vectors[i].iov_len = MARTLET_BFD_SLOT;
        memset(&messages[i], 0, sizeof messages[i]);
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &peers[i];
        messages[i].msg_hdr.msg_namelen = sizeof peers[i];
        messages[i].msg_hdr.msg_control = controls[i].bytes;
        messages[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
        peers[i].ss_family = AF_UNSPEC;
    }
    int count;
    do {
        count = recvmmsg(descriptor, messages, MARTLET_BFD_BATCH, MSG_DONTWAIT, NULL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        memset(&arrivals[i], 0, sizeof arrivals[i]);
        arrivals[i].hops = -1;
        arrivals[i].age = -1;
        arrivals[i].length = messages[i].msg_len;
        decode(&peers[i], &arrivals[i].peer);
        read_reports(&messages[i].msg_hdr, &arrivals[i]);
    }
    return count;
}

static int configure_transmitter(int descriptor, int family, const char *interface) {
    // CS6, network control (RFC 4594 §3.2), and the GTSM's TTL (RFC 5881 §5, RFC 5082). Setting the
    // TOS of a socket also sets its priority, so the priority comes after it.
    int hops = 255, class = 0xc0, priority = 6;
    int level = family == 6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (setsockopt(descriptor, level, family == 6 ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof hops))
        return -errno;
    (void)setsockopt(
        descriptor, level, family == 6 ? IPV6_TCLASS : IP_TOS, &class, sizeof class);
    (void)setsockopt(descriptor, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    if (interface
        && setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface,
            (socklen_t)strlen(interface)))
        return -errno;
    return deafen(descriptor);
}

int martlet_bfd_transmitter(const struct martlet_datagram_end *local, const char *interface) {
    int scope = interface ? (int)if_nametoindex(interface) : 0;
    if (interface && scope == 0) return -errno;
    int descriptor = open_udp(local->family);
    if (descriptor < 0) return descriptor;
    int failure = configure_transmitter(descriptor, local->family, interface);
    if (failure) {
        close(descriptor);
        return failure;
    }
    struct sockaddr_storage address;
    socklen_t size = encode(local, scope, &address);
    return bound(descriptor, &address, size);
}

int martlet_bfd_transmit(int descriptor, const struct martlet_datagram_end *peer, int scope,
    const unsigned char *bytes, unsigned int count) {
    struct sockaddr_storage address;
    socklen_t size = encode(peer, scope, &address);
    for (;;) {
        if (sendto(descriptor, bytes, count, MSG_DONTWAIT, (struct sockaddr *)&address, size) >= 0)
            return 0;
        if (errno != EINTR) return -errno;
    }
}

static int filter_ports(int descriptor, int family, unsigned short port, unsigned short other) {
    // A cooked packet socket's filter begins at the IP header. Extension headers and fragments are
    // none of ours.
    struct sock_filter v4[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 7),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 5, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, MARTLET_BFD_SLOT),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_filter v6[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, MARTLET_BFD_SLOT),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = family == 6
        ? (struct sock_fprog){sizeof v6 / sizeof *v6, v6}
        : (struct sock_fprog){sizeof v4 / sizeof *v4, v4};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
        ? -errno : 0;
}

static struct sockaddr_ll link_end(int family, int interface) {
    return (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = htons(family == 6 ? ETH_P_IPV6 : ETH_P_IP),
        .sll_ifindex = interface,
    };
}

int martlet_bfd_tap(int family, int interface, unsigned short port, unsigned short other) {
    // Protocol 0: nothing comes before the filter is in place and the interface chosen.
    int descriptor = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    int on = 1, priority = 6, failure = filter_ports(descriptor, family, port, other);
    if (failure == 0
        && setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        failure = -errno;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    struct sockaddr_ll address = link_end(family, interface);
    if (failure == 0 && bind(descriptor, (struct sockaddr *)&address, sizeof address))
        failure = -errno;
    if (failure == 0) return descriptor;
    close(descriptor);
    return failure;
}

int martlet_bfd_tap_receive(
    int descriptor, unsigned char *bytes, unsigned int capacity, struct martlet_bfd_frame *frame) {
    struct sockaddr_ll source;
    memset(&source, 0, sizeof source);
    union {
        struct cmsghdr alignment;
        unsigned char bytes[64];
    } control;
    struct iovec vector = {bytes, capacity};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_name = &source;
    message.msg_namelen = sizeof source;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t count;
    do {
        count = recvmsg(descriptor, &message, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    memset(frame, 0, sizeof *frame);
    frame->age = -1;
    frame->length = (unsigned int)count;
    // An address longer than the structure has room for (InfiniBand) is not handed over by it.
    frame->link_length = source.sll_halen <= sizeof source.sll_addr ? source.sll_halen : 0;
    memcpy(frame->link, source.sll_addr, frame->link_length);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
        read_stamp(part, &frame->age);
    return 1;
}

int martlet_bfd_tap_send(int descriptor, int family, int interface, const unsigned char *link,
    unsigned int link_length, const unsigned char *bytes, unsigned int count) {
    struct sockaddr_ll address = link_end(family, interface);
    if (link_length > sizeof address.sll_addr) return -EINVAL;
    address.sll_halen = (unsigned char)link_length;
    memcpy(address.sll_addr, link, link_length);
    for (;;) {
        if (sendto(descriptor, bytes, count, MSG_DONTWAIT, (struct sockaddr *)&address,
                sizeof address)
            >= 0)
            return 0;
        if (errno != EINTR) return -errno;
    }
}

int martlet_bfd_group(void) {
    int group = epoll_create1(EPOLL_CLOEXEC);
    return group < 0 ? -errno : group;
}

int martlet_bfd_group_add(int group, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(group, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}
