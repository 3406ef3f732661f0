public import NetworkTypes

/// A question for the kernel's connections: all of a family, or those that have in common what is
/// said.
public struct FlowQuestion: Hashable, Sendable {
    /// The family.
    public let family: IPAddress.Family
    /// The protocol; `nil` for any.
    public let transport: ServiceChain.Transport?
    /// The port that the client sent to; `nil` for any. Needs the protocol.
    public let port: UInt16?
    /// Whether only those are asked for whose destination was changed. A kernel before 5.18 tells
    /// of the others too.
    public let isTranslated: Bool

    /// Bits of the kernel's filter: which parts of a tuple must match.
    private static let byTransport: UInt32 = 1 << 3
    private static let byPort: UInt32 = 1 << 5

    /// The bytes to send; the answer is a dump.
    public func message(sequence: UInt32) -> [UInt8] {
        var writer = NetlinkWriter(capacity: 128)
        writer.message(
            type: FlowEntry.subsystem << 8 | FlowEntry.get,
            flags: Nft.Flag.request | TableQuery.dump, sequence: sequence,
            family: family == .ipv4 ? 2 : 10
        ) {
            if isTranslated {
                $0.word(FlowEntry.Attribute.status, FlowEntry.translated)
                $0.word(FlowEntry.Attribute.statusMask, FlowEntry.translated)
            }
            guard let transport else { return }
            $0.nested(FlowEntry.Attribute.original) {
                $0.nested(2) {
                    $0.byte(1, transport.rawValue)
                    if let port { $0.attribute(3) { $0.network(port) } }
                }
            }
            // The filter's flags are in the host's byte order.
            $0.nested(FlowEntry.Attribute.filter) {
                $0.attribute(1) { $0.host(Self.byTransport | (port == nil ? 0 : Self.byPort)) }
                $0.attribute(2) { $0.host(UInt32(0)) }
            }
        }
        return writer.bytes
    }
}
