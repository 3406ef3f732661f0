import NetworkTypes

/// Builds a run of netlink messages with nested attributes (RFC 3549 §2.2).
///
/// Headers are in the host's byte order; what nf_tables carries inside is in network order.
struct NetlinkWriter: Sendable {
    private(set) var bytes: [UInt8] = []
    private var lastMessage = 0

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    /// One message: `struct nlmsghdr`, `struct nfgenmsg`, then what `body` writes.
    mutating func message(
        type: UInt16, flags: UInt16, sequence: UInt32, family: UInt8, version: UInt8 = 0,
        resource: UInt16 = 0,
        _ body: (inout NetlinkWriter) -> Void
    ) {
        let start = bytes.count
        lastMessage = start
        host(UInt32(0))
        host(type)
        host(flags)
        host(sequence)
        host(UInt32(0))
        bytes.append(family)
        bytes.append(version)
        network(resource)
        body(&self)
        replace(at: start, with: UInt32(bytes.count - start))
    }

    /// Replaces the flags of the last message.
    mutating func setFlagsOfLastMessage(_ flags: UInt16) {
        replace(at: lastMessage + 6, with: flags)
    }

    /// An attribute that holds what `body` writes; at most 65,531 bytes.
    mutating func attribute(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        let start = bytes.count
        host(UInt16(0))
        host(type)
        body(&self)
        let length = bytes.count - start
        precondition(length <= Int(UInt16.max), "netlink attribute too long")
        replace(at: start, with: UInt16(length))
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    /// An attribute that holds attributes.
    mutating func nested(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        attribute(type | 0x8000, body)
    }

    /// A 32-bit attribute in network order.
    mutating func word(_ type: UInt16, _ value: UInt32) {
        host(UInt16(8))
        host(type)
        network(value)
    }

    /// A byte attribute.
    mutating func byte(_ type: UInt16, _ value: UInt8) {
        attribute(type) { $0.bytes.append(value) }
    }

    /// A text attribute, ended by a zero byte.
    mutating func text(_ type: UInt16, _ value: String) {
        attribute(type) {
            $0.bytes.append(contentsOf: value.utf8)
            $0.bytes.append(0)
        }
    }

    /// An attribute of raw bytes.
    mutating func data(_ type: UInt16, _ value: [UInt8]) {
        attribute(type) { $0.bytes.append(contentsOf: value) }
    }

    /// Appends bytes as they are.
    mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Appends an integer in network order.
    mutating func network(_ value: some FixedWidthInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> type(of: value).init(shift)))
        }
    }

    /// Appends an integer in the host's order.
    mutating func host(_ value: some FixedWidthInteger) {
        network(Self.isLittleEndian ? value.byteSwapped : value)
    }

    /// Replaces bytes by an integer in the host's order. No array is made for it: a full table has
    /// a million attributes.
    private mutating func replace(at place: Int, with value: some FixedWidthInteger) {
        let count = value.bitWidth / 8
        for index in 0..<count {
            let shift = 8 * (Self.isLittleEndian ? index : count - 1 - index)
            bytes[place + index] = UInt8(truncatingIfNeeded: value >> type(of: value).init(shift))
        }
    }

    /// An integer's bytes in the host's order.
    static func hostBytes(_ value: some FixedWidthInteger) -> [UInt8] {
        let little = (0..<value.bitWidth / 8).map {
            UInt8(truncatingIfNeeded: value >> type(of: value).init($0 * 8))
        }
        return isLittleEndian ? little : little.reversed()
    }

    /// Known when this is compiled.
    static var isLittleEndian: Bool { UInt16(1).littleEndian == 1 }
}
