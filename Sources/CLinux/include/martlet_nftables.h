#ifndef MARTLET_NFTABLES_H
#define MARTLET_NFTABLES_H

// A netlink socket of NETLINK_NETFILTER in the network namespace of the calling thread, non-blocking
// and close-on-exec, which is told the reason of an error as text (NETLINK_EXT_ACK) and does not get
// its own messages back (NETLINK_CAP_ACK). Returns the descriptor, or a negative errno.
int martlet_nftables_open(void);

// Sends one datagram to the kernel, raising the socket's send buffer where it is too small: a
// transaction is one datagram whatever its size. Returns 0 or a negative errno.
int martlet_nftables_send(int descriptor, const void *buffer, unsigned long count);

#endif
