import Dataplane
import LinuxNetwork
import NetworkTypes
import Testing

@testable import Speaker

/// Against the kernel, in namespaces; the `nft` tool is the judge of what is installed.
@Suite(
    .serialized,
    .enabled(if: DataplaneLab.isPossible, "needs root, for network namespaces, and the nft tool"))
struct DataplaneReconcilerTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private func reconciler(_ lab: DataplaneLab) throws -> DataplaneReconciler {
        try reconciler(lab) { _ in true }
    }

    private func reconciler(
        _ lab: DataplaneLab, isForwarding: @escaping @Sendable (IPAddress.Family) -> Bool?
    ) throws -> DataplaneReconciler {
        try lab.inside(lab.node) { () throws(SystemError) -> DataplaneReconciler in
            DataplaneReconciler(
                socket: try NftablesSocket(),
                reader: DataplaneReader(socket: try NftablesSocket()), isForwarding: isForwarding)
        }
    }

    private func identity(_ transport: ServiceChain.Transport = .tcp) -> ServiceChain.Identity {
        .init(namespace: "default", service: "web", port: "http", transport: transport)
    }

    /// A Service of both families at 203.0.113.10 and 2001:db8:ff::10, port 80, node port 32000.
    private func web(_ transport: ServiceChain.Transport = .tcp) throws -> ServiceChain {
        ServiceChain(
            identity: identity(transport),
            frontends: [
                .loadBalancer(try address("203.0.113.10"), port: 80),
                .loadBalancer(try address("2001:db8:ff::10"), port: 80),
                .clusterIP(try address("198.18.0.10"), port: 80),
                .nodePort(.ipv4, port: 32000), .nodePort(.ipv6, port: 32000),
            ],
            endpoints: [
                .init(try address("198.51.100.2"), port: 8080, isLocal: true),
                .init(try address("198.51.100.66"), port: 8080, isLocal: false),
                .init(try address("2001:db8:2::2"), port: 8080, isLocal: true),
                .init(try address("2001:db8:3::2"), port: 8080, isLocal: false),
            ])
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        let transport: ServiceChain.Transport
        let service: String
        let node: String
        let client: String
        let gateways: Set<String>

        var testDescription: String { "\(transport) to \(service)" }

        var asked: DataplaneLab.Transport { transport == .tcp ? .tcp : .udp }

        static let all: [Case] = [ServiceChain.Transport.tcp, .udp].flatMap { transport in
            [
                Case(
                    transport: transport, service: "203.0.113.10", node: "192.0.2.1",
                    client: "192.0.2.2", gateways: ["198.51.100.1", "198.51.100.65"]),
                Case(
                    transport: transport, service: "2001:db8:ff::10", node: "2001:db8:1::1",
                    client: "2001:db8:1::2", gateways: ["2001:db8:2::1", "2001:db8:3::1"]),
            ]
        }
    }

    @Test(
        "policy Cluster: every endpoint serves, and sees the node's address",
        arguments: Case.all)
    private func cluster(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        _ = try await reconciler.reconcile([try web(example.transport)])
        for (target, port) in [(example.service, UInt16(80)), (example.node, 32000)] {
            var seen: [String: String] = [:]
            for _ in 0..<40 {
                let outcome = try lab.ask(try address(target), port: port, example.asked)
                guard case .served(let backend, let source) = outcome else {
                    Issue.record("\(target): \(outcome)")
                    continue
                }
                seen[backend] = source.description
            }
            #expect(Set(seen.keys) == ["one", "two"])
            #expect(Set(seen.values) == example.gateways)
        }
    }

    @Test(
        "policy Local: this node's endpoint alone serves, and sees the client's own address",
        arguments: Case.all)
    private func local(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var web = try web(example.transport)
        web.externalPolicy = .local
        _ = try await reconciler.reconcile([web])
        for _ in 0..<10 {
            let outcome = try lab.ask(try address(example.service), port: 80, example.asked)
            #expect(
                outcome == .served(by: "one", seenAs: try address(example.client)), "\(outcome)")
        }
    }

    @Test("no endpoint: refused at once; with one again, served", arguments: Case.all)
    private func refused(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var web = try web(example.transport)
        let endpoints = web.endpoints
        web.endpoints = []
        _ = try await reconciler.reconcile([web])
        let service = try address(example.service)
        #expect(try lab.ask(service, port: 80, example.asked) == .refused)
        web.endpoints = endpoints
        let outcome = try await reconciler.reconcile([web])
        #expect(outcome.isChanged && !outcome.isReplaced)
        guard case .served = try lab.ask(service, port: 80, example.asked) else {
            Issue.record("not served")
            return
        }
    }

    @Test(
        "source ranges: who is outside hears nothing, who is inside is served", arguments: Case.all)
    private func sourceRanges(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var web = try web(example.transport)
        web.sourceRanges = try ["198.18.0.0/15", "2001:db8:9::/48"].map {
            try #require(Prefix($0))
        }
        _ = try await reconciler.reconcile([web])
        let service = try address(example.service)
        #expect(try lab.ask(service, port: 80, example.asked) == .silence)
        web.sourceRanges += try ["192.0.2.0/25", "2001:db8:1::/64"].map {
            try #require(Prefix($0))
        }
        _ = try await reconciler.reconcile([web])
        guard case .served = try lab.ask(service, port: 80, example.asked) else {
            Issue.record("not served")
            return
        }
    }

    @Test("the node itself reaches load balancer, cluster and node addresses", arguments: Case.all)
    private func fromNode(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        try lab.run("ip -n \(lab.node) route add default via 192.0.2.2")
        try lab.run("ip -n \(lab.node) -6 route add default via 2001:db8:1::2")
        let reconciler = try reconciler(lab)
        _ = try await reconciler.reconcile([try web(example.transport)])
        let cluster = example.service.contains(":") ? example.service : "198.18.0.10"
        for (target, port) in [(example.service, UInt16(80)), (cluster, 80), (example.node, 32000)]
        {
            let outcome = try lab.ask(
                try address(target), port: port, example.asked, from: lab.node)
            guard case .served = outcome else {
                Issue.record("\(target): \(outcome)")
                continue
            }
        }
    }

    @Test("a backend reaches itself through its Service", arguments: Case.all)
    private func hairpin(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var web = try web(example.transport)
        web.externalPolicy = .local
        _ = try await reconciler.reconcile([web])
        let backend = lab.node.dropLast() + "one"
        let outcome = try lab.ask(
            try address(example.service), port: 80, example.asked, from: String(backend))
        guard case .served(by: "one", let source) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(example.gateways.contains(source.description))
    }

    @Test("session affinity: one client, one endpoint", arguments: Case.all)
    private func affinity(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var web = try web(example.transport)
        web.affinity = .clientAddress(seconds: 10_800)
        _ = try await reconciler.reconcile([web])
        let outcomes = try (0..<10).map { _ in
            try lab.ask(try address(example.service), port: 80, example.asked)
        }
        #expect(outcomes.allSatisfy { $0 == outcomes[0] })
        guard case .served = outcomes[0] else {
            Issue.record("\(outcomes[0])")
            return
        }
    }

    @Test(
        "UDP: when an endpoint goes, the client's next datagram reaches a living one",
        arguments: Case.all.filter { $0.transport == .udp })
    private func udpEndpointGone(_ example: Case) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var web = try web(.udp)
        let endpoints = web.endpoints
        for (target, port) in [(example.service, UInt16(80)), (example.node, 32000)] {
            let conversation = try lab.converse(try address(target), port: port)
            defer { conversation.end() }
            for gone in [1, 0, 1] {
                let stays = gone == 1 ? "one" : "two"
                web.endpoints = [endpoints[1 - gone], endpoints[3 - gone]]
                #expect(try await reconciler.reconcile([web]).flushFailure == nil)
                guard case .served(let backend, _) = try conversation.ask() else {
                    Issue.record("\(target): not served")
                    continue
                }
                #expect(backend == stays)
            }
        }
    }

    @Test("what nft lists for one Service is what was meant, SCTP too")
    func listing() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        var sctp = try web(.sctp)
        sctp.sourceRanges = [try #require(Prefix("192.0.2.0/24"))]
        sctp.frontends = [.loadBalancer(try address("203.0.113.10"), port: 80)]
        _ = try await reconciler.reconcile([sctp])
        let listing = try lab.run("ip netns exec \(lab.node) nft list table inet martlet")
        for line in [
            "203.0.113.10 . sctp . 80 counter packets 0 bytes 0 : goto firewall4/default/web/",
            "ip saddr != { 192.0.2.0/24 } drop",
            "goto external4/default/web/http/sctp",
            "meta mark set meta mark | 0x00002000",
            "goto cluster4/default/web/http/sctp",
            "meta nfproto ipv4 dnat ip to numgen random mod 2 map @endpoints4-0",
            "0x00000000 counter packets 0 bytes 0 : 198.51.100.2 . 8080",
            "0x00000001 counter packets 0 bytes 0 : 198.51.100.66 . 8080",
            "type nat hook prerouting priority dstnat - 5; policy accept;",
            "ip daddr . meta l4proto . th dport vmap @frontends4",
            "ct status dnat ip6 saddr . ip6 daddr @hairpins6 masquerade fully-random",
        ] {
            #expect(listing.contains(line), "\(line)\n\(listing)")
        }
    }

    @Test("the table of a former run is replaced, other tables stay, removal takes only ours")
    func ownership() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let nft = "ip netns exec \(lab.node) nft"
        try lab.run("\(nft) add table inet martlet")
        try lab.run("\(nft) add chain inet martlet left-behind")
        try lab.run("\(nft) add table inet neighbour")
        let reconciler = try reconciler(lab)
        let first = try await reconciler.reconcile([try web()])
        #expect(first.isReplaced && first.refusal == nil)
        #expect(try await reconciler.isTablePresent())
        #expect(!(try lab.run("\(nft) list table inet martlet")).contains("left-behind"))
        let again = try await reconciler.reconcile([try web()])
        #expect(!again.isChanged)
        try await reconciler.removeAll()
        try await reconciler.removeAll()
        #expect(try await !reconciler.isTablePresent())
        #expect(try lab.run("\(nft) list tables") == "table inet neighbour\n")
    }

    @Test(
        "a table that someone tore up is whole again with the next change, which says what failed")
    func repaired() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        _ = try await reconciler.reconcile([try web()])
        try lab.run("ip netns exec \(lab.node) nft flush ruleset")
        let outcome = try await reconciler.reconcile([])
        let refusal = try #require(outcome.refusal)
        #expect(outcome.isReplaced)
        #expect(refusal.description.contains("table inet martlet"))
        #expect(try await reconciler.isTablePresent())
    }

    @Test("forwarding that is off is reported with what to set, and only where it is needed")
    func forwarding() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab) { $0 == .ipv4 }
        #expect(try await reconciler.reconcile([]).remedies.isEmpty)
        #expect(
            try await reconciler.reconcile([try web()]).remedies == [
                "sysctl -w net.ipv6.conf.all.forwarding=1"
            ])
        #expect(lab.inside(lab.node) { NftablesForwarding.isOn(.ipv6) } == true)
        try lab.run("ip netns exec \(lab.node) sysctl -qw net.ipv6.conf.all.forwarding=0")
        #expect(lab.inside(lab.node) { NftablesForwarding.isOn(.ipv6) } == false)
    }
}
