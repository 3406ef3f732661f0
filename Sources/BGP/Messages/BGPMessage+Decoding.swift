import NetworkTypes

extension BGPMessage {
    /// Marker, length and type (RFC 4271 §4.1).
    static let headerLength = 19

    /// The types of messages, as in the header.
    enum Kind: UInt8 {
        case open = 1
        case update = 2
        case notification = 3
        case keepalive = 4
        case routeRefresh = 5

        /// The shortest message of the type (RFC 4271 §6.1). ROUTE-REFRESH judges its own length.
        var minimumLength: Int {
            switch self {
            case .open: 29
            case .update: 23
            case .notification: 21
            case .keepalive, .routeRefresh: BGPMessage.headerLength
            }
        }

        /// The longest: 4096 bytes, unless extended messages were agreed on, which OPEN and
        /// KEEPALIVE never are (RFC 8654 §4).
        func maximumLength(_ context: DecodingContext) -> Int {
            switch self {
            case .open: 4096
            case .keepalive: BGPMessage.headerLength
            case .update, .notification, .routeRefresh: context.maximumLength
            }
        }
    }

    /// Judges a header (RFC 4271 §6.1).
    ///
    /// - Parameter header: the first 19 bytes of a message.
    /// - Returns: the length of the whole message, 19 or more.
    static func checkHeader(
        _ header: Span<UInt8>, context: DecodingContext
    ) throws(MessageFault) -> Int {
        guard header.uint128(at: 0) == .max else { throw .notSynchronized }
        let length = Int(header.uint16(at: 16))
        guard length >= headerLength, length <= max(context.maximumLength, 4096) else {
            throw .badLength(UInt16(length))
        }
        guard let kind = Kind(rawValue: header[18]) else { throw .badType(header[18]) }
        guard length >= kind.minimumLength, length <= kind.maximumLength(context) else {
            throw .badLength(UInt16(length))
        }
        return length
    }

    /// Reads one whole message; `nil` for one that is to be ignored (RFC 7313 §5).
    ///
    /// - Parameters:
    ///   - bytes: the message from its marker to its end.
    ///   - context: what the session has agreed on.
    /// - Throws: what is wrong, for which the session ends.
    public init?(decoding bytes: Span<UInt8>, context: DecodingContext) throws(MessageFault) {
        guard bytes.count >= Self.headerLength else {
            throw .badLength(UInt16(bytes.count))
        }
        let length = try Self.checkHeader(
            bytes.extracting(0..<Self.headerLength), context: context)
        guard length == bytes.count else { throw .badLength(UInt16(length)) }
        switch Kind(rawValue: bytes[18]) {
        case .open: self = .open(try OpenMessage(decoding: bytes))
        case .update: self = .update(try UpdateMessage(decoding: bytes, context: context))
        case .notification:
            self = .notification(
                NotificationMessage(
                    code: bytes[19], subcode: bytes[20], data: bytes.array(21..<bytes.count)))
        case .routeRefresh:
            guard let message = try RouteRefreshMessage(decoding: bytes) else { return nil }
            self = .routeRefresh(message)
        case .keepalive: self = .keepalive
        case nil: throw .badType(bytes[18])
        }
    }
}

extension RouteRefreshMessage {
    /// Reads a message; `nil` when its subtype is unknown, which is ignored (RFC 7313 §5).
    ///
    /// We offer no outbound route filtering (RFC 5291), so nothing may follow the family.
    init?(decoding bytes: Span<UInt8>) throws(MessageFault) {
        let count = bytes.count - BGPMessage.headerLength
        guard count == 4 else {
            let isMark = count >= 3 && (bytes[21] == 1 || bytes[21] == 2)
            guard count > 4 || isMark else { throw .badLength(UInt16(bytes.count)) }
            throw .badRefreshLength(bytes.array(0..<bytes.count))
        }
        guard let kind = Kind(rawValue: bytes[21]) else { return nil }
        self.init(family: RouteFamily(afi: bytes.uint16(at: 19), safi: bytes[22]), kind: kind)
    }
}
