import Layer2
import NetworkTypes

/// Frames that other stations send, for either family.
enum Frames {
    /// `hardware` at `asker` wants to know who has `address`. An unspecified asker makes a probe.
    static func question(
        _ address: IPAddress, asker: IPAddress? = nil, hardware: MACAddress = Cast.client,
        to destination: MACAddress? = nil
    ) -> [UInt8] {
        let asker = asker ?? Cast.clientAddress(address.family)
        var frame = FrameBuffer()
        if let group = address.solicitedNodeMulticast {
            NeighborSolicitation(
                source: asker, destination: destination == nil ? group : address, target: address,
                sourceLinkLayerAddress: asker.isUnspecified ? nil : hardware
            ).encode(
                to: destination ?? MACAddress(multicast: group) ?? .broadcast, from: hardware,
                into: &frame)
        } else {
            ARPPacket(
                operation: .request, senderHardware: hardware, senderAddress: asker,
                targetHardware: .zero, targetAddress: address
            ).encode(to: destination ?? .broadcast, from: hardware, into: &frame)
        }
        return frame.bytes
    }

    /// `hardware` looks whether `address` is free.
    static func probe(_ address: IPAddress, by hardware: MACAddress) -> [UInt8] {
        let nobody: IPAddress = address.family == .ipv4 ? .unspecifiedIPv4 : .unspecifiedIPv6
        return question(address, asker: nobody, hardware: hardware)
    }

    /// `hardware` says, to all or to one, that it has `address`.
    static func claim(
        _ address: IPAddress, by hardware: MACAddress, to destination: MACAddress? = nil
    ) -> [UInt8] {
        var frame = FrameBuffer()
        if address.family == .ipv6 {
            NeighborAdvertisement(
                source: address,
                destination: destination == nil ? .allNodesMulticast : Cast.clientAddress(.ipv6),
                target: address, isSolicited: false, isOverride: true,
                targetLinkLayerAddress: hardware
            ).encode(
                to: destination ?? MACAddress(bits: 0x3333_0000_0001), from: hardware, into: &frame)
        } else {
            ARPPacket(
                operation: .reply, senderHardware: hardware, senderAddress: address,
                targetHardware: hardware, targetAddress: address
            ).encode(to: destination ?? .broadcast, from: hardware, into: &frame)
        }
        return frame.bytes
    }

    /// Who has which address, as the sender of `frame` says; `nil` for questions that claim
    /// nothing.
    static func claimed(in frame: [UInt8]) -> (address: IPAddress, hardware: MACAddress)? {
        if let packet = arp(frame) {
            return packet.senderAddress.isUnspecified
                ? nil : (packet.senderAddress, packet.senderHardware)
        }
        guard let message = advertisement(frame), let hardware = message.targetLinkLayerAddress
        else { return nil }
        return (message.target, hardware)
    }

    static func destination(_ frame: [UInt8]) -> MACAddress? {
        MACAddress(bytes: Array(frame.prefix(6)))
    }

    // In the next three, a frame of another kind is an answer to the test's question, not an error.

    static func arp(_ frame: [UInt8]) -> ARPPacket? {
        try? decodeARP(frame)
    }

    static func advertisement(_ frame: [UInt8]) -> NeighborAdvertisement? {
        try? NeighborAdvertisement(decodeDiscovery(frame))
    }

    static func solicitation(_ frame: [UInt8]) -> NeighborSolicitation? {
        try? NeighborSolicitation(decodeDiscovery(frame))
    }

    static func decodeARP(_ frame: [UInt8]) throws(DecodeError) -> ARPPacket {
        let ethernet = try EthernetView(frame.span)
        guard ethernet.type == .arp else { throw .otherProtocol }
        return try ARPPacket(ARPView(ethernet.payload))
    }

    static func decodeDiscovery(_ frame: [UInt8]) throws(DecodeError) -> NeighborDiscoveryView {
        let ethernet = try EthernetView(frame.span)
        guard ethernet.type == .ipv6 else { throw .otherProtocol }
        return try NeighborDiscoveryView(IPv6View(ethernet.payload))
    }
}

extension Announcer {
    /// An announcer of the cast that has been using `addresses` for a while, its burst over.
    static func settled(
        _ addresses: [IPAddress], reannounceInterval: Duration? = nil, peers: Set<MACAddress> = [],
        at start: Instant = Instant(nanoseconds: 0)
    ) -> Announcer {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        let settings = AnnouncementSettings(
            start: .atOnce, reannounceInterval: reannounceInterval)
        _ = announcer.handle(.peersChanged(peers), at: start)
        for address in addresses {
            _ = announcer.handle(.addressAdded(address, settings), at: start)
        }
        _ = announcer.run(until: start + .seconds(5))
        return announcer
    }

    /// Handles every deadline up to `end`; what was done, and when.
    mutating func run(until end: Instant) -> [(at: Instant, action: Action)] {
        var done: [(at: Instant, action: Action)] = []
        while let next = nextDeadline, next <= end {
            done += handle(.deadlineReached, at: next).map { (next, $0) }
        }
        return done
    }

    mutating func take(_ frame: [UInt8], at now: Instant = .afterBurst) -> [Action] {
        handle(.frameReceived(frame), at: now)
    }

    /// The frames that go out in answer to `frame`.
    mutating func answers(to frame: [UInt8], at now: Instant = .afterBurst) -> [[UInt8]] {
        take(frame, at: now).frames
    }
}

extension Instant {
    /// Ten seconds after the tests' start, when ``Announcer/settled(_:)`` is quiet.
    static let afterBurst = Instant(nanoseconds: 10_000_000_000)

    static func milliseconds(_ count: Int) -> Instant {
        Instant(nanoseconds: 0) + .milliseconds(count)
    }
}

extension [Announcer.Action] {
    var frames: [[UInt8]] {
        compactMap { action in
            if case .send(let frame) = action { frame } else { nil }
        }
    }

    var others: [Announcer.Action] {
        filter { action in
            if case .send = action { false } else { true }
        }
    }
}
