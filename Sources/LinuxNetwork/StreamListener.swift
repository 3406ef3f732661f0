import CLinux
import Glibc
import NetworkTypes

/// A TCP port of one family that peers connect to. No call waits.
///
/// Keys of TCP MD5 signatures belong to peers, by address or block: from a peer that has one,
/// only segments that are signed with it are accepted, and from all others only unsigned ones.
/// Connections that are up keep theirs whatever changes here. The kernel's room for keys is
/// `net.core.optmem_max` (about 100 keys in its smallest default). A key holds for an address on
/// every interface: neighbours on two links that have the same link-local address share one.
///
/// Bounds: 128 connections wait to be accepted, the kernel refuses more. When no descriptor is
/// free, a connection is accepted with one held in reserve and reset at once, so that it neither
/// waits for ever nor keeps waking the thread; ``turnedAway`` counts them. When even that fails,
/// `accept` throws `EMFILE`; the connection goes on waiting, and the port is best closed for a
/// while. That is so from the first one on without a reserve, which many ports are better off
/// without.
///
/// A listener belongs to one thread. It closes when it goes.
package final class StreamListener {
    /// For a ``Poller``: readable when a connection waits.
    package let descriptor: Int32
    /// What it is bound to; the port is the real one.
    package let local: SocketAddress
    /// Connections that were reset for want of a descriptor.
    package private(set) var turnedAway = 0

    private static let backlog: Int32 = 128
    private static let batch = 64
    private let keepsReserve: Bool
    private var reserve: Int32 = -1

    /// Listens at an address, or with the unspecified address at every address of that family; port
    /// 0 is any free one. With an interface (or VRF), only there.
    package init(
        _ local: SocketAddress, interface: String? = nil, keepsReserve: Bool = true
    ) throws(SystemError) {
        let subject = "TCP port \(local)"
        var end = try martlet_stream_end(local, interface: interface)
        let opened = try StreamSocket.open(local.address.family, subject: subject)
        do throws(SystemError) {
            // The answer to a SYN must reach, and satisfy, a peer with TTL security.
            _ = martlet_stream_hops(opened, Int32(local.address.family.rawValue), 255, 0)
            if let interface { try StreamSocket.bind(opened, to: interface) }
            let status = unsafe martlet_stream_listen(opened, &end, Self.backlog)
            guard status == 0 else { throw Self.listenError(-status, subject: subject) }
            let named = unsafe martlet_stream_local(opened, &end)
            guard named == 0 else {
                throw SystemError("getsockname", errno: -named, subject: subject)
            }
        } catch {
            close(opened)
            throw error
        }
        descriptor = opened
        self.local = SocketAddress(local.address, port: end.port)
        self.keepsReserve = keepsReserve
        if keepsReserve { reserve = Self.openReserve() }
    }

    deinit {
        close(descriptor)
        if reserve >= 0 { close(reserve) }
    }

    /// Sets, changes or removes the key of the peers in a block; the longest block that holds a
    /// peer counts.
    package func setKey(_ key: StreamKey?, for peers: Prefix) throws(SystemError) {
        guard peers.family == local.address.family else {
            throw SystemError(
                "setsockopt(TCP_MD5SIG)", errno: EAFNOSUPPORT, subject: "\(peers)",
                remedy: "the port \(local) is of the other family")
        }
        try StreamSocket.setKey(
            key, of: descriptor, network: peers.network, length: peers.length,
            subject: "\(peers) at TCP port \(local)")
    }

    /// Hands connections that wait to `body`, at most 64. Returns how many; at 64 more may wait.
    ///
    /// Nothing is known of them but where they come from: whoever is not expected is to be closed,
    /// and of who is ``StreamSocket/setReach(_:)`` is to be asked.
    package func accept(_ body: (StreamSocket) -> Void) throws(SystemError) -> Int {
        for count in 0..<Self.batch {
            var end = martlet_stream_end()
            let taken = unsafe martlet_stream_accept(descriptor, &end)
            switch -taken {
            case ...0:
                guard let remote = StreamEnd(end) else {
                    close(taken)
                    continue
                }
                guard let socket = StreamSocket(accepted: taken, from: remote) else {
                    turnedAway += 1
                    continue
                }
                body(socket)
            case EAGAIN: return count
            case let code:
                let isLacking = code == EMFILE || code == ENFILE
                switch isLacking ? turnAway() : -code {
                case 1: continue
                case 0: return count
                default:
                    throw SystemError("accept", errno: code, subject: "TCP port \(local)")
                }
            }
        }
        return Self.batch
    }

    /// Resets the first connection that waits. Returns 1 when one did, 0 when none waits (the
    /// kernel takes a descriptor before it looks), or a negative errno.
    private func turnAway() -> Int32 {
        if keepsReserve, reserve < 0 { reserve = Self.openReserve() }
        guard reserve >= 0 else { return -EMFILE }
        close(reserve)
        defer { reserve = Self.openReserve() }
        var end = martlet_stream_end()
        let taken = unsafe martlet_stream_accept(descriptor, &end)
        guard taken >= 0 else { return taken == -EAGAIN ? 0 : taken }
        martlet_stream_forsake(taken)
        close(taken)
        turnedAway += 1
        return 1
    }

    private static func openReserve() -> Int32 {
        unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    private static func listenError(_ code: Int32, subject: String) -> SystemError {
        let remedy: String? =
            switch code {
            case EADDRINUSE:
                "another program listens there, another BGP speaker perhaps: choose another port, "
                    + "or none (sessions that we open work without)"
            case EADDRNOTAVAIL: "no interface of this node has the address"
            case EACCES: "grant CAP_NET_BIND_SERVICE, or choose a port from 1024 on"
            default: nil
            }
        return SystemError("listen", errno: code, subject: subject, remedy: remedy)
    }
}
