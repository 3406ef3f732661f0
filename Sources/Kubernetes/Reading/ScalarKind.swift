/// What a scalar is by the rules that Kubernetes reads YAML with: the YAML 1.2 core schema, and the
/// booleans of YAML 1.1. Quoted text is always a string.
enum ScalarKind: Equatable {
    case null
    case boolean(Bool)
    /// `nil` when the number does not fit 64 bits.
    case integer(Int?)
    case float
    case string

    init(_ scalar: DocumentNode.Scalar) {
        if scalar.style == .plain { self.init(plain: scalar.string) } else { self = .string }
    }

    init(plain text: String) {
        // Most text is told apart by its first letter alone.
        guard let first = text.utf8.first, !Self.beginsOnlyStrings(first) else {
            self = text.isEmpty ? .null : .string
            return
        }
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": self = .boolean(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
            self = .boolean(false)
        default: self = Self.number(text)
        }
    }

    private static func beginsOnlyStrings(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x2b, 0x2d, 0x2e, 0x7e: false
        case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "T"),
            UInt8(ascii: "y"), UInt8(ascii: "Y"), UInt8(ascii: "o"), UInt8(ascii: "O"),
            UInt8(ascii: "f"), UInt8(ascii: "F"):
            false
        default: true
        }
    }

    private static func number(_ text: String) -> ScalarKind {
        var digits = text.utf8[...]
        if digits.first == UInt8(ascii: "-") || digits.first == UInt8(ascii: "+") {
            digits.removeFirst()
        }
        guard let first = digits.first, isDigit(first) || first == UInt8(ascii: ".") else {
            return .string
        }
        if digits.allSatisfy(isDigit) { return .integer(Int(text)) }
        if digits.starts(with: "0x".utf8), let value = Int(text.dropFirst(2), radix: 16) {
            return .integer(value)
        }
        if digits.starts(with: "0o".utf8), let value = Int(text.dropFirst(2), radix: 8) {
            return .integer(value)
        }
        // Only what looks like a float is asked: `Double` also takes spellings that YAML does not.
        let looksLikeFloat = digits.allSatisfy {
            isDigit($0) || [UInt8(ascii: "."), 0x65, 0x45, 0x2b, 0x2d].contains($0)
        }
        return looksLikeFloat && Double(text) != nil ? .float : .string
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
