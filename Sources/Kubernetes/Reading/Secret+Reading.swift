extension Secret {
    /// Reads a Secret. No message ever shows a value.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> Secret {
        var secret = Secret(metadata: metadata)
        object.ignore("apiVersion", "kind", "immutable")
        secret.type = object.string("type") ?? "Opaque"
        for (key, value) in object.reader("data")?.takeAll() ?? [] {
            guard !value.isNull, let text = value.secretString() else { continue }
            guard let bytes = Base64.decode(text) else {
                value.fail(
                    "is not base64", remedy: "encode the value, or put it under stringData as it is"
                )
                continue
            }
            secret.values[key] = bytes
        }
        for (key, value) in object.reader("stringData")?.takeAll() ?? [] {
            guard !value.isNull, let text = value.secretString() else { continue }
            secret.values[key] = Array(text.utf8)
        }
        return secret
    }
}

extension ConfigMap {
    /// Reads a ConfigMap's text values.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> ConfigMap {
        object.ignore("apiVersion", "kind", "immutable", "binaryData")
        return ConfigMap(metadata: metadata, data: object.stringMap("data"))
    }
}

/// Base 64 with padding (RFC 4648 §4).
enum Base64 {
    /// The bytes that the text stands for; `nil` when it is malformed. Line breaks are passed over.
    static func decode(_ text: String) -> [UInt8]? {
        let symbols = text.utf8.filter { $0 != 0x0a && $0 != 0x0d }
        guard symbols.count.isMultiple(of: 4) else { return nil }
        let padding = symbols.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(symbols.count / 4 * 3)
        var group: UInt32 = 0
        for (index, symbol) in symbols.dropLast(padding).enumerated() {
            guard let value = value(of: symbol) else { return nil }
            group = group << 6 | UInt32(value)
            guard index % 4 == 3 else { continue }
            for shift in [16, 8, 0] as [UInt32] {
                bytes.append(UInt8(truncatingIfNeeded: group >> shift))
            }
            group = 0
        }
        switch padding {
        case 1:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        case 2:
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        default: break
        }
        return bytes
    }

    private static func value(of symbol: UInt8) -> UInt8? {
        switch symbol {
        case 0x41...0x5a: symbol - 0x41
        case 0x61...0x7a: symbol - 0x61 + 26
        case 0x30...0x39: symbol - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
