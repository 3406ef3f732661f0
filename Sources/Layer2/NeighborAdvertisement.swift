import NetworkTypes

/// A statement of an IPv6 neighbor's link-layer address (RFC 4861 §4.4).
public struct NeighborAdvertisement: Hashable, Sendable {
    /// The sender.
    public var source: IPAddress

    /// The asker, or all nodes.
    public var destination: IPAddress

    /// The address the statement is about.
    public var target: IPAddress

    /// The sender forwards packets.
    public var isRouter: Bool

    /// The message answers a solicitation.
    public var isSolicited: Bool

    /// The receiver is to replace what it knew.
    public var isOverride: Bool

    /// The link-layer address of the target, when told.
    public var targetLinkLayerAddress: MACAddress?

    /// An advertisement of these fields.
    ///
    /// - Precondition: all addresses are IPv6.
    public init(
        source: IPAddress, destination: IPAddress, target: IPAddress, isRouter: Bool = false,
        isSolicited: Bool, isOverride: Bool, targetLinkLayerAddress: MACAddress?
    ) {
        precondition(
            source.family == .ipv6 && destination.family == .ipv6 && target.family == .ipv6)
        self.source = source
        self.destination = destination
        self.target = target
        self.isRouter = isRouter
        self.isSolicited = isSolicited
        self.isOverride = isOverride
        self.targetLinkLayerAddress = targetLinkLayerAddress
    }

    /// The meaning of checked bytes, after the checks of RFC 4861 §7.1.2.
    public init(_ view: NeighborDiscoveryView) throws(DecodeError) {
        guard view.kind == .advertisement else { throw .otherProtocol }
        let isSolicited = view.flags & Self.solicited != 0
        guard !(isSolicited && view.destination.isMulticast) else { throw .solicitedToGroup }
        self.init(
            source: view.source, destination: view.destination, target: view.target,
            isRouter: view.flags & Self.router != 0, isSolicited: isSolicited,
            isOverride: view.flags & Self.override != 0,
            targetLinkLayerAddress: view.linkLayerAddress)
    }

    /// Writes the advertisement as a whole Ethernet frame.
    public func encode(
        to destination: MACAddress, from source: MACAddress, into buffer: inout FrameBuffer
    ) {
        let flags =
            (isRouter ? Self.router : 0) | (isSolicited ? Self.solicited : 0)
            | (isOverride ? Self.override : 0)
        buffer.putNeighborDiscovery(
            .advertisement, flags: flags, target: target,
            linkLayerAddress: targetLinkLayerAddress, sender: self.source,
            receiver: self.destination, to: destination, from: source)
    }

    private static let router: UInt8 = 0x80
    private static let solicited: UInt8 = 0x40
    private static let override: UInt8 = 0x20
}
