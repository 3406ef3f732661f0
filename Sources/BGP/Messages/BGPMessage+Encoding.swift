import NetworkTypes

extension BGPMessage {
    /// The message as it goes out, header included.
    ///
    /// - Precondition: it fits `context.maximumLength`. NOTIFICATION data is cut to fit.
    public func encoded(context: DecodingContext) -> [UInt8] {
        var writer = ByteWriter()
        let length = writer.beginMessage(kind)
        switch self {
        case .open(let message): message.encode(into: &writer)
        case .update(let message): message.encode(into: &writer, context: context)
        case .notification(let message):
            writer.uint8(message.code)
            writer.uint8(message.subcode)
            writer.append(message.data.prefix(context.maximumLength - writer.count))
        case .keepalive: break
        case .routeRefresh(let message):
            writer.uint16(message.family.afi)
            writer.uint8(message.kind.rawValue)
            writer.uint8(message.family.safi)
        }
        precondition(writer.count <= max(context.maximumLength, 4096), "a message too long")
        writer.setUInt16(UInt16(writer.count), at: length)
        return writer.bytes
    }

    private var kind: Kind {
        switch self {
        case .open: .open
        case .update: .update
        case .notification: .notification
        case .keepalive: .keepalive
        case .routeRefresh: .routeRefresh
        }
    }
}

extension ByteWriter {
    /// Appends a header whose length is still to be set, and returns where.
    fileprivate mutating func beginMessage(_ kind: BGPMessage.Kind) -> Int {
        uint64(.max)
        uint64(.max)
        let offset = count
        uint16(0)
        uint8(kind.rawValue)
        return offset
    }
}
