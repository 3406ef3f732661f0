/// Cuts the byte stream of a connection into messages (RFC 4271 §4.1).
///
/// As long as ``next(_:)`` is called until it returns `nil` after each ``append(_:)``, it holds no
/// more than one message of the maximum length and what one read brought.
public struct MessageFramer: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0

    /// Starts with nothing.
    public init() {}

    /// How many bytes wait for the rest of their message.
    public var pendingCount: Int { buffer.count - start }

    /// Takes what a read brought.
    public mutating func append(_ bytes: Span<UInt8>) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer.reserveCapacity(buffer.count + bytes.count)
        for index in bytes.indices { buffer.append(bytes[index]) }
    }

    /// The next whole message; `nil` when none is.
    ///
    /// A message that is to be ignored is passed over (RFC 7313 §5). The lengths of messages are
    /// checked before they are whole, so that a peer cannot make us wait for one that is too long.
    ///
    /// - Throws: what is wrong with the header or the message. The stream is of no use after that.
    public mutating func next(_ context: DecodingContext) throws(MessageFault) -> BGPMessage? {
        while let length = try wholeLength(context) {
            let range = start..<start + length
            start = range.upperBound
            let message = try BGPMessage(
                decoding: buffer.span.extracting(range), context: context)
            if let message { return message }
        }
        return nil
    }

    /// The length of the first message if all of it is here.
    private func wholeLength(_ context: DecodingContext) throws(MessageFault) -> Int? {
        guard pendingCount >= BGPMessage.headerLength else { return nil }
        let header = start..<start + BGPMessage.headerLength
        let length = try BGPMessage.checkHeader(
            buffer.span.extracting(header), context: context)
        return pendingCount >= length ? length : nil
    }
}
