import ClusterSource
import Kubernetes
import LoadBalancing
import Membership
import NetworkTypes
import Testing

@testable import Speaker

@Suite("What the election is told by those who gossip, and by annotations")
struct ElectionInputLiveTests {
    private let address = IPAddress(family: .ipv4, bits: 0xc000_020a)
    private let interface = SpeakerRecord.Interface(
        name: "eth0", mac: MACAddress(bits: 0x0200_0000_0001), prefixes: [], isUsable: true)

    private var state: ClusterState {
        var state = ClusterState.example
        for name in ["n1", "n2", "n3"] { state.addNode(name) }
        state.add(Service("web", has: "192.0.2.10"))
        state.addEndpoints(of: "web", .init("198.51.100.1"))
        return state
    }

    private func input(
        _ state: ClusterState, live: [String: LiveMember]? = [:]
    ) -> ElectionInput {
        ElectionInput(state, node: "n1", scope: ServiceScope(), live: live)
    }

    @Test("what a member says of its interfaces is newer than its record; without a word it counts")
    func interfaces() {
        var state = state
        for name in ["n1", "n2", "n3"] {
            state.speakers[name] = SpeakerRecord(
                node: name,
                interfaces: [.init(name: "old", mac: .zero, prefixes: [], isUsable: true)])
        }
        var member = LiveMember(state: .alive)
        member.interfaces["eth0"] = interface
        let nodes = input(state, live: ["n2": member, "n3": LiveMember(state: .alive)]).nodes
        #expect(nodes["n2"]?.interfaces?.map(\.name) == ["eth0"])
        #expect(nodes["n3"]?.interfaces?.map(\.name) == ["old"])
        #expect(nodes["n1"]?.interfaces?.map(\.name) == ["old"])
    }

    @Test("the records of those that gossip say nothing of their serving and handing over")
    func records() {
        var state = state
        for name in ["n1", "n2"] {
            state.speakers[name] = SpeakerRecord(
                node: name, isServing: false, handOver: .drained)
        }
        let gossiping = input(state, live: ["n2": LiveMember(state: .alive)]).nodes
        #expect(gossiping["n2"]?.hasSpeaker == nil)
        #expect(gossiping["n2"]?.isDraining == false)
        // Its own record is put together from what is so.
        #expect(gossiping["n1"]?.hasSpeaker == false)
        #expect(gossiping["n1"]?.isDraining == true)
        for silent in [input(state, live: nil).nodes, input(state, live: [:]).nodes] {
            #expect(silent["n2"]?.hasSpeaker == false)
            #expect(silent["n2"]?.isDraining == true)
        }
    }

    @Test("a member that drains is draining, and without Node objects members are the nodes")
    func members() {
        var state = state
        var member = LiveMember(state: .alive)
        member.isDraining = true
        #expect(input(state, live: ["n2": member]).nodes["n2"]?.isDraining == true)
        // A member that is no node of the cluster can own nothing.
        #expect(input(state, live: ["n9": member]).nodes["n9"] == nil)
        state.snapshot.nodes = [:]
        let nodes = input(state, live: ["n2": member]).nodes
        #expect(Set(nodes.keys) == ["n1", "n2"])
        #expect(nodes["n2"]?.isDraining == true)
    }

    @Test(
        "memory is common where another's record is read; what the gossip adds is laid over later")
    func memory() {
        #expect(!input(state).isMemoryCommon)
        var state = state
        state.speakers["n2"] = SpeakerRecord(node: "n2")
        #expect(input(state).isMemoryCommon)
    }

