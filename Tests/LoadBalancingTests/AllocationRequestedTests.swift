import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationRequestedTests {
    let pools = [
        AddressPool("a", "192.0.2.0/24", "2001:db8:a::/64"),
        AddressPool("b", "198.51.100.0/24", "2001:db8:b::/64"),
    ]

    private func refusal(_ request: AllocationRequest) -> RefusalReason? {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        return allocator.ask(request).refusal?.reason
    }

    @Test("a request that can never be met is refused with the reason and the way out")
    func impossible() throws {
        #expect(
            refusal(AllocationRequest("s", address: "203.0.113.1"))?.description
                == "no pool holds 203.0.113.1; add it to a pool, or ask for another address")
        #expect(
            refusal(AllocationRequest("s", address: "2001:db8:a::1"))?.description
                == "2001:db8:a::1 is IPv6 but the Service is IPv4; change the address or ipFamilies"
        )
        #expect(
            refusal(AllocationRequest("s", address: "192.0.2.1", "192.0.2.2"))?.description
                == "192.0.2.1 and 192.0.2.2 are both IPv4; ask for one of each family")
        #expect(
            refusal(
                AllocationRequest(
                    "s", .ipv4, .ipv6, policy: .require, address: "192.0.2.1", "2001:db8:b::1"))?
                .description
                == "192.0.2.1 is in pool a and 2001:db8:b::1 in pool b; ask for two of one pool")
        #expect(refusal(AllocationRequest("s", pool: "c")) == .unknownPool("c"))
        let address = try #require(IPAddress("192.0.2.1"))
        #expect(
            refusal(AllocationRequest("s", address: "192.0.2.1", pool: "b"))
                == .notInRequestedPool(
                    AssignedAddress(address: address, pool: "a"), requested: "b"))
        var empty = AddressAllocator()
        #expect(empty.ask(AllocationRequest("s")).refusal?.reason == .noPools)
        let unwanted = AllocationRequest(
            service: ServiceName("s"), families: FamilyWish([], policy: .require))
        #expect(refusal(unwanted) == .noFamily)
    }

    @Test("two requested addresses of one pool are given together")
    func pair() {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        let decision = allocator.ask(
            AllocationRequest(
                "s", .ipv6, .ipv4, policy: .require, address: "198.51.100.9", "2001:db8:b::9"))
        #expect(decision.texts == ["2001:db8:b::9", "198.51.100.9"])
    }

    @Test("one requested address draws the other family from its pool")
    func halfPair() {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        let decision = allocator.ask(
            AllocationRequest("s", .ipv4, .ipv6, policy: .require, address: "2001:db8:b::9"))
        #expect(decision.texts == ["198.51.100.0", "2001:db8:b::9"])
        #expect(decision.assignment?.rule == .requestedAddress)
    }

    @Test("a taken address is refused with its holder's name, and given when it is free")
    func taken() throws {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        let wish = AllocationRequest("late", address: "192.0.2.0")
        #expect(allocator.ask(AllocationRequest("early")).texts == ["192.0.2.0"])
        let address = try #require(IPAddress("192.0.2.0"))
        #expect(
            allocator.ask(wish).refusal?.reason
                == .addressUnavailable(address, .held(by: ServiceName("early"))))
        #expect(allocator.nextRetry() == nil)
        allocator.delete("early")
        #expect(allocator.drain([wish]) == ["late"])
        #expect(allocator.addresses(of: ServiceName("late")) == [address])
    }

    @Test("a Service that asks for another address keeps the old one until the new one is free")
    func makeBeforeBreak() throws {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        _ = allocator.ask(AllocationRequest("other", address: "192.0.2.9"))
        #expect(allocator.ask(AllocationRequest("web")).texts == ["192.0.2.0"])
        let wish = AllocationRequest("web", address: "192.0.2.9")
        let waiting = allocator.ask(wish)
        #expect(waiting.isKept && waiting.texts == ["192.0.2.0"])
        #expect(waiting.unmet != nil)
        allocator.delete("other")
        #expect(allocator.nextRetry() == ServiceName("web"))
        let moved = allocator.ask(wish)
        #expect(moved.texts == ["192.0.2.9"])
        let address = try #require(IPAddress("192.0.2.9"))
        #expect(moved.moveCauses == [.addressRequested([address])])
        #expect(allocator.ask(AllocationRequest("next")).texts == ["192.0.2.0"])
    }

    @Test("a wrong request does no harm to the address a Service has")
    func lastGood() {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        _ = allocator.ask(AllocationRequest("web"))
        for wrong in [
            AllocationRequest("web", address: "203.0.113.1"), AllocationRequest("web", pool: "c"),
        ] {
            let decision = allocator.ask(wrong)
            #expect(decision.isKept && decision.texts == ["192.0.2.0"])
            #expect(decision.unmet != nil)
        }
    }

    @Test("another pool annotation moves the Service there, with the cause")
    func anotherPool() {
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        _ = allocator.ask(AllocationRequest("web"))
        let decision = allocator.ask(AllocationRequest("web", pool: "b"))
        #expect(decision.texts == ["198.51.100.0"])
        #expect(decision.moveCauses == [.poolRequested("b")])
        #expect(
            allocator.ask(AllocationRequest("web")).isKept, "losing the annotation moves nobody")
    }
}
