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
        let (first, count) = (slots.lowerBound, UInt32(slots.count))
        let draw: Rule =
            isHashed
            ? [
                .load(.sourceAddress(family), r0),
                .hash(r0, bytes: family.byteWidth, seed: hashSeed, first: first, count: count),
            ] : [.anyOf(first: first, count: count, r0)]
        return isFamily(family) + draw + [
            .find(r0, SlotAllocator.set(family, first), into: r0),
            .destinationNAT(family, address: r0, port: r0.after(bytes: family.byteWidth)),
        ]
    }

    /// Sends a client to the endpoint that it is bound to, or binds it to one of those in the
    /// slots.
    ///
    /// 1. The client's map says the number of an endpoint: it is bound to that for so many seconds
    ///    more, and sent to where the number leads.
    /// 2. A number that leads nowhere is of an endpoint that is gone: the client is freed.
    /// 3. The source's hash draws a slot, which says a number: it is bound to that, and sent there.
    /// 4. When no more clients can be remembered, it is sent there all the same.
    ///
    /// That the endpoint lives is asked of a map, so that what was remembered of one that is gone
    /// is worth nothing from the instant of the change on, and nobody has to search for it.
    ///
    /// A number that came out of a map goes by way of the packet mark, which the rule keeps and
    /// gives back before anybody else sees it. No released `nft` can list a rule that looks up in
    /// one map what came out of another, or remembers it: an assertion fails (seen in 1.0.6 and
    /// 1.1.3). By way of the mark it is, to the tool, a mark that is looked up.
    static func affine(
        _ family: IPAddress.Family, in chain: String, slots count: UInt32, seconds: UInt32
    ) -> [Rule] {
        let memory = NamedSet.affinity(family, chain: chain)
        let source = r0
        let number = source.after(bytes: family.byteWidth)
        let (kept, shown) = (number.after(bytes: 4), number.after(bytes: 8))
        let place = shown.after(bytes: 4)
        let begin: Rule =
            isFamily(family) + [.load(.mark, kept), .load(.sourceAddress(family), source)]
        let look: Rule = [.find(source, memory, into: number)]
        let draw: Rule = [
            .load(.sourceAddress(family), place),
            .hash(place, bytes: family.byteWidth, seed: hashSeed, first: 0, count: count),
            .find(place, .choices(family, chain: chain), into: number),
        ]
        // Nothing here ends the rule, so that the mark is always given back.
        let show: Rule = [.setMark(number), .load(.mark, shown), .setMark(kept)]
        let remember: Rule = [.remember(key: source, data: shown, memory, seconds: seconds)]
        let send: Rule = [
            .find(shown, .living(family, chain: chain), into: place),
            .destinationNAT(family, address: place, port: place.after(bytes: family.byteWidth)),
        ]
        let free: Rule = [
            .put(.word(0), number), .load(.sourceAddress(family), source),
            .forget(key: source, data: number, memory),
        ]
        return [
            begin + look + show + remember + send, isFamily(family) + free,
            begin + draw + show + remember + send, begin + draw + show + send,
        ]
    }

    /// So many subnets of a node's Pods are known in each family.
    static let maximumPodSubnets = 32

    /// Where connections that begin inside the cluster go: those of a Pod of this node as they are,
    /// and the node's own under the address by which they leave, since an endpoint elsewhere would
    /// send its answer past the node's connection tracking otherwise.
    ///
    /// A node has one subnet of a family, or a few. Of those beyond ``maximumPodSubnets`` Pods
    /// count as outside.
    static func inside(
        _ family: IPAddress.Family, podSubnets: [Prefix], to chain: String
    ) -> [Rule] {
        let subnets = podSubnets.filter { $0.family == family }.prefix(maximumPodSubnets)
        let fromPods = subnets.map { subnet -> Rule in
            isFamily(family) + [
                .load(.sourceAddress(family), r0),
                .bitwise(
                    r0, mask: .netmask(family, length: subnet.length),
                    flip: .netmask(family, length: 0)),
                .compare(r0, isEqual: true, .address(subnet.network)),
                .verdict(.goto(chain)),
            ]
        }
        let fromNode: Rule = [
            .load(.sourceType, r0), .compare(r0, isEqual: true, .word(RuleChain.localType)),
        ]
        return fromPods + [fromNode + mark + [.verdict(.goto(chain))]]
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
