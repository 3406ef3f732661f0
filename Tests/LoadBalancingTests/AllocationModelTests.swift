import NetworkTypes
import Testing

@testable import LoadBalancing

/// Random histories against a model that knows no trees, no counters and no queues: it looks at
/// every address of every pool, one after the other.
@Suite struct AllocationModelTests {
    @Test(
        "random histories: what a newcomer gets, who stays, and what is never allowed",
        arguments: 1...12)
    func history(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var model = AllocationModel(pools: AllocationModel.pools(&random))
        var allocator = AddressAllocator()
        allocator.replacePools(model.pools)
        for step in 0..<150 {
            let context = "seed \(seed), step \(step)"
            switch random.below(20) {
            case 0:
                model.pools = AllocationModel.pools(&random)
                allocator.replacePools(model.pools)
                for service in model.held.keys.sorted() {
                    if let wish = model.wishes[service] {
                        ask(wish, &allocator, &model, context)
                    }
                }
            case 1:
                restart(&allocator, model, context)
            case 2...7:
                guard let victim = model.wishes.keys.sorted().randomElement(using: &random)
                else { continue }
                allocator.release(victim, at: .seconds(0))
                model.held[victim] = nil
                model.wishes[victim] = nil
            default:
                ask(AllocationModel.request(&random), &allocator, &model, context)
            }
            while let next = allocator.nextRetry() {
                if let wish = model.wishes[next] { ask(wish, &allocator, &model, context) }
            }
            model.check(allocator, context)
            checkNobodyOverlooked(allocator, model, context)
        }
    }

    private func ask(
        _ request: AllocationRequest, _ allocator: inout AddressAllocator,
        _ model: inout AllocationModel, _ context: String
    ) {
        let had = model.held[request.service]
        let decision = allocator.ask(request)
        if let had {
            // Nobody loses an address that is still right for him and not asked away.
            let tenable = had.filter { model.isTenable($0, for: request) }
            let wishes = !request.requestedAddresses.isEmpty || request.requestedPool != nil
            if !wishes, request.families.policy != .require {
                #expect(Set(decision.addresses).isSuperset(of: tenable), "\(context)")
            }
            let lost = had.contains { !decision.addresses.contains($0) }
            let causes = decision.moveCauses ?? decision.refusal?.causes ?? []
            #expect(lost == !causes.isEmpty, "a loss has a cause, and a cause a loss: \(context)")
        } else {
            #expect(decision.addresses == model.expected(request), "\(context): \(request)")
        }
        model.held[request.service] = decision.addresses.isEmpty ? nil : decision.addresses
        model.wishes[request.service] = request
        let again = allocator.ask(request)
        #expect(again.addresses == decision.addresses, "asked twice: \(context)")
        #expect(again.isKept || decision.refusal != nil, "asked twice: \(context)")
        #expect((decision.unmet != nil) == allocator.isWaiting(request.service), "\(context)")
    }

    /// Whoever waits when no retry is left would indeed get nothing more by asking.
    private func checkNobodyOverlooked(
        _ allocator: AddressAllocator, _ model: AllocationModel, _ context: String
    ) {
        for (service, wish) in model.wishes where allocator.isWaiting(service) {
            var copy = allocator
            let addresses = Set(copy.ask(wish).addresses)
            #expect(addresses == Set(model.held[service] ?? []), "\(service): \(context)")
        }
    }

    /// A successor that knows nothing but the statuses gives everybody what he has.
    private func restart(
        _ allocator: inout AddressAllocator, _ model: AllocationModel, _ context: String
    ) {
        var successor = AddressAllocator()
        successor.replacePools(model.pools)
        let requests = model.wishes.keys.sorted(by: >).compactMap { service in
            var request = model.wishes[service]
            request?.held = model.held[service] ?? []
            return request
        }
        successor.adopt(requests)
        for request in requests {
            let before = allocator.ask(request)
            let after = successor.ask(request)
            #expect(after.isKept == before.isKept, "\(context): \(request.service)")
            #expect(after.addresses == before.addresses, "\(context): \(request.service)")
        }
        for pool in model.pools {
            #expect(
                successor.status(ofPool: pool.name) == allocator.status(ofPool: pool.name),
                "\(context)")
        }
        allocator = successor
    }
}

