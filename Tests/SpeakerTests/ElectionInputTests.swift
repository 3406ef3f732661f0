import ClusterSource
import Kubernetes
import LoadBalancing
import NetworkTypes
import Testing

@testable import Speaker

@Suite("What the election is told")
struct ElectionInputTests {
    private let address = IPAddress("192.0.2.10")

    private func input(_ state: ClusterState, node: String = "n1") -> ElectionInput {
        ElectionInput(state, node: node, scope: ServiceScope())
    }

    private func demand(_ state: ClusterState, node: String = "n1") -> AddressDemand? {
        address.flatMap { input(state, node: node).demands[$0] }
    }

    @Test("a Node's conditions, cordon and exclusion label become facts")
    func facts() {
        var state = ClusterState.example
        state.addNode("plain")
        state.addNode("ill") { $0.ready = false }
        state.addNode("cut") { $0.networkUnavailable = true }
        state.addNode("cordoned") { $0.isUnschedulable = true }
        state.addNode("excluded") { $0.metadata.labels[Node.excludeLabel] = "" }
        let nodes = input(state).nodes
        #expect(nodes["plain"] == NodeFacts())
        #expect(nodes["ill"] == NodeFacts(isReady: false))
        #expect(nodes["cut"] == NodeFacts(isNetworkUnavailable: true))
        #expect(nodes["cordoned"] == NodeFacts(isCordoned: true))
        #expect(nodes["excluded"] == NodeFacts(isExcludedByLabel: true))
        #expect(nodes["n1"] == nil)
    }

    @Test("without Node objects the nodes are this one and those whose speakers have published")
    func noNodes() {
        var state = ClusterState.example
        state.speakers["n2"] = SpeakerRecord(node: "n2")
        #expect(Set(input(state).nodes.keys) == ["n1", "n2"])
    }

    @Test("interfaces of which only some are known decide nothing")
    func someInterfaces() {
        var state = ClusterState.example
        state.addNode("n1")
        var record = SpeakerRecord(
            node: "n1", interfaces: [.init(name: "eth0", mac: .zero, prefixes: [], isUsable: true)])
        record.knowsAllInterfaces = false
        state.speakers["n1"] = record
        #expect(input(state).nodes["n1"]?.interfaces == nil)
        #expect(input(state).nodes["n1"]?.hasSpeaker == true)
    }

    @Test("a speaker's record says whether it serves, and on which interfaces")
    func records() throws {
        var state = ClusterState.example
        for name in ["n1", "n2", "n3"] { state.addNode(name) }
        let prefix = try #require(Prefix("192.0.2.0/24"))
        state.speakers["n2"] = SpeakerRecord(
            node: "n2",
            interfaces: [.init(name: "eth0", mac: .zero, prefixes: [prefix], isUsable: true)])
        state.speakers["n3"] = SpeakerRecord(node: "n3", isServing: false)
        let nodes = input(state).nodes
        #expect(nodes["n1"]?.hasSpeaker == nil)
        #expect(nodes["n1"]?.interfaces == nil)
        #expect(nodes["n2"]?.hasSpeaker == true)
        #expect(nodes["n2"]?.interfaces == [InterfaceFacts(name: "eth0", prefixes: [prefix])])
        #expect(nodes["n3"]?.hasSpeaker == false)
    }

    @Test("claims come in the same order from equal states")
    func claims() throws {
        let address = try #require(address)
        var state = ClusterState.example
        for name in ["n3", "n1", "n2"] {
            state.speakers[name] = SpeakerRecord(node: name, claims: [address: 4])
        }
        #expect(input(state).claims[address]?.map(\.node) == ["n1", "n2", "n3"])
    }

    @Test("claims that the other nodes cannot read do not count")
    func claimsOfOneAmongSeveral() throws {
        let address = try #require(address)
        var state = ClusterState.example
        state.speakers["n1"] = SpeakerRecord(node: "n1", claims: [address: 4])
        #expect(input(state).claims[address]?.count == 1)
        state.addNode("n1")
        state.addNode("n2")
        #expect(input(state).claims.isEmpty)
        state.speakers["n2"] = SpeakerRecord(node: "n2")
        #expect(input(state).claims[address]?.map(\.node) == ["n1"])
    }

