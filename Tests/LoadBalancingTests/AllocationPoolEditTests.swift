import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationPoolEditTests {
    let requests = (0..<4).map { AllocationRequest("s\($0)") }

    /// Four Services in 192.0.2.0/30 of pool `a`; then the pools change and all ask again.
    private func decisions(after pools: [AddressPool]) -> [AllocationDecision] {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/30"))
        for request in requests { _ = allocator.ask(request) }
        allocator.replacePools(pools)
        return requests.map { allocator.ask($0) }
    }

    @Test(
        "expand, rename, split and merge: every Service keeps its address",
        arguments: [
            [AddressPool("a", "192.0.2.0/24")],
            [AddressPool("renamed", "192.0.2.0/30")],
            [AddressPool("a", "192.0.2.0/31"), AddressPool("b", "192.0.2.2/31")],
            [
                AddressPool("a", "203.0.113.0/24"),
                AddressPool("b", "198.51.100.0/24", "192.0.2.0/28"),
            ],
            [AddressPool("a", "192.0.2.0/30", autoAssign: false)],
        ])
    func kept(pools: [AddressPool]) {
        let decisions = decisions(after: pools)
        #expect(decisions.map(\.isKept) == [true, true, true, true])
        #expect(decisions.flatMap(\.texts) == (0..<4).map { "192.0.2.\($0)" })
        for decision in decisions {
            #expect(pools.contains { $0.name == decision.assignment?.pool })
        }
    }

    @Test("shrink: who is outside moves with a cause, or is refused with it; nobody else moves")
    func shrink() throws {
        let decisions = decisions(after: [AddressPool("a", "192.0.2.1-192.0.2.3", "192.0.2.9/32")])
        #expect(decisions.map(\.isKept) == [false, true, true, true])
        #expect(decisions[0].texts == ["192.0.2.9"])
        let address = try #require(IPAddress("192.0.2.0"))
        #expect(decisions[0].moveCauses == [.outsideEveryPool(address)])
        let tighter = self.decisions(after: [AddressPool("a", "192.0.2.1-192.0.2.3")])
        #expect(tighter[0].refusal?.lost == [address])
        #expect(tighter[0].refusal?.causes == [.outsideEveryPool(address)])
    }

    @Test("delete: the Services go to another pool with a cause")
    func delete() {
        let decisions = decisions(after: [AddressPool("b", "198.51.100.0/24")])
        #expect(decisions.flatMap(\.texts) == (0..<4).map { "198.51.100.\($0)" })
        #expect(decisions.allSatisfy { $0.moveCauses?.count == 1 })
    }

    @Test("a pool that becomes kept for others is left, with a cause")
    func pinned() throws {
        let decisions = decisions(after: [
            AddressPool("a", "192.0.2.0/30", isPinned: true), AddressPool("b", "198.51.100.0/24"),
        ])
        let address = try #require(IPAddress("192.0.2.2"))
        #expect(decisions[2].texts == ["198.51.100.2"])
        #expect(decisions[2].moveCauses == [.pinnedToOthers(address, pool: "a")])
    }

    @Test("avoidBuggyIPs switched on moves the .0 address only")
    func avoid() {
        let decisions = decisions(after: [AddressPool("a", "192.0.2.0/24", avoidBuggyIPs: true)])
        #expect(decisions.flatMap(\.texts) == ["192.0.2.4", "192.0.2.1", "192.0.2.2", "192.0.2.3"])
        #expect(decisions[0].moveCauses?.count == 1)
    }

    @Test("an address outside every pool is given to nobody until its Service has been asked")
    func stranded() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/32"))
        _ = allocator.ask(requests[0])
        #expect(allocator.replacePools([]) == [ServiceName("s0")])
        allocator.replacePools([AddressPool("b", "192.0.2.0/31")])
        #expect(allocator.ask(requests[1]).texts == ["192.0.2.1"])
        #expect(allocator.ask(requests[0]).isKept)
        #expect(allocator.status(ofPool: "b")?.assignedIPv4 == 2)
    }

    @Test("a pool split between the families keeps both addresses of a Service")
    func splitFamilies() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24", "2001:db8::/64"))
        let request = AllocationRequest("web", .ipv4, .ipv6, policy: .require)
        _ = allocator.ask(request)
        allocator.replacePools([
            AddressPool("four", "192.0.2.0/24"), AddressPool("six", "2001:db8::/64"),
        ])
        let decision = allocator.ask(request)
        #expect(decision.isKept && decision.unmet == nil)
        #expect(decision.assignment?.addresses.map(\.pool) == ["four", "six"])
    }

    @Test("sharers go on sharing over a pool edit, and the pool goes on counting one address")
    func shared() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/30"))
        _ = allocator.ask(AllocationRequest("s1", key: "k"))
        let other = AllocationRequest("s2", key: "k", ports: [ServicePort(.udp, 80)])
        _ = allocator.ask(other)
        allocator.replacePools([AddressPool("b", "192.0.2.0/30")])
        #expect(allocator.ask(other).isKept)
        #expect(allocator.status(ofPool: "b")?.assignedIPv4 == 1)
        let third = AllocationRequest("s3", key: "k", ports: [ServicePort(.sctp, 80)])
        #expect(allocator.ask(third).texts == ["192.0.2.0"])
    }
}
