/// Questions about the table, each a netlink message of its own.
public enum TableQuery {
    /// Whether the table is there and what it says of itself; one message for an answer.
    public static func table(sequence: UInt32) -> [UInt8] {
        question(Nft.Message.getTable, flags: Nft.Flag.acknowledge, sequence) {
            $0.text(Nft.Table.name, NftablesBatch.table)
        }
    }

    /// The number of the last transaction of the network namespace, whoever made it; one message
    /// for an answer.
    public static func generation(sequence: UInt32) -> [UInt8] {
        question(getGeneration, flags: Nft.Flag.acknowledge, sequence) { _ in }
    }

    /// Reads the answer to that; `nil` when the message is another.
    public static func generation(type: UInt16, payload: Span<UInt8>) -> UInt32? {
        guard type == Nft.subsystem << 8 | newGeneration, payload.count >= 4 else { return nil }
        let body = payload.extracting(droppingFirst: 4)
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            if attribute.type == 1 { return body.word(attribute.value) }
        }
        return nil
    }

    /// All chains of the family, other tables' among them: the kernel cannot tell less.
    public static func chains(sequence: UInt32) -> [UInt8] {
        question(getChain, flags: dump, sequence) { _ in }
    }

    /// All rules of the table, chain by chain in their order.
    public static func rules(sequence: UInt32) -> [UInt8] {
        question(getRule, flags: dump, sequence) {
            $0.text(Nft.Rule.table, NftablesBatch.table)
        }
    }

    /// All sets of the table, without their elements.
    public static func sets(sequence: UInt32) -> [UInt8] {
        question(getSet, flags: dump, sequence) { $0.text(Nft.Set.table, NftablesBatch.table) }
    }

    /// The elements of one set.
    public static func elements(of set: NamedSet, sequence: UInt32) -> [UInt8] {
        question(getElements, flags: dump, sequence) {
            $0.text(Nft.Elements.table, NftablesBatch.table)
            $0.text(Nft.Elements.set, set.name)
        }
    }

    private static let getChain: UInt16 = 4
    private static let getRule: UInt16 = 7
    private static let getSet: UInt16 = 10
    private static let getElements: UInt16 = 13
    private static let newGeneration: UInt16 = 15
    private static let getGeneration: UInt16 = 16

    /// `NLM_F_ROOT | NLM_F_MATCH`.
    static let dump: UInt16 = 0x300

    private static func question(
        _ type: UInt16, flags: UInt16, _ sequence: UInt32,
        _ body: (inout NetlinkWriter) -> Void
    ) -> [UInt8] {
        var writer = NetlinkWriter(capacity: 256)
        writer.message(
            type: Nft.subsystem << 8 | type, flags: Nft.Flag.request | flags, sequence: sequence,
            family: Nft.inet, body)
        return writer.bytes
    }
}
