import Foundation
import Testing

extension RealNetwork {
    /// The chain from an address to an endpoint, in one scene for all: making it costs seconds.
    @Suite(.chainScene) struct Chain {}
}

/// Two nodes with Pods that reach each other through an overlay, and clients outside and inside.
///
///     client ─┬─ node-a ─┬─ backend-a   198.51.100.10 …
///             │     ║    └─ guest       198.51.100.138, a Pod that serves nothing
///             │   VXLAN
///             └─ node-b ─── backend-b   198.51.100.74 …
///
/// Every Pod has the same number in IPv6: 2001:db8:a::10, 2001:db8:b::10, 2001:db8:c::10. Those of
/// the backends answer over TCP, UDP and SCTP with the address that they were reached at and the
/// client's that they saw.
final class ChainScene: @unchecked Sendable {
    /// Of the suite that runs.
    @TaskLocal static var current: ChainScene?

    /// More addresses of the client, to be many clients.
    static let clientNumbers = 120...143
    static let ports = ["tcp/80", "tcp/8080", "tcp/8170", "udp/5353", "sctp/9999"]

    let lan: NamespacedLAN
    private(set) var daemons: [String: Background] = [:]

    init() throws {
        lan = try NamespacedLAN(nodes: 2)
        try lan.prepareFaults()
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("nodes.yaml", Self.nodeObjects)
        try makeGuest()
        try makeOverlay()
        let more = Self.clientNumbers.map { number in
            """
            addr add 192.0.2.\(number)/24 dev eth0
            addr add 2001:db8:2::\(number)/64 dev eth0 nodad preferred_lft 0
            """
        }
        try lan.run("client", "ip -batch - <<'LINES'\n\(more.joined(separator: "\n"))\nLINES")
        for pod in [ChainPod.a, .b, .a2, .b2] { try addPod(pod) }
        for host in ["a", "b"] {
            let pods = [ChainPod.a, .b, .a2, .b2].filter { $0.letter == host }
            _ = try serve(pods, Self.ports)
        }
        // Only node a serves external addresses, and only node b takes its table away at the end.
        try start("node-a")
        try start("node-b")
        let isReady = eventually(within: 15, every: 0.05) {
            lan.nodes.allSatisfy { lan.status(at: $0)?.gossip?.aliveCount == 2 }
        }
        try #require(isReady != nil, lan.lastWords)
    }

    /// The scene of the running test.
    static func here() throws -> ChainScene { try #require(current) }

    /// Starts, or starts again, the daemon of a node.
    func start(_ node: String) throws {
        let own = node == "node-a" ? "--allow-external-ips" : "--remove-dataplane"
        daemons[node] = try lan.martlet(
            node, dataplane: "nftables", extra: ["--interface", "eth0", own])
    }

    /// Ends the daemon of a node.
    func end(_ node: String, by signal: Int32) { daemons[node]?.signal(signal) }

    /// `martlet …` inside a node, asking its own daemon unless told otherwise.
    func martlet(_ arguments: String, at node: String, asking: String? = nil) throws -> Shell.Output
    {
        try lan.run(
            node,
            "\(NamespacedLAN.executable) \(arguments) --admin \(lan.adminSocket(asking ?? node))",
            allowFailure: true)
    }

    /// Puts Services up for as long as `body` runs.
    func withServices(_ services: ChainService..., body: () throws -> Void) throws {
        for service in services { try put(service) }
        defer {
            // A file that is gone already is what we want.
            for service in services { try? lan.delete("\(service.name).yaml") }
        }
        try body()
    }

    /// Writes a Service as it is now.
    func put(_ service: ChainService) throws {
        try lan.write("\(service.name).yaml", service.manifest)
    }

    /// Gives a backend the addresses of one more Pod. By itself it speaks under the first ones.
    func addPod(_ pod: ChainPod) throws {
        guard pod.number != 10 else { return }
        try lan.run(
            pod.host,
            """
            ip addr add \(pod.addresses[0])/26 dev eth0 &&
            ip addr add \(pod.addresses[1])/64 dev eth0 nodad preferred_lft 0
            """)
    }

    /// Nodes that say where they are, and which addresses their Pods have; the guest has another.
    private static let nodeObjects = ["a", "b"].map { letter in
        let (own, first) = letter == "a" ? (11, 0) : (12, 64)
        return """
            apiVersion: v1
            kind: Node
            metadata: {name: node-\(letter)}
            spec: {podCIDRs: [198.51.100.\(first)/26, '2001:db8:\(letter)::/64']}
            status:
              addresses: [{type: InternalIP, address: 192.0.2.\(own)}]
              conditions: [{type: Ready, status: "True"}]

            """
    }.joined(separator: "---\n")

    private func makeGuest() throws {
        try lan.makeNamespace("guest")
        try lan.run(
            "node-a",
            """
            ip link add guests type veth peer name eth0 netns \(lan.namespace("guest")) &&
            ip link set guests up && ip addr add 198.51.100.129/26 dev guests &&
            ip addr add 2001:db8:c::1/64 dev guests nodad
            """)
        try lan.run(
            "guest",
            """
            ip link set eth0 up && ip addr add 198.51.100.138/26 dev eth0 &&
            ip addr add 2001:db8:c::10/64 dev eth0 nodad &&
            ip route add default via 198.51.100.129 && ip route add default via 2001:db8:c::1
            """)
    }

    /// What Pods of two nodes say to each other goes in UDP packets between the nodes.
    private func makeOverlay() throws {
        for (own, other) in [(1, 2), (2, 1)] {
            let far = own == 1 ? ["64", "b"] : ["0", "a"]
            let guest =
                own == 1
                ? ""
                : """
                && ip route add 198.51.100.128/26 via 203.0.113.1 &&
                ip route add 2001:db8:c::/64 via 2001:db8:f::1
                """
            try lan.run(
                lan.nodes[own - 1],
                """
                ip link add overlay type vxlan id 7 dstport 4789 dev eth0 \
                    local 192.0.2.1\(own) remote 192.0.2.1\(other) &&
                ip addr add 203.0.113.\(own)/30 dev overlay &&
                ip addr add 2001:db8:f::\(own)/64 dev overlay nodad && ip link set overlay up &&
                ip route replace 198.51.100.\(far[0])/26 via 203.0.113.\(other) &&
                ip route del 2001:db8:\(far[1])::/64 &&
                ip route add 2001:db8:\(far[1])::/64 via 2001:db8:f::\(other) \(guest) &&
                ip route add default via 192.0.2.100 && ip route add default via 2001:db8:2::100
                """)
        }
    }
}

/// Makes the scene before the first test of a suite, and removes it after the last.
struct ChainSceneTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await ChainScene.$current.withValue(try ChainScene(), operation: function)
    }
}

extension Trait where Self == ChainSceneTrait {
    static var chainScene: Self { Self() }
}
