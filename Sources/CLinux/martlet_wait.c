#define _GNU_SOURCE
#include "martlet_wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int martlet_wait(int descriptor, int other, int mailbox, long long timeout) {
    // poll passes over a negative descriptor, so "none" needs no second case.
    struct pollfd waits[3] = {
        {descriptor, POLLIN, 0}, {mailbox, POLLIN, 0}, {other, POLLIN, 0}};
    struct timespec limit = {timeout / 1000000000, timeout % 1000000000};
    int ready = ppoll(waits, other < 0 ? 2 : 3, timeout < 0 ? NULL : &limit, NULL);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    int result = 0;
    if (waits[0].revents) result |= MARTLET_WAIT_READABLE;
    if (waits[2].revents) result |= MARTLET_WAIT_OTHER_READABLE;
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

int martlet_thread_real_time(int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    // 0 is the calling thread, not the process.
    return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) ? -errno : 0;
}

int martlet_thread_nice(int nice) {
    // On Linux the nice value is the thread's (setpriority(2), "C library/kernel differences").
    return setpriority(PRIO_PROCESS, (id_t)gettid(), nice) ? -errno : 0;
}
