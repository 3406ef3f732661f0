import NetworkTypes

extension OpenMessage {
    /// Optional parameter type 2: capabilities (RFC 5492 §4).
    private static let capabilitiesParameter: UInt8 = 2
    /// As type and length of a first parameter: lengths of two octets follow (RFC 9072 §2).
    private static let extendedMark: UInt8 = 255

    /// Reads an OPEN of at least 29 bytes. Version and parameters are judged here, because what
    /// follows them cannot be read otherwise; the rest is for the session to judge.
    init(decoding bytes: Span<UInt8>) throws(MessageFault) {
        guard bytes[19] == 4 else { throw .badVersion(bytes[19]) }
        self.init(
            myAS: bytes.uint16(at: 20), holdTime: bytes.uint16(at: 22),
            routerID: bytes.uint32(at: 24), capabilities: [])
        var offset = 29
        var length = Int(bytes[28])
        var headerLength = 2
        if length > 0, bytes.count > 29, bytes[29] == Self.extendedMark {
            guard bytes.count >= 32 else { throw .malformedOpen }
            length = Int(bytes.uint16(at: 30))
            headerLength = 3
            offset = 32
        }
        let limit = offset + length
        guard limit <= bytes.count else { throw .malformedOpen }
        while offset < limit {
            guard limit - offset >= headerLength else { throw .malformedOpen }
            let count =
                headerLength == 2 ? Int(bytes[offset + 1]) : Int(bytes.uint16(at: offset + 1))
            let end = offset + headerLength + count
            guard end <= limit else { throw .malformedOpen }
            guard bytes[offset] == Self.capabilitiesParameter else {
                throw .badParameter(bytes.array(offset..<end))
            }
            try Capability.decode(bytes, offset + headerLength..<end, into: &capabilities)
            offset = end
        }
    }

    /// Appends the message's body. All capabilities go into one parameter; where this needs more
    /// than 255 bytes, lengths are of two octets (RFC 9072 §2).
    func encode(into writer: inout ByteWriter) {
        writer.uint8(version)
        writer.uint16(myAS)
        writer.uint16(holdTime)
        writer.uint32(routerID)
        var values = ByteWriter()
        for capability in capabilities { capability.encode(into: &values) }
        if values.count == 0 {
            writer.uint8(0)
        } else if values.count <= 253 {
            writer.uint8(UInt8(values.count + 2))
            writer.uint8(Self.capabilitiesParameter)
            writer.uint8(UInt8(values.count))
        } else {
            writer.uint8(Self.extendedMark)
            writer.uint8(Self.extendedMark)
            writer.uint16(UInt16(values.count + 3))
            writer.uint8(Self.capabilitiesParameter)
            writer.uint16(UInt16(values.count))
        }
        writer.append(values.bytes)
    }
}