    @Test("advertisements match by pool name, pool label and Service label, and several unite")
    func advertisements() {
        var state = ClusterState.example
        state.snapshot.configuration.l2Advertisements = [:]
        state.advertise("byName") { $0.ipAddressPools = ["main"] }
        state.advertise("byLabel") {
            $0.ipAddressPoolSelectors = [LabelSelector(matchLabels: ["kind": "lan"])]
        }
        state.advertise("otherPool") { $0.ipAddressPools = ["other"] }
        state.advertise("byService") {
            $0.serviceSelectors = [LabelSelector(matchLabels: ["tier": "front"])]
        }
        state.add(Service("web", has: "192.0.2.10"))
        #expect(demand(state)?.advertisements == ["byName", "byLabel"])
        #expect(demand(state)?.pool == "main")
        state.add(Service("web", has: "192.0.2.10") { $0.metadata.labels["tier"] = "front" })
        #expect(demand(state)?.advertisements == ["byName", "byLabel", "byService"])
    }

    @Test("an address that no pool holds is announced by nobody")
    func noPool() throws {
        var state = ClusterState.example
        state.add(Service("web", has: "203.0.113.9"))
        let address = try #require(IPAddress("203.0.113.9"))
        #expect(input(state).demands[address]?.advertisements == [])
        #expect(input(state).elect().decision(for: address)?.owner == nil)
    }

    @Test("node selectors become names, interfaces a selection, and preference weights add up")
    func offers() {
        var state = ClusterState.example
        state.addNode("n1") { $0.metadata.labels = ["rack": "a", "disk": "fast"] }
        state.addNode("n2") { $0.metadata.labels = ["rack": "b"] }
        let rackA = LabelSelector(matchLabels: ["rack": "a"])
        let fast = LabelSelector(matchLabels: ["disk": "fast"])
        state.advertise("picky") {
            $0.nodeSelectors = [rackA]
            $0.interfaces = ["eth1"]
            $0.preferredNodeSelectors = [
                .init(weight: 10, preference: rackA), .init(weight: 5, preference: fast),
            ]
        }
        let offers = input(state).offers
        #expect(offers["picky"]?.nodes == .only(["n1"]))
        #expect(offers["picky"]?.interfaces == .only(["eth1"]))
        #expect(offers["picky"]?.weights == ["n1": 15])
        #expect(offers["all"] == Layer2Offer())
    }

    @Test("sharers count together: with policy Cluster one usable endpoint of either is enough")
    func sharing() {
        var state = ClusterState.example
        state.add(Service("a", has: "192.0.2.10"))
        state.add(Service("b", has: "192.0.2.10"))
        state.addEndpoints(of: "a", .init("198.51.100.1", ready: false))
        #expect(demand(state)?.backing == .cluster(hasUsableEndpoint: false))
        state.addEndpoints(of: "b", .init("198.51.100.2"))
        #expect(demand(state)?.backing == .cluster(hasUsableEndpoint: true))
        #expect(demand(state)?.services.map(\.name).sorted() == ["a", "b"])
    }

    @Test("with policy Local the nodes are those of usable endpoints")
    func local() {
        var state = ClusterState.example
        for name in ["n1", "n2", "n3"] { state.addNode(name) }
        state.add(Service("web", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        state.addEndpoints(
            of: "web", .init("198.51.100.1", on: "n1", ready: false),
            .init("198.51.100.2", on: "n2"),
            .init("198.51.100.3", on: "n3", ready: false, serving: true), .init("198.51.100.4"))
        #expect(demand(state)?.backing == .local(nodes: ["n2", "n3"]))
    }

    @Test("an endpoint of an unknown node is local to the only node, and to none of several")
    func unknownNode() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        state.addEndpoints(of: "web", .init("198.51.100.1"))
        #expect(demand(state)?.backing == .local(nodes: ["n1"]))
        state.speakers["n2"] = SpeakerRecord(node: "n2")
        #expect(demand(state)?.backing == .local(nodes: []))
    }

    @Test("Services that are not ours demand nothing, whatever their status shows")
    func scope() {
        var state = ClusterState.example
        state.add(Service("a", has: "192.0.2.10") { $0.kind = .nodePort })
        state.add(Service("b", has: "192.0.2.11") { $0.loadBalancerClass = "example.com/other" })
        state.add(Service("c", has: "192.0.2.12") { $0.metadata.isBeingDeleted = true })
        #expect(input(state).demands.isEmpty)
    }
}
