import Foundation

/// Captures made byte by byte.
struct CraftedCapture {
    /// What frames begin with, by the number in the file.
    enum Link: UInt8, CaseIterable {
        case null = 0
        case ethernet = 1
        case raw = 101
        case cooked = 113
        /// Ethernet with two VLAN tags.
        case tagged = 201
        /// Number 276, beyond a byte.
        case cooked2 = 202

        var number: UInt32 {
            switch self {
            case .tagged: 1
            case .cooked2: 276
            default: UInt32(rawValue)
            }
        }

        /// Puts the link-layer header before a packet.
        func frame(_ packet: [UInt8]) -> [UInt8] {
            let isIPv6 = packet[0] >> 4 == 6
            let type: [UInt8] = isIPv6 ? [0x86, 0xdd] : [8, 0]
            let station: [UInt8] = [2, 0, 0, 0, 0, 1]
            let header: [UInt8] =
                switch self {
                case .null: [isIPv6 ? 10 : 2, 0, 0, 0]
                case .ethernet: [2, 0, 0, 0, 0, 2] + station + type
                case .tagged:
                    [2, 0, 0, 0, 0, 2] + station + [0x88, 0xa8, 0, 5, 0x81, 0, 0x20, 7] + type
                case .raw: []
                case .cooked: [0, 0, 0, 1, 0, 6] + station + [0, 0] + type
                case .cooked2: type + [0, 0, 0, 0, 0, 3, 0, 1, 0, 6] + station + [0, 0]
                }
            return header + packet
        }
    }

    var link = Link.ethernet
    /// With their link-layer headers.
    var frames: [[UInt8]] = []

    mutating func add(_ packet: [UInt8]) { frames.append(link.frame(packet)) }

    /// As pcap, with little-endian numbers; a frame every millisecond from 2026-03-01 on.
    var pcap: [UInt8] {
        var bytes = little(0xa1b2_c3d4) + [2, 0, 4, 0] + little(0) + little(0) + little(65535)
        bytes += little(link.number)
        for (index, frame) in frames.enumerated() {
            let count = UInt32(frame.count)
            bytes += little(1_772_323_200) + little(UInt32(index) * 1000)
            bytes += little(count) + little(count) + frame
        }
        return bytes
    }

    /// As pcapng: a section, an interface, and a block for each frame.
    var pcapng: [UInt8] {
        func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
            let length = little(UInt32(12 + body.count))
            return little(type) + length + body + length
        }
        var bytes = block(
            0x0a0d_0d0a,
            little(0x1a2b_3c4d) + [1, 0, 0, 0] + [UInt8](repeating: 0xff, count: 8))
        bytes += block(1, little(link.number) + little(65535))
        for (index, frame) in frames.enumerated() {
            let time = UInt64(1_772_323_200_000_000) + UInt64(index) * 1000
            let count = UInt32(frame.count)
            let padding = [UInt8](repeating: 0, count: (4 - frame.count % 4) % 4)
            bytes += block(
                6,
                little(0) + little(UInt32(time >> 32)) + little(UInt32(time & 0xffff_ffff))
                    + little(count) + little(count) + frame + padding)
        }
        return bytes
    }

    private func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }
}

/// Packets and messages.
extension CraftedCapture {
    static func big(_ value: UInt32, _ count: Int = 2) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
    }

    static func address(_ text: String) -> [UInt8] {
        let isIPv6 = text.contains(":")
        var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes)
        return bytes
    }

    /// An IP packet; what is carried is not summed up, as with checksum offload.
    static func packet(
        _ source: String, _ destination: String, carrying number: UInt8, _ payload: [UInt8],
        hopLimit: UInt8 = 255, fragment: UInt32 = 0
    ) -> [UInt8] {
        let ends = address(source) + address(destination)
        let count = UInt32(payload.count)
        if source.contains(":") {
            return [0x60, 0, 0, 0] + big(count) + [number, hopLimit] + ends + payload
        }
        return [0x45, 0] + big(count + 20) + [0, 1] + big(fragment) + [hopLimit, number, 0, 0]
            + ends + payload
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let finish = Flags(rawValue: 1)
        static let synchronize = Flags(rawValue: 2)
        static let reset = Flags(rawValue: 4)
        static let acknowledge = Flags(rawValue: 16)
    }

    static func segment(
        _ sourcePort: UInt32, _ destinationPort: UInt32, _ sequence: UInt32,
        flags: Flags = .acknowledge, acknowledging: UInt32 = 0, _ data: [UInt8] = []
    ) -> [UInt8] {
        big(sourcePort) + big(destinationPort) + big(sequence, 4) + big(acknowledging, 4)
            + [0x50, flags.rawValue, 0xff, 0xff, 0, 0, 0, 0] + data
    }

    static func datagram(_ port: UInt32, _ data: [UInt8]) -> [UInt8] {
        big(49152) + big(port) + big(UInt32(data.count + 8)) + [0, 0] + data
    }

    /// A BGP message.
    static func message(_ type: UInt8, _ body: [UInt8] = []) -> [UInt8] {
        [UInt8](repeating: 0xff, count: 16) + big(UInt32(19 + body.count)) + [type] + body
    }

    static func open(_ asn: UInt32, identifier: String) -> [UInt8] {
        let capabilities: [UInt8] = [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 65, 4] + big(asn, 4)
        let parameters = [2, UInt8(capabilities.count)] + capabilities
        return message(
            1,
            [4] + big(asn) + [0, 90] + address(identifier) + [UInt8(parameters.count)]
                + parameters)
    }

    /// An UPDATE with ORIGIN, AS_PATH of four octets, NEXT_HOP and prefixes of /32.
    static func update(
        _ asn: UInt32, nextHop: String, origin: UInt8 = 0, _ prefixes: [String]
    ) -> [UInt8] {
        let attributes =
            [0x40, 1, 1, origin, 0x40, 2, 6, 2, 1] + big(asn, 4) + [0x40, 3, 4] + address(nextHop)
        return message(
            2,
            [0, 0] + big(UInt32(attributes.count)) + attributes
                + prefixes.flatMap { [32] + address($0) })
    }

    /// A BFD control packet with intervals of 50 ms.
    static func control(_ state: UInt8, mine: UInt8 = 1, yours: UInt8 = 2) -> [UInt8] {
        [0x20, state << 6, 3, 24, 0, 0, 0, mine, 0, 0, 0, yours] + big(50000, 4) + big(50000, 4)
            + big(0, 4)
    }
}
