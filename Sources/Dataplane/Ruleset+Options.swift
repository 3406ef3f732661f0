public import NetworkTypes

extension Ruleset {
    /// What the table has besides the Services' ways.
    public struct Options: Hashable, Sendable {
        /// Whether the node answers ICMP and ICMPv6 echo requests to load balancer addresses.
        public var answersPing: Bool
        /// What is counted.
        public var counters: Counters

        /// Chooses; what is not said has its default.
        public init(answersPing: Bool = true, counters: Counters = .connections) {
            self.answersPing = answersPing
            self.counters = counters
        }
    }

    /// What the kernel counts in the table's elements.
    public enum Counters: Hashable, Sendable {
        /// Nothing.
        case none
        /// New connections, by Service port and by endpoint.
        case connections
        /// New connections, and every packet with its bytes by Service port, both directions
        /// together: one or two more lookups a packet.
        case traffic
    }

    /// What a table that is already in the kernel says about slots and entrances, so that a ruleset
    /// that begins beside it gives every chain the slots that it has there, and leaves each
    /// entrance that several want with who has it.
    public struct Adoption: Hashable, Sendable {
        /// The slots that the rules of a chain draw from, by its name.
        public var runs: [String: Range<UInt32>]
        /// The families of the maps of endpoints, by their number, as far as they are numbered
        /// without a gap.
        public var shards: [IPAddress.Family]
        /// The chains that entrances lead to.
        public var holders: [SetElement.Key: String]

        /// Nothing: every chain gets new slots.
        public init() {
            runs = [:]
            shards = []
            holders = [:]
        }

        /// From the slots that chains draw from, the sets that are there, and where entrances lead.
        /// What does not fit together is left out: such chains get new slots.
        public init(
            runs: [String: Range<UInt32>], sets: some Sequence<NamedSet>,
            holders: [SetElement.Key: String] = [:]
        ) {
            var families: [UInt32: IPAddress.Family] = [:]
            var disputed: Set<UInt32> = []
            for case .endpoints(let family, let shard) in sets
            where families.updateValue(family, forKey: shard) != nil {
                disputed.insert(shard)
            }
            var shards: [IPAddress.Family] = []
            while let family = families[UInt32(shards.count)],
                !disputed.contains(UInt32(shards.count)), shards.count < Ruleset.maximumShards
            {
                shards.append(family)
            }
            self.runs = runs
            self.shards = shards
            self.holders = holders
        }
    }

    /// So many maps of endpoints can be in use at once: a full table with each chain's run in a map
    /// of its own, in both families and under both policies.
    static let maximumShards = maximumServicePorts * 4
}
