/// The API's rules for names, byte by byte.
enum NameRules {
    /// RFC 1123 label: 1–63 lower-case letters, digits and inner dashes.
    static func isDNSLabel(_ text: some StringProtocol) -> Bool {
        (1...63).contains(text.utf8.count) && isLabelOfAnyLength(text)
    }

    /// RFC 1123 subdomain: labels between dots, 253 bytes at most; a label may be longer than 63.
    static func isDNSSubdomain(_ text: some StringProtocol) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let dot = UInt8(ascii: ".")
        var previous = dot
        for byte in text.utf8 {
            let isInner = byte == dash || byte == dot
            guard isLowerAlphanumeric(byte) || isInner else { return false }
            // Labels begin and end with a letter or digit.
            if byte == dot, previous == dot || previous == dash { return false }
            if byte == dash, previous == dot { return false }
            previous = byte
        }
        return previous != dot && previous != dash
    }

    /// `[prefix/]name`, as label and annotation keys are.
    static func isQualifiedName(_ text: String) -> Bool {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            return !text.isEmpty && isLabelValue(text)
        }
        let name = text[text.utf8.index(after: slash)...]
        return isDNSSubdomain(text[..<slash]) && !name.isEmpty && isLabelValue(name)
    }

    /// Empty, or 1–63 letters, digits and inner `-`, `_`, `.`.
    static func isLabelValue(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count <= 63 else { return false }
        var (first, last): (UInt8?, UInt8?)
        for byte in text.utf8 {
            guard
                isAlphanumeric(byte) || byte == dash || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: ".")
            else { return false }
            first = first ?? byte
            last = byte
        }
        guard let first, let last else { return true }
        return isAlphanumeric(first) && isAlphanumeric(last)
    }

    /// The name of a container port (RFC 6335 §5.1): 1–15 lower-case letters, digits and inner
    /// single dashes, with at least one letter.
    static func isPortName(_ text: String) -> Bool {
        isDNSLabel(text) && text.utf8.count <= 15 && !text.contains("--")
            && text.utf8.contains { isLowerAlphanumeric($0) && !isDigit($0) }
    }

    private static func isLabelOfAnyLength(_ text: some StringProtocol) -> Bool {
        var (first, last): (UInt8, UInt8) = (dash, dash)
        for (index, byte) in text.utf8.enumerated() {
            guard isLowerAlphanumeric(byte) || byte == dash else { return false }
            if index == 0 { first = byte }
            last = byte
        }
        return first != dash && last != dash
    }

    private static let dash = UInt8(ascii: "-")

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (0x41...0x5a).contains(byte)
    }
}
