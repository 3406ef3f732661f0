import NetworkTypes

/// What an ARP packet and a neighbor discovery message have in common, and all that deciding needs:
/// an address that is asked for, and an address that the sender claims to have.
///
/// Everything after this type is one piece of code for both families.
struct NeighborMessage: Equatable {
    /// The address whose owner is wanted; `nil` in a reply or an advertisement.
    let asked: IPAddress?

    /// The address that the message says is reached at `hardware`; unspecified in a probe, which
    /// claims nothing yet.
    let claimed: IPAddress

    /// Where `claimed` is said to be, and where an answer goes.
    let hardware: MACAddress

    init(_ frame: borrowing EthernetView) throws(DecodeError) {
        switch frame.type {
        case .arp: try self.init(ARPPacket(ARPView(frame.payload)))
        case .ipv6: try self.init(NeighborDiscoveryView(IPv6View(frame.payload)), frame.source)
        }
    }

    /// The sender is where its own field says, not where the frame came from, as in the Linux
    /// kernel and as RFC 826 has it: a proxy or a wireless bridge may stand between.
    private init(_ packet: ARPPacket) {
        asked = packet.operation == .request ? packet.targetAddress : nil
        claimed = packet.senderAddress
        hardware = packet.senderHardware
    }

    /// Without a link-layer option the sender is where the frame came from.
    private init(_ view: NeighborDiscoveryView, _ sender: MACAddress) throws(DecodeError) {
        switch view.kind {
        case .solicitation:
            let message = try NeighborSolicitation(view)
            asked = message.target
            claimed = message.source
            hardware = message.sourceLinkLayerAddress ?? sender
        case .advertisement:
            let message = try NeighborAdvertisement(view)
            asked = nil
            claimed = message.target
            hardware = message.targetLinkLayerAddress ?? sender
        }
    }
}
