import ClusterSource
import Dataplane
import Kubernetes
import LoadBalancing
import Membership
import NetworkTypes
import Testing

@testable import Speaker

@Suite("State by state, the same as from nothing")
struct IncrementalInputTests {
    private var start: ClusterState {
        var state = ClusterState.example
        for name in ["n1", "n2"] { state.addNode(name) }
        return state
    }

    /// Changes that only the election and the data plane look at, beside those of routes.
    private func change(_ state: inout ClusterState, _ random: inout SeededStates) {
        random.change(&state)
        let name = ObjectName(namespace: "shop", "web-\(random.next(8))")
        switch random.next(12) {
        case 0: state.snapshot.services[name]?.preferredNode = "n\(random.next(3))"
        case 1: state.snapshot.services[name]?.loadBalancerClass = "other/class"
        case 2:
            state.snapshot.services[name]?.clusterIPs = [IPAddress("198.18.0.9")].compactMap(\.self)
        case 3:
            state.advertise("front") {
                $0.serviceSelectors = [LabelSelector(matchLabels: ["tier": "front"])]
            }
        case 4: state.snapshot.configuration.l2Advertisements["front"] = nil
        case 5: state.snapshot.configuration.pools["main"]?.conflictDetection.toggle()
        case 6: state.snapshot.nodes = [:]
        case 7: for name in ["n1", "n2"] { state.addNode(name) }
        case 8:
            let claims = Dictionary(
                [IPAddress("192.0.2.10"), IPAddress("192.0.2.11")].compactMap(\.self)
                    .map { ($0, UInt64(random.next(3))) }, uniquingKeysWith: { $1 })
            state.speakers["n2"] = SpeakerRecord(node: "n2", claims: claims)
        case 9: state.speakers["n2"] = nil
        case 10:
            // Several addresses, one of them twice.
            let addresses = ["192.0.2.12", "2001:db8::2", "192.0.2.12"].compactMap {
                IPAddress($0)
            }
            state.snapshot.services[name]?.ingress = addresses.map { .init(address: $0) }
        default: break
        }
    }

    @Test("what the election works from", arguments: 0..<16)
    func election(_ seed: UInt64) {
        var random = SeededStates(seed)
        var state = start
        var memory = ElectionMemory(scope: ServiceScope())
        let addresses = ["192.0.2.10", "192.0.2.11", "2001:db8::2"].compactMap { IPAddress($0) }
        var live = ["n2": LiveMember(state: .alive)]
        for step in 0..<40 {
            change(&state, &random)
            if random.next(3) == 0 {
                let address = addresses[Int(random.next(addresses.count))]
                live["n2"]?.unserving.formSymmetricDifference([address])
            }
            let input = ElectionInput(state, node: "n1", live: live, memory: &memory)
            let fresh = ElectionInput(state, node: "n1", scope: ServiceScope(), live: live)
            #expect(input == fresh, "step \(step), seed \(seed)")
        }
    }

    @Test("what the data plane is to have", arguments: 0..<16)
    func chains(_ seed: UInt64) throws {
        var random = SeededStates(seed)
        var state = start
        var last = ServiceChains(state, node: "n1", scope: ServiceScope())
        var held: [Ruleset.ServiceKey: [ServiceChain]] = [:]
        for step in 0..<40 {
            change(&state, &random)
            let present = ServiceChains(state, node: "n1", scope: ServiceScope())
            if let changes = present.changes(since: last) {
                held.merge(changes) { $1 }
            } else {
                // Another number of nodes makes every endpoint local or not: all are told.
                held = Dictionary(grouping: present.all()) {
                    .init(namespace: $0.identity.namespace, service: $0.identity.service)
                }
            }
            last = present
            let all = Set(present.all())
            #expect(Set(held.values.flatMap(\.self)) == all, "step \(step), seed \(seed)")
        }
    }

    @Test func `many changes at once are told as all`() {
        var state = start
        let before = ServiceChains(state, node: "n1", scope: ServiceScope())
        for index in 0..<200 { state.add(Service("web-\(index)", has: "192.0.2.10")) }
        let after = ServiceChains(state, node: "n1", scope: ServiceScope())
        #expect(after.changes(since: before) == nil)
        #expect(after.changes(since: after)?.isEmpty == true)
    }
}
