import NetworkTypes

/// The rules that Services' chains are made of.
extension Rule {
    private static var r0: RuleExpression.Register { RuleExpression.Register(0) }

    /// The hash's seed is fixed, so that every node and every run choose alike.
    private static let affinitySeed: UInt32 = 0x6d61_7274

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
        _ family: IPAddress.Family, _ affinity: ServiceChain.Affinity, first: UInt32, count: UInt32
    ) -> Rule {
        let choice: Rule =
            switch affinity {
            case .none: [.anyOf(first: first, count: count, r0)]
            case .clientAddress:
                [
                    .load(.sourceAddress(family), r0),
                    .hash(
                        r0, bytes: family.byteWidth, seed: affinitySeed, first: first,
                        count: count),
                ]
            }
        let port = r0.after(bytes: family.byteWidth)
        return isFamily(family) + choice + [
            .replace(r0, SlotAllocator.set(family, first)),
            .destinationNAT(family, address: r0, port: port),
        ]
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
