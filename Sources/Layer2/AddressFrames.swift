import NetworkTypes

/// The frames that speak for one address at one link-layer address: the only place where deciding
/// meets the two wire formats.
struct AddressFrames {
    let address: IPAddress
    let hardware: MACAddress

    /// Answers a question of `asker` at `askerHardware`.
    ///
    /// An advertisement comes from the target address itself: it is the only address of the
    /// interface that this module knows to be valid. The router flag is clear because a load
    /// balancer address is no one's next hop. A probe has no address to answer to, so all nodes
    /// hear the answer (RFC 4861 §7.2.4).
    @inline(__always)
    func answer(
        to asker: IPAddress, at askerHardware: MACAddress, into buffer: inout FrameBuffer
    ) {
        switch address.family {
        case .ipv4:
            ARPPacket(
                operation: .reply, senderHardware: hardware, senderAddress: address,
                targetHardware: askerHardware, targetAddress: asker
            ).encode(to: askerHardware, from: hardware, into: &buffer)
        case .ipv6 where asker.isUnspecified:
            advertise(into: &buffer)
        case .ipv6:
            NeighborAdvertisement(
                source: address, destination: asker, target: address, isSolicited: true,
                isOverride: true, targetLinkLayerAddress: hardware
            ).encode(to: askerHardware, from: hardware, into: &buffer)
        }
    }

    /// Asks whether anybody has the address, claiming nothing (RFC 5227 §2.1.1, RFC 4862 §5.4.2).
    func probe(into buffer: inout FrameBuffer) {
        guard let group = address.solicitedNodeMulticast else {
            ARPPacket(
                operation: .request, senderHardware: hardware, senderAddress: .unspecifiedIPv4,
                targetHardware: .zero, targetAddress: address
            ).encode(to: .broadcast, from: hardware, into: &buffer)
            return
        }
        NeighborSolicitation(
            source: .unspecifiedIPv6, destination: group, target: address,
            sourceLinkLayerAddress: nil
        ).encode(to: MACAddress(group: group), from: hardware, into: &buffer)
    }

    /// Tells everybody where the address is.
    ///
    /// ARP needs two forms, because stacks differ in the one they believe. The reply names the
    /// sender's own link-layer address as its target's: Linux takes it for gratuitous only then,
    /// and otherwise ignores it while the old entry is younger than the lock time.
    func announcement(_ send: (borrowing FrameBuffer) -> Void) {
        var buffer = FrameBuffer()
        switch address.family {
        case .ipv4:
            for operation in [ARPPacket.Operation.request, .reply] {
                ARPPacket(
                    operation: operation, senderHardware: hardware, senderAddress: address,
                    targetHardware: operation == .request ? .zero : hardware,
                    targetAddress: address
                ).encode(to: .broadcast, from: hardware, into: &buffer)
                send(buffer)
            }
        case .ipv6:
            advertise(into: &buffer)
            send(buffer)
        }
    }

    /// The unsolicited advertisement (RFC 4861 §7.2.6).
    private func advertise(into buffer: inout FrameBuffer) {
        NeighborAdvertisement(
            source: address, destination: .allNodesMulticast, target: address, isSolicited: false,
            isOverride: true, targetLinkLayerAddress: hardware
        ).encode(to: MACAddress(group: .allNodesMulticast), from: hardware, into: &buffer)
    }
}

extension MACAddress {
    /// The link-layer group of an IPv6 group (RFC 2464 §7).
    init(group: IPAddress) {
        self.init(bits: 0x3333_0000_0000 | UInt64(truncatingIfNeeded: group.bits & 0xffff_ffff))
    }
}
