#ifndef MARTLET_WAIT_H
#define MARTLET_WAIT_H

#include <sys/eventfd.h>

enum {
    // The descriptor has something to read, or a pending error that reading will tell.
    MARTLET_WAIT_READABLE = 1,
    // The mailbox was signalled; its count has been cleared.
    MARTLET_WAIT_SIGNALLED = 2,
    // The same as the first, for the second descriptor.
    MARTLET_WAIT_OTHER_READABLE = 4,
};

// Waits for `descriptor` and `other` (or none, when negative), for the eventfd `mailbox`, or for
// the time-out in nanoseconds (negative: for ever). Returns MARTLET_WAIT_… bits, 0 when the time is
// up or a signal came, or a negative errno.
int martlet_wait(int descriptor, int other, int mailbox, long long timeout);

// A non-blocking eventfd that starts at 0, or a negative errno.
int martlet_mailbox_open(void);

// Wakes whoever waits for `mailbox`.
void martlet_mailbox_signal(int mailbox);

// Names the calling thread, as seen in ps and /proc; the kernel keeps 15 bytes.
void martlet_thread_name(const char *name);

// Moves the calling thread to SCHED_RR with `priority`; threads and processes that it starts do not
// follow. Returns 0 or a negative errno.
int martlet_thread_real_time(int priority);

// Sets the calling thread's nice value. Returns 0 or a negative errno.
int martlet_thread_nice(int nice);

#endif
