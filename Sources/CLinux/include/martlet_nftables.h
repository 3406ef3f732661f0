#ifndef MARTLET_NFTABLES_H
#define MARTLET_NFTABLES_H

// A netlink socket of NETLINK_NETFILTER in the network namespace of the calling thread, non-blocking
// and close-on-exec, which is told the reason of an error as text (NETLINK_EXT_ACK) and does not get
// its own messages back (NETLINK_CAP_ACK). Returns the descriptor, or a negative errno.
int martlet_nftables_open(void);

// The same, which hears of every change of every table (NFNLGRP_NFTABLES), with a receive buffer of
// `receive_buffer` bytes where the kernel allows it.
int martlet_nftables_open_monitor(int receive_buffer);

// The number by which the kernel names the socket in what it tells others, never 0 once bound.
unsigned int martlet_nftables_port(int descriptor);

// Sends one datagram to the kernel, raising the socket's send buffer where it is too small: a
// transaction is one datagram whatever its size. Returns 0 or a negative errno.
int martlet_nftables_send(int descriptor, const void *buffer, unsigned long count);

// Binds and listens at the abstract name `name` of the calling thread's network namespace. Returns
// the descriptor, or a negative errno: EADDRINUSE when somebody else does, whose process is then in
// `holder`, 0 where that is not to be known.
int martlet_lock_take(const char *name, int *holder);

// Sends away those who asked who holds the lock, so that the next ones hear it too.
void martlet_lock_answer(int descriptor);

#endif
