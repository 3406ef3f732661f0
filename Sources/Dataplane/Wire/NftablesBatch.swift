import NetworkTypes

/// One nf_tables transaction as bytes for a netlink socket: all of it takes effect, or none.
///
/// The kernel takes a transaction as one datagram. It answers each message that failed by its
/// sequence number, and the last one in any case.
public struct NftablesBatch: Sendable {
    /// The name of the table, of family `inet`.
    public static let table = "martlet"

    /// What a message is about, to say which one failed.
    public enum Subject: Equatable, Sendable {
        /// The table itself.
        case table
        /// A chain of this name.
        case chain(String)
        /// The rules of a chain of this name.
        case rules(String)
        /// A set of this name.
        case set(String)
        /// The elements of a set of this name.
        case elements(String)
        /// The transaction as a whole, when the kernel refused it at the end.
        case transaction
    }

    /// Each run of elements stays well below an attribute's 64 KiB: one that leads to a chain of
    /// the longest name takes 280 bytes.
    static let elementsPerMessage = 128

    var writer: NetlinkWriter
    var subjects: [Subject] = []
    /// How many sets the batch has made; each has a number that is its own within the batch.
    var setNumbers: UInt32 = 0
    private var lastFlags: UInt16 = 0
    private let firstSequence: UInt32

    /// The transaction that does what `diff` says; message numbers start at `firstSequence`. A
    /// table that it makes has `comment`, of which at most 127 bytes are kept.
    public init(_ diff: RulesetDiff, comment: String = "Martlet", firstSequence: UInt32 = 1) {
        self.init(
            firstSequence: firstSequence,
            capacity: 1024 + diff.writtenChains.count * 700 + diff.addedElements.count * 200)
        if diff.replacesTable {
            removeTable()
            make(comment, layout: Self.layout(diff.options))
        }
        for set in diff.addedSets { declare(set, diff.options) }
        for chain in diff.addedChains { declare(chain) }
        write(diff.removedElements, Nft.Message.deleteElements, flags: 0)
        write(diff.addedElements, Nft.Message.newElements, flags: Nft.Flag.create)
        let fresh = Set(diff.addedChains.map(\.name))
        for chain in diff.writtenChains {
            if !fresh.contains(chain.name) { deleteRules(of: chain.name) }
            for rule in chain.rules { add(rule, to: chain.name) }
        }
        for chain in diff.removedChains { deleteRules(of: chain) }
        for chain in diff.removedChains {
            message(Nft.Message.deleteChain, .chain(chain)) {
                $0.text(Nft.Chain.table, Self.table)
                $0.text(Nft.Chain.name, chain)
            }
        }
        for set in diff.removedSets {
            message(Nft.Message.deleteSet, .set(set)) {
                $0.text(Nft.Set.table, Self.table)
                $0.text(Nft.Set.name, set)
            }
        }
        finish()
    }

    /// A hash of how sets and base chains are declared. A table that says another one, or none, was
    /// made by another version or with other options, and cannot be changed into this one.
    public static func layout(_ options: Ruleset.Options) -> UInt64 {
        var batch = NftablesBatch(firstSequence: 0, capacity: 4096)
        for set in NamedSet.permanent(options) { batch.declare(set, options) }
        for family in IPAddress.Family.allCases {
            batch.declare(.endpoints(family, shard: 0), options)
            batch.declare(.choices(family, chain: ""), options)
            batch.declare(.living(family, chain: ""), options)
            batch.declare(.affinity(family, chain: ""), options)
        }
        for chain in RuleChain.skeleton(options) where chain.hook != nil { batch.declare(chain) }
        return StableHash.of(batch.bytes)
    }

    /// The transaction that removes the table, whether it is there or not.
    public static func removal(firstSequence: UInt32 = 1) -> NftablesBatch {
        var batch = NftablesBatch(firstSequence: firstSequence, capacity: 256)
        batch.removeTable()
        batch.finish()
        return batch
    }

    private init(firstSequence: UInt32, capacity: Int) {
        self.firstSequence = firstSequence
        writer = NetlinkWriter(capacity: capacity)
        writer.message(
            type: Nft.Message.batchBegin, flags: Nft.Flag.request, sequence: firstSequence,
            family: 0, resource: Nft.subsystem
        ) { _ in }
    }

