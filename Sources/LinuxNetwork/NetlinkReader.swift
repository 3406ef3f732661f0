import NetworkTypes

/// One netlink message: the header's fields (RFC 3549 §2.3.2) and its payload.
struct NetlinkMessage: ~Escapable {
    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    /// The socket that the message is for, or that caused what it tells of.
    let port: UInt32
    let payload: Span<UInt8>

    @_lifetime(copy payload)
    init(type: UInt16, flags: UInt16, sequence: UInt32, port: UInt32, payload: Span<UInt8>) {
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.port = port
        self.payload = payload
    }
}

/// Reads messages, and attributes inside them, out of a datagram. Netlink counts in the host's
/// byte order and pads to four bytes; a length that does not fit ends the reading.
struct NetlinkReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }

    /// The next message, or `nil` at the end or at a header whose length is impossible.
    @_lifetime(copy self)
    mutating func nextMessage() -> NetlinkMessage? {
        let header = 16
        guard let length = bytes.hostInteger(UInt32.self, at: offset).map(Int.init),
            length >= header, length <= bytes.count - offset,
            let type = bytes.hostInteger(UInt16.self, at: offset + 4),
            let flags = bytes.hostInteger(UInt16.self, at: offset + 6),
            let sequence = bytes.hostInteger(UInt32.self, at: offset + 8),
            let port = bytes.hostInteger(UInt32.self, at: offset + 12)
        else { return nil }
        let payload = bytes.extracting((offset + header)..<(offset + length))
        offset = min(bytes.count, offset + Self.aligned(length))
        return NetlinkMessage(
            type: type, flags: flags, sequence: sequence, port: port, payload: payload)
    }

    /// The next attribute's type, without the nesting and byte-order bits, and the range of its
    /// value in the span; `nil` at the end.
    @_lifetime(self: copy self)
    mutating func nextAttribute() -> (type: Int, value: Range<Int>)? {
        let header = 4
        guard let length = bytes.hostInteger(UInt16.self, at: offset).map(Int.init),
            length >= header, length <= bytes.count - offset,
            let type = bytes.hostInteger(UInt16.self, at: offset + 2)
        else { return nil }
        let value = (offset + header)..<(offset + length)
        offset = min(bytes.count, offset + Self.aligned(length))
        return (Int(type & 0x3fff), value)
    }
}

extension Span<UInt8> {
    /// The integer in the host's byte order at `offset`, or `nil` past the end.
    func hostInteger<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type, at offset: Int
    ) -> Value? {
        let width = Value.bitWidth / 8
        guard offset >= 0, offset <= count - width else { return nil }
        var value: Value = 0
        for index in offset..<(offset + width) { value = value << 8 | Value(self[index]) }
        return value.bigEndian
    }

    /// The bytes in `range` as an address: 4 or 16 of them.
    func address(_ range: Range<Int>) -> IPAddress? {
        IPAddress(bytes: array(range))
    }

    /// The bytes in `range` up to the first zero as text.
    func text(_ range: Range<Int>) -> String {
        String(decoding: array(range).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The bytes in `range`, copied; the part past the end is left out.
    func array(_ range: Range<Int>) -> [UInt8] {
        range.clamped(to: 0..<count).map { self[$0] }
    }
}
