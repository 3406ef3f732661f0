import BFD
import LinuxNetwork
import NetworkTypes

/// Makes events of captured frames: BGP, BFD, ARP, neighbor discovery.
///
/// Bounds: 4,096 connections, of which the ones that were silent longest make room, a quarter at a
/// time; 64 MiB of segments out of order in all of them; 4,096 directions of BFD, all of which are
/// forgotten, and so told again, when there are more.
struct CaptureDecoder {
    /// What happened beside the events.
    struct Counts: Equatable, Sendable {
        var frames = 0
        /// BFD control and echo packets that brought nothing new and were not printed.
        var quietBFD = 0
        var fragments = 0
        /// Frames of other protocols.
        var others = 0
        /// Connections that made room for others.
        var forgotten = 0
    }

    let bgpPorts: Set<UInt16>
    let isVerbose: Bool
    var counts = Counts()
    var flows = FlowTable()
    var news = BFDNews()
    private let nameOfInterface: @Sendable (UInt32) -> String?

    static let bfdPorts: Set<UInt16> = [3784, 3785, 4784]

    /// - Parameters:
    ///   - bgpPorts: of which one end of a BGP connection has one.
    ///   - nameOfInterface: by the index that the capture tells.
    init(
        bgpPorts: Set<UInt16>, isVerbose: Bool,
        nameOfInterface: @escaping @Sendable (UInt32) -> String? = { "#\($0)" }
    ) {
        self.bgpPorts = bgpPorts
        self.isVerbose = isVerbose
        self.nameOfInterface = nameOfInterface
    }

    /// What a frame says.
    mutating func decode(
        _ frame: CapturedFrame, _ bytes: Span<UInt8>, _ linkType: LinkType,
        interface: String? = nil
    ) -> [CaptureEvent] {
        counts.frames += 1
        var place = CaptureEvent(nanoseconds: frame.nanoseconds)
        place.interface = interface
        var events: [CaptureEvent]
        var index: UInt32?
        do throws(MalformedHeader) {
            let header = try FrameHeader(bytes, linkType: linkType)
            index = header.interfaceIndex
            place.vlans = header.vlans
            place.from = header.source.map { "\($0)" } ?? "?"
            place.to = header.destination.map { $0 == .broadcast ? "all" : "\($0)" } ?? "?"
            events = try decode(header, bytes, place)
        } catch {
            events = [place.malformed(.packet, "packet", error.rule, bytes.shown())]
        }
        if interface == nil, let index, !events.isEmpty {
            let name = nameOfInterface(index)
            for position in events.indices { events[position].interface = name }
        }
        return isVerbose ? events : events.filter { !$0.isDetail }
    }

    private mutating func decode(
        _ header: FrameHeader, _ bytes: Span<UInt8>, _ place: CaptureEvent
    ) throws(MalformedHeader) -> [CaptureEvent] {
        switch header.carried {
        case FrameProtocol.arp: return [Self.arp(header, bytes, place)]
        case FrameProtocol.ipv4, FrameProtocol.ipv6:
            let packet = try PacketHeader(bytes, header.payload)
            var place = place
            place.from = "\(packet.source)"
            place.to = "\(packet.destination)"
            return try decode(packet, bytes, header.payload, place)
        default:
            counts.others += 1
            return []
        }
    }

    private mutating func decode(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ whole: Range<Int>, _ place: CaptureEvent
    ) throws(MalformedHeader) -> [CaptureEvent] {
        if packet.fragment == .later {
            counts.fragments += 1
            var event = place.saying(
                .packet, "fragment", "fragment of a larger packet, passed over")
            event.isDetail = true
            return [event]
        }
        switch packet.carried {
        case PacketHeader.tcp, PacketHeader.udp:
            guard let ports = Ports(bytes, packet), isOurs(ports, packet) else { break }
            var place = place
            place.from = "\(SocketAddress(packet.source, port: ports.source))"
            place.to = "\(SocketAddress(packet.destination, port: ports.destination))"
            guard packet.fragment == nil else {
                counts.fragments += 1
                return [
                    place.saying(
                        packet.carried == PacketHeader.tcp ? .bgp : .bfd, "fragment",
                        "first fragment of a larger packet, passed over with the others")
                ]
            }
            return packet.carried == PacketHeader.tcp
                ? segment(packet, bytes, place) : datagram(packet, bytes, place)
        case PacketHeader.icmpv6 where packet.source.family == .ipv6:
            guard let event = Self.neighborDiscovery(packet, bytes, whole, place) else { break }
            return [event]
        default: break
        }
        counts.others += 1
        return []
    }

    private func isOurs(_ ports: Ports, _ packet: PacketHeader) -> Bool {
        packet.carried == PacketHeader.udp
            ? Self.bfdPorts.contains(ports.destination)
            : bgpPorts.contains(ports.source) || bgpPorts.contains(ports.destination)
    }
}

/// The ports at the beginning of TCP and UDP headers alike.
private struct Ports {
    var source: UInt16
    var destination: UInt16

    init?(_ bytes: Span<UInt8>, _ packet: PacketHeader) {
        guard packet.payload.count >= 4 else { return nil }
        let start = packet.payload.lowerBound
        source = UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
        destination = UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
    }
}
