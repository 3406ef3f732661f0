import Layer2
import LinuxNetwork
import NetworkTypes

extension CaptureDecoder {
    /// An ARP packet.
    static func arp(
        _ header: FrameHeader, _ bytes: Span<UInt8>, _ place: CaptureEvent
    ) -> CaptureEvent {
        let packet: ARPPacket
        do throws(DecodeError) {
            packet = try ARPPacket(ARPView(bytes.extracting(header.payload)))
        } catch {
            return place.malformed(.arp, "packet", error.rule, bytes.shown(header.payload))
        }
        let isOwn = packet.senderAddress == packet.targetAddress
        let (name, text) =
            switch packet.operation {
            case _ where isOwn:
                ("announcement", "\(packet.senderAddress) is at \(packet.senderHardware)")
            case .request where packet.senderAddress.isUnspecified:
                ("probe", "does anybody have \(packet.targetAddress)?")
            case .request:
                ("request", "who has \(packet.targetAddress)? tell \(packet.senderAddress)")
            case .reply:
                ("reply", "\(packet.senderAddress) is at \(packet.senderHardware)")
            }
        var event = place.saying(.arp, name, "\(name): \(text)")
        event.from = "\(packet.senderHardware)"
        if let source = header.source, source != packet.senderHardware {
            event.text += " (the frame comes from \(source))"
        }
        if header.destination == nil {
            event.to = packet.operation == .request ? "all" : "\(packet.targetHardware)"
        }
        return event
    }

    /// Neighbor discovery and multicast listener discovery; `nil` for other ICMPv6 messages.
    static func neighborDiscovery(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ whole: Range<Int>, _ place: CaptureEvent
    ) -> CaptureEvent? {
        guard let start = packet.payload.first else { return nil }
        switch bytes[start] {
        case 133, 134: return routers(packet, bytes, place)
        case 135, 136: return neighbors(packet, bytes, whole, place)
        case 137: return place.saying(.ndp, "redirect", "redirect")
        case 130, 131, 132, 143: return listeners(packet, bytes, place)
        default: return nil
        }
    }

    private static func neighbors(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ whole: Range<Int>, _ place: CaptureEvent
    ) -> CaptureEvent {
        let isQuestion = bytes[packet.payload.lowerBound] == 135
        let kind = isQuestion ? "solicitation" : "advertisement"
        guard packet.missing == 0 else {
            return place.saying(.ndp, kind, "\(kind), of which the capture has only a part")
        }
        do throws(DecodeError) {
            let view = try NeighborDiscoveryView(IPv6View(bytes.extracting(whole)))
            if isQuestion {
                let message = try NeighborSolicitation(view)
                guard !message.source.isUnspecified else {
                    return place.saying(
                        .ndp, "probe", "probe: does anybody have \(message.target)?")
                }
                let asker = message.sourceLinkLayerAddress.map { " at \($0)" } ?? ""
                return place.saying(
                    .ndp, kind, "\(kind): who has \(message.target)? tell \(message.source)\(asker)"
                )
            }
            let message = try NeighborAdvertisement(view)
            let flags = [
                message.isRouter ? "router" : nil, message.isSolicited ? "solicited" : nil,
                message.isOverride ? "override" : nil,
            ].compactMap(\.self)
            let name = message.destination.isMulticast ? "announcement" : kind
            let whereabouts = message.targetLinkLayerAddress.map { "is at \($0)" } ?? "is here"
            return place.saying(
                .ndp, name,
                "\(name): \(message.target) \(whereabouts)"
                    + (flags.isEmpty ? "" : " (\(flags.joined(separator: ", ")))"))
        } catch {
            return place.malformed(.ndp, kind, error.rule, bytes.shown(packet.payload))
        }
    }

