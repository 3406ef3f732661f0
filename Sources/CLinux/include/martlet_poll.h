#ifndef MARTLET_POLL_H
#define MARTLET_POLL_H

enum {
    // There is something to read, or the end of the stream.
    MARTLET_POLL_READABLE = 1,
    // There is room to write, or an attempt to connect has ended.
    MARTLET_POLL_WRITABLE = 2,
    // An error is pending, or both directions have ended.
    MARTLET_POLL_FAILED = 4,

    // The most events of one martlet_poll_wait.
    MARTLET_POLL_BATCH = 64,
};

struct martlet_poll_event {
    unsigned long long tag;
    unsigned int bits;
};

// An epoll instance, close-on-exec, or a negative errno.
int martlet_poll_open(void);

// Watches a descriptor for MARTLET_POLL_READABLE and MARTLET_POLL_WRITABLE; failure is always told.
// Returns 0 or a negative errno.
int martlet_poll_add(int poll, int descriptor, unsigned int bits, unsigned long long tag);

// Changes what a descriptor is watched for. Returns 0 or a negative errno.
int martlet_poll_change(int poll, int descriptor, unsigned int bits, unsigned long long tag);

// No longer watches a descriptor. Returns 0 or a negative errno.
int martlet_poll_remove(int poll, int descriptor);

// Waits until something is ready, or for the time-out in nanoseconds (negative: for ever). Returns
// how many events there are, 0 when the time is up or a signal came, or a negative errno.
int martlet_poll_wait(
    int poll, struct martlet_poll_event events[MARTLET_POLL_BATCH], long long timeout);

// Clears the count of a mailbox that was signalled.
void martlet_mailbox_clear(int mailbox);

#endif
