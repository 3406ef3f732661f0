#define _GNU_SOURCE
#include "martlet_stream.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#ifndef IP_MINTTL
#define IP_MINTTL 21
#endif
#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static socklen_t encode(const struct martlet_stream_end *end, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address);
    if (end->family == 6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(end->port);
        v6->sin6_scope_id = end->scope;
        memcpy(&v6->sin6_addr, end->bytes, 16);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(end->port);
    memcpy(&v4->sin_addr, end->bytes, 4);
    return sizeof *v4;
}

static void decode(const struct sockaddr_storage *address, struct martlet_stream_end *end) {
    memset(end, 0, sizeof *end);
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        end->family = 6;
        end->port = ntohs(v6->sin6_port);
        end->scope = v6->sin6_scope_id;
        memcpy(end->bytes, &v6->sin6_addr, 16);
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        end->family = 4;
        end->port = ntohs(v4->sin_port);
        memcpy(end->bytes, &v4->sin_addr, 4);
    }
}

static int option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value) ? -errno : 0;
}

int martlet_stream_open(int family) {
    int descriptor = socket(
        family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    int failure = family == 6 ? option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1) : 0;
    if (failure) {
        close(descriptor);
        return failure;
    }
    // CS6, network control (RFC 4594 §3.2). Setting the class also sets the priority, so the
    // priority comes after it. Both are wishes: without them the session still works.
    if (family == 6)
        (void)option(descriptor, IPPROTO_IPV6, IPV6_TCLASS, 0xc0);
    else
        (void)option(descriptor, IPPROTO_IP, IP_TOS, 0xc0);
    (void)option(descriptor, SOL_SOCKET, SO_PRIORITY, 6);
    return descriptor;
}

int martlet_stream_tune(int descriptor, int unsent, int attempts) {
    int failure = option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    if (failure == 0) failure = option(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent);
    if (failure == 0 && attempts > 0)
        failure = option(descriptor, IPPROTO_TCP, TCP_SYNCNT, attempts);
    return failure;
}

int martlet_stream_device(int descriptor, const char *interface) {
    socklen_t size = (socklen_t)strlen(interface) + 1;
    return setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, size) ? -errno : 0;
}

int martlet_stream_source(int descriptor, const struct martlet_stream_end *source) {
    // The port is then unique for the pair of ends only, not for the source address.
    (void)option(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    struct sockaddr_storage address;
    socklen_t size = encode(source, &address);
    return bind(descriptor, (struct sockaddr *)&address, size) ? -errno : 0;
}

int martlet_stream_connect(int descriptor, const struct martlet_stream_end *remote) {
    struct sockaddr_storage address;
    socklen_t size = encode(remote, &address);
    if (connect(descriptor, (struct sockaddr *)&address, size) == 0) return 0;
    // An interrupted connect goes on by itself.
    return errno == EINPROGRESS || errno == EINTR ? 0 : -errno;
}

int martlet_stream_listen(
    int descriptor, const struct martlet_stream_end *local, int backlog) {
    struct sockaddr_storage address;
    socklen_t size = encode(local, &address);
    int failure = option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (failure) return failure;
    (void)option(descriptor, IPPROTO_TCP, TCP_SAVE_SYN, 1);
    if (bind(descriptor, (struct sockaddr *)&address, size)) return -errno;
    return listen(descriptor, backlog) ? -errno : 0;
}

// accept(2) reports errors of the connection that was to be taken; they concern nobody else.
static int is_of_connection(int code) {
    return code == EINTR || code == ECONNABORTED || code == EPROTO || code == ENETDOWN
        || code == ENOPROTOOPT || code == EHOSTDOWN || code == ENONET || code == EHOSTUNREACH
        || code == EOPNOTSUPP || code == ENETUNREACH || code == ETIMEDOUT || code == ECONNRESET;
}

int martlet_stream_accept(int descriptor, struct martlet_stream_end *remote) {
    for (int attempt = 0; attempt < 64; attempt++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int taken = accept4(
            descriptor, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (taken >= 0) {
            decode(&address, remote);
            return taken;
        }
        if (!is_of_connection(errno)) return -errno;
    }
    return -EAGAIN;  // more wait: the listener is still readable
}

int martlet_stream_connected(int descriptor) {
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)) return -errno;
    if (code) return -code;
    struct tcp_info info;
    size = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size)) return -errno;
    if (info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_SYN_RECV) return 0;
    // Closed with no error left: it was told before.
    return info.tcpi_state == TCP_CLOSE ? -ENOTCONN : 1;
}

int martlet_stream_local(int descriptor, struct martlet_stream_end *end) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &size)) return -errno;
    decode(&address, end);
    return 0;
}

int martlet_stream_hops(int descriptor, int family, int sent, int least) {
    if (family == 6) {
        int failure = option(descriptor, IPPROTO_IPV6, IPV6_UNICAST_HOPS, sent);
        return failure ? failure : option(descriptor, IPPROTO_IPV6, IPV6_MINHOPCOUNT, least);
    }
    int failure = option(descriptor, IPPROTO_IP, IP_TTL, sent);
    return failure ? failure : option(descriptor, IPPROTO_IP, IP_MINTTL, least);
}

int martlet_stream_syn_hops(int descriptor) {
    unsigned char header[256];
    socklen_t size = sizeof header;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_SAVED_SYN, header, &size)) return -errno;
    // Nothing is kept of a SYN that was answered with a cookie.
    if (size < 20) return 0;
    return header[0] >> 4 == 6 ? header[7] : header[8];
}

int martlet_stream_key(int descriptor, const struct martlet_stream_end *network, int length,
    const void *key, unsigned int count) {
    struct tcp_md5sig signature;
    memset(&signature, 0, sizeof signature);
    if (count > sizeof signature.tcpm_key) return -EINVAL;
    (void)encode(network, &signature.tcpm_addr);
    signature.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    signature.tcpm_prefixlen = (unsigned char)length;
    signature.tcpm_keylen = (unsigned short)count;
    if (count) memcpy(signature.tcpm_key, key, count);
    int status = setsockopt(
        descriptor, IPPROTO_TCP, TCP_MD5SIG_EXT, &signature, sizeof signature) ? -errno : 0;
    explicit_bzero(&signature, sizeof signature);
    return status;
}

long martlet_stream_receive(int descriptor, void *buffer, unsigned long capacity) {
    for (;;) {
        long count = recv(descriptor, buffer, capacity, MSG_DONTWAIT);
        if (count >= 0) return count;
        if (errno != EINTR) return -errno;
    }
}

long martlet_stream_send(int descriptor, const void *bytes, unsigned long count) {
    for (;;) {
        long sent = send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) return sent;
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return 0;
        if (errno != EINTR) return -errno;
    }
}

int martlet_stream_waiting(int descriptor, int unsent) {
    int count = 0;
    return ioctl(descriptor, unsent ? SIOCOUTQNSD : SIOCOUTQ, &count) ? -errno : count;
}

int martlet_stream_finish(int descriptor) {
    return shutdown(descriptor, SHUT_WR) ? -errno : 0;
}

void martlet_stream_forsake(int descriptor) {
    struct linger at_once = {1, 0};
    (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
