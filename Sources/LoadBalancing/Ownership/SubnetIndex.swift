import NetworkTypes

/// The on-link blocks of all nodes, by length, so that those holding an address are found with
/// one look-up for each length in use.
struct SubnetIndex {
    private var blocks: Set<Prefix> = []
    private var lengths: [IPAddress.Family: [Int]] = [:]

    /// Collects the blocks of usable interfaces.
    init(_ nodes: [NodeFacts]) {
        for node in nodes {
            for interface in node.interfaces ?? [] where interface.isUsable {
                blocks.formUnion(interface.prefixes)
            }
        }
        for family in IPAddress.Family.allCases {
            lengths[family] = Set(blocks.filter { $0.family == family }.map(\.length)).sorted()
        }
    }

    /// The blocks that hold the address, shortest first.
    func containing(_ address: IPAddress) -> [Prefix] {
        (lengths[address.family] ?? []).compactMap { length in
            Prefix(address, length: length).flatMap { blocks.contains($0) ? $0 : nil }
        }
    }
}
