import BFD
import LinuxNetwork
import NetworkTypes

/// What each direction of each BFD session said last, to tell news from repetition.
struct BFDNews: Sendable {
    /// One direction.
    struct Direction: Hashable, Sendable {
        var source: IPAddress
        var destination: IPAddress
        var port: UInt16
        /// Set for a packet that can be read.
        var discriminator: UInt32?
    }

    private static let limit = 4096
    private var last: [Direction: BFDPacket] = [:]
    private var echoes: Set<Direction> = []

    /// Whether a packet says something that the last one did not. Sequence numbers and digests do
    /// not count, nor the end of a poll.
    mutating func isNew(_ packet: BFDPacket, on direction: Direction) -> Bool {
        var packet = packet
        packet.authentication = packet.authentication.map {
            BFDAuthenticationSection(
                type: $0.type, length: $0.length, content: Array($0.content.prefix(1)))
        }
        if last.count >= Self.limit, last[direction] == nil { last = [:] }
        var before = last.updateValue(packet, forKey: direction)
        if !packet.isPoll, !packet.isFinal {
            before?.isPoll = false
            before?.isFinal = false
        }
        return before != packet
    }

    /// Whether no echo packet came this way before.
    mutating func isFirstEcho(on direction: Direction) -> Bool {
        if echoes.count >= Self.limit { echoes = [] }
        return echoes.insert(direction).inserted
    }
}

extension CaptureDecoder {
    /// BFD control and echo packets.
    mutating func datagram(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ place: CaptureEvent
    ) -> [CaptureEvent] {
        let header: DatagramHeader
        do throws(MalformedHeader) {
            header = try DatagramHeader(bytes, of: packet)
        } catch {
            return [place.malformed(.bfd, "datagram", error.rule, bytes.shown(packet.payload))]
        }
        var direction = BFDNews.Direction(
            source: packet.source, destination: packet.destination, port: header.destinationPort)
        if header.destinationPort == 3785 {
            let isFirst = news.isFirstEcho(on: direction)
            if !isFirst, !isVerbose { counts.quietBFD += 1 }
            var event = place.saying(.bfd, "echo", "echo packet of \(header.payload.count) bytes")
            event.isDetail = !isFirst
            return [event]
        }
        let control: BFDPacket
        do throws(BFDDiscard) {
            control = try BFDPacket(decoding: bytes.extracting(header.payload))
        } catch {
            let cut = packet.missing > 0 ? "; the capture has not the whole packet" : ""
            return [
                place.malformed(
                    .bfd, "packet", "\(error) (RFC 5880 §6.8.6)\(cut)",
                    bytes.shown(header.payload))
            ]
        }
        direction.discriminator = control.myDiscriminator
        let isNew = news.isNew(control, on: direction)
        if !isNew, !isVerbose { counts.quietBFD += 1 }
        var event = place.saying(
            .bfd, "\(control.state)", String("\(control)".dropFirst("BFD ".count)))
        event.content = .control(control)
        event.isDetail = !isNew
        if header.destinationPort == 3784, packet.hopLimit != 255 {
            event.rules = ["hop limit \(packet.hopLimit), has to be 255 (RFC 5881 §5)"]
            event.bytes = bytes.shown(header.payload)
            event.text += "; " + event.rules[0]
        }
        return [event]
    }
}
