#define _GNU_SOURCE
#include "martlet_datagram.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// linux/in6.h and netinet/in.h cannot both be included; linux/errqueue.h needs struct timespec.
#include <time.h>
#include <linux/errqueue.h>

#ifndef IP_PMTUDISC_OMIT
#define IP_PMTUDISC_OMIT 5
#endif
#ifndef IPV6_PMTUDISC_OMIT
#define IPV6_PMTUDISC_OMIT 5
#endif

static socklen_t encode(const struct martlet_datagram_end *end, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    if (end->family == 6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(end->port);
        memcpy(&v6->sin6_addr, end->bytes, 16);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(end->port);
    memcpy(&v4->sin_addr, end->bytes, 4);
    return sizeof *v4;
}

static void decode(const struct sockaddr_storage *address, struct martlet_datagram_end *end) {
    memset(end, 0, sizeof *end);
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        end->family = 6;
        end->port = ntohs(v6->sin6_port);
        memcpy(end->bytes, &v6->sin6_addr, 16);
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        end->family = 4;
        end->port = ntohs(v4->sin_port);
        memcpy(end->bytes, &v4->sin_addr, 4);
    }
}

// Without the privilege for the forced form, net.core.{r,w}mem_max is the limit: a smaller buffer
// only means an earlier loss.
static void size_buffer(int descriptor, int forced, int plain, int bytes) {
    if (setsockopt(descriptor, SOL_SOCKET, forced, &bytes, sizeof bytes))
        (void)setsockopt(descriptor, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

static int configure(int descriptor, int family) {
    int on = 1;
    // CS6, network control (RFC 4594 §3.2). Setting the TOS of a socket also sets its priority,
    // so the priority comes after it. Both are wishes: without them the datagrams still go.
    int class = 0xc0, priority = 6;
    if (family == 6) {
        int discovery = IPV6_PMTUDISC_OMIT;
        if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on)) return -errno;
        if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on)) return -errno;
        (void)setsockopt(
            descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discovery, sizeof discovery);
        (void)setsockopt(descriptor, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
    } else {
        int discovery = IP_PMTUDISC_OMIT;
        if (setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on)) return -errno;
        (void)setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &discovery, sizeof discovery);
        (void)setsockopt(descriptor, IPPROTO_IP, IP_TOS, &class, sizeof class);
    }
    (void)setsockopt(descriptor, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
    return 0;
}

// The kernel closes what a killed process had open from the highest descriptor down, and may spend
// tens of milliseconds on each packet socket among it. The port has to go first: "port
// unreachable" is how the others learn at once that the process is gone. 1,000 is above what else
// is open, and below the usual limit of 1,024; where it cannot be had, the port closes later.
static int raised(int descriptor) {
    int high = fcntl(descriptor, F_DUPFD_CLOEXEC, 1000);
    if (high < 0) return descriptor;
    close(descriptor);
    return high;
}

int martlet_datagram_open(
    const struct martlet_datagram_end *local, int receive_buffer, int send_buffer) {
    int family = local->family == 6 ? AF_INET6 : AF_INET;
    int descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    descriptor = raised(descriptor);
    size_buffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
    size_buffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
    struct sockaddr_storage address;
    socklen_t size = encode(local, &address);
    int failure = configure(descriptor, local->family);
    if (failure == 0 && bind(descriptor, (struct sockaddr *)&address, size)) failure = -errno;
    if (failure == 0) return descriptor;
    close(descriptor);
    return failure;
}

int martlet_datagram_port(int descriptor) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &size)) return -errno;
    struct martlet_datagram_end end;
    decode(&address, &end);
    return end.port;
}

// With an error queue, an ICMP error is also left on the socket and fails the next call, whatever
// that call is about. It is cleared by being told; the queue keeps the whole story.
static int is_pending_error(int code) {
    return code != EAGAIN && code != EBADF && code != EFAULT && code != EINVAL && code != ENOTSOCK
        && code != ENOMEM && code != ENOBUFS;
}