    /// The bytes to send as one datagram.
    public var bytes: [UInt8] { writer.bytes }

    /// The sequence number of the last message that changes something, which is always answered.
    public var lastSequence: UInt32 { firstSequence &+ UInt32(subjects.count) }

    /// The sequence number that the next transaction may start with.
    public var nextSequence: UInt32 { lastSequence &+ 2 }

    /// What the message of this number is about.
    public func subject(of sequence: UInt32) -> Subject {
        let index = Int(sequence &- firstSequence) - 1
        return subjects.indices.contains(index) ? subjects[index] : .transaction
    }

    /// Ends the transaction and asks for an answer to its last message.
    private mutating func finish() {
        writer.setFlagsOfLastMessage(lastFlags | Nft.Flag.acknowledge)
        writer.message(
            type: Nft.Message.batchEnd, flags: Nft.Flag.request, sequence: lastSequence &+ 1,
            family: 0, resource: Nft.subsystem
        ) { _ in }
    }

    /// Appends a message. Each asks for an answer only by being the last.
    mutating func message(
        _ type: UInt16, _ subject: Subject, flags: UInt16 = 0,
        _ body: (inout NetlinkWriter) -> Void
    ) {
        subjects.append(subject)
        lastFlags = Nft.Flag.request | flags
        writer.message(
            type: Nft.subsystem << 8 | type, flags: lastFlags,
            sequence: lastSequence, family: Nft.inet, body)
    }
}

extension NftablesBatch {
    private mutating func tableMessage(_ type: UInt16, flags: UInt16) {
        message(type, .table, flags: flags) { $0.text(Nft.Table.name, Self.table) }
    }

    /// Deleting what is not there would be an error, so it is made first.
    private mutating func removeTable() {
        tableMessage(Nft.Message.newTable, flags: Nft.Flag.create)
        tableMessage(Nft.Message.deleteTable, flags: 0)
    }

    private mutating func make(_ comment: String, layout: UInt64) {
        var text = Array(comment.utf8.prefix(Nft.Table.maximumComment - 1))
        while String(validating: text, as: UTF8.self) == nil { text.removeLast() }
        message(Nft.Message.newTable, .table, flags: Nft.Flag.create) {
            $0.text(Nft.Table.name, Self.table)
            $0.attribute(Nft.Table.userData) {
                $0.append([Nft.Table.comment, UInt8(text.count + 1)] + text + [0])
                $0.append([Nft.Table.layout, 8])
                $0.network(layout)
            }
        }
    }

    private mutating func declare(_ chain: RuleChain) {
        message(Nft.Message.newChain, .chain(chain.name), flags: Nft.Flag.create) {
            $0.text(Nft.Chain.table, Self.table)
            $0.text(Nft.Chain.name, chain.name)
            guard let hook = chain.hook else { return }
            $0.nested(Nft.Chain.hook) {
                $0.word(Nft.Chain.hookNumber, hook.number)
                $0.word(Nft.Chain.hookPriority, UInt32(bitPattern: hook.priority))
            }
            $0.text(Nft.Chain.type, hook.type)
            $0.word(Nft.Chain.policy, 1)
        }
    }

    private mutating func deleteRules(of chain: String) {
        message(Nft.Message.deleteRule, .rules(chain)) {
            $0.text(Nft.Rule.table, Self.table)
            $0.text(Nft.Rule.chain, chain)
        }
    }
}

extension RuleChain.Hook {
    /// The number of the hook in families that have these (`enum nf_inet_hooks`).
    var number: UInt32 {
        switch self {
        case .prerouting, .trafficIn: 0
        case .output, .trafficOut: 3
        case .postrouting: 4
        }
    }

    /// Translation of addresses comes a little before the usual priorities (dstnat −100, srcnat
    /// 100), so that Martlet's own addresses are taken before another table's wider rules see them:
    /// kube-proxy's and Docker's rules are at these. Counting comes after, where filters are.
    var priority: Int32 {
        switch self {
        case .prerouting, .output: -105
        case .postrouting: 95
        case .trafficIn, .trafficOut: 0
        }
    }

    /// The type of the chain.
    var type: String {
        switch self {
        case .prerouting, .output, .postrouting: "nat"
        case .trafficIn, .trafficOut: "filter"
        }
    }
}
