import NetworkTypes

/// The flush as a ctnetlink message (`linux/netfilter/nfnetlink_conntrack.h`): a deletion with a
/// filter on the original and the reply direction.
///
/// A kernel that has no such filters refuses it for its incomplete tuple and deletes nothing.
///
/// Kernels compare IPv6 addresses in these filters the wrong way round (seen in 6.18: what is equal
/// does not match), so IPv6 connections are told by their ports alone. Those of other Services to
/// the same port are then forgotten too: their next datagram chooses an endpoint anew.
extension FlowFlush {
    private static let subsystem: UInt16 = 1
    private static let delete: UInt16 = 2

    /// Bits of the filter: which parts of a tuple must match.
    private enum Part {
        static let source: UInt32 = 1 << 0
        static let destination: UInt32 = 1 << 1
        static let transport: UInt32 = 1 << 3
        static let sourcePort: UInt32 = 1 << 4
        static let destinationPort: UInt32 = 1 << 5
    }

    /// The bytes to send; the kernel answers with `sequence`.
    public func message(sequence: UInt32) -> [UInt8] {
        var writer = NetlinkWriter(capacity: 128)
        let isIPv4 = family == .ipv4
        writer.message(
            type: Self.subsystem << 8 | Self.delete,
            flags: Nft.Flag.request | Nft.Flag.acknowledge, sequence: sequence,
            family: isIPv4 ? 2 : 10, version: 1
        ) {
            var original = Part.transport | Part.destinationPort
            let destination = isIPv4 ? destination : nil
            if destination != nil { original |= Part.destination }
            Self.tuple(1, address: destination.map { (2, $0) }, port: (3, port), &$0)
            var reply: UInt32 = 0
            if let endpoint {
                let source = isIPv4 ? endpoint.address : nil
                reply = Part.transport | Part.sourcePort | (source == nil ? 0 : Part.source)
                Self.tuple(2, address: source.map { (1, $0) }, port: (2, endpoint.port), &$0)
            }
            // The filter's flags are in the host's byte order.
            $0.nested(25) {
                $0.attribute(1) { $0.host(original) }
                $0.attribute(2) { $0.host(reply) }
            }
        }
        return writer.bytes
    }

    /// `CTA_TUPLE_IP` and `CTA_TUPLE_PROTO`, with the attribute numbers of a direction.
    private static func tuple(
        _ type: UInt16, address: (UInt16, IPAddress)?, port: (UInt16, UInt16),
        _ writer: inout NetlinkWriter
    ) {
        writer.nested(type) {
            if let (number, address) = address {
                $0.nested(1) { $0.attribute(number) { address.write(to: &$0) } }
            }
            $0.nested(2) {
                $0.byte(1, ServiceChain.Transport.udp.rawValue)
                $0.attribute(port.0) { $0.network(port.1) }
            }
        }
    }
}
