import Foundation
import Glibc
import NetworkTypes
import TestNetwork

/// A client, a node and two backends in network namespaces of their own:
///
/// ```
/// client 192.0.2.2 ── 192.0.2.1 node 198.51.100.1  ── 198.51.100.2  one
///                                    198.51.100.65 ── 198.51.100.66 two
/// ```
///
/// with IPv6 beside it. Service addresses are in 203.0.113.0/24 and 2001:db8:ff::/48, which the
/// client routes to the node. The node forwards.
final class DataplaneLab {
    enum Transport { case tcp, udp }

    /// What a client met.
    enum Outcome: Equatable {
        /// It was served by a backend, which saw it under an address.
        case served(by: String, seenAs: IPAddress)
        /// It was refused.
        case refused
        /// It heard nothing.
        case silence
    }

    struct Failure: Error { let what: String }

    static let isPossible =
        Namespace.isAvailable && (access("/usr/sbin/nft", X_OK) == 0 || getenv("CI") != nil)

    private struct Listener {
        let backend: String
        let transport: Transport
        let descriptor: Int32
    }

    private let prefix: String
    private var listeners: [Listener] = []

    var client: String { prefix + "c" }
    var node: String { prefix + "n" }

    init() throws {
        prefix = "dp\(getpid() % 100_000)-\(UInt16.random(in: 0...999))"
        do {
            try build()
        } catch {
            remove()
            throw error
        }
    }

    /// Takes everything away again.
    func remove() {
        for listener in listeners { close(listener.descriptor) }
        listeners = []
        for suffix in ["c", "n", "one", "two"] {
            _ = try? run("ip netns del \(prefix)\(suffix) 2>/dev/null")  // It may not be there yet.
        }
    }

    private func build() throws {
        for suffix in ["c", "n", "one", "two"] {
            try run("ip netns add \(prefix)\(suffix)")
            try run("ip -n \(prefix)\(suffix) link set lo up")
            // An interface whose link-local address is still being probed does not forward.
            for scope in ["all", "default"] {
                try run(
                    "ip netns exec \(prefix)\(suffix) sysctl -qw "
                        + "net.ipv6.conf.\(scope).accept_dad=0")
            }
        }
        try wire("c", "192.0.2.1/24", "192.0.2.2/24", "2001:db8:1::1/64", "2001:db8:1::2/64")
        try wire(
            "one", "198.51.100.1/26", "198.51.100.2/26", "2001:db8:2::1/64", "2001:db8:2::2/64")
        try wire(
            "two", "198.51.100.65/26", "198.51.100.66/26", "2001:db8:3::1/64", "2001:db8:3::2/64")
        try run("ip netns exec \(node) sysctl -qw net.ipv4.ip_forward=1")
        try run("ip netns exec \(node) sysctl -qw net.ipv6.conf.all.forwarding=1")
        for backend in ["one", "two"] {
            for family in [AF_INET, AF_INET6] {
                for transport in [Transport.tcp, .udp] {
                    try listen(backend, family, transport)
                }
            }
        }
    }

    private func wire(
        _ suffix: String, _ near4: String, _ far4: String, _ near6: String, _ far6: String
    ) throws {
        let far = prefix + suffix
        try run("ip -n \(node) link add to-\(suffix) type veth peer name eth0 netns \(far)")
        try run("ip -n \(node) addr add \(near4) dev to-\(suffix)")
        try run("ip -n \(node) addr add \(near6) dev to-\(suffix) nodad")
        try run("ip -n \(far) addr add \(far4) dev eth0")
        try run("ip -n \(far) addr add \(far6) dev eth0 nodad")
        try run("ip -n \(node) link set to-\(suffix) up")
        try run("ip -n \(far) link set eth0 up")
        let gateways = [near4, near6].map { $0.prefix { $0 != "/" } }
        try run("ip -n \(far) route add default via \(gateways[0])")
        try run("ip -n \(far) -6 route add default via \(gateways[1])")
    }

    /// Runs a shell command; its output.
    @discardableResult
    func run(_ command: String) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(what: command) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Runs `body` with this thread in a namespace. Sockets belong to the one that they were opened
    /// in, whoever uses them later.
    func inside<Result: ~Copyable, Reason: Error>(
        _ namespace: String, _ body: () throws(Reason) -> Result
    ) throws(Reason) -> Result {
        let here = unsafe Glibc.open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let there = unsafe Glibc.open("/run/netns/\(namespace)", O_RDONLY | O_CLOEXEC)
        precondition(Self.enter(there), "cannot enter the namespace")
        defer {
            precondition(Self.enter(here), "cannot leave the namespace")
            close(here)
            close(there)
        }
        return try body()
    }

    /// `setns(2)`, which the Glibc module leaves out.
    private static func enter(_ descriptor: Int32) -> Bool {
        guard let symbol = unsafe dlsym(nil, "setns") else { return false }
        let setns = unsafe unsafeBitCast(
            symbol, to: (@convention(c) (Int32, Int32) -> Int32).self)
        let network: Int32 = 0x4000_0000
        return setns(descriptor, network) == 0
    }
}

