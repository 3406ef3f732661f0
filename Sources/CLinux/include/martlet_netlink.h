#ifndef MARTLET_NETLINK_H
#define MARTLET_NETLINK_H

#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

// A netlink socket of `protocol` bound to the legacy multicast `groups` (RTMGRP_…), non-blocking
// and close-on-exec, with a receive buffer of `receive_buffer` bytes where the kernel allows it.
// Returns the descriptor, or a negative errno.
int martlet_netlink_open(int protocol, unsigned int groups, int receive_buffer);

// Receives one datagram. Returns its length (which may exceed `capacity`: it was cut), or a
// negative errno. Datagrams that do not come from the kernel are passed over.
long martlet_netlink_receive(int descriptor, void *buffer, unsigned long capacity);

// Sends one datagram to the kernel. Returns 0 or a negative errno.
int martlet_netlink_send(int descriptor, const void *buffer, unsigned long count);

#endif
