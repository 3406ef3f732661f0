// Sends every datagram back, from the address that it was sent to.
//
//   Echo PORT
//
// Both families on one socket. The answer leaves from the address asked, also when the host has
// several, as a connected client demands.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: Echo PORT\n"), 2;
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &ending, NULL);
    // So that a busy machine delays the server as little as it can; without leave it still serves.
    struct sched_param priority = {.sched_priority = 20};
    sched_setscheduler(0, SCHED_FIFO, &priority);
    int wire = socket(AF_INET6, SOCK_DGRAM, 0), one = 1, zero = 0;
    struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(argv[1]))};
    if (wire < 0 || setsockopt(wire, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero)
        || setsockopt(wire, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one)
        || bind(wire, (struct sockaddr *)&local, sizeof local))
        return perror("socket"), 1;
    for (;;) {
        char data[2048], control[256];
        struct sockaddr_in6 client;
        struct iovec vector = {data, sizeof data};
        struct msghdr message = {&client, sizeof client, &vector, 1, control, sizeof control, 0};
        ssize_t length = recvmsg(wire, &message, 0);
        if (length < 0) continue;
        vector.iov_len = length;
        for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part;
             part = CMSG_NXTHDR(&message, part))
            if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
                ((struct in6_pktinfo *)CMSG_DATA(part))->ipi6_ifindex = 0;
        sendmsg(wire, &message, 0);
    }
}
