import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationScaleTests {
    @Test("100,000 Services over mixed pools all get an address, none twice, and keep it")
    func hundredThousand() {
        var pools = (0..<16).map { AddressPool("a\(100 + $0)", "198.18.\($0).0/24") }
        pools.append(AddressPool("b", "198.19.0.0/16", avoidBuggyIPs: true))
        pools.append(AddressPool("c", "2001:db8::/64"))
        pools.append(AddressPool("d", "2001:db8:1::/48"))
        var allocator = AddressAllocator()
        allocator.replacePools(pools)
        var seen: Set<IPAddress> = []
        let requests = (0..<100_000).map { index in
            AllocationRequest("s\(index)", index.isMultiple(of: 2) ? .ipv4 : .ipv6)
        }
        for request in requests { seen.formUnion(allocator.ask(request).addresses) }
        #expect(seen.count == 100_000)
        #expect(allocator.waitingCount == 0)
        allocator.replacePools(
            pools.map { pool in
                var renamed = pool
                renamed.name = "x-" + pool.name
                return renamed
            })
        #expect(
            requests.allSatisfy { request in allocator.addresses(of: request.service).count == 1 })
        var kept = 0
        for request in requests where allocator.ask(request).isKept { kept += 1 }
        #expect(kept == 100_000)
    }

    @Test("10,000 Services with one key and one port are no worse off than without a key")
    func oneKeyForAll() {
        var allocator = AddressAllocator(AddressPool("a", "2001:db8::/64"))
        for index in 0..<10_000 {
            _ = allocator.ask(AllocationRequest("s\(index)", .ipv6, key: "all"))
        }
        #expect(allocator.status(ofPool: "a")?.assignedIPv6 == 10_000)
        let guest = AllocationRequest("guest", .ipv6, key: "all", ports: [ServicePort(.udp, 53)])
        #expect(allocator.ask(guest).texts == ["2001:db8::"])
    }

    @Test("a /15 that leaves .0 and .255 out is used from the lowest address on")
    func hugeAvoidingPool() {
        var allocator = AddressAllocator(AddressPool("a", "198.18.0.0/15", avoidBuggyIPs: true))
        #expect(allocator.status(ofPool: "a")?.availableIPv4 == (1 << 17) - (1 << 10))
        let texts = (0..<509).flatMap { allocator.ask(AllocationRequest("s\($0)")).texts }
        #expect(texts.first == "198.18.0.1" && texts.last == "198.18.2.1")
        #expect(Set(texts).count == 509)
    }
}
