import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationRestartTests {
    @Test("Services that have an address are read first, so a newcomer does not take it")
    func adoption() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/30"))
        let old = AllocationRequest("z-old", held: ["192.0.2.0"])
        allocator.adopt([AllocationRequest("a-new"), old])
        #expect(allocator.ask(AllocationRequest("a-new")).texts == ["192.0.2.1"])
        let decision = allocator.ask(old)
        #expect(decision.isKept && decision.texts == ["192.0.2.0"])
    }

    @Test("of two that claim one address the first by name has it, whatever the order read")
    func dispute() throws {
        let requests = [
            AllocationRequest("b", held: ["192.0.2.2"]),
            AllocationRequest("a", held: ["192.0.2.2"]),
        ]
        let address = try #require(IPAddress("192.0.2.2"))
        for order in [requests, requests.reversed()] {
            var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/30"))
            allocator.adopt(order)
            let loser = allocator.ask(requests[0])
            #expect(loser.texts == ["192.0.2.0"])
            #expect(
                loser.moveCauses == [.conflict(address, .held(by: ServiceName("a")))])
            #expect(allocator.ask(requests[1]).isKept)
        }
    }

    @Test("an address whose pool is gone is given up with a cause, also over a restart")
    func lostPool() throws {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/30", "2001:db8::/64"))
        let request = AllocationRequest(
            "web", .ipv4, .ipv6, policy: .require, held: ["192.0.2.1", "2001:db8:5::1"])
        allocator.adopt([request])
        let decision = allocator.ask(request)
        #expect(decision.texts == ["192.0.2.1", "2001:db8::"])
        let address = try #require(IPAddress("2001:db8:5::1"))
        #expect(decision.moveCauses == [.outsideEveryPool(address)])
        #expect(allocator.ask(request).isKept, "the cause is told once, though the status lags")
    }

    @Test("a status with two addresses of one family keeps the first")
    func surplus() throws {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24"))
        let decision = allocator.ask(AllocationRequest("web", held: ["192.0.2.7", "192.0.2.6"]))
        let address = try #require(IPAddress("192.0.2.6"))
        #expect(decision.texts == ["192.0.2.7"])
        #expect(decision.moveCauses == [.surplus(address)])
    }

    @Test("sharers that were together are together again")
    func sharers() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24"))
        let requests = (1...3).map {
            AllocationRequest(
                "s\($0)", key: "k", ports: [ServicePort(.tcp, UInt16($0))], held: ["192.0.2.9"])
        }
        allocator.adopt(requests)
        #expect(requests.map { allocator.ask($0).isKept } == [true, true, true])
        #expect(allocator.status(ofPool: "a")?.assignedIPv4 == 1)
    }
}