/// The rules of allocation, done the slow way.
struct AllocationModel {
    var pools: [AddressPool]
    var held: [ServiceName: [IPAddress]] = [:]
    var wishes: [ServiceName: AllocationRequest] = [:]

    static func pools(_ random: inout SeededRandom) -> [AddressPool] {
        var pools: [AddressPool] = []
        for index in 0..<6 where random.below(6) > 0 {
            let four = "192.0.\(2 + index / 4).\(252 + index % 4)-192.0.\(2 + index / 4).255"
            let runs = [
                random.below(4) > 0 ? "198.51.100.\(index * 8)/\(29 + random.below(3))" : four,
                random.below(2) > 0
                    ? "2001:db8::\(index)0-2001:db8::\(index)\(random.below(4))" : "",
            ]
            pools.append(
                AddressPool(
                    name: "p\((index + random.below(2) * 3) % 6)-\(index)",
                    ranges: runs.compactMap { AddressRange($0) }, autoAssign: random.below(6) > 0,
                    avoidBuggyIPs: random.below(2) > 0, priority: random.below(3),
                    isPinned: random.below(3) == 0))
        }
        // Two pools may have drawn the same run; a configuration with that is refused.
        var seen: [AddressRange] = []
        return pools.filter { pool in
            defer { seen += pool.ranges }
            return !pool.ranges.contains { run in seen.contains { $0.overlaps(run) } }
        }
    }

    static func request(_ random: inout SeededRandom) -> AllocationRequest {
        let families: [[IPAddress.Family]] = [[.ipv4], [.ipv6], [.ipv4, .ipv6], [.ipv6, .ipv4]]
        let policies: [FamilyWish.Policy] = [.single, .prefer, .require]
        var requested: [IPAddress] = []
        if random.below(4) == 0 {
            requested += [IPAddress("198.51.100.\(random.below(48))")].compactMap { $0 }
        }
        if random.below(8) == 0 {
            let text = "2001:db8::\(random.below(6))\(random.below(4))"
            requested += [IPAddress(text)].compactMap { $0 }
        }
        let index = random.below(6)
        let backends: SharingKey.Backends =
            random.below(3) == 0 ? .local(selector: "app=web") : .anywhere
        return AllocationRequest(
            service: ServiceName("s\(random.below(30))"),
            families: FamilyWish(
                families[random.below(4)], policy: policies[random.below(3)]),
            requestedAddresses: requested,
            requestedPool: random.below(8) == 0 ? "p\(index)-\(index)" : nil,
            pinnedPools: random.below(2) == 0 ? [] : ["p0-0", "p1-1", "p4-1", "p2-2", "p5-2"],
            sharing: SharingKey(key: ["", "", "k", "x"][random.below(4)], backends: backends),
            ports: (0...random.below(2)).map { _ in ServicePort(.tcp, UInt16(random.below(4))) })
    }

    /// The addresses a pool gives, lowest first.
    func addresses(of pool: AddressPool, _ family: IPAddress.Family) -> [IPAddress] {
        pool.ranges.filter { $0.family == family }.flatMap { range in
            (0..<range.count).compactMap { range.first.advanced(by: $0) }
        }
        .filter { address in
            let octet = address.bytes.last ?? 1
            return !(pool.avoidBuggyIPs && family == .ipv4 && (octet == 0 || octet == 255))
        }
        .sorted()
    }

    func pool(of address: IPAddress) -> AddressPool? {
        pools.first { addresses(of: $0, address.family).contains(address) }
    }

    func tenants(of address: IPAddress, besides service: ServiceName) -> [AllocationRequest] {
        held.filter { $0.key != service && $0.value.contains(address) }
            .compactMap { wishes[$0.key] }
    }

