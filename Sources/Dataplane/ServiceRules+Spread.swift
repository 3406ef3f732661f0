import NetworkTypes

extension ServiceRules {
    /// The endpoints of a chain: what is in the maps that its rules look in.
    struct Spread: Sendable {
        let chain: String
        let family: IPAddress.Family
        /// Where its slots are among those of the family; `nil` with affinity, where they are in a
        /// map of the chain's own, from 0 on.
        let run: SlotAllocator.Run?
        /// Each once, by address and port.
        let endpoints: [ServiceChain.Endpoint]
        /// What is in the slots: the same, or as the consistent choice has it.
        let slots: [ServiceChain.Endpoint]
        let affinity: ServiceChain.Affinity

        var elements: [SetElement] {
            guard let run else { return numberedElements }
            return slots.enumerated().map { offset, endpoint in
                SetElement(
                    .slot(family, run.first + UInt32(offset)),
                    .destination(endpoint.address, port: endpoint.port))
            }
        }

        /// Slot to number, and number to place.
        private var numberedElements: [SetElement] {
            let numbers = EndpointNumbers.assign(endpoints)
            let number = Dictionary(zip(endpoints, numbers), uniquingKeysWith: { $1 })
            let choices = slots.enumerated().compactMap { offset, endpoint in
                number[endpoint].map {
                    SetElement(.choice(family, chain: chain, UInt32(offset)), .number($0))
                }
            }
            return choices
                + zip(endpoints, numbers).map { endpoint, number in
                    SetElement(
                        .living(family, chain: chain, number),
                        .destination(endpoint.address, port: endpoint.port))
                }
        }

        /// The maps of the chain's own.
        var sets: [NamedSet] {
            guard affinity != .none else { return [] }
            return [
                .choices(family, chain: chain), .living(family, chain: chain),
                .affinity(family, chain: chain),
            ]
        }

        /// The chain. A packet that meets a map in the instant of a change may find nothing; it is
        /// dropped and sent again, and never let through as it came.
        func ruleChain(_ choice: ServiceChain.Choice) -> RuleChain {
            let count = UInt32(slots.count)
            var rules: [Rule] = []
            if case .clientAddress(let seconds) = affinity {
                rules = Rule.affine(family, in: chain, slots: count, seconds: seconds)
            } else if let run {
                let slots = run.first..<run.first + count
                rules = [Rule.spread(family, byHash: choice != .random, slots: slots)]
            }
            return RuleChain(chain, rules: rules + [Rule.drop])
        }
    }
}

/// Numbers by which clients with affinity are bound to endpoints.
///
/// An endpoint's place decides its number, so that it is the same after a restart. Where two want
/// the same, which hardly ever happens, the later one takes the next: when the earlier one goes,
/// clients of the later one are bound anew.
enum EndpointNumbers {
    /// The number of each endpoint, which are in order and each named once.
    static func assign(_ endpoints: [ServiceChain.Endpoint]) -> [UInt32] {
        assign(endpoints.map { UInt32(truncatingIfNeeded: $0.stableHash) })
    }

    /// The number of each, as close behind the one that it wants as can be.
    static func assign(_ wanted: [UInt32]) -> [UInt32] {
        var taken: Set<UInt32> = []
        return wanted.map { first in
            var number = first
            while !taken.insert(number).inserted { number &+= 1 }
            return number
        }
    }
}

extension ServiceChain.Endpoint {
    /// A hash of its address and port that is the same on every node and in every run.
    var stableHash: UInt64 {
        StableHash.of(address.bytes + [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)])
    }
}
