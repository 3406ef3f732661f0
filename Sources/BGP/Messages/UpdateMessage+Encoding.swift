import NetworkTypes

extension UpdateMessage {
    /// Appends the message's body, for messages of few prefixes.
    ///
    /// IPv4 prefixes stand outside the attributes where their next hop is an IPv4 address;
    /// all others in MP_REACH_NLRI and MP_UNREACH_NLRI, which come first (RFC 7606 §5.1). Prefixes
    /// announced of both families share the next hop, so they cannot be in one message usefully.
    func encode(into writer: inout ByteWriter, context: DecodingContext) {
        let nextHop = attributes.nextHop
        let isClassic = nextHop?.address.family != .ipv6
        let outside = announced.filter { isClassic && $0.family == .ipv4 }
        let inside = announced.filter { !(isClassic && $0.family == .ipv4) }
        let withdrawnLength = writer.count
        writer.uint16(0)
        for prefix in withdrawn where prefix.family == .ipv4 { NLRI.append(prefix, to: &writer) }
        writer.setUInt16(UInt16(writer.count - withdrawnLength - 2), at: withdrawnLength)

        let attributesLength = writer.count
        writer.uint16(0)
        if let family = inside.first?.family, let nextHop {
            let prefixes = inside.filter { $0.family == family }
            NLRI.appendReachHeader(
                RouteFamily(family), nextHop: nextHop,
                byteCount: prefixes.reduce(0) { $0 + NLRI.encodedLength($1) }, to: &writer)
            for prefix in prefixes { NLRI.append(prefix, to: &writer) }
        }
        let gone = withdrawn.filter { $0.family == .ipv6 }
        if !gone.isEmpty || (endOfRIB ?? .ipv4) != .ipv4 {
            NLRI.appendUnreachHeader(
                gone.isEmpty ? endOfRIB ?? .ipv6 : .ipv6,
                byteCount: gone.reduce(0) { $0 + NLRI.encodedLength($1) }, to: &writer)
            for prefix in gone { NLRI.append(prefix, to: &writer) }
        }
        attributes.encode(into: &writer, context: context, includesNextHop: !outside.isEmpty)
        writer.setUInt16(UInt16(writer.count - attributesLength - 2), at: attributesLength)
        for prefix in outside { NLRI.append(prefix, to: &writer) }
    }
}
