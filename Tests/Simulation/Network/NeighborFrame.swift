import Layer2
import NetworkTypes

/// What an ARP or neighbor discovery frame says, read once for all hosts that hear it.
package struct NeighborFrame: Hashable, Sendable {
    /// The address whose owner is wanted; `nil` in an answer.
    package var asked: IPAddress?
    /// The address that is said to be at ``hardware``; `nil` in a probe and where no link-layer
    /// address is told.
    package var claimed: IPAddress?
    /// Where it is said to be.
    package var hardware: MACAddress
    /// Whether nobody asked for it and it is meant for all.
    package var isGratuitous: Bool

    /// Reads a frame; `nil` when it is another protocol or broken.
    package init?(_ frame: [UInt8]) {
        // What cannot be read is of no interest to a host, whatever is wrong with it.
        guard let message = try? Self.read(frame) else { return nil }
        self = message
    }

    private init(
        asked: IPAddress?, claimed: IPAddress?, hardware: MACAddress, isGratuitous: Bool
    ) {
        self.asked = asked
        self.claimed = claimed
        self.hardware = hardware
        self.isGratuitous = isGratuitous
    }

    private static func read(_ frame: [UInt8]) throws(DecodeError) -> NeighborFrame {
        let ethernet = try EthernetView(frame.span)
        switch ethernet.type {
        case .arp: return NeighborFrame(try ARPPacket(ARPView(ethernet.payload)))
        case .ipv6:
            let view = try NeighborDiscoveryView(IPv6View(ethernet.payload))
            switch view.kind {
            case .solicitation:
                return NeighborFrame(try NeighborSolicitation(view), from: ethernet.source)
            case .advertisement:
                return NeighborFrame(try NeighborAdvertisement(view), from: ethernet.source)
            }
        }
    }

    private init(_ packet: ARPPacket) {
        let isAboutSender = packet.senderAddress == packet.targetAddress
        self.init(
            asked: packet.operation == .request && !isAboutSender ? packet.targetAddress : nil,
            claimed: packet.senderAddress.isUnspecified ? nil : packet.senderAddress,
            hardware: packet.senderHardware, isGratuitous: isAboutSender)
    }

    private init(_ message: NeighborSolicitation, from sender: MACAddress) {
        self.init(
            asked: message.target, claimed: message.source.isUnspecified ? nil : message.source,
            hardware: message.sourceLinkLayerAddress ?? sender, isGratuitous: false)
    }

    private init(_ message: NeighborAdvertisement, from sender: MACAddress) {
        self.init(
            asked: nil, claimed: message.target,
            hardware: message.targetLinkLayerAddress ?? sender,
            isGratuitous: !message.isSolicited)
    }

    /// The frame by which a host asks all, or one station, for an address.
    package static func question(
        for address: IPAddress, by asker: IPAddress, at hardware: MACAddress,
        to station: MACAddress? = nil
    ) -> [UInt8] {
        var buffer = FrameBuffer()
        if let group = address.solicitedNodeMulticast {
            NeighborSolicitation(
                source: asker, destination: station == nil ? group : address, target: address,
                sourceLinkLayerAddress: hardware
            ).encode(
                to: station ?? MACAddress(multicast: group) ?? .broadcast, from: hardware,
                into: &buffer)
        } else {
            ARPPacket(
                operation: .request, senderHardware: hardware, senderAddress: asker,
                targetHardware: .zero, targetAddress: address
            ).encode(to: station ?? .broadcast, from: hardware, into: &buffer)
        }
        return buffer.bytes
    }

    /// The frame by which a host answers a question for its own address.
    package static func answer(
        to question: NeighborFrame, by address: IPAddress, at hardware: MACAddress
    ) -> [UInt8] {
        var buffer = FrameBuffer()
        switch address.family {
        case .ipv4:
            ARPPacket(
                operation: .reply, senderHardware: hardware, senderAddress: address,
                targetHardware: question.hardware,
                targetAddress: question.claimed ?? .unspecifiedIPv4
            ).encode(to: question.hardware, from: hardware, into: &buffer)
        case .ipv6:
            let everybody = question.claimed == nil
            NeighborAdvertisement(
                source: address, destination: question.claimed ?? .allNodesMulticast,
                target: address, isSolicited: !everybody, isOverride: true,
                targetLinkLayerAddress: hardware
            ).encode(
                to: everybody
                    ? MACAddress(multicast: .allNodesMulticast) ?? .broadcast : question.hardware,
                from: hardware, into: &buffer)
        }
        return buffer.bytes
    }
}
