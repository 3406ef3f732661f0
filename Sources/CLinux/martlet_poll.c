#define _GNU_SOURCE
#include "martlet_poll.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

int martlet_poll_open(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    return poll < 0 ? -errno : poll;
}

static int control(
    int poll, int operation, int descriptor, unsigned int bits, unsigned long long tag) {
    struct epoll_event event = {0, {.u64 = tag}};
    if (bits & MARTLET_POLL_READABLE) event.events |= EPOLLIN | EPOLLRDHUP;
    if (bits & MARTLET_POLL_WRITABLE) event.events |= EPOLLOUT;
    return epoll_ctl(poll, operation, descriptor, &event) ? -errno : 0;
}

int martlet_poll_add(int poll, int descriptor, unsigned int bits, unsigned long long tag) {
    return control(poll, EPOLL_CTL_ADD, descriptor, bits, tag);
}

int martlet_poll_change(int poll, int descriptor, unsigned int bits, unsigned long long tag) {
    return control(poll, EPOLL_CTL_MOD, descriptor, bits, tag);
}

int martlet_poll_remove(int poll, int descriptor) {
    return control(poll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

// epoll_wait alone counts in milliseconds; epoll_pwait2 came with Linux 5.11. An epoll instance is
// itself a descriptor that ppoll can wait for.
static int wait_exactly(int poll, struct epoll_event *events, long long timeout) {
    struct timespec limit = {timeout / 1000000000, timeout % 1000000000};
    int count = epoll_pwait2(poll, events, MARTLET_POLL_BATCH, &limit, NULL);
    if (count >= 0 || errno != ENOSYS) return count;
    struct pollfd whole = {poll, POLLIN, 0};
    if (ppoll(&whole, 1, &limit, NULL) < 0) return -1;
    return epoll_wait(poll, events, MARTLET_POLL_BATCH, 0);
}

int martlet_poll_wait(
    int poll, struct martlet_poll_event events[MARTLET_POLL_BATCH], long long timeout) {
    struct epoll_event ready[MARTLET_POLL_BATCH];
    int count = timeout < 0 ? epoll_wait(poll, ready, MARTLET_POLL_BATCH, -1)
                            : wait_exactly(poll, ready, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        unsigned int bits = 0;
        if (ready[i].events & (EPOLLIN | EPOLLRDHUP)) bits |= MARTLET_POLL_READABLE;
        if (ready[i].events & EPOLLOUT) bits |= MARTLET_POLL_WRITABLE;
        if (ready[i].events & (EPOLLERR | EPOLLHUP)) bits |= MARTLET_POLL_FAILED;
        events[i].tag = ready[i].data.u64;
        events[i].bits = bits;
    }
    return count;
}

void martlet_mailbox_clear(int mailbox) {
    uint64_t count;
    // Fails only when somebody else has cleared it.
    if (read(mailbox, &count, sizeof count) != sizeof count) return;
}