    @Test("disputes of living witnesses count, in order of witnesses, and those of the dead do not")
    func disputes() {
        let claim = LiveMember.DisputedClaim(node: "n1", epoch: 4)
        var live: [String: LiveMember] = [:]
        for (name, state) in [
            ("n3", MemberState.alive), ("n2", .suspect), ("n4", .dead), ("n5", .left),
        ] {
            var member = LiveMember(state: state)
            member.disputes[address] = claim
            live[name] = member
        }
        #expect(
            input(state, live: live).disputes == [
                address: [
                    Dispute(node: "n1", epoch: 4, witness: "n2"),
                    Dispute(node: "n1", epoch: 4, witness: "n3"),
                ]
            ])
    }

    @Test("a disputed claim does not keep the address, and the loser's reason names the witness")
    func disputedOwner() {
        var state = state
        for name in ["n1", "n2", "n3"] {
            state.speakers[name] = SpeakerRecord(
                node: name, interfaces: [interface],
                claims: name == "n2" ? [address: 4] : [:])
        }
        #expect(input(state).elect().owner(of: address) == "n2")
        var witness = LiveMember(state: .alive)
        witness.disputes[address] = .init(node: "n2", epoch: 4)
        let disputed = input(state, live: ["n3": witness]).elect()
        #expect(disputed.owner(of: address) != "n2")
        #expect(
            disputed.lossReason(of: "n2", for: address) == .doesNotAnswer(witness: "n3"))
        // A later claim is another matter.
        state.speakers["n2"]?.claims = [address: 5]
        #expect(input(state, live: ["n3": witness]).elect().owner(of: address) == "n2")
    }

    @Test("whoever says that it has no endpoint may not own; this node says so of itself")
    func unserving() {
        var state = state
        for name in ["n1", "n2", "n3"] {
            state.speakers[name] = SpeakerRecord(
                node: name, interfaces: [interface],
                claims: name == "n2" ? [address: 4] : [:])
        }
        var live: [String: LiveMember] = [:]
        for name in ["n1", "n2", "n3"] { live[name] = LiveMember(state: .alive) }
        live["n2"]?.unserving = [address]
        // What others say of this node it said itself, and may have taken back.
        live["n1"]?.unserving = [address]
        #expect(input(state, live: live).demands[address]?.unservingNodes == ["n2"])
        let ownership = input(state, live: live).elect()
        #expect(ownership.owner(of: address) != "n2")
        #expect(ownership.lossReason(of: "n2", for: address) == .failsHealthChecks)

        var memory = ElectionMemory(scope: ServiceScope())
        for live in [live, nil] {
            let own = ElectionInput(
                state, node: "n1", live: live, unserving: [address], memory: &memory)
            let others: Set<String> = live == nil ? [] : ["n2"]
            #expect(own.demands[address]?.unservingNodes == others.union(["n1"]))
        }
        let back = ElectionInput(state, node: "n1", live: nil, memory: &memory)
        #expect(back.demands[address]?.unservingNodes == [])
    }

    @Test("a node has no endpoint for an address when its Services' endpoints in reach are dead")
    func deadEndpoints() throws {
        var state = state
        let here = try #require(IPAddress("198.51.100.2"))
        let there = try #require(IPAddress("198.51.100.3"))
        let web = ObjectName(namespace: "shop", "web")
        state.snapshot.endpointSlices[web] = nil
        state.addEndpoints(
            of: "web", .init("198.51.100.2", on: "n1"), .init("198.51.100.3", on: "n2"))
        func unserving(_ dead: Set<IPAddress>) -> Set<IPAddress> {
            var demands = ElectionDemands(scope: ServiceScope())
            demands.update(state.snapshot, onlyNode: nil)
            return demands.unserving(at: "n1", without: [web: dead, ObjectName("gone"): dead])
        }
        // Policy Cluster: traffic goes to the other one.
        #expect(unserving([here]).isEmpty)
        #expect(unserving([here, there]) == [address])
        state.snapshot.services[web]?.externalTrafficPolicy = .local
        #expect(unserving([here]) == [address])
        #expect(unserving([there]).isEmpty)
        // A Service that shares the address and has an endpoint here keeps it here.
        state.add(Service("mail", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        state.addEndpoints(of: "mail", .init("198.51.100.4", on: "n1"))
        #expect(unserving([here]).isEmpty)
        // What is out by its object is everybody's knowledge, and nothing to tell.
        state.snapshot.endpointSlices = ObjectTable<[EndpointSlice]>()
        state.addEndpoints(of: "web", .init("198.51.100.2", on: "n1", ready: false))
        #expect(unserving([here]).isEmpty)
    }

    @Test("a Node marked for drain is draining, and its claim does not keep the address")
    func drainAnnotation() {
        var state = state
        for name in ["n1", "n2", "n3"] {
            state.speakers[name] = SpeakerRecord(
                node: name, interfaces: [interface],
                claims: name == "n2" ? [address: 4] : [:])
        }
        state.addNode("n2") { $0.isAskedToDrain = true }
        let input = input(state, live: nil)
        #expect(input.nodes["n2"]?.isDraining == true)
        let ownership = input.elect()
        #expect(ownership.owner(of: address) != "n2")
        #expect(ownership.lossReason(of: "n2", for: address) == .draining)
    }

    @Test("a Service's preferred node is asked for; of sharers with two wishes the first by name")
    func preferredNode() {
        var state = state
        state.add(Service("web", has: "192.0.2.10") { $0.preferredNode = "n3" })
        #expect(input(state).demands[address]?.preferredNode == "n3")
        #expect(input(state).elect().owner(of: address) == "n3")
        state.add(Service("mail", has: "192.0.2.10") { $0.preferredNode = "n2" })
        state.add(Service("dns", has: "192.0.2.10"))
        #expect(input(state).demands[address]?.preferredNode == "n2")
    }

    @Test(
        "preemption is that of the advertisement",
        arguments: [
            (L2Advertisement.Preemption.never, LoadBalancing.Preemption.never),
            (.gradual, .gradual), (.always, .always),
        ])
    func preemption(
        written: L2Advertisement.Preemption, understood: LoadBalancing.Preemption
    ) {
        var state = state
        state.advertise("all") { $0.preemption = written }
        #expect(input(state).offers["all"]?.preemption == understood)
    }

    @Test("facts for a node leave out its own claims, which it knows better")
    func facts() {
        var state = state
        state.speakers["n1"] = SpeakerRecord(node: "n1", claims: [address: 9])
        state.speakers["n2"] = SpeakerRecord(node: "n2", claims: [address: 4])
        #expect(
            input(state).facts(for: "n1").claims == [address: [Claim(node: "n2", epoch: 4)]])
    }
}
