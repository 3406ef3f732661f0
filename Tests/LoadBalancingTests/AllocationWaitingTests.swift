import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationWaitingTests {
    @Test("who waits is served first come, first served, one for each freed address")
    func fairness() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/31"))
        let requests = ["one", "two", "z", "y", "x"].map { AllocationRequest($0) }
        for request in requests { _ = allocator.ask(request) }
        #expect(allocator.waitingCount == 3)
        _ = allocator.ask(requests[4])
        _ = allocator.ask(requests[3])
        allocator.delete("two")
        #expect(allocator.drain(requests) == ["z"], "asking again changes nobody's turn")
        allocator.delete("one")
        #expect(allocator.drain(requests) == ["y"])
        #expect(allocator.waitingCount == 1)
    }

    @Test("a freed IPv6 address wakes nobody who waits for IPv4")
    func families() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/32", "2001:db8::/64"))
        _ = allocator.ask(AllocationRequest("one", .ipv4, .ipv6, policy: .require))
        _ = allocator.ask(AllocationRequest("six", .ipv6))
        let late = AllocationRequest("late")
        #expect(allocator.ask(late).refusal != nil)
        allocator.delete("six")
        #expect(allocator.nextRetry() == nil)
        allocator.delete("one")
        #expect(allocator.drain([late]) == ["late"])
    }

    @Test("a first in line who cannot use the address lets the next one have it")
    func skipping() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/32", "2001:db8::/128"), AddressPool("b", "192.0.2.9/32"))
        _ = allocator.ask(AllocationRequest("four", pool: "a"))
        _ = allocator.ask(AllocationRequest("six", .ipv6))
        _ = allocator.ask(AllocationRequest("nine"))
        let both = AllocationRequest("both", .ipv4, .ipv6, policy: .require)
        let late = AllocationRequest("late")
        #expect(allocator.ask(both).refusal != nil && allocator.ask(late).refusal != nil)
        allocator.delete("four")
        #expect(allocator.drain([both, late]) == ["both", "late"])
        #expect(allocator.addresses(of: late.service).map(\.description) == ["192.0.2.0"])
    }

    @Test("an edit of the pools wakes everybody who waits")
    func reconfiguration() {
        var allocator = AddressAllocator()
        let requests = (0..<3).map { AllocationRequest("s\($0)") }
        for request in requests { #expect(allocator.ask(request).refusal != nil) }
        allocator.replacePools([AddressPool("a", "192.0.2.0/24")])
        #expect(allocator.drain(requests) == ["s0", "s1", "s2"])
        #expect(allocator.waitingCount == 0)
        #expect(allocator.nextRetry() == nil)
    }

    @Test("a Service that is deleted while it waits is not called")
    func deletion() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/32"))
        for name in ["one", "two", "three"] { _ = allocator.ask(AllocationRequest(name)) }
        allocator.delete("two")
        allocator.delete("one")
        #expect(allocator.drain([AllocationRequest("three")]) == ["three"])
    }
}