extension DataplaneLab {
    private func listen(_ backend: String, _ family: Int32, _ transport: Transport) throws {
        let descriptor = open(prefix + backend, family, transport)
        let any = family == AF_INET ? IPAddress.unspecifiedIPv4 : .unspecifiedIPv6
        guard unsafe withAddress(any, port: 8080, { unsafe bind(descriptor, $0, $1) }) == 0 else {
            throw Failure(what: "bind")
        }
        if transport == .tcp, Glibc.listen(descriptor, 16) != 0 { throw Failure(what: "listen") }
        listeners.append(
            Listener(backend: backend, transport: transport, descriptor: descriptor))
    }

    private func open(_ namespace: String, _ family: Int32, _ transport: Transport) -> Int32 {
        let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let descriptor = inside(namespace) { socket(family, Int32(kind.rawValue), 0) }
        var on: Int32 = 1
        if family == AF_INET6 {
            unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4)
        }
        var limit = timeval(tv_sec: 0, tv_usec: 400_000)
        let width = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, width)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, width)
        return descriptor
    }

    /// One connection or datagram from a namespace, and the answer that comes back.
    func ask(
        _ address: IPAddress, port: UInt16, _ transport: Transport = .tcp,
        from namespace: String? = nil
    ) throws -> Outcome {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let descriptor = open(namespace ?? client, family, transport)
        defer { close(descriptor) }
        let status = unsafe withAddress(address, port: port) { unsafe connect(descriptor, $0, $1) }
        if status != 0 { return errno == ECONNREFUSED ? .refused : .silence }
        return try exchange(descriptor, transport)
    }

    /// A client's UDP socket that stays open, so that all its datagrams are one connection.
    func converse(_ address: IPAddress, port: UInt16) throws -> Conversation {
        let descriptor = open(client, address.family == .ipv4 ? AF_INET : AF_INET6, .udp)
        guard unsafe withAddress(address, port: port, { unsafe connect(descriptor, $0, $1) }) == 0
        else { throw Failure(what: "connect") }
        return Conversation(lab: self, descriptor: descriptor)
    }

    struct Conversation {
        fileprivate let lab: DataplaneLab
        fileprivate let descriptor: Int32

        func ask() throws -> Outcome { try lab.exchange(descriptor, .udp) }

        func end() { close(descriptor) }
    }

    private func exchange(_ descriptor: Int32, _ transport: Transport) throws -> Outcome {
        var byte: UInt8 = 7
        guard unsafe Glibc.send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else {
            throw Failure(what: "send")
        }
        let served = try serve(transport)
        if unsafe recv(descriptor, &byte, 1, 0) == 1, let served { return served }
        return errno == ECONNREFUSED ? .refused : .silence
    }

    /// Answers what has arrived at a backend, and says at which, and from whom.
    private func serve(_ transport: Transport) throws -> Outcome? {
        var waiting = listeners.map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
        }
        _ = unsafe poll(&waiting, nfds_t(waiting.count), 100)
        for (listener, state) in zip(listeners, waiting)
        where listener.transport == transport && state.revents & Int16(POLLIN) != 0 {
            var storage = sockaddr_storage()
            var width = socklen_t(MemoryLayout<sockaddr_storage>.size)
            var byte: UInt8 = 0
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                guard let peer = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
                else { return }
                switch transport {
                case .tcp:
                    let accepted = unsafe accept(listener.descriptor, peer, &width)
                    unsafe recv(accepted, &byte, 1, 0)
                    unsafe Glibc.send(accepted, &byte, 1, Int32(MSG_NOSIGNAL))
                    close(accepted)
                case .udp:
                    unsafe recvfrom(listener.descriptor, &byte, 1, 0, peer, &width)
                    unsafe sendto(listener.descriptor, &byte, 1, 0, peer, width)
                }
            }
            let isIPv4 = Int32(storage.ss_family) == AF_INET
            let bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0) }
            let source = isIPv4 ? bytes[4..<8] : bytes[8..<24]
            guard let peer = IPAddress(bytes: Array(source)) else { throw Failure(what: "peer") }
            return .served(by: listener.backend, seenAs: peer)
        }
        return nil
    }

    @unsafe private func withAddress(
        _ address: IPAddress, port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var bytes = [UInt8](repeating: 0, count: 28)
        let family = UInt16(address.family == .ipv4 ? AF_INET : AF_INET6)
        unsafe withUnsafeBytes(of: family) { source in
            for index in 0..<2 { bytes[index] = unsafe source[index] }
        }
        bytes[2] = UInt8(port >> 8)
        bytes[3] = UInt8(truncatingIfNeeded: port)
        let start = address.family == .ipv4 ? 4 : 8
        for (index, byte) in address.bytes.enumerated() { bytes[start + index] = byte }
        return unsafe bytes.withUnsafeBytes { raw in
            guard let pointer = unsafe raw.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            else { return -1 }
            return unsafe body(pointer, socklen_t(address.family == .ipv4 ? 16 : 28))
        }
    }
}
