import NetworkTypes

/// The payload of an echo packet, which only its sender reads: RFC 5880 §5 leaves the format to it.
struct BFDEcho: Equatable {
    private static let length = 16

    /// The sender's name for the session.
    var discriminator: UInt32
    /// The how manieth of the session it is.
    var sequence: UInt32
    /// What nobody but the sender and who is on the path knows, so that an echo that was never
    /// sent does not come back.
    var token: UInt64

    /// The payload's 16 bytes.
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.uint32(discriminator)
        writer.uint32(sequence)
        writer.uint64(token)
        return writer.bytes
    }
}

extension BFDEcho {
    /// Reads the payload of a datagram; `nil` when it has another length.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        var reader = ByteReader(bytes.span)
        do throws(ByteReader.Truncated) {
            self.init(
                discriminator: try reader.uint32(), sequence: try reader.uint32(),
                token: try reader.uint64())
        } catch {
            return nil
        }
    }
}
