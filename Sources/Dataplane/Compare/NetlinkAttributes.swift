/// Reads the attributes in a netlink message, or in an attribute that holds some (RFC 3549 §2.2);
/// a length that does not fit ends the reading.
struct NetlinkAttributes: ~Escapable {
    /// One attribute: its type, without the bits for nesting and byte order, and where its value
    /// is.
    struct Attribute {
        let type: UInt16
        let value: Range<Int>
    }

    private let bytes: Span<UInt8>
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    /// The next attribute; `nil` at the end, and where no attribute can be.
    @_lifetime(self: copy self)
    mutating func next() -> Attribute? {
        let header = 4
        guard let length = bytes.host16(at: offset).map(Int.init), length >= header,
            length <= bytes.count - offset, let type = bytes.host16(at: offset + 2)
        else { return nil }
        let value = (offset + header)..<(offset + length)
        offset = min(bytes.count, offset + (length + 3) & ~3)
        return Attribute(type: type & 0x3fff, value: value)
    }
}

extension Span<UInt8> {
    /// Two bytes in the host's order; `nil` past the end.
    func host16(at offset: Int) -> UInt16? {
        guard offset >= 0, offset <= count - 2 else { return nil }
        let (first, second) = (UInt16(self[offset]), UInt16(self[offset + 1]))
        return NetlinkWriter.isLittleEndian ? second << 8 | first : first << 8 | second
    }

    /// The bytes in `range`, at most 8, as a number in network order; `nil` when there are more, or
    /// fewer than `width`.
    func network(_ range: Range<Int>, width: Int) -> UInt64? {
        guard range.count == width, width <= 8, range.upperBound <= count else { return nil }
        var value: UInt64 = 0
        for index in range { value = value << 8 | UInt64(self[index]) }
        return value
    }

    /// A number of four bytes in network order.
    func word(_ range: Range<Int>) -> UInt32? {
        network(range, width: 4).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The bytes in `range` up to the first zero as text.
    func text(_ range: Range<Int>) -> String {
        let part = extracting(range.clamped(to: 0..<count))
        var length = 0
        while length < part.count, part[length] != 0 { length += 1 }
        return String(decoding: part.array(0..<length), as: UTF8.self)
    }

    /// The bytes in `range`, copied; the part past the end is left out.
    func array(_ range: Range<Int>) -> [UInt8] {
        let range = range.clamped(to: 0..<count)
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(self[index]) }
        return copy
    }
}
