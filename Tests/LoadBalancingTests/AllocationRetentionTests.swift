import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationRetentionTests {
    var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/31", retention: .seconds(60)))

    @Test("the address of a deleted Service is kept back for the same name, and for no other")
    mutating func retained() throws {
        let request = AllocationRequest("web")
        _ = allocator.ask(request)
        allocator.release(ServiceName("web"), at: .seconds(10))
        #expect(allocator.nextDeadline == .seconds(70))
        #expect(allocator.status(ofPool: "a")?.availableIPv4 == 1)
        #expect(allocator.allocate(AllocationRequest("x"), at: .seconds(20)).texts == ["192.0.2.1"])
        let refusal = allocator.allocate(AllocationRequest("y"), at: .seconds(30)).refusal
        #expect(
            refusal?.passedOver.first?.reason == .exhausted(.ipv4, assigned: 1, reserved: 1))
        let asked = AllocationRequest("z", address: "192.0.2.0")
        let address = try #require(IPAddress("192.0.2.0"))
        #expect(
            allocator.allocate(asked, at: .seconds(30)).refusal?.reason
                == .addressUnavailable(address, .reserved(for: ServiceName("web"))))
        let again = allocator.allocate(request, at: .seconds(69))
        #expect(again.isAssigned && again.texts == ["192.0.2.0"])
        #expect(again.assignment?.rule == .retained)
        #expect(allocator.nextDeadline == nil)
    }

    @Test("when the time is over the address is free, and the first who waits gets it")
    mutating func expiry() {
        for name in ["one", "two"] { _ = allocator.ask(AllocationRequest(name)) }
        allocator.release(ServiceName("one"), at: .seconds(0))
        let late = AllocationRequest("late")
        #expect(allocator.ask(late).refusal != nil)
        allocator.expireReservations(at: .seconds(59))
        #expect(allocator.nextRetry() == nil)
        allocator.expireReservations(at: .seconds(60))
        #expect(allocator.nextRetry() == ServiceName("late"))
        #expect(allocator.allocate(late, at: .seconds(60)).texts == ["192.0.2.0"])
    }

    @Test("a Service that changes its type or class gives its address back at once")
    mutating func notWanted() {
        _ = allocator.ask(AllocationRequest("web"))
        allocator.release(ServiceName("web"), cause: .notWanted, at: .seconds(0))
        #expect(allocator.nextDeadline == nil)
        #expect(allocator.ask(AllocationRequest("next")).texts == ["192.0.2.0"])
    }

    @Test("a Service that comes back with another wish has its wish, and the old address is free")
    mutating func otherWish() {
        _ = allocator.ask(AllocationRequest("web"))
        allocator.delete("web")
        #expect(
            allocator.ask(AllocationRequest("web", address: "192.0.2.1")).texts == ["192.0.2.1"])
        #expect(allocator.ask(AllocationRequest("next")).texts == ["192.0.2.0"])
    }

    @Test("reservations outlive a restart and a pool edit when they are given back")
    mutating func restart() {
        _ = allocator.ask(AllocationRequest("web"))
        allocator.delete("web")
        var successor = AddressAllocator(AddressPool("a", "192.0.2.0/31"))
        for (service, entry) in allocator.reservedAddresses {
            successor.reserve(entry.addresses, for: service, until: entry.until)
        }
        successor.replacePools([AddressPool("b", "192.0.2.0/31")])
        #expect(successor.ask(AllocationRequest("next")).texts == ["192.0.2.1"])
        #expect(successor.ask(AllocationRequest("web")).texts == ["192.0.2.0"])
    }

    @Test("a sharer that leaves does not free its address, and comes back to it")
    mutating func sharer() {
        let dns = AllocationRequest("dns", key: "k", ports: [ServicePort(.udp, 53)])
        _ = allocator.ask(AllocationRequest("web", key: "k"))
        _ = allocator.ask(dns)
        allocator.delete("dns")
        allocator.delete("web")
        #expect(allocator.status(ofPool: "a")?.availableIPv4 == 1)
        #expect(allocator.ask(dns).texts == ["192.0.2.0"])
        #expect(allocator.ask(AllocationRequest("web", key: "k")).texts == ["192.0.2.0"])
    }

    @Test("there are at most 65,536 reservations; one more ends the one that would end first")
    mutating func bound() {
        allocator = AddressAllocator(AddressPool("a", "2001:db8::/64", retention: .seconds(60)))
        for index in 0...Reservations.limit {
            let request = AllocationRequest("s\(index)", .ipv6)
            let now = Instant(nanoseconds: Int64(index))
            _ = allocator.allocate(request, at: now)
            allocator.release(request.service, at: now)
        }
        #expect(allocator.reservedAddresses.count == Reservations.limit)
        #expect(allocator.ask(AllocationRequest("next", .ipv6)).texts == ["2001:db8::"])
    }
}
