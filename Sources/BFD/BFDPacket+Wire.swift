import NetworkTypes

extension BFDPacket {
    static let version: UInt8 = 1
    static let headerLength = 24

    /// Reads one packet, the payload of a datagram, by the rules of RFC 5880 §6.8.6 that need no
    /// session, in the RFC's order. What stands behind the Length field is left alone.
    public init(decoding bytes: Span<UInt8>) throws(BFDDiscard) {
        guard bytes.count >= 1 else { throw .lengthBeyondPayload }
        guard bytes[0] >> 5 == Self.version else { throw .version }
        guard bytes.count >= 4 else { throw .lengthBeyondPayload }
        let flags = bytes[1]
        let isAuthenticated = flags & 0x04 != 0
        let length = Int(bytes[3])
        guard length >= Self.headerLength + (isAuthenticated ? 2 : 0) else { throw .lengthTooSmall }
        guard length <= bytes.count else { throw .lengthBeyondPayload }
        guard bytes[2] != 0 else { throw .detectMultiplierZero }
        guard flags & 0x01 == 0 else { throw .multipoint }
        let fields = try Self.words(bytes)
        guard fields[0] != 0 else { throw .myDiscriminatorZero }
        self.init(
            state: BFDState(rawValue: flags >> 6) ?? .adminDown, detectMultiplier: bytes[2],
            myDiscriminator: fields[0], yourDiscriminator: fields[1],
            desiredMinTransmit: fields[2], requiredMinReceive: fields[3],
            requiredMinEchoReceive: fields[4])
        diagnostic = BFDDiagnostic(rawValue: bytes[0])
        isPoll = flags & 0x20 != 0
        isFinal = flags & 0x10 != 0
        isControlPlaneIndependent = flags & 0x08 != 0
        isDemand = flags & 0x02 != 0
        if isAuthenticated {
            var content: [UInt8] = []
            content.reserveCapacity(length - 26)
            for index in 26..<length { content.append(bytes[index]) }
            authentication = BFDAuthenticationSection(
                type: bytes[24], length: bytes[25], content: content)
        }
    }

    /// The five words behind the first.
    private static func words(
        _ bytes: Span<UInt8>
    ) throws(BFDDiscard) -> InlineArray<5, UInt32> {
        var words = InlineArray<5, UInt32>(repeating: 0)
        var reader = ByteReader(bytes)
        do throws(ByteReader.Truncated) {
            try reader.skip(4)
            for index in words.indices { words[index] = try reader.uint32() }
        } catch {
            throw .lengthBeyondPayload
        }
        return words
    }

    /// The packet's bytes, the payload of a datagram.
    public func encoded() -> [UInt8] {
        let length = Self.headerLength + (authentication.map { 2 + $0.content.count } ?? 0)
        var writer = ByteWriter(capacity: length)
        writer.uint8(Self.version << 5 | diagnostic.rawValue)
        writer.uint8(
            state.rawValue << 6 | (isPoll ? 0x20 : 0) | (isFinal ? 0x10 : 0)
                | (isControlPlaneIndependent ? 0x08 : 0) | (authentication == nil ? 0 : 0x04)
                | (isDemand ? 0x02 : 0))
        writer.uint8(detectMultiplier)
        writer.uint8(UInt8(truncatingIfNeeded: length))
        writer.uint32(myDiscriminator)
        writer.uint32(yourDiscriminator)
        writer.uint32(desiredMinTransmit)
        writer.uint32(requiredMinReceive)
        writer.uint32(requiredMinEchoReceive)
        if let authentication {
            writer.uint8(authentication.type)
            writer.uint8(authentication.length)
            writer.append(authentication.content)
        }
        return writer.bytes
    }
}
