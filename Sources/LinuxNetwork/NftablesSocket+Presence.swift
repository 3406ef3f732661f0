import Glibc
import NetworkTypes

extension NftablesSocket {
    /// An object that may be there, in any table.
    package enum Subject: Equatable, Sendable {
        /// A table of one family.
        case table(String, IPAddress.Family)
        /// A chain of a table of one family.
        case chain(String, table: String, IPAddress.Family)
    }

    /// Whether something is there now. Throws when nobody can tell.
    package func has(_ subject: Subject) throws(SystemError) -> Bool {
        let sequence: UInt32 = 1
        let question = TableQuestion(subject, sequence: sequence)
        let refusal = try ask(question.bytes, sequence: sequence, subject: "nf_tables") { _, _ in }
        guard let refusal else { return true }
        if refusal.isNotFound { return false }
        // A kernel whose nf_tables lacks the family has nothing of it.
        if [EAFNOSUPPORT, EOPNOTSUPP].contains(refusal.code) { return false }
        throw SystemError("NFT_MSG_GET", errno: refusal.code, subject: "nf_tables")
    }
}

/// A question for one object of nf_tables, as the kernel takes it.
struct TableQuestion {
    private static let subsystem: UInt16 = 10
    private static let getTable: UInt16 = 1
    private static let getChain: UInt16 = 4

    /// `NLM_F_REQUEST | NLM_F_ACK`: the acknowledgement ends the answer.
    private static let flags: UInt16 = 0x5

    private(set) var bytes: [UInt8] = []

    init(_ subject: NftablesSocket.Subject, sequence: UInt32) {
        switch subject {
        case .table(let name, let family):
            begin(Self.getTable, family, sequence)
            addText(1, name)
        case .chain(let name, let table, let family):
            begin(Self.getChain, family, sequence)
            addText(1, table)
            addText(3, name)
        }
        let length = UInt32(bytes.count)
        for index in 0..<4 { bytes[index] = length.hostBytes[index] }
    }

    private mutating func begin(_ message: UInt16, _ family: IPAddress.Family, _ sequence: UInt32) {
        bytes += UInt32(0).hostBytes
        bytes += (Self.subsystem << 8 | message).hostBytes
        bytes += Self.flags.hostBytes
        bytes += sequence.hostBytes
        bytes += UInt32(0).hostBytes
        // NFPROTO_IPV4 and NFPROTO_IPV6, version 0, no resource.
        bytes += [family == .ipv4 ? 2 : 10, 0, 0, 0]
    }

    /// A text, with its zero, padded to four bytes.
    private mutating func addText(_ type: UInt16, _ text: String) {
        let value = Array(text.utf8.prefix(255)) + [0]
        bytes += UInt16(4 + value.count).hostBytes + type.hostBytes + value
        bytes += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }
}

extension FixedWidthInteger {
    /// The bytes in the host's order, as netlink counts.
    var hostBytes: [UInt8] {
        let little = (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
        return Self(littleEndian: 1) == 1 ? little : little.reversed()
    }
}
