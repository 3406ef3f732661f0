import Foundation
import Testing

/// What the machine must offer for the tests of this target. Run by hand as an ordinary user they
/// are skipped; in CI they run, and fail where something is missing.
enum Ground {
    static let mustRun = ProcessInfo.processInfo.environment["CI"] != nil
    static let isRoot = getuid() == 0
    static var isReady: Bool { mustRun || isRoot }
    static let reason: Comment = "needs root, to make network namespaces"
}

/// A LAN in network namespaces: a bridge, nodes, a client, and backends behind the nodes.
///
///     client ── bridge ── node-a ── backend a
///                   ├──── node-b ── backend b
///                   └──── node-c ── backend c
///
/// Node x has 192.0.2.1x and 2001:db8:2::1x on `eth0`; its backends live in 198.51.100.(64·i)/26
/// and 2001:db8:x::/64. Everything is removed when the LAN is let go, also after a failure.
final class NamespacedLAN: @unchecked Sendable {
    static let letters = ["a", "b", "c", "d"]
    private static let counter = Counter()

    let id: String
    let folder: URL
    let nodes: [String]
    private var namespaces: [String] = []
    private var processes: [Background] = []

    /// - Parameter snooping: the bridge forwards multicast only to ports that joined, and queries.
    init(nodes count: Int = 3, snooping: Bool = false) throws {
        id = "mt\(getpid())-\(Self.counter.next())"
        nodes = Self.letters.prefix(count).map { "node-\($0)" }
        folder = URL(filePath: NSTemporaryDirectory()).appending(path: id)
        try FileManager.default.createDirectory(
            at: folder.appending(path: "manifests"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            at: folder.appending(path: "state"), withIntermediateDirectories: true)
        do {
            try makeSwitch(snooping: snooping)
            try attach("client", host: 100)
            for index in 0..<count { try makeNode(index) }
        } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    /// The namespace of a host: `client`, `switch`, `node-a`, `backend-a` …
    func namespace(_ host: String) -> String { "\(id)-\(host)" }

    /// Runs a command line inside a host.
    @discardableResult
    func run(_ host: String, _ line: String, allowFailure: Bool = false) throws -> Shell.Output {
        try Shell.run(
            ["ip", "netns", "exec", namespace(host), "bash", "-c", line],
            allowFailure: allowFailure)
    }

    /// Starts a program inside a host; it ends with the LAN at the latest.
    func start(
        _ host: String, _ arguments: [String], log: String, patience: Double = 0
    ) throws -> Background {
        let process = try Background(
            ["ip", "netns", "exec", namespace(host)] + arguments,
            log: folder.appending(path: log), patience: patience)
        processes.append(process)
        return process
    }

    /// Adds a host without a cable.
    func makeNamespace(_ host: String) throws {
        let name = namespace(host)
        try Shell.run(["ip", "netns", "add", name])
        namespaces.append(name)
        try run(host, "ip link set lo up")
        // Duplicate address detection would keep the kernel's own addresses tentative for seconds.
        try run(
            host, "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    }

    private func makeSwitch(snooping: Bool) throws {
        try makeNamespace("switch")
        let flag = snooping ? 1 : 0
        try run(
            "switch",
            """
            ip link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping \(flag) \
            mcast_querier \(flag) && ip link set br0 up
            """)
    }

    /// Adds a host with 192.0.2.`number` and 2001:db8:2::`number` on `eth0`.
    func attach(_ host: String, host number: Int) throws {
        try makeNamespace(host)
        try plug(host, host: number)
    }

    /// Makes the cable from a host to the switch, and gives the host its addresses.
    func plug(_ host: String, host number: Int) throws {
        try Shell.run(
            """
            ip -n \(namespace("switch")) link add to-\(host) type veth \
                peer name eth0 netns \(namespace(host)) &&
            ip -n \(namespace("switch")) link set to-\(host) master br0 up &&
            ip -n \(namespace(host)) link set eth0 up &&
            ip -n \(namespace(host)) addr add 192.0.2.\(number)/24 dev eth0 &&
            ip -n \(namespace(host)) addr add 2001:db8:2::\(number)/64 dev eth0 nodad
            """)
    }

    private func makeNode(_ index: Int) throws {
        let letter = Self.letters[index]
        let node = "node-\(letter)"
        try attach(node, host: 11 + index)
        try run(node, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        let backend = "backend-\(letter)"
        try makeNamespace(backend)
        let base = 64 * index
        try run(
            node,
            """
            ip link add pods type veth peer name eth0 netns \(namespace(backend)) &&
            ip link set pods up && ip addr add 198.51.100.\(base + 1)/26 dev pods &&
            ip addr add 2001:db8:\(letter)::1/64 dev pods nodad
            """)
        try run(
            backend,
            """
            ip link set eth0 up && ip addr add 198.51.100.\(base + 10)/26 dev eth0 &&
            ip addr add 2001:db8:\(letter)::10/64 dev eth0 nodad &&
            ip route add default via 198.51.100.\(base + 1) &&
            ip route add default via 2001:db8:\(letter)::1
            """)
        for (other, otherLetter) in Self.letters.prefix(nodes.count).enumerated()
        where other != index {
            try run(
                node,
                """
                ip route add 198.51.100.\(64 * other)/26 via 192.0.2.\(11 + other) &&
                ip route add 2001:db8:\(otherLetter)::/64 via 2001:db8:2::\(11 + other)
                """)
        }
    }

    private func remove() {
        processes.forEach { $0.ask() }
        processes.forEach { $0.stop() }
        for name in namespaces.reversed() {
            // A namespace that is gone already is what we want.
            _ = try? Shell.run(["ip", "netns", "del", name], allowFailure: true)
        }
        try? FileManager.default.removeItem(at: folder)
    }
}

/// Numbers from 1, one after the other, from any thread.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func next() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}