int martlet_datagram_receive(int descriptor, unsigned char *slots, unsigned int stride,
    struct martlet_datagram *datagrams) {
    struct mmsghdr messages[MARTLET_DATAGRAM_BATCH];
    struct iovec vectors[MARTLET_DATAGRAM_BATCH];
    struct sockaddr_storage peers[MARTLET_DATAGRAM_BATCH];
    for (unsigned int i = 0; i < MARTLET_DATAGRAM_BATCH; i++) {
        vectors[i].iov_base = slots + (unsigned long)i * stride;
        vectors[i].iov_len = stride;
        memset(&messages[i], 0, sizeof messages[i]);
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &peers[i];
        messages[i].msg_hdr.msg_namelen = sizeof peers[i];
        peers[i].ss_family = AF_UNSPEC;
    }
    for (int attempt = 0; attempt < MARTLET_DATAGRAM_BATCH; attempt++) {
        // MSG_TRUNC asks for the true length of a datagram that does not fit.
        int count = recvmmsg(
            descriptor, messages, MARTLET_DATAGRAM_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
        if (count >= 0) {
            for (int i = 0; i < count; i++) {
                decode(&peers[i], &datagrams[i].peer);
                datagrams[i].length = messages[i].msg_len;
                datagrams[i].failure = 0;
            }
            return count;
        }
        if (errno == EAGAIN) return 0;
        if (errno != EINTR && !is_pending_error(errno)) return -errno;
    }
    return 0;  // one error after the other: they come before datagrams, the next call goes on
}

int martlet_datagram_send(int descriptor, const unsigned char *slots, unsigned int stride,
    struct martlet_datagram *datagrams, unsigned int count) {
    struct mmsghdr messages[MARTLET_DATAGRAM_BATCH];
    struct iovec vectors[MARTLET_DATAGRAM_BATCH];
    struct sockaddr_storage peers[MARTLET_DATAGRAM_BATCH];
    if (count > MARTLET_DATAGRAM_BATCH) count = MARTLET_DATAGRAM_BATCH;
    for (unsigned int i = 0; i < count; i++) {
        vectors[i].iov_base = (void *)(slots + (unsigned long)i * stride);
        vectors[i].iov_len = datagrams[i].length;
        memset(&messages[i], 0, sizeof messages[i]);
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &peers[i];
        messages[i].msg_hdr.msg_namelen = encode(&datagrams[i].peer, &peers[i]);
        datagrams[i].failure = 0;
    }
    unsigned int done = 0, failed = 0, attempts = 0;
    while (done < count) {
        int sent = sendmmsg(descriptor, messages + done, count - done, MSG_DONTWAIT);
        if (sent > 0) {
            done += (unsigned int)sent;
            attempts = 0;
            continue;
        }
        if (errno == EINTR) continue;
        // An error left by an earlier datagram is told once; one about this datagram again.
        if (is_pending_error(errno) && ++attempts < 3) continue;
        datagrams[done++].failure = errno;
        failed++;
        attempts = 0;
    }
    return (int)failed;
}

int martlet_datagram_failure(int descriptor, unsigned char *quoted, unsigned int capacity,
    struct martlet_datagram_error *error) {
    struct sockaddr_storage peer;
    peer.ss_family = AF_UNSPEC;
    union {
        struct cmsghdr alignment;
        unsigned char bytes[512];
    } control;
    struct iovec vector = {quoted, capacity};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_name = &peer;
    message.msg_namelen = sizeof peer;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t count;
    do {
        count = recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    memset(error, 0, sizeof *error);
    decode(&peer, &error->peer);
    error->quoted = (unsigned long)count < capacity ? (unsigned int)count : capacity;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        int is_v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
        int is_v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
        if (!is_v4 && !is_v6) continue;
        struct sock_extended_err extended;
        if (part->cmsg_len < CMSG_LEN(sizeof extended)) continue;
        memcpy(&extended, CMSG_DATA(part), sizeof extended);
        error->code = (int)extended.ee_errno;
        error->origin = extended.ee_origin;
        error->type = extended.ee_type;
        error->kind = extended.ee_code;
    }
    return 1;
}
