/// What is wrong with a text that should be JSON, and where.
package struct JSONFault: Error, Sendable, CustomStringConvertible {
    package var what: String
    package var offset: Int
    package var description: String { "\(what) at byte \(offset)" }
}

/// Reads JSON (RFC 8259) from bytes.
package struct JSONParser {
    private let bytes: [UInt8]
    private var at = 0
    private static let deepest = 256

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.at == bytes.count else { throw parser.fault("more than one value") }
        return value
    }

    private func fault(_ what: String) -> JSONFault { JSONFault(what: what, offset: at) }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < Self.deepest else { throw fault("nested too deeply") }
        guard at < bytes.count else { throw fault("unexpected end") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(
        _ word: StaticString, _ value: JSONValue
    ) throws(JSONFault) -> JSONValue {
        let expected = Array("\(word)".utf8)
        guard at + expected.count <= bytes.count,
            bytes[at..<at + expected.count].elementsEqual(expected)
        else { throw fault("no value") }
        at += expected.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONFault) -> JSONObject {
        at += 1
        var object = JSONObject()
        skipSpace()
        if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
            at += 1
            return object
        }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
                throw fault("no member name")
            }
            let key = try string()
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else { throw fault("no colon") }
            at += 1
            skipSpace()
            let value = try value(depth: depth + 1)
            if let index = object.index(of: key) {
                object.members[index].value = value
            } else {
                object.members.append(JSONObject.Member(key: key, value: value))
            }
            skipSpace()
            guard at < bytes.count else { throw fault("unexpected end") }
            at += 1
            if bytes[at - 1] == UInt8(ascii: "}") { return object }
            guard bytes[at - 1] == UInt8(ascii: ",") else { throw fault("no comma") }
        }
    }

    private mutating func array(depth: Int) throws(JSONFault) -> [JSONValue] {
        at += 1
        var elements: [JSONValue] = []
        skipSpace()
        if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
            at += 1
            return elements
        }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            guard at < bytes.count else { throw fault("unexpected end") }
            at += 1
            if bytes[at - 1] == UInt8(ascii: "]") { return elements }
            guard bytes[at - 1] == UInt8(ascii: ",") else { throw fault("no comma") }
        }
    }

    private mutating func string() throws(JSONFault) -> String {
        at += 1
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                guard let text = String(validating: bytes[start..<at], as: UTF8.self) else {
                    throw fault("a string is not UTF-8")
                }
                at += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw fault("a control character in a string")
            default: at += 1
            }
        }
        throw fault("unexpected end")
    }

    private mutating func escapedString(from start: Int) throws(JSONFault) -> String {
        var text = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: text, as: UTF8.self) else {
                    throw fault("a string is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character in a string")
            default: text.append(byte)
            }
        }
        throw fault("unexpected end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        guard at < bytes.count else { throw fault("unexpected end") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"):
            var code = UInt32(try fourDigits())
            if (0xD800..<0xDC00).contains(code), at + 1 < bytes.count,
                bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u")
            {
                at += 2
                let low = UInt32(try fourDigits())
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw fault("no such escape")
        }
    }

    private mutating func fourDigits() throws(JSONFault) -> UInt16 {
        guard at + 4 <= bytes.count,
            let value = UInt16(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw fault("no four digits after \\u") }
        at += 4
        return value
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                at += 1
                continue
            default: break
            }
            break
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if let integer = Int64(text), !text.hasPrefix("+") { return .integer(integer) }
        guard let double = Double(text), double.isFinite, !text.hasPrefix("+") else {
            throw fault("no value")
        }
        return .number(double)
    }
}
