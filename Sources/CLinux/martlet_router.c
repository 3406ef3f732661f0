#define _GNU_SOURCE
#include "martlet_router.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int option(int descriptor, int name, int value) {
    return setsockopt(descriptor, IPPROTO_IPV6, name, &value, sizeof value);
}

static int configure(int descriptor, const char *interface, const char **call) {
    unsigned int index = if_nametoindex(interface);
    *call = "if_nametoindex";
    if (index == 0) return -errno;

    *call = "setsockopt(SO_BINDTODEVICE)";
    socklen_t size = (socklen_t)strlen(interface) + 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, size)) return -errno;

    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
    ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
    *call = "setsockopt(ICMP6_FILTER)";
    if (setsockopt(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter))
        return -errno;

    *call = "setsockopt(IPPROTO_IPV6)";
    if (option(descriptor, IPV6_RECVHOPLIMIT, 1) || option(descriptor, IPV6_MULTICAST_HOPS, 255)
        || option(descriptor, IPV6_UNICAST_HOPS, 255)
        || option(descriptor, IPV6_MULTICAST_LOOP, 0)
        || option(descriptor, IPV6_MULTICAST_IF, (int)index))
        return -errno;
    // Control-plane class, as a wish.
    (void)option(descriptor, IPV6_TCLASS, 0xc0);

    // All routers, ff02::2: solicitations go there. All nodes is joined by the kernel itself.
    struct ipv6_mreq group;
    memset(&group, 0, sizeof group);
    group.ipv6mr_multiaddr.s6_addr[0] = 0xff;
    group.ipv6mr_multiaddr.s6_addr[1] = 0x02;
    group.ipv6mr_multiaddr.s6_addr[15] = 2;
    group.ipv6mr_interface = index;
    *call = "setsockopt(IPV6_ADD_MEMBERSHIP)";
    if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof group))
        return -errno;
    return 0;
}

int martlet_router_open(const char *interface, const char **call) {
    *call = "socket(ICMPv6)";
    int descriptor = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    if (descriptor < 0) return -errno;
    int failure = configure(descriptor, interface, call);
    if (failure == 0) return descriptor;
    close(descriptor);
    return failure;
}

int martlet_router_receive(int descriptor, unsigned char *buffer, unsigned int capacity,
    struct martlet_router_message *message) {
    struct sockaddr_in6 source;
    memset(&source, 0, sizeof source);
    union {
        struct cmsghdr alignment;
        unsigned char bytes[256];
    } control;
    struct iovec vector = {buffer, capacity};
    struct msghdr header;
    memset(&header, 0, sizeof header);
    header.msg_name = &source;
    header.msg_namelen = sizeof source;
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    ssize_t count;
    do {
        count = recvmsg(descriptor, &header, MSG_DONTWAIT | MSG_TRUNC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    memset(message, 0, sizeof *message);
    memcpy(message->source, &source.sin6_addr, 16);
    message->length = (unsigned int)count;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
        int limit;
        if (part->cmsg_level != IPPROTO_IPV6 || part->cmsg_type != IPV6_HOPLIMIT) continue;
        if (part->cmsg_len < CMSG_LEN(sizeof limit)) continue;
        memcpy(&limit, CMSG_DATA(part), sizeof limit);
        if (limit >= 0 && limit <= 255) message->hop_limit = (unsigned char)limit;
    }
    return 1;
}

int martlet_router_send(int descriptor, const char *interface, const unsigned char *group,
    const unsigned char *message, unsigned int count) {
    struct sockaddr_in6 address;
    memset(&address, 0, sizeof address);
    address.sin6_family = AF_INET6;
    memcpy(&address.sin6_addr, group, 16);
    address.sin6_scope_id = if_nametoindex(interface);
    if (address.sin6_scope_id == 0) return -errno;
    for (;;) {
        if (sendto(descriptor, message, count, MSG_DONTWAIT, (struct sockaddr *)&address,
                sizeof address) >= 0)
            return 0;
        if (errno != EINTR) return -errno;
    }
}
