#define _GNU_SOURCE
#include "martlet_nftables.h"

#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "martlet_netlink.h"

int martlet_nftables_open(void) {
    int fd = martlet_netlink_open(NETLINK_NETFILTER, 0, 1 << 20);
    if (fd < 0) return fd;
    int on = 1;
    // Both only make error messages better and shorter; an old kernel does without.
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return fd;
}

int martlet_nftables_send(int fd, const void *buffer, unsigned long count) {
    if (count > INT_MAX / 4) return -EMSGSIZE;
    int size = 0;
    socklen_t width = sizeof size;
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &width) < 0) return -errno;
    if ((unsigned long)size < count + 4096) {
        size = (int)count + 4096;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) return -errno;
    }
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    for (;;) {
        ssize_t sent =
            sendto(fd, buffer, count, 0, (struct sockaddr *)&kernel, sizeof kernel);
        if (sent >= 0) return (unsigned long)sent == count ? 0 : -EMSGSIZE;
        if (errno != EINTR) return -errno;
    }
}
