extension IPAddress: LosslessStringConvertible {
    /// Reads dotted-quad IPv4 or any RFC 4291 §2.2 form of IPv6, without zone or prefix length.
    ///
    /// Octets with leading zeros are refused: readers disagree whether they are octal.
    public init?(_ text: some StringProtocol) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let bits = Self.parseIPv6(Array(text.utf8)) else { return nil }
            self.init(family: .ipv6, bits: bits)
        } else {
            guard let bits = Self.parseIPv4(Array(text.utf8)[...]) else { return nil }
            self.init(ipv4: bits)
        }
    }

    /// Reads an address as ``init(_:)-(StringProtocol)`` does.
    public init?(_ description: String) {
        self.init(description[...])
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let octets = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard (1...3).contains(octet.count), octet.count == 1 || octet.first != 0x30 else {
                return nil
            }
            var value: UInt32 = 0
            for digit in octet {
                guard (0x30...0x39).contains(digit) else { return nil }
                value = value * 10 + UInt32(digit - 0x30)
            }
            guard value <= 255 else { return nil }
            bits = bits << 8 | value
        }
        return bits
    }

    private static func parseIPv6(_ text: [UInt8]) -> UInt128? {
        let colon = UInt8(ascii: ":")
        guard text.count <= 45 else { return nil }
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var compressed = false
        var position = 0
        if text.starts(with: [colon, colon]) {
            compressed = true
            position = 2
        } else if text.first == colon {
            return nil
        }
        while position < text.count {
            let end = text[position...].firstIndex(of: colon) ?? text.count
            let field = text[position..<end]
            var groups: [UInt16] = []
            if field.contains(UInt8(ascii: ".")) {
                guard end == text.count, let quad = parseIPv4(field) else { return nil }
                groups = [UInt16(quad >> 16), UInt16(truncatingIfNeeded: quad)]
            } else {
                guard let group = parseGroup(field) else { return nil }
                groups = [group]
            }
            if compressed { tail += groups } else { head += groups }
            guard end < text.count else { break }
            position = end + 1
            guard position < text.count else { return nil }
            if text[position] == colon {
                guard !compressed else { return nil }
                compressed = true
                position += 1
            }
        }
        let count = head.count + tail.count
        guard compressed ? count <= 7 : count == 8 else { return nil }
        let groups = head + Array(repeating: 0, count: 8 - count) + tail
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func parseGroup(_ field: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(field.count) else { return nil }
        var value: UInt16 = 0
        for digit in field {
            let nibble: UInt8
            switch digit {
            case 0x30...0x39: nibble = digit - 0x30
            case 0x41...0x46: nibble = digit - 0x41 + 10
            case 0x61...0x66: nibble = digit - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(nibble)
        }
        return value
    }

    /// The canonical text: dotted quad, or RFC 5952 (lower case, no leading zeros, the longest run
    /// of two or more zero groups compressed, the first of equals; IPv4-mapped addresses mixed).
    public var description: String {
        switch family {
        case .ipv4:
            return bytes.map(String.init).joined(separator: ".")
        case .ipv6:
            return describeIPv6()
        }
    }

    private func describeIPv6() -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128((7 - $0) * 16)) }
        if bits >> 32 == 0xffff {
            return "::ffff:" + IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)).description
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(best.count, 1) { best = start..<end }
            start = end + 1
        }
        let text = { (slice: ArraySlice<UInt16>) in
            slice.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