    private static func routers(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ place: CaptureEvent
    ) -> CaptureEvent {
        let isQuestion = bytes[packet.payload.lowerBound] == 133
        let kind = isQuestion ? "router solicitation" : "router advertisement"
        guard packet.missing == 0 else {
            return place.saying(.ndp, kind, "\(kind), of which the capture has only a part")
        }
        do throws(RouterMessage.Fault) {
            let message = try RouterMessage(
                decoding: bytes.extracting(packet.payload), from: packet.source,
                hopLimit: packet.hopLimit)
            switch message {
            case .solicitation(let address):
                return place.saying(.ndp, kind, kind + (address.map { " from \($0)" } ?? ""))
            case .advertisement(let advertisement):
                let lifetime =
                    advertisement.lifetime == 0
                    ? "no default router" : "default router for \(advertisement.lifetime) s"
                let address = advertisement.linkAddress.map { " at \($0)" } ?? ""
                return place.saying(.ndp, kind, "\(kind): \(lifetime)\(address)")
            }
        } catch {
            return place.malformed(.ndp, kind, error.rule, bytes.shown(packet.payload))
        }
    }

    /// RFC 2710 §3, RFC 3810 §5.
    private static func listeners(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ place: CaptureEvent
    ) -> CaptureEvent {
        let message = bytes.extracting(packet.payload)
        let name =
            switch message[0] {
            case 130: "query"
            case 131: "report"
            case 132: "done"
            default: "report of version 2"
            }
        guard message[0] != 143, message.count >= 24 else {
            return place.saying(.mld, name, name)
        }
        var reader = ByteReader(message.extracting(8...))
        do throws(ByteReader.Truncated) {
            let group = try reader.address(.ipv6)
            return place.saying(
                .mld, name, group.isUnspecified ? "\(name) of all groups" : "\(name) of \(group)")
        } catch {
            return place.saying(.mld, name, name)
        }
    }
}

extension DecodeError {
    /// The rule that is broken, in words.
    var rule: String {
        switch self {
        case .frameTooShort: "shorter than its link-layer header"
        case .otherVLAN: "tagged for a VLAN"
        case .otherProtocol: "behind an extension header (RFC 6980 §5)"
        case .sourceNotUnicast: "the link-layer source is no station"
        case .arpTooShort: "shorter than 28 bytes (RFC 826)"
        case .arpHardwareType: "the hardware type is not Ethernet (RFC 826)"
        case .arpProtocolType: "the protocol type is not IPv4 (RFC 826)"
        case .arpAddressLength: "the address lengths are not 6 and 4 (RFC 826)"
        case .arpOperation: "neither request nor reply (RFC 826)"
        case .ipv6TooShort: "shorter than an IPv6 header (RFC 8200 §3)"
        case .ipv6Version: "the version is not 6 (RFC 8200 §3)"
        case .ipv6PayloadLength: "the payload reaches past the frame (RFC 8200 §3)"
        case .ipv6MulticastSource: "the source is a group (RFC 4291 §2.7)"
        case .hopLimit: "the hop limit is not 255 (RFC 4861 §7.1)"
        case .messageTooShort: "shorter than 24 bytes (RFC 4861 §7.1)"
        case .checksum: "the checksum does not hold (RFC 4861 §7.1)"
        case .code: "the code is not 0 (RFC 4861 §7.1)"
        case .multicastTarget: "the target is a group (RFC 4861 §7.1)"
        case .optionLength: "an option of length 0 or beyond the end (RFC 4861 §7.1)"
        case .linkLayerOption: "a link-layer address that is not Ethernet's (RFC 2464 §6)"
        case .probeDestination: "a probe to no solicited-node group (RFC 4861 §7.1.1)"
        case .probeWithSourceOption: "a probe with a source link-layer address (RFC 4861 §7.1.1)"
        case .solicitationDestination: "sent to another address than asked for (RFC 4861 §7.2.3)"
        case .solicitedToGroup: "solicited, but sent to a group (RFC 4861 §7.1.2)"
        case .hardwareNotUnicast: "the link-layer address is no station's"
        }
    }
}

extension RouterMessage.Fault {
    /// The rule that is broken, in words.
    var rule: String {
        switch self {
        case .hopLimit: "the hop limit is not 255 (RFC 4861 §6.1)"
        case .source: "the source is not an address that it can come from (RFC 4861 §6.1)"
        case .truncated: "too short (RFC 4861 §6.1)"
        case .type: "of another type"
        case .code: "the code is not 0 (RFC 4861 §6.1)"
        case .option: "an option of length 0 or beyond the end, or out of place (RFC 4861 §6.1)"
        }
    }
}
