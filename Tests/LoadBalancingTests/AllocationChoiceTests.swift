import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationChoiceTests {
    @Test("asking twice gives the same address")
    func idempotent() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/24"))
        let first = allocator.ask(AllocationRequest("web"))
        #expect(first.isAssigned && first.texts == ["192.0.2.0"])
        let second = allocator.ask(AllocationRequest("web"))
        #expect(second.isKept && second.texts == ["192.0.2.0"])
    }

    @Test("a freed address can be used again")
    func reuse() {
        var allocator = AddressAllocator(AddressPool("a", "192.0.2.5-192.0.2.6"))
        #expect(allocator.ask(AllocationRequest("one")).texts == ["192.0.2.5"])
        #expect(allocator.ask(AllocationRequest("two")).texts == ["192.0.2.6"])
        allocator.delete("one")
        #expect(allocator.ask(AllocationRequest("three")).texts == ["192.0.2.5"])
    }

    @Test("the order is address, annotation, pinned by priority, auto-assign by name")
    func order() {
        var allocator = AddressAllocator(
            AddressPool("a-open", "192.0.2.0/28"), AddressPool("b-open", "192.0.2.16/28"),
            AddressPool("c-pinned", "192.0.2.32/28", isPinned: true),
            AddressPool("d-pinned", "192.0.2.48/28", priority: 20, isPinned: true),
            AddressPool("e-pinned", "192.0.2.64/28", priority: 10, isPinned: true),
            AddressPool("f-pinned", "192.0.2.80/28", priority: 10, isPinned: true))
        let pinned: Set = ["c-pinned", "d-pinned", "e-pinned", "f-pinned"]
        func rule(_ request: AllocationRequest) -> String {
            let assignment = allocator.ask(request).assignment
            return "\(assignment?.pool ?? "none"): \(assignment?.rule.description ?? "none")"
        }
        #expect(rule(AllocationRequest("s1")) == "a-open: auto-assign, first by name")
        #expect(rule(AllocationRequest("s2", pinned: pinned)) == "e-pinned: pinned, priority 10")
        #expect(
            rule(AllocationRequest("s3", pinned: ["c-pinned", "d-pinned"]))
                == "d-pinned: pinned, priority 20")
        #expect(
            rule(AllocationRequest("s4", pinned: ["c-pinned"])) == "c-pinned: pinned, no priority")
        #expect(
            rule(AllocationRequest("s5", pool: "b-open", pinned: pinned)) == "b-open: annotation")
        #expect(
            rule(AllocationRequest("s6", address: "192.0.2.50", pinned: pinned))
                == "d-pinned: requested address")
    }

    @Test("full pools are passed over one after the other, and the decision says so")
    func passingOver() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.1-192.0.2.1"), AddressPool("b", "2001:db8::/64"),
            AddressPool("c", "192.0.2.3-192.0.2.3"),
            AddressPool("p", "192.0.2.9-192.0.2.9", priority: 1, isPinned: true))
        #expect(allocator.ask(AllocationRequest("one", pinned: ["p"])).texts == ["192.0.2.9"])
        #expect(allocator.ask(AllocationRequest("two", pinned: ["p"])).texts == ["192.0.2.1"])
        let third = allocator.ask(AllocationRequest("three", pinned: ["p"]))
        #expect(third.texts == ["192.0.2.3"])
        #expect(
            third.assignment?.passedOver == [
                PassedOverPool(pool: "p", reason: .exhausted(.ipv4, assigned: 1, reserved: 0)),
                PassedOverPool(pool: "a", reason: .exhausted(.ipv4, assigned: 1, reserved: 0)),
                PassedOverPool(pool: "b", reason: .noAddresses(of: .ipv4)),
            ])
    }

    @Test("the whole pool can be used, then the refusal counts and names every pool")
    func exhaustion() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/29"),
            AddressPool("m", "198.51.100.0/24", autoAssign: false),
            AddressPool("z", "203.0.113.0/24", isPinned: true))
        let given = (0..<8).flatMap { allocator.ask(AllocationRequest("s\($0)")).texts }
        #expect(given == (0..<8).map { "192.0.2.\($0)" })
        let refusal = allocator.ask(AllocationRequest("late")).refusal
        #expect(refusal?.reason == .noPoolServes)
        #expect(
            refusal?.passedOver == [
                PassedOverPool(pool: "a", reason: .exhausted(.ipv4, assigned: 8, reserved: 0)),
                PassedOverPool(pool: "m", reason: .autoAssignOff),
                PassedOverPool(pool: "z", reason: .pinnedToOthers),
            ])
        let status = allocator.status(ofPool: "a")
        #expect(status?.assignedIPv4 == 8 && status?.availableIPv4 == 0)
        #expect(allocator.isWaiting(ServiceName("late")))
    }

    @Test("autoAssign off: only on request, by pool or by address")
    func autoAssignOff() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0/24", autoAssign: false),
            AddressPool("p", "198.51.100.0/24", autoAssign: false, isPinned: true))
        #expect(allocator.ask(AllocationRequest("s1", pinned: ["p"])).refusal != nil)
        #expect(allocator.ask(AllocationRequest("s2", pool: "a")).texts == ["192.0.2.0"])
        #expect(
            allocator.ask(AllocationRequest("s3", address: "192.0.2.7")).texts == ["192.0.2.7"])
        #expect(
            allocator.ask(AllocationRequest("s4", pool: "p", pinned: ["p"])).texts
                == ["198.51.100.0"])
    }

    @Test("avoidBuggyIPs: .0 and .255 are skipped, counted out, and refused on request")
    func buggyAddresses() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.254-198.51.100.1", "2001:db8::/127", avoidBuggyIPs: true))
        let count = (198 << 24 | 51 << 16 | 100 << 8 | 1) - (192 << 24 | 2 << 8 | 254) + 1
        let blocks = (198 << 16 | 51 << 8 | 100) - (192 << 16 | 2)
        let status = allocator.status(ofPool: "a")
        #expect(status?.availableIPv4 == Int64(count - 2 * blocks))
        #expect(status?.availableIPv6 == 2)
        #expect(allocator.ask(AllocationRequest("s1")).texts == ["192.0.2.254"])
        #expect(allocator.ask(AllocationRequest("s2")).texts == ["192.0.3.1"])
        #expect(allocator.ask(AllocationRequest("s3", .ipv6)).texts == ["2001:db8::"])
        let asked = allocator.ask(AllocationRequest("s4", address: "192.0.3.0"))
        #expect(
            asked.refusal?.reason
                == (IPAddress("192.0.3.0").map {
                    .avoidedAddress($0, pool: "a")
                }))
    }

    @Test("a pool of nothing but .0 and .255 is as good as empty")
    func onlyBuggyAddresses() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.255-192.0.3.0", avoidBuggyIPs: true))
        #expect(allocator.status(ofPool: "a")?.availableIPv4 == 0)
        let refusal = allocator.ask(AllocationRequest("web")).refusal
        #expect(refusal?.passedOver.first?.reason == .noAddresses(of: .ipv4))
    }

    @Test("counts of huge pools saturate, at both ends of the address space")
    func hugePools() {
        var allocator = AddressAllocator(AddressPool("a", "::/0"))
        #expect(allocator.status(ofPool: "a")?.availableIPv6 == .max)
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        #expect(allocator.ask(AllocationRequest("end", .ipv6, address: last)).texts == [last])
        #expect(allocator.ask(AllocationRequest("web", .ipv6)).texts == ["::"])
        allocator.delete("end")
        #expect(allocator.tenants(of: .unspecifiedIPv6) == [ServiceName("web")])
    }

    @Test("a pool kept for others is never used, not even on request")
    func pinnedToOthers() {
        var allocator = AddressAllocator(AddressPool("p", "192.0.2.0/24", isPinned: true))
        #expect(allocator.ask(AllocationRequest("s1")).refusal?.reason == .noPoolServes)
        #expect(
            allocator.ask(AllocationRequest("s1", pool: "p")).refusal?.reason
                == .pinnedToOthers(pool: "p"))
        #expect(
            allocator.ask(AllocationRequest("s1", address: "192.0.2.1")).refusal?.reason
                == .pinnedToOthers(pool: "p"))
    }

    @Test("two pools that claim one address never both give it")
    func overlap() {
        var allocator = AddressAllocator(
            AddressPool("a", "192.0.2.0-192.0.2.1"), AddressPool("b", "192.0.2.1-192.0.2.2"),
            AddressPool("b", "192.0.2.0/24"))
        let given = (0..<4).flatMap { allocator.ask(AllocationRequest("s\($0)")).texts }
        #expect(given == ["192.0.2.0", "192.0.2.1", "192.0.2.2"])
    }
}
