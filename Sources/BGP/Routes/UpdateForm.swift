import NetworkTypes

/// An UPDATE but for its prefixes: the bytes before them and the bytes after, made once for all
/// messages that say the same.
///
/// ```
///   announcement   header  0 0      attributes' length  attributes                 prefixes
///   withdrawal     header  length   prefixes            0 0
///   multiprotocol  header  0 0      attributes' length  flags type length …  prefixes  attributes
/// ```
///
/// An UPDATE is about one family, and says one thing only, as RFC 7606 §5.1 wants it: prefixes of
/// one attribute, which stands first. Without prefixes a withdrawal is the End-of-RIB marker (RFC
/// 4724 §2). The multiprotocol attributes have a length of two bytes whatever it is (RFC 4271 §4.3
/// allows it, and the common daemons do the same).
struct UpdateForm: Hashable, Sendable {
    private enum Kind: Hashable, Sendable { case announcement, withdrawal, multiprotocol }

    private var kind: Kind
    /// From the marker up to the prefixes.
    private(set) var head: [UInt8]
    /// What follows the prefixes.
    private(set) var tail: [UInt8]

    /// The form of messages that withdraw prefixes of a family.
    ///
    /// IPv4 ones go into the field of RFC 4271 in every session, also where next hops are of IPv6:
    /// a withdrawal has no next hop, and every peer reads that field.
    init(withdrawalOf family: RouteFamily) {
        var writer = Self.header()
        guard family != .ipv4 else {
            kind = .withdrawal
            head = writer.bytes
            tail = [0, 0]
            return
        }
        kind = .multiprotocol
        writer.uint16(0)
        NLRI.appendUnreachHeader(family, byteCount: 0, to: &writer)
        head = writer.bytes
        tail = []
    }

    /// The form of messages that announce prefixes of a family with these attributes.
    init(_ attributes: PathAttributes, _ family: RouteFamily, _ session: OutboundSession) {
        var writer = Self.header()
        var list = ByteWriter()
        let context = session.context
        if let nextHop = attributes.nextHop,
            family != .ipv4 || nextHop.address.family != .ipv4
        {
            attributes.encode(into: &list, context: context, includesNextHop: false)
            kind = .multiprotocol
            writer.uint16(0)
            NLRI.appendReachHeader(family, nextHop: nextHop, byteCount: 0, to: &writer)
            tail = list.bytes
        } else {
            attributes.encode(into: &list, context: context, includesNextHop: true)
            kind = .announcement
            writer.uint16(UInt16(list.count))
            writer.append(list.bytes)
            tail = []
        }
        head = writer.bytes
    }

    /// Whether a message has room for one prefix with what is said of `route`, reckoned generously.
    static func hasRoom(
        for route: Route, _ family: RouteFamily, _ session: OutboundSession
    ) -> Bool {
        // Header and lengths 23, next hop 42, prefix 17, and the attributes of fixed length.
        let others = 23 + 42 + 17 + 60
        let mark = session.isGoingAway ? 4 : 0
        let communities = mark + route.communities.count * 4 + route.largeCommunities.count * 12
        return others + communities <= session.parameters.maximumLength
    }

    /// Completes a message of which head and prefixes have been appended to `buffer` from `start`.
    func finish(_ start: Int, in buffer: inout [UInt8]) {
        let prefixes = buffer.count - start - head.count
        buffer.append(contentsOf: tail)
        let length = buffer.count - start
        Self.set(length, in: &buffer, at: start + Offset.length)
        switch kind {
        case .announcement:
            break
        case .withdrawal:
            Self.set(prefixes, in: &buffer, at: start + Offset.withdrawnLength)
        case .multiprotocol:
            Self.set(length - Offset.attributes, in: &buffer, at: start + Offset.attributesLength)
            let value = head.count + prefixes - Offset.multiprotocolValue
            Self.set(value, in: &buffer, at: start + Offset.multiprotocolLength)
        }
    }

    /// Of fields, from the start of the message, where no withdrawn prefixes precede them.
    private enum Offset {
        static let length = 16
        static let withdrawnLength = 19
        static let attributesLength = 21
        static let attributes = 23
        static let multiprotocolLength = 25
        static let multiprotocolValue = 27
    }

    /// The header of an UPDATE, and a length of withdrawn prefixes; lengths are 0 for now.
    private static func header() -> ByteWriter {
        var writer = ByteWriter()
        writer.uint64(.max)
        writer.uint64(.max)
        writer.uint16(0)
        writer.uint8(2)
        writer.uint16(0)
        return writer
    }

    private static func set(_ value: Int, in buffer: inout [UInt8], at offset: Int) {
        buffer[offset] = UInt8(truncatingIfNeeded: value >> 8)
        buffer[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
