import NetworkTypes

extension IPAddress {
    /// Reads an address as API servers take it, which is a little more than is right to write:
    /// IPv4 with leading zeros, taken as decimal, and IPv4 mapped into IPv6 (RFC 4291 §2.5.5.2),
    /// taken as IPv4.
    init?(apiText text: String) {
        if let address = IPAddress(text) {
            let isMapped = address.family == .ipv6 && address.bits >> 32 == 0xffff
            self =
                isMapped
                ? IPAddress(ipv4: UInt32(truncatingIfNeeded: address.bits)) : address
            return
        }
        let octets = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard (1...16).contains(octet.count),
                octet.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = UInt8(
                    octet.drop { $0 == 0x30 }.reduce(into: "0") {
                        $0.append(Character(Unicode.Scalar($1)))
                    })
            else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        self.init(ipv4: bits)
    }
}

extension Prefix {
    /// Reads a prefix as API servers take it: also with blanks around it, and with addresses as
    /// ``NetworkTypes/IPAddress/init(apiText:)`` takes them.
    init?(apiText text: String) {
        let trimmed = text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        let plain = String(trimmed)
        if let prefix = Prefix(plain) {
            self = prefix
            return
        }
        guard let slash = plain.firstIndex(of: "/"),
            let address = IPAddress(apiText: String(plain[..<slash])), address.family == .ipv4
        else { return nil }
        self.init("\(address)\(plain[slash...])")
    }
}

extension FieldReader {
    /// How bad an annotation is that cannot be honoured. A server lets anybody write any, and the
    /// object is more than its annotations.
    var annotationSeverity: Problem.Severity { log.origin.isServer ? .warning : .error }
}