    func canShare(_ left: AllocationRequest, _ right: AllocationRequest) -> Bool {
        left.sharing != nil && left.sharing == right.sharing
            && Set(left.ports).isDisjoint(with: right.ports)
    }

    func fits(_ address: IPAddress, _ request: AllocationRequest) -> Bool {
        tenants(of: address, besides: request.service).allSatisfy { canShare($0, request) }
    }

    func mayUse(_ pool: AddressPool, _ request: AllocationRequest) -> Bool {
        !pool.isPinned || request.pinnedPools.contains(pool.name)
    }

    func isTenable(_ address: IPAddress, for request: AllocationRequest) -> Bool {
        request.families.families.contains(address.family) && fits(address, request)
            && pool(of: address).map { mayUse($0, request) } == true
    }

    /// What a Service that has nothing should get.
    func expected(_ request: AllocationRequest) -> [IPAddress] {
        let wanted = request.families.families
        let asked = request.requestedAddresses
        guard asked.allSatisfy({ wanted.contains($0.family) }) else { return [] }
        let askedPools = asked.map { pool(of: $0)?.name }
        var ranks: [[AddressPool]]
        if let first = askedPools.first {
            guard askedPools.allSatisfy({ $0 == first }), let first,
                request.requestedPool ?? first == first
            else { return [] }
            ranks = [pools.filter { $0.name == first && mayUse($0, request) }]
        } else if let name = request.requestedPool {
            ranks = [pools.filter { $0.name == name && mayUse($0, request) }]
        } else {
            let automatic = pools.filter(\.autoAssign).sorted { $0.name < $1.name }
            let mine = automatic.filter { $0.isPinned && mayUse($0, request) }
            ranks = [1, 2, 0].map { priority in mine.filter { $0.priority == priority } }
            ranks.append(automatic.filter { !$0.isPinned })
        }
        for rank in ranks {
            let offers = rank.map { pool in wanted.map { pick($0, pool, request) } }
            if let both = offers.first(where: { !$0.contains(nil) }) {
                return both.compactMap { $0 }
            }
            guard request.families.policy == .prefer else { continue }
            for (index, family) in wanted.enumerated()
            where asked.allSatisfy({ $0.family == family }) {
                if let one = offers.compactMap({ $0[index] }).first { return [one] }
            }
        }
        return []
    }

    private func pick(
        _ family: IPAddress.Family, _ pool: AddressPool, _ request: AllocationRequest
    ) -> IPAddress? {
        if let asked = request.requestedAddresses.first(where: { $0.family == family }) {
            return fits(asked, request) ? asked : nil
        }
        let usable = addresses(of: pool, family).filter { fits($0, request) }
        let shared = usable.first { !tenants(of: $0, besides: request.service).isEmpty }
        return shared ?? usable.first
    }

    /// What must hold at any moment.
    func check(_ allocator: AddressAllocator, _ context: String) {
        for (service, addresses) in held {
            #expect(Set(allocator.addresses(of: service)) == Set(addresses), "\(context)")
            guard let request = wishes[service] else { continue }
            for address in addresses {
                #expect(fits(address, request), "\(address) is given twice: \(context)")
                #expect(pool(of: address) != nil, "\(address) is outside: \(context)")
            }
        }
        for pool in pools {
            let all = IPAddress.Family.allCases.map { addresses(of: pool, $0) }
            let used = all.map {
                Int64(
                    $0.filter { address in
                        held.values.contains { $0.contains(address) }
                    }.count)
            }
            let status = allocator.status(ofPool: pool.name)
            #expect(
                status?.assignedIPv4 == used[0] && status?.assignedIPv6 == used[1], "\(context)")
            #expect(status?.availableIPv4 == Int64(all[0].count) - used[0], "\(context)")
            #expect(status?.availableIPv6 == Int64(all[1].count) - used[1], "\(context)")
        }
    }
}
