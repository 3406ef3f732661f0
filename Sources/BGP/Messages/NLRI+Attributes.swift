public import NetworkTypes

extension NLRI {
    /// Appends MP_REACH_NLRI up to its prefixes (RFC 4760 §3), its length in two octets.
    ///
    /// - Parameters:
    ///   - family: of the prefixes.
    ///   - nextHop: theirs; a link-local address goes beside the global one (RFC 2545 §3), also for
    ///     IPv4 prefixes (RFC 8950 §3).
    ///   - byteCount: how many bytes of prefixes will follow.
    public static func appendReachHeader(
        _ family: RouteFamily, nextHop: NextHop, byteCount: Int, to writer: inout ByteWriter
    ) {
        var count = nextHop.address.family.byteWidth
        if let linkLocal = nextHop.linkLocal { count += linkLocal.family.byteWidth }
        writer.uint8(AttributeType.reach.flags | AttributeType.extendedLength)
        writer.uint8(AttributeType.reach.rawValue)
        writer.uint16(UInt16(5 + count + byteCount))
        writer.uint16(family.afi)
        writer.uint8(family.safi)
        writer.uint8(UInt8(count))
        writer.address(nextHop.address)
        if let linkLocal = nextHop.linkLocal { writer.address(linkLocal) }
        writer.uint8(0)
    }

    /// Appends MP_UNREACH_NLRI up to its prefixes (RFC 4760 §4), its length in two octets.
    ///
    /// - Parameter byteCount: how many bytes of prefixes will follow; with 0 in an otherwise empty
    ///   UPDATE it is the End-of-RIB marker (RFC 4724 §2).
    public static func appendUnreachHeader(
        _ family: RouteFamily, byteCount: Int, to writer: inout ByteWriter
    ) {
        writer.uint8(AttributeType.unreach.flags | AttributeType.extendedLength)
        writer.uint8(AttributeType.unreach.rawValue)
        writer.uint16(UInt16(3 + byteCount))
        writer.uint16(family.afi)
        writer.uint8(family.safi)
    }
}
