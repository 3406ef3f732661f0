#define _GNU_SOURCE
#include "martlet_netlink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int martlet_netlink_open(int protocol, unsigned int groups, int receive_buffer) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (descriptor < 0) return -errno;
    // The forced form needs CAP_NET_ADMIN; the plain one is capped by net.core.rmem_max. Either
    // may fail without harm: a smaller buffer only means an earlier resynchronisation.
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer))
        (void)setsockopt(
            descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    struct sockaddr_nl local;
    memset(&local, 0, sizeof local);
    local.nl_family = AF_NETLINK;
    local.nl_groups = groups;
    if (bind(descriptor, (struct sockaddr *)&local, sizeof local)) {
        int failure = errno;
        close(descriptor);
        return -failure;
    }
    return descriptor;
}

long martlet_netlink_receive(int descriptor, void *buffer, unsigned long capacity) {
    for (;;) {
        struct sockaddr_nl sender;
        socklen_t size = sizeof sender;
        memset(&sender, 0, sizeof sender);
        ssize_t count = recvfrom(
            descriptor, buffer, capacity, MSG_TRUNC, (struct sockaddr *)&sender, &size);
        if (count < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        // Port 0 is the kernel; any local process may send to a netlink socket.
        if (sender.nl_pid == 0) return count;
    }
}

int martlet_netlink_send(int descriptor, const void *buffer, unsigned long count) {
    struct sockaddr_nl kernel;
    memset(&kernel, 0, sizeof kernel);
    kernel.nl_family = AF_NETLINK;
    for (;;) {
        if (sendto(descriptor, buffer, count, 0, (struct sockaddr *)&kernel, sizeof kernel) >= 0)
            return 0;
        if (errno != EINTR) return -errno;
    }
}
