import NetworkTypes

/// A question for the link-layer address of an IPv6 neighbor (RFC 4861 §4.3).
public struct NeighborSolicitation: Hashable, Sendable {
    /// The asker; `::` in a duplicate address probe (RFC 4862 §5.4.2).
    public var source: IPAddress

    /// The target itself, or a group it listens to.
    public var destination: IPAddress

    /// The address asked for.
    public var target: IPAddress

    /// The asker's link-layer address, when it tells.
    public var sourceLinkLayerAddress: MACAddress?

    /// A solicitation of these fields.
    ///
    /// - Precondition: all addresses are IPv6.
    public init(
        source: IPAddress, destination: IPAddress, target: IPAddress,
        sourceLinkLayerAddress: MACAddress?
    ) {
        precondition(
            source.family == .ipv6 && destination.family == .ipv6 && target.family == .ipv6)
        self.source = source
        self.destination = destination
        self.target = target
        self.sourceLinkLayerAddress = sourceLinkLayerAddress
    }

    /// The meaning of checked bytes, after the checks of RFC 4861 §7.1.1.
    ///
    /// A unicast solicitation must be sent to its target: capturing shows packets that the
    /// receiving stack would have dropped as addressed to someone else.
    public init(_ view: NeighborDiscoveryView) throws(DecodeError) {
        guard view.kind == .solicitation else { throw .otherProtocol }
        if view.source.isUnspecified {
            guard view.destination.bits >> 24 == Self.solicitedNodePrefix else {
                throw .probeDestination
            }
            guard view.linkLayerAddress == nil else { throw .probeWithSourceOption }
        }
        guard view.destination.isMulticast || view.destination == view.target else {
            throw .solicitationDestination
        }
        self.init(
            source: view.source, destination: view.destination, target: view.target,
            sourceLinkLayerAddress: view.linkLayerAddress)
    }

    /// Writes the solicitation as a whole Ethernet frame.
    public func encode(
        to destination: MACAddress, from source: MACAddress, into buffer: inout FrameBuffer
    ) {
        buffer.putNeighborDiscovery(
            .solicitation, flags: 0, target: target, linkLayerAddress: sourceLinkLayerAddress,
            sender: self.source, receiver: self.destination, to: destination, from: source)
    }

    /// `ff02::1:ff00:0/104` without its low 24 bits (RFC 4291 §2.7.1).
    private static let solicitedNodePrefix: UInt128 = 0xff02_0000_0000_0000_0000_0001_ff
}
