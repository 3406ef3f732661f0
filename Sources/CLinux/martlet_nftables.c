#define _GNU_SOURCE
#include "martlet_nftables.h"

#include <errno.h>
#include <limits.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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

int martlet_nftables_open_monitor(int receive_buffer) {
    return martlet_netlink_open(
        NETLINK_NETFILTER, 1u << (NFNLGRP_NFTABLES - 1), receive_buffer);
}

unsigned int martlet_nftables_port(int fd) {
    struct sockaddr_nl local = {.nl_family = AF_NETLINK};
    socklen_t size = sizeof local;
    return getsockname(fd, (struct sockaddr *)&local, &size) ? 0 : local.nl_pid;
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

// The holder's process, from the credentials that it listened with.
static int lock_holder(const struct sockaddr_un *name, socklen_t size) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    struct ucred peer = {0};
    socklen_t width = sizeof peer;
    int result = -ECONNREFUSED;
    if (connect(fd, (const struct sockaddr *)name, size))
        result = errno == EAGAIN ? 0 : -errno;
    else if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &width))
        result = peer.pid;
    close(fd);
    return result;
}

int martlet_lock_take(const char *name, int *holder) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    *holder = 0;
    if (length + 1 > sizeof local.sun_path) return -ENAMETOOLONG;
    // A name that begins with a zero byte is no file, and is gone with its socket.
    memcpy(local.sun_path + 1, name, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    // Who is refused is asked; when nobody is there any more, the name is free. A holder that has
    // bound and does not listen yet is not to be told from one that has gone, so both are tried a
    // few times.
    int failure = EADDRINUSE;
    for (int attempt = 0; attempt < 50; attempt++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) return -errno;
        if (!bind(fd, (struct sockaddr *)&local, size) && !listen(fd, 64)) return fd;
        failure = errno;
        close(fd);
        if (failure != EADDRINUSE) return -failure;
        int found = lock_holder(&local, size);
        if (found >= 0) {
            *holder = found;
            break;
        }
        if (found != -ECONNREFUSED) break;
        usleep(2000);
    }
    return -failure;
}

void martlet_lock_answer(int descriptor) {
    for (;;) {
        int asker = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC);
        if (asker < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            return;
        }
        close(asker);
    }
}
