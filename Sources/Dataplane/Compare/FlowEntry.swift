import NetworkTypes

/// A connection in the kernel's connection tracking, as the kernel tells it
/// (`linux/netfilter/nfnetlink_conntrack.h`).
///
/// Which connections to forget is decided here and not by the kernel's own filter for deletions,
/// which compares IPv6 addresses the wrong way round (seen in 6.18: what is equal does not match).
public struct FlowEntry: Hashable, Sendable {
    /// The IP protocol number.
    public let protocolNumber: UInt8
    /// What the client sent to.
    public let destination: IPAddress
    /// The port that the client sent to; 0 for a protocol without ports.
    public let port: UInt16
    /// Who answers: the endpoint that the connection was given.
    public let backend: IPAddress
    /// The port that answers; 0 for a protocol without ports.
    public let backendPort: UInt16
    /// Whether its destination was changed.
    public let isTranslated: Bool

    static let subsystem: UInt16 = 1
    private static let new: UInt16 = 0
    static let get: UInt16 = 1
    private static let delete: UInt16 = 2

    enum Attribute {
        static let original: UInt16 = 1
        static let reply: UInt16 = 2
        static let status: UInt16 = 3
        static let identifier: UInt16 = 12
        static let zone: UInt16 = 18
        static let filter: UInt16 = 25
        static let statusMask: UInt16 = 26
    }

    /// `IPS_DST_NAT`.
    static let translated: UInt32 = 1 << 5

    /// Reads a message of the answer to a ``FlowQuestion``: what is behind the netlink header.
    /// `nil` when it is none.
    public init?(type: UInt16, payload: Span<UInt8>) {
        guard type == Self.subsystem << 8 | Self.new, payload.count >= 4 else { return nil }
        let body = payload.extracting(droppingFirst: 4)
        var (original, reply): (Tuple?, Tuple?) = (nil, nil)
        var status: UInt32 = 0
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.original: original = Tuple(body.extracting(attribute.value))
            case Attribute.reply: reply = Tuple(body.extracting(attribute.value))
            case Attribute.status: status = body.word(attribute.value) ?? 0
            default: continue
            }
        }
        guard let original, let reply, let destination = original.destination,
            let backend = reply.source
        else { return nil }
        protocolNumber = original.protocolNumber
        self.destination = destination
        port = original.destinationPort
        self.backend = backend
        backendPort = reply.sourcePort
        isTranslated = status & Self.translated != 0
    }

    /// The message that makes the kernel forget exactly the connection that `payload` tells of, and
    /// no other that has come in its place since.
    public static func deletion(of payload: Span<UInt8>) -> FlowDeletion {
        let body = payload.extracting(droppingFirst: min(4, payload.count))
        var writer = NetlinkWriter(capacity: 128)
        var attributes = NetlinkAttributes(body)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Attribute.original:
                let tuple = body.array(attribute.value)
                writer.nested(attribute.type) { $0.append(tuple) }
            case Attribute.identifier, Attribute.zone:
                let value = body.array(attribute.value)
                writer.attribute(attribute.type) { $0.append(value) }
            default: continue
            }
        }
        return FlowDeletion(
            type: subsystem << 8 | delete, family: payload.isEmpty ? 0 : payload[0],
            attributes: writer.bytes)
    }
}

/// A message that makes the kernel forget one connection.
public struct FlowDeletion: Hashable, Sendable {
    fileprivate let type: UInt16
    fileprivate let family: UInt8
    fileprivate let attributes: [UInt8]

    /// The bytes to send. Messages may be sent many in a datagram; the kernel answers those that it
    /// refuses, and the ones that ask for it.
    public func message(sequence: UInt32, isAnswered: Bool) -> [UInt8] {
        var writer = NetlinkWriter(capacity: attributes.count + 20)
        writer.message(
            type: type, flags: Nft.Flag.request | (isAnswered ? Nft.Flag.acknowledge : 0),
            sequence: sequence, family: family
        ) { $0.append(attributes) }
        return writer.bytes
    }
}

/// One direction of a connection.
private struct Tuple {
    private(set) var source: IPAddress?
    private(set) var destination: IPAddress?
    private(set) var protocolNumber: UInt8 = 0
    private(set) var sourcePort: UInt16 = 0
    private(set) var destinationPort: UInt16 = 0

    private static let addresses: UInt16 = 1
    private static let transport: UInt16 = 2

    init(_ field: Span<UInt8>) {
        var attributes = NetlinkAttributes(field)
        while let attribute = attributes.next() {
            let part = field.extracting(attribute.value)
            var values = NetlinkAttributes(part)
            while let value = values.next() {
                switch (attribute.type, value.type) {
                case (Self.addresses, 1), (Self.addresses, 3): source = part.address(value.value)
                case (Self.addresses, 2), (Self.addresses, 4):
                    destination = part.address(value.value)
                case (Self.transport, 1) where value.value.count == 1:
                    protocolNumber = part[value.value.lowerBound]
                case (Self.transport, 2): sourcePort = part.port(value.value)
                case (Self.transport, 3): destinationPort = part.port(value.value)
                default: continue
                }
            }
        }
    }
}

extension Span<UInt8> {
    fileprivate func address(_ range: Range<Int>) -> IPAddress? {
        guard range.count == 4 || range.count == 16 else { return nil }
        var bits: UInt128 = 0
        for index in range { bits = bits << 8 | UInt128(self[index]) }
        return IPAddress(family: range.count == 4 ? .ipv4 : .ipv6, bits: bits)
    }

    fileprivate func port(_ range: Range<Int>) -> UInt16 {
        UInt16(truncatingIfNeeded: network(range, width: 2) ?? 0)
    }
}
