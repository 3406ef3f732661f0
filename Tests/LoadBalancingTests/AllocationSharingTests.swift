import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct AllocationSharingTests {
    static let tcp53 = ServicePort(.tcp, 53)
    static let udp53 = ServicePort(.udp, 53)
    var allocator = AddressAllocator(AddressPool("a", "192.0.2.0/28"))

    @Test("Services with one key and different ports join one address: DNS on TCP and UDP")
    mutating func join() {
        let first = allocator.ask(AllocationRequest("tcp", key: "dns", ports: [Self.tcp53]))
        let second = allocator.ask(AllocationRequest("udp", key: "dns", ports: [Self.udp53]))
        #expect(first.texts == ["192.0.2.0"] && second.texts == ["192.0.2.0"])
        #expect(allocator.status(ofPool: "a")?.assignedIPv4 == 1)
        let tenants = first.addresses.flatMap { allocator.tenants(of: $0) }
        #expect(tenants == [ServiceName("tcp"), ServiceName("udp")])
    }

    @Test("a port clash, another key, no key: no sharing")
    mutating func apart() {
        #expect(allocator.ask(AllocationRequest("one", key: "k")).texts == ["192.0.2.0"])
        #expect(allocator.ask(AllocationRequest("clash", key: "k")).texts == ["192.0.2.1"])
        let other = [ServicePort(.tcp, 81)]
        #expect(
            allocator.ask(AllocationRequest("key", key: "x", ports: other)).texts == ["192.0.2.2"])
        #expect(allocator.ask(AllocationRequest("none", ports: other)).texts == ["192.0.2.3"])
        #expect(
            allocator.ask(AllocationRequest("fits", key: "k", ports: other)).texts == ["192.0.2.0"])
    }

    @Test(
        "a requested address that cannot be shared is refused with the very reason",
        arguments: [
            (AllocationRequest("b", address: "192.0.2.0", ports: [tcp53]), "shared under the key"),
            (AllocationRequest("b", address: "192.0.2.0", key: "x", ports: [tcp53]), "not \"x\""),
            (AllocationRequest("b", address: "192.0.2.0", key: "k"), "shop/a listens on TCP 80"),
            (
                AllocationRequest(
                    "b", address: "192.0.2.0", key: "k", backends: .local(selector: "app=web"),
                    ports: [tcp53]), "other backends"
            ),
        ])
    mutating func refused(request: AllocationRequest, text: String) {
        _ = allocator.ask(AllocationRequest("a", key: "k"))
        let refusal = allocator.ask(request).refusal
        #expect(refusal?.description.contains(text) == true, "\(refusal?.description ?? "given")")
    }

    @Test("policy Local shares only between the same backends")
    mutating func local() {
        let web = SharingKey.Backends.local(selector: "app=web")
        let shop = SharingKey.Backends.local(selector: "app=shop")
        let ports = (1...4).map { [ServicePort(.tcp, $0)] }
        let texts = [
            AllocationRequest("s1", key: "k", backends: web, ports: ports[0]),
            AllocationRequest("s2", key: "k", backends: shop, ports: ports[1]),
            AllocationRequest("s3", key: "k", backends: web, ports: ports[2]),
            AllocationRequest("s4", key: "k", ports: ports[3]),
        ].flatMap { allocator.ask($0).texts }
        #expect(texts == ["192.0.2.0", "192.0.2.1", "192.0.2.0", "192.0.2.2"])
    }

    @Test("the last sharer to leave frees the address, no one before")
    mutating func lastLeaves() {
        _ = allocator.ask(AllocationRequest("tcp", key: "dns", ports: [Self.tcp53]))
        _ = allocator.ask(AllocationRequest("udp", key: "dns", ports: [Self.udp53]))
        allocator.delete("tcp")
        #expect(allocator.ask(AllocationRequest("web")).texts == ["192.0.2.1"])
        allocator.delete("udp")
        #expect(allocator.ask(AllocationRequest("next")).texts == ["192.0.2.0"])
    }

    @Test("a port that a leaver had can be taken by the next to join")
    mutating func portFreed() {
        _ = allocator.ask(AllocationRequest("one", key: "k"))
        _ = allocator.ask(AllocationRequest("two", key: "k", ports: [Self.tcp53]))
        allocator.delete("one")
        #expect(allocator.ask(AllocationRequest("three", key: "k")).texts == ["192.0.2.0"])
    }

    @Test("key and ports change in place while nobody else is there, or nothing clashes")
    mutating func inPlace() {
        _ = allocator.ask(AllocationRequest("web"))
        for request in [
            AllocationRequest("web", key: "k"), AllocationRequest("web", key: "other"),
            AllocationRequest("web", key: "other", ports: [Self.tcp53]), AllocationRequest("web"),
            AllocationRequest("web", key: "k", backends: .local(selector: "app=web")),
            AllocationRequest("web", key: "k"),
        ] {
            let decision = allocator.ask(request)
            #expect(decision.isKept && decision.texts == ["192.0.2.0"])
        }
        _ = allocator.ask(AllocationRequest("udp", key: "k", ports: [Self.udp53]))
        let changed = allocator.ask(AllocationRequest("web", key: "k", ports: [Self.tcp53]))
        #expect(changed.isKept && changed.texts == ["192.0.2.0"])
        #expect(
            allocator.ask(AllocationRequest("new", key: "k")).texts == ["192.0.2.0"],
            "TCP 80 is free again")
    }

    @Test("a sharer whose change now clashes moves, and the cause names the other")
    mutating func clashingChange() throws {
        _ = allocator.ask(AllocationRequest("web", key: "k"))
        _ = allocator.ask(AllocationRequest("dns", key: "k", ports: [Self.tcp53]))
        let decision = allocator.ask(AllocationRequest("dns", key: "k"))
        let address = try #require(IPAddress("192.0.2.0"))
        #expect(decision.texts == ["192.0.2.1"])
        #expect(
            decision.moveCauses == [
                .conflict(
                    address, .portClash(ServicePort(.tcp, 80), with: ServiceName("web")))
            ])
        let unshared = allocator.ask(AllocationRequest("dns"))
        #expect(unshared.isKept, "alone at its address, it may stop sharing there")
    }

    @Test("when the pool is full a freed port lets a waiting sharer join")
    mutating func waitingForPort() {
        allocator = AddressAllocator(AddressPool("a", "192.0.2.0/32"))
        _ = allocator.ask(AllocationRequest("web", key: "k"))
        _ = allocator.ask(AllocationRequest("dns", key: "k", ports: [Self.tcp53]))
        let wish = AllocationRequest("late", key: "k")
        #expect(allocator.ask(wish).refusal != nil)
        allocator.delete("web")
        #expect(allocator.drain([wish]) == ["late"])
        #expect(allocator.addresses(of: ServiceName("late")).map(\.description) == ["192.0.2.0"])
    }
}
