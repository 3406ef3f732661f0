/// One direction of a connection as an onlooker sees it: messages that are in order, bytes that are
/// lost, and a beginning that may have passed already.
///
/// Unlike a ``MessageFramer`` it never gives up: after anything that cannot be read it goes on at
/// the next header. It holds no more than one message and what the last call brought.
public struct ObservedStream: Equatable, Sendable {
    /// What was seen.
    public enum Event: Equatable, Sendable {
        /// A message, and its bytes.
        case message(BGPMessage, [UInt8])
        /// A message that its receiver ignores (RFC 7313 §5).
        case ignored([UInt8])
        /// A message for which the receiver ends the session, and its bytes.
        case malformed(MessageFault, [UInt8])
        /// So many bytes that are no part of a whole message.
        case unreadable(Int)
    }

    private var buffer: [UInt8] = []
    private var start = 0
    private var skipped = 0
    /// Whether a message is known to begin at ``start``.
    private var isAligned: Bool

    /// A stream whose beginning is seen or not.
    public init(hasBeginning: Bool) { isAligned = hasBeginning }

    /// Takes the bytes that come next.
    public mutating func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Notes that bytes are lost here. Call ``next(_:otherwise:)`` until `nil` before.
    public mutating func lose() {
        skipped += buffer.count - start
        start = buffer.count
        isAligned = false
    }

    /// What comes next; `nil` when more bytes are needed.
    ///
    /// - Parameter other: is tried where the message is at fault by `context`.
    public mutating func next(
        _ context: DecodingContext, otherwise other: DecodingContext? = nil
    ) -> Event? {
        if !isAligned { align() }
        guard isAligned else { return nil }
        if skipped > 0 {
            defer { skipped = 0 }
            return .unreadable(skipped)
        }
        guard buffer.count - start >= BGPMessage.headerLength else { return nil }
        let header = start..<start + BGPMessage.headerLength
        let length: Int
        do throws(MessageFault) {
            length = try BGPMessage.checkHeader(
                buffer.span.extracting(header), context: context)
        } catch {
            // Past the marker, or it would be found again.
            let bytes = Array(buffer[header])
            start += 16
            skipped = 16
            isAligned = false
            return .malformed(error, bytes)
        }
        guard buffer.count - start >= length else { return nil }
        let bytes = Array(buffer[start..<start + length])
        start += length
        let event = Self.event(bytes, context)
        guard let other, event.hasFault else { return event }
        let second = Self.event(bytes, other)
        return second.hasFault ? event : second
    }

    private static func event(_ bytes: [UInt8], _ context: DecodingContext) -> Event {
        do throws(MessageFault) {
            guard let message = try BGPMessage(decoding: bytes.span, context: context) else {
                return .ignored(bytes)
            }
            return .message(message, bytes)
        } catch {
            return .malformed(error, bytes)
        }
    }

    /// Looks for a header that can be one.
    private mutating func align() {
        let begin = start
        while buffer.count - start >= BGPMessage.headerLength {
            if isHeader(at: start) {
                isAligned = true
                break
            }
            start += 1
        }
        skipped += start - begin
    }

    private func isHeader(at offset: Int) -> Bool {
        for index in offset..<offset + 16 where buffer[index] != 0xff { return false }
        let length = Int(buffer[offset + 16]) << 8 | Int(buffer[offset + 17])
        guard let kind = BGPMessage.Kind(rawValue: buffer[offset + 18]) else { return false }
        return length >= kind.minimumLength
    }
}

extension ObservedStream.Event {
    /// Whether something is wrong with the message.
    fileprivate var hasFault: Bool {
        switch self {
        case .message(.update(let update), _): !update.faults.isEmpty
        case .malformed: true
        case .message, .ignored, .unreadable: false
        }
    }
}
