import ClusterSource
import Kubernetes
import LoadBalancing
import Membership
import NetworkTypes
import Testing

@testable import Speaker

@Suite("What the plan of routes is told")
struct RouteInputTests {
    private let node = "n1"

    /// The facts after these states, one after the other.
    private func facts(_ states: ClusterState..., live: [String: LiveMember]? = nil) -> RouteFacts {
        var input = RouteInput(node: node, scope: ServiceScope())
        var facts = RouteFacts()
        for state in states { facts.apply(input.update(state, live: live)) }
        return facts
    }

    private func demand(_ facts: RouteFacts, _ address: String = "192.0.2.10") -> RouteDemand? {
        IPAddress(address).flatMap { facts.demands[$0] }
    }

    private var state: ClusterState {
        var state = ClusterState.example
        state.announce("all")
        state.peer("router", at: "198.51.100.1")
        return state
    }

    @Test func `an advertisement becomes an offer, its communities values`() {
        var state = state
        state.addNode("n1") { $0.metadata.labels = ["rack": "a"] }
        state.addNode("n2")
        state.snapshot.configuration.communities["mine"] = .large(1, 2, 3)
        state.announce("picky") {
            $0.aggregationLength = 24
            $0.localPref = 150
            $0.communities = [.name("mine"), .name("no-export"), .value(.standard(64500, 1))]
            $0.peers = ["router"]
            $0.nodeSelectors = [LabelSelector(matchLabels: ["rack": "a"])]
        }
        let facts = facts(state)
        #expect(
            facts.offers["picky"]
                == RouteOffer(
                    nodes: .only(["n1"]), peers: .only(["router"]),
                    blockLengths: [.ipv4: 24, .ipv6: 128], localPreference: 150,
                    communities: [
                        .large(1, 2, 3), .standard(65535, 65281), .standard(64500, 1),
                    ]))
        #expect(facts.offers["all"] == RouteOffer(blockLengths: [.ipv4: 32, .ipv6: 128]))
    }

    @Test func `a peer's nodes come from its selectors, its families from its session`() {
        var state = state
        state.addNode("n1") { $0.metadata.labels = ["rack": "a"] }
        state.addNode("n2")
        state.peer("six", at: "2001:db8::1") {
            $0.nodeSelectors = [LabelSelector(matchLabels: ["rack": "a"])]
        }
        state.peer("both", at: "198.51.100.2") { $0.dualStackAddressFamily = true }
        state.peer("wire", at: "198.51.100.3") { $0.endpoint = .interface("eth0") }
        let peers = facts(state).peers
        #expect(peers["router"] == RoutePeer(families: [.ipv4]))
        #expect(peers["six"] == RoutePeer(nodes: .only(["n1"]), families: [.ipv6]))
        #expect(peers["both"] == RoutePeer())
        #expect(peers["wire"] == RoutePeer())
    }

    @Test func `advertisements match by pool and by Service label, and excluded pools do not`() {
        var state = state
        state.announce("other") { $0.ipAddressPools = ["other"] }
        state.announce("barred") { $0.excludedPools = ["main"] }
        state.announce("front") {
            $0.serviceSelectors = [LabelSelector(matchLabels: ["tier": "front"])]
        }
        state.add(Service("web", has: "192.0.2.10"))
        state.add(Service("shop", has: "192.0.2.11") { $0.metadata.labels["tier"] = "front" })
        state.add(Service("far", has: "203.0.113.9"))
        let facts = facts(state)
        #expect(demand(facts)?.advertisements == ["all"])
        #expect(demand(facts, "192.0.2.11")?.advertisements == ["all", "front"])
        #expect(demand(facts, "203.0.113.9")?.advertisements == [])
    }

    @Test func `Services that share an address count together, and one may leave`() {
        var first = state
        first.add(Service("a", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        first.add(Service("b", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        first.addNode("n1")
        first.addNode("n2")
        first.addEndpoints(of: "a", .init("198.51.100.1", on: "n1"))
        first.addEndpoints(of: "b", .init("198.51.100.2", on: "n2"))
        #expect(demand(facts(first))?.backing == .local(nodes: ["n1", "n2"]))
        var second = first
        second.snapshot.services[ObjectName(namespace: "shop", "b")] = nil
        #expect(demand(facts(first, second))?.backing == .local(nodes: ["n1"]))
        var third = second
        third.snapshot.services = [:]
        #expect(facts(first, second, third).demands.isEmpty)
    }

    @Test func `one endpoint that comes or goes changes the demand of its Service alone`() {
        var state = state
        for index in 10..<20 { state.add(Service("web-\(index)", has: "192.0.2.\(index)")) }
        var input = RouteInput(node: node, scope: ServiceScope())
        #expect(input.update(state).demands.count == 10)
        #expect(input.update(state).isEmpty)
        state.addEndpoints(of: "web-12", .init("198.51.100.1"))
        let change = input.update(state)
        #expect(change.nodes == nil && change.offers == nil && change.peers == nil)
        #expect(change.demands.keys.map(\.description) == ["192.0.2.12"])
    }

    @Test func `what others say of themselves decides who can stand in`() {
        var state = state
        for name in ["n1", "n2", "n3", "n4"] { state.addNode(name) }
        state.speakers["n3"] = SpeakerRecord(node: "n3", isServing: false)
        let live = [
            "n1": LiveMember(state: .dead), "n2": LiveMember(state: .dead, cause: .silence),
            "n4": LiveMember(state: .alive, isDraining: true),
        ]
        let nodes = facts(state, live: live).nodes
        #expect(nodes["n1"] == NodeFacts(), "who asks is alive")
        #expect(nodes["n2"] == NodeFacts(liveness: .dead(cause: "nothing is heard of it")))
        #expect(nodes["n3"] == NodeFacts(hasSpeaker: false))
        #expect(nodes["n4"] == NodeFacts(liveness: .alive, isDraining: true))
    }

    @Test func `interfaces that come and go are no news for routes`() {
        var state = state
        state.speakers["n2"] = SpeakerRecord(node: "n2")
        var input = RouteInput(node: node, scope: ServiceScope())
        _ = input.update(state)
        state.speakers["n2"]?.interfaces = [
            .init(name: "eth0", mac: .zero, prefixes: [], isUsable: true)
        ]
        #expect(input.update(state).isEmpty)
    }

    @Test func `an endpoint of an unknown node stops being local when a second node appears`() {
        var first = state
        first.add(Service("web", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        first.addEndpoints(of: "web", .init("198.51.100.1"))
        #expect(demand(facts(first))?.backing == .local(nodes: ["n1"]))
        var second = first
        second.speakers["n2"] = SpeakerRecord(node: "n2")
        #expect(demand(facts(first, second))?.backing == .local(nodes: []))
    }

    @Test("State by state, the facts are those of the last state alone", arguments: 0..<60)
    func incremental(_ seed: UInt64) {
        var random = SeededStates(seed)
        var state = state
        for name in ["n1", "n2"] { state.addNode(name) }
        var input = RouteInput(node: node, scope: ServiceScope())
        var held = RouteFacts()
        for step in 0..<40 {
            random.change(&state)
            held.apply(input.update(state))
            #expect(held == facts(state), "step \(step), seed \(seed)")
        }
    }
}

/// Small changes to a cluster, the same for the same seed.
struct SeededStates {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    /// A number below `bound` (xorshift64*).
    mutating func next(_ bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    mutating func change(_ cluster: inout ClusterState) {
        let name = "web-\(next(8))"
        let object = ObjectName(namespace: "shop", name)
        switch next(8) {
        case 0: cluster.snapshot.services[object] = nil
        case 1: cluster.snapshot.endpointSlices[object] = nil
        case 2:
            cluster.announce("front") {
                $0.serviceSelectors = [LabelSelector(matchLabels: ["tier": "front"])]
                $0.aggregationLength = 32 - next(2)
            }
        case 3: cluster.snapshot.configuration.bgpAdvertisements["front"] = nil
        case 4, 5:
            let text = next(2) == 0 ? "192.0.2.\(10 + next(6))" : "2001:db8::\(1 + next(6))"
            let (isLocal, isFront) = (next(2) == 0, next(2) == 0)
            cluster.add(
                Service(name, has: text) {
                    $0.externalTrafficPolicy = isLocal ? .local : .cluster
                    if isFront { $0.metadata.labels["tier"] = "front" }
                })
        case 6: cluster.addNode("n\(1 + next(3))") { $0.isUnschedulable = true }
        default:
            cluster.addEndpoints(
                of: name,
                .init("198.51.100.\(1 + next(9))", on: "n\(1 + next(2))", ready: next(3) > 0))
        }
    }
}

extension ClusterState {
    mutating func announce(_ name: String, change: (inout BGPAdvertisement) -> Void = { _ in }) {
        var advertisement = BGPAdvertisement(
            metadata: ObjectMeta(name: ObjectName(namespace: "metallb-system", name)))
        change(&advertisement)
        snapshot.configuration.bgpAdvertisements[name] = advertisement
    }

    mutating func peer(
        _ name: String, at address: String, change: (inout BGPPeer) -> Void = { _ in }
    ) {
        guard let address = IPAddress(address) else { return }
        var peer = BGPPeer(
            metadata: ObjectMeta(name: ObjectName(namespace: "metallb-system", name)),
            myASN: 64500, remoteAS: .number(64501), endpoint: .address(address))
        change(&peer)
        snapshot.configuration.bgpPeers[name] = peer
    }
}
