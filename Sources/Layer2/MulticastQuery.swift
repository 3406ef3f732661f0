import NetworkTypes

/// A router's or snooping switch's question who listens to which groups: Multicast Listener
/// Discovery, version 2 (RFC 3810 §5.1) or version 1 (RFC 2710 §3).
public struct MulticastQuery: Equatable, Sendable {
    /// The group asked for; `nil` in a general query.
    public let group: IPAddress?

    /// By when to answer.
    public let maximumResponseDelay: Duration

    /// Whether the querier speaks version 1 only.
    public let isVersion1: Bool

    /// Makes a query.
    public init(group: IPAddress?, maximumResponseDelay: Duration, isVersion1: Bool = false) {
        self.group = group
        self.maximumResponseDelay = maximumResponseDelay
        self.isVersion1 = isVersion1
    }

    /// Reads a frame; `nil` for anything that is not a query to be believed: it comes from a
    /// link-local address, with hop limit 1, a router alert and a checksum that holds (§6.2).
    ///
    /// Sources in a query are passed over: we listen to all of them and answer for the group.
    public init?(_ frame: Span<UInt8>) {
        do throws(DecodeError) {
            let ethernet = try EthernetView(frame)
            guard ethernet.type == .ipv6 else { return nil }
            let packet = try IPv6View(ethernet.payload)
            guard packet.nextHeader == 0, packet.hopLimit == 1, packet.source.isLinkLocal,
                packet.destination.isMulticast, Self.hasRouterAlert(packet.payload)
            else { return nil }
            self.init(message: packet.payload.extracting(8...), in: packet)
        } catch {
            return nil
        }
    }

    private init?(message: Span<UInt8>, in packet: borrowing IPv6View) {
        guard message.count == 24 || message.count >= 28, message[0] == 130, message[1] == 0
        else { return nil }
        var sum = InternetChecksum()
        sum.add(packet.source)
        sum.add(packet.destination)
        sum.add(UInt16(message.count))
        sum.add(UInt16(58))
        sum.add(message)
        guard sum.value == 0 else { return nil }
        let asked = message.ipv6Address(at: 8)
        guard asked.isUnspecified || asked.isMulticast else { return nil }
        isVersion1 = message.count == 24
        group = asked.isUnspecified ? nil : asked
        maximumResponseDelay = Self.delay(message.uint16(at: 4), isVersion1: isVersion1)
    }

    /// An 8-byte hop-by-hop header before ICMPv6 that holds a router alert (RFC 2711).
    private static func hasRouterAlert(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 8, bytes[0] == 58, bytes[1] == 0 else { return false }
        var offset = 2
        while offset < 8 {
            if bytes[offset] == 5 { return true }
            if bytes[offset] == 0 {
                offset += 1
            } else {
                guard offset + 1 < 8 else { return false }
                offset += 2 + Int(bytes[offset + 1])
            }
        }
        return false
    }

    /// Milliseconds, from 32768 on as a floating-point number (§5.1.3).
    private static func delay(_ code: UInt16, isVersion1: Bool) -> Duration {
        guard !isVersion1, code >= 0x8000 else { return .milliseconds(Int64(code)) }
        return .milliseconds(Int64(code & 0xfff | 0x1000) << (Int64(code >> 12 & 7) + 3))
    }
}
