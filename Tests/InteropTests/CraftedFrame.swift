import Foundation

/// Frames byte by byte, written here from the RFCs rather than with the program's own encoder.
enum CraftedFrame {
    static let everyone = [UInt8](repeating: 0xff, count: 6)

    static func mac(_ text: String) -> [UInt8] {
        text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
    }

    /// The bytes of an address, as the C library reads it.
    static func address(_ text: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: text.contains(":") ? 16 : 4)
        guard inet_pton(text.contains(":") ? AF_INET6 : AF_INET, text, &bytes) == 1 else {
            return []
        }
        return bytes
    }

    /// RFC 826.
    static func arp(
        operation: UInt8 = 1, hardware: UInt8 = 1, to destination: [UInt8] = everyone,
        from source: [UInt8], sender: String, target: String, tag: UInt16? = nil
    ) -> [UInt8] {
        ethernet(destination, source, tag, type: 0x0806)
            + [0, hardware, 8, 0, 6, 4, 0, operation] + source + address(sender)
            + [0, 0, 0, 0, 0, 0] + address(target)
    }

    /// RFC 4861 §4.3; `to` is the solicited-node group unless given.
    static func solicitation(
        for target: String, from source: [UInt8], sender: String, to destination: String? = nil,
        on destinationMAC: [UInt8]? = nil, options: [UInt8], hopLimit: UInt8 = 255,
        tag: UInt16? = nil, spoilChecksum: Bool = false
    ) -> [UInt8] {
        let low = Array(address(target).suffix(3))
        let group = Array(address("ff02::1:ff00:0").prefix(13)) + low
        let message = [135, 0, 0, 0, 0, 0, 0, 0] + address(target) + options
        return icmp(
            message, to: destinationMAC ?? [0x33, 0x33, 0xff] + low, from: source,
            sender: address(sender), receiver: destination.map(address) ?? group,
            hopLimit: hopLimit, tag: tag, spoilChecksum: spoilChecksum)
    }

    /// RFC 4861 §4.4, to all nodes and unasked.
    static func advertisement(of target: String, from source: [UInt8]) -> [UInt8] {
        icmp(
            [136, 0, 0, 0, 0x20, 0, 0, 0] + address(target) + [2, 1] + source,
            to: [0x33, 0x33, 0, 0, 0, 1], from: source, sender: address(target),
            receiver: address("ff02::1"), hopLimit: 255, tag: nil, spoilChecksum: false)
    }

    static func sourceOption(_ mac: [UInt8]) -> [UInt8] { [1, 1] + mac }

    private static func ethernet(
        _ destination: [UInt8], _ source: [UInt8], _ tag: UInt16?, type: UInt16
    ) -> [UInt8] {
        destination + source + (tag.map { pair(0x8100) + pair($0) } ?? []) + pair(type)
    }

    private static func icmp(
        _ message: [UInt8], to destination: [UInt8], from source: [UInt8], sender: [UInt8],
        receiver: [UInt8], hopLimit: UInt8, tag: UInt16?, spoilChecksum: Bool
    ) -> [UInt8] {
        var message = message
        let sum = checksum(
            sender + receiver + [0, 0] + pair(UInt16(message.count)) + [0, 0, 0, 58]
                + message)
        message.replaceSubrange(2..<4, with: pair(spoilChecksum ? sum ^ 0x0101 : sum))
        return ethernet(destination, source, tag, type: 0x86dd)
            + [0x60, 0, 0, 0] + pair(UInt16(message.count)) + [58, hopLimit] + sender + receiver
            + message
    }

    private static func pair(_ value: UInt16) -> [UInt8] {
        [UInt8(value >> 8), UInt8(value & 255)]
    }

    /// RFC 1071.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum = stride(from: 0, to: bytes.count, by: 2).reduce(UInt32(0)) {
            $0 + (UInt32(bytes[$1]) << 8 | ($1 + 1 < bytes.count ? UInt32(bytes[$1 + 1]) : 0))
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(sum)
    }
}

/// What an answer says, read at the offsets of the RFCs.
struct CraftedAnswer {
    let destinationMAC: [UInt8]
    let sourceMAC: [UInt8]
    /// `arp` or `na`.
    let isARP: Bool
    /// The address that the answer is about.
    let subject: [UInt8]
    /// Whom it is for: ARP's target protocol address, or the IPv6 destination.
    let receiver: [UInt8]
    /// The link-layer address that it tells.
    let linkLayer: [UInt8]
    let hopLimit: UInt8
    /// Router, solicited and override, in the three high bits.
    let flags: UInt8

    /// `nil` when the frame is neither an ARP reply nor a neighbor advertisement, or is tagged.
    init?(_ frame: [UInt8]) {
        guard frame.count >= 42 else { return nil }
        destinationMAC = Array(frame[0..<6])
        sourceMAC = Array(frame[6..<12])
        if frame[12] == 8, frame[13] == 6, frame[20] == 0, frame[21] == 2 {
            isARP = true
            linkLayer = Array(frame[22..<28])
            subject = Array(frame[28..<32])
            receiver = Array(frame[38..<42])
            hopLimit = 0
            flags = 0
        } else if frame[12] == 0x86, frame[13] == 0xdd, frame.count >= 86, frame[20] == 58,
            frame[54] == 136
        {
            isARP = false
            hopLimit = frame[21]
            receiver = Array(frame[38..<54])
            flags = frame[58]
            subject = Array(frame[62..<78])
            linkLayer = frame[78] == 2 ? Array(frame[80..<86]) : []
        } else {
            return nil
        }
    }
}
