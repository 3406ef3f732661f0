#define _GNU_SOURCE
#include "martlet_wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

int martlet_wait(int descriptor, int mailbox, long long timeout) {
    // poll passes over a negative descriptor, so "none" needs no second case.
    struct pollfd waits[2] = {{descriptor, POLLIN, 0}, {mailbox, POLLIN, 0}};
    struct timespec limit = {timeout / 1000000000, timeout % 1000000000};
    int ready = ppoll(waits, 2, timeout < 0 ? NULL : &limit, NULL);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    int result = 0;
    if (waits[0].revents) result |= MARTLET_WAIT_READABLE;
    if (waits[1].revents & POLLIN) {
        uint64_t count;
        if (read(mailbox, &count, sizeof count) == sizeof count) result |= MARTLET_WAIT_SIGNALLED;
    }
    return result;
}

int martlet_mailbox_open(void) {
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

void martlet_mailbox_signal(int mailbox) {
    uint64_t one = 1;
    // Fails only when 2^64 signals are pending, and then the reader is awake anyway.
    if (write(mailbox, &one, sizeof one) != sizeof one) return;
}

void martlet_thread_name(const char *name) {
    // A name that is too long is refused; the thread then keeps its parent's.
    (void)pthread_setname_np(pthread_self(), name);
}
