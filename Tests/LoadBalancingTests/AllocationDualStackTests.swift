import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationDualStackTests {
    @Test("RequireDualStack takes both from one pool or none")
    func require() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/24"), AddressPool("b", "2001:db8::/64"))
        let request = AllocationRequest("web", .ipv4, .ipv6, policy: .require)
        #expect(allocator.ask(request).refusal?.reason == .noPoolServes)
        #expect(allocator.status(ofPool: "a")?.assignedIPv4 == 0)
        allocator.replacePools([
            AddressPool("a", "192.0.2.0/24"), AddressPool("b", "2001:db8::/64"),
            AddressPool("c", "198.51.100.0/24", "2001:db8:c::/64"),
        ])
        #expect(allocator.nextRetry() == ServiceName("web"))
        #expect(allocator.ask(request).texts == ["198.51.100.0", "2001:db8:c::"])
    }

    @Test("PreferDualStack takes one and gains the second later, the first unchanged")
    func prefer() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/24", "2001:db8::1-2001:db8::1"))
        #expect(allocator.ask(AllocationRequest("six", .ipv6)).texts == ["2001:db8::1"])
        let request = AllocationRequest("web", .ipv4, .ipv6, policy: .prefer)
        let first = allocator.ask(request)
        #expect(first.texts == ["192.0.2.0"])
        #expect(first.unmet?.reason == .familyMissing(.ipv6, pool: "a"))
        #expect(allocator.ask(request).isKept)
        allocator.delete("six")
        #expect(allocator.nextRetry() == ServiceName("web"))
        let second = allocator.ask(request)
        #expect(second.isAssigned && second.unmet == nil)
        #expect(second.texts == ["192.0.2.0", "2001:db8::1"])
    }

    @Test("PreferDualStack gains the second family when its pool is given a range of it")
    func preferAfterEdit() {
        var allocator = AddressAllocator(AddressPool("a", "2001:db8::/64"))
        let request = AllocationRequest("web", .ipv4, .ipv6, policy: .prefer)
        #expect(allocator.ask(request).texts == ["2001:db8::"])
        allocator.replacePools([AddressPool("a", "2001:db8::/64", "192.0.2.0/24")])
        #expect(allocator.drain([request]) == ["web"])
        #expect(
            allocator.addresses(of: ServiceName("web")).map(\.description)
                == ["192.0.2.0", "2001:db8::"])
    }

    @Test("PreferDualStack favours a pool with both, then the first of ipFamilies")
    func preferBoth() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/24"), AddressPool("b", "2001:db8::/64"),
            AddressPool("c", "198.51.100.0/32", "2001:db8:c::/64"))
        #expect(
            allocator.ask(AllocationRequest("s1", .ipv6, .ipv4, policy: .prefer)).texts
                == ["2001:db8:c::", "198.51.100.0"])
        #expect(
            allocator.ask(AllocationRequest("s2", .ipv6, .ipv4, policy: .prefer)).texts
                == ["2001:db8::"])
        #expect(
            allocator.ask(AllocationRequest("s3", .ipv4, .ipv6, policy: .prefer)).texts
                == ["192.0.2.0"])
    }

    @Test("SingleStack takes the first of ipFamilies only")
    func single() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24", "2001:db8::/64"))
        #expect(allocator.ask(AllocationRequest("s1", .ipv6, .ipv4)).texts == ["2001:db8::"])
    }

    @Test("a family that is no longer wanted is given back, and the other stays")
    func narrowing() throws {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24", "2001:db8::/64"))
        _ = allocator.ask(AllocationRequest("web", .ipv4, .ipv6, policy: .require))
        let decision = allocator.ask(AllocationRequest("web", .ipv6))
        #expect(decision.texts == ["2001:db8::"])
        let address = try #require(IPAddress("192.0.2.0"))
        #expect(decision.moveCauses == [.familyNotWanted(address)])
        #expect(allocator.status(ofPool: "a")?.assignedIPv4 == 0)
    }

    @Test("a Service that comes to require both keeps the first where the pool has the second")
    func widening() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/24"),
            AddressPool("b", "198.51.100.0/24", "2001:db8:b::/64"))
        #expect(allocator.ask(AllocationRequest("s1", pool: "b")).texts == ["198.51.100.0"])
        let stays = allocator.ask(AllocationRequest("s1", .ipv4, .ipv6, policy: .require))
        #expect(stays.isAssigned && stays.texts == ["198.51.100.0", "2001:db8:b::"])
        #expect(allocator.ask(AllocationRequest("s2")).texts == ["192.0.2.0"])
        let moves = allocator.ask(AllocationRequest("s2", .ipv4, .ipv6, policy: .require))
        #expect(moves.texts == ["198.51.100.1", "2001:db8:b::1"])
        #expect(moves.moveCauses == [.bothFamiliesRequired(pool: "b")])
    }

    @Test("a pool that loses a family does not take the other from a Service that requires both")
    func lostFamily() throws {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24", "2001:db8::/64"))
        let request = AllocationRequest("web", .ipv4, .ipv6, policy: .require)
        _ = allocator.ask(request)
        #expect(allocator.replacePools([AddressPool("a", "192.0.2.0/24")]) == [ServiceName("web")])
        let decision = allocator.ask(request)
        #expect(decision.texts == ["192.0.2.0"])
        let address = try #require(IPAddress("2001:db8::"))
        #expect(decision.moveCauses == [.outsideEveryPool(address)])
        #expect(decision.unmet != nil && allocator.isWaiting(ServiceName("web")))
    }
}
