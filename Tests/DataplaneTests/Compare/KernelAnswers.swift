import Dataplane
import NetworkTypes

/// A kernel that answers with what it was sent: its answers have the shape of the messages that
/// made the table.
struct KernelAnswers {
    struct Message {
        var type: UInt16
        /// What is behind the netlink header.
        var payload: [UInt8]

        var kind: Int { Int(type & 0xff) }
    }

    var messages: [Message] = []

    init(_ batch: NftablesBatch) {
        var rest = batch.bytes[...]
        while rest.count >= 16 {
            let length = Int(Self.host(rest.prefix(4)))
            let type = UInt16(Self.host(rest.dropFirst(4).prefix(2)))
            // Without the ends of the batch, and what deletes.
            if type >> 8 == 10, [0, 3, 6, 9, 12].contains(type & 0xff) {
                messages.append(
                    Message(type: type, payload: Array(rest.prefix(length).dropFirst(16))))
            }
            rest = rest.dropFirst(length)
        }
    }

    /// The table of a ruleset as the kernel would tell it.
    init(_ ruleset: Ruleset) { self.init(NftablesBatch(ruleset.installation)) }

    /// What is made of the answers.
    var table: KernelTable {
        var table = KernelTable(countersToo: true)
        for message in messages { table.read(type: message.type, payload: message.payload.span) }
        return table
    }

    /// The messages that contain a text.
    func indices(kind: Int, containing text: String) -> [Int] {
        messages.indices.filter { index in
            messages[index].kind == kind
                && messages[index].payload.firstRange(of: Array(text.utf8)) != nil
        }
    }

    static func host(_ bytes: some Collection<UInt8>) -> UInt32 {
        let ordered = UInt16(1).littleEndian == 1 ? Array(bytes.reversed()) : Array(bytes)
        return ordered.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension KernelAnswers {
    /// The same without the messages that `isLost` picks out by kind and payload.
    func without(_ isLost: (Int, [UInt8]) -> Bool) -> KernelAnswers {
        var rest = self
        rest.messages.removeAll { isLost($0.kind, $0.payload) }
        return rest
    }
}
