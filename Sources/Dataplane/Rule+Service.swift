import NetworkTypes

/// The rules that Services' chains are made of.
extension Rule {
    private static var r0: RuleExpression.Register { RuleExpression.Register(0) }

    /// The hash's seed is fixed, so that every node and every run choose alike.
    private static let hashSeed: UInt32 = 0x6d61_7274

    /// The expressions that let only packets of a family go on.
    static func isFamily(_ family: IPAddress.Family) -> Rule {
        let number: UInt8 = family == .ipv4 ? 2 : 10
        return [.load(.networkProtocol, r0), .compare(r0, isEqual: true, .byte(number))]
    }

    /// Drops the packet.
    static let drop: Rule = [.verdict(.drop)]

    /// Refuses the packet in the way that its sender understands at once.
    static func refusal(_ transport: ServiceChain.Transport) -> Rule {
        [.reject(transport == .tcp ? .tcpReset : .portUnreachable)]
    }

    /// Marks the packet for masquerade.
    static let mark: Rule = [
        .load(.mark, r0),
        .bitwise(
            r0, mask: .word(~RuleChain.masqueradeMark), flip: .word(RuleChain.masqueradeMark)),
        .setMark(r0),
    ]

    /// Sends a new connection to one of the endpoints in the slots from `first` on.
    static func spread(
        _ family: IPAddress.Family, byHash isHashed: Bool, slots: Range<UInt32>
    ) -> Rule {
        choose(family, isHashed, slots)
            + [.destinationNAT(family, address: r0, port: r0.after(bytes: family.byteWidth))]
    }

    /// Sends a client to the endpoint that it is bound to, or to one of those in the slots.
    ///
    /// 1. A client that is bound to an endpoint that lives goes to that one's chain.
    /// 2. One that is bound to another is freed: an element's data cannot be changed in place.
    /// 3. Then an endpoint is drawn, to whose chain it goes.
    ///
    /// That the endpoint lives is asked of a map, so that what was remembered of one that is gone
    /// is worth nothing from the instant of the change on, and nobody has to search for it.
    ///
    /// The `nft` tool lists what looks up in one map what came out of another from 1.1.0 on; older
    /// ones give up on such a table (seen in 1.0.6: an assertion fails).
    static func affine(
        _ family: IPAddress.Family, in chain: String, slots: Range<UInt32>
    ) -> [Rule] {
        let memory = NamedSet.affinity(family, chain: chain)
        let living = NamedSet.living(family, chain: chain)
        let found = r0.after(bytes: family.byteWidth)
        let nowhere = IPAddress(family: family, bits: 0)
        return [
            isFamily(family) + [
                .load(.sourceAddress(family), r0), .find(r0, memory, into: found),
                .dispatch(found, living),
            ],
            isFamily(family) + place(nowhere, 0, found) + [
                .load(.sourceAddress(family), r0), .forget(key: r0, data: found, memory),
            ],
            choose(family, true, slots) + [.dispatch(r0, living)],
        ]
    }

    /// The chain of an endpoint of a chain with affinity: binds the client to the endpoint for so
    /// many seconds from now, and sends it there. When no more clients can be remembered, it is
    /// sent there all the same.
    static func bind(
        to endpoint: ServiceChain.Endpoint, in chain: String, seconds: UInt32
    ) -> [Rule] {
        let family = endpoint.address.family
        let memory = NamedSet.affinity(family, chain: chain)
        let data = r0.after(bytes: family.byteWidth)
        let send: Rule = [
            .destinationNAT(family, address: data, port: data.after(bytes: family.byteWidth))
        ]
        let target = isFamily(family) + place(endpoint.address, endpoint.port, data)
        let remember: Rule = [
            .load(.sourceAddress(family), r0),
            .remember(key: r0, data: data, memory, seconds: seconds),
        ]
        return [target + remember + send, target + send]
    }

    /// Puts an address and a port into registers. One by one, since that is how the `nft` tool
    /// would do it, which has to understand it.
    private static func place(
        _ address: IPAddress, _ port: UInt16, _ register: RuleExpression.Register
    ) -> Rule {
        [
            .put(.address(address), register),
            .put(.port(port), register.after(bytes: address.family.byteWidth)),
        ]
    }

    /// Puts the address and port of an endpoint into the registers from the first on.
    private static func choose(
        _ family: IPAddress.Family, _ isHashed: Bool, _ slots: Range<UInt32>
    ) -> Rule {
        let (first, count) = (slots.lowerBound, UInt32(slots.count))
        let draw: Rule =
            isHashed
            ? [
                .load(.sourceAddress(family), r0),
                .hash(r0, bytes: family.byteWidth, seed: hashSeed, first: first, count: count),
            ] : [.anyOf(first: first, count: count, r0)]
        return isFamily(family) + draw + [.find(r0, SlotAllocator.set(family, first), into: r0)]
    }

    /// Drops what comes from outside the ranges; everything when there are none.
    static func outside(_ family: IPAddress.Family, _ ranges: [AddressRange]) -> Rule {
        guard !ranges.isEmpty else { return drop }
        return isFamily(family) + [
            .load(.sourceAddress(family), r0), .isOutside(r0, united(ranges)), .verdict(.drop),
        ]
    }

    /// Ranges that overlap or touch become one: the kernel refuses intervals that overlap.
    static func united(_ ranges: [AddressRange]) -> [AddressRange] {
        var united: [AddressRange] = []
        for range in ranges.sorted(by: { $0.first < $1.first }) {
            if let last = united.last, last.last.advanced(by: 1).map({ range.first <= $0 }) ?? true,
                let both = AddressRange(last.first, Swift.max(last.last, range.last))
            {
                united[united.count - 1] = both
            } else {
                united.append(range)
            }
        }
        return united
    }
}
