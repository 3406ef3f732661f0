import NetworkTypes

/// A change of a table that this process did not make, or may not have made.
package struct NftablesChange: Equatable, Sendable {
    /// Who made it.
    package enum Author: Equatable, Sendable {
        /// A process, by the kernel's number of the thread and its name.
        case process(UInt32, name: String)
        /// The kernel had to drop messages, so nobody knows whether anything was changed.
        case unknown
    }

    /// Who made it.
    package let author: Author
}

extension NftablesChange: CustomStringConvertible {
    package var description: String {
        switch author {
        case .process(let number, let name): "\(name) (process \(number))"
        case .unknown: "somebody, perhaps: the kernel had more to tell than could be read in time"
        }
    }
}

/// Reads the kernel's notifications of nf_tables: objects that came and went, and at the end of
/// each transaction who made it (`NFT_MSG_NEWGEN`).
struct NftablesChangeReader {
    private static let subsystem: UInt16 = 10
    private static let endOfTransaction: UInt16 = 15
    private static let inet: UInt8 = 1

    /// `NFTA_TABLE_NAME`, which is `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE` and so on.
    private static let tableAttribute = 1

    /// `NFTA_GEN_PROC_PID`, `NFTA_GEN_PROC_NAME`.
    private static let processAttribute = 2
    private static let nameAttribute = 3

    private let table: [UInt8]
    private let own: UInt32
    /// Whether the transaction that is being told of touched the table.
    private var isTouched = false

    /// Reads for whoever keeps a table of family `inet` through the socket of port `own`.
    init(table: String, own: UInt32) {
        self.table = Array(table.utf8) + [0]
        self.own = own
    }

    /// The changes of others that a datagram completes.
    mutating func read(_ datagram: Span<UInt8>) -> [NftablesChange] {
        var changes: [NftablesChange] = []
        var reader = NetlinkReader(datagram)
        while let message = reader.nextMessage() {
            guard message.type >> 8 == Self.subsystem, message.payload.count >= 4 else { continue }
            let body = message.payload.extracting(droppingFirst: 4)
            guard message.type & 0xff == Self.endOfTransaction else {
                if !isTouched, message.payload[0] == Self.inet { isTouched = concerns(body) }
                continue
            }
            defer { isTouched = false }
            guard isTouched, message.port != own else { continue }
            changes.append(NftablesChange(author: author(body)))
        }
        return changes
    }

    /// The kernel dropped messages, the end of a transaction perhaps: what is begun is forgotten.
    mutating func overrun() -> NftablesChange {
        isTouched = false
        return NftablesChange(author: .unknown)
    }

    private func concerns(_ body: Span<UInt8>) -> Bool {
        var attributes = NetlinkReader(body)
        while let attribute = attributes.nextAttribute() {
            guard attribute.type == Self.tableAttribute else { continue }
            guard attribute.value.count == table.count else { return false }
            return zip(attribute.value, table).allSatisfy { body[$0] == $1 }
        }
        return false
    }

    private func author(_ body: Span<UInt8>) -> NftablesChange.Author {
        var process: UInt32 = 0
        var name = ""
        var attributes = NetlinkReader(body)
        while let attribute = attributes.nextAttribute() {
            switch attribute.type {
            case Self.processAttribute where attribute.value.count >= 4:
                process =
                    body.hostInteger(UInt32.self, at: attribute.value.lowerBound)?.bigEndian ?? 0
            case Self.nameAttribute:
                // A process chooses its own name: what would break a line is left out.
                name = String(
                    String.UnicodeScalarView(
                        body.text(attribute.value).unicodeScalars.filter {
                            $0.value >= 0x20 && $0.value != 0x7f
                        }))
            default: continue
            }
        }
        return .process(process, name: name)
    }
}
