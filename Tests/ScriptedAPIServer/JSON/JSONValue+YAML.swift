import Yams

/// What is wrong with a manifest.
package struct ManifestFault: Error, Sendable, CustomStringConvertible {
    package var description: String
}

extension JSONValue {
    /// The documents of a YAML text; empty ones are left out.
    package static func documents(yaml text: String) throws -> [JSONValue] {
        let sequence = try Yams.compose_all(yaml: text)
        let documents = try sequence.map { try JSONValue(node: $0) }.filter { !$0.isNull }
        if let error = sequence.error { throw error }
        return documents
    }

    private init(node: Node) throws {
        switch node {
        case .scalar(let scalar): self = JSONValue(scalar: scalar)
        case .sequence(let sequence): self = .array(try sequence.map(JSONValue.init(node:)))
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw ManifestFault(description: "a key that is no text")
                }
                object[name.string] = try JSONValue(node: value)
            }
            self = .object(object)
        case .alias(let alias):
            throw ManifestFault(description: "alias \(alias.anchor) is left")
        }
    }

    private init(scalar: Node.Scalar) {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else {
            self = .string(text)
            return
        }
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE", "yes", "Yes", "on", "On": self = .bool(true)
        case "false", "False", "FALSE", "no", "No", "off", "Off": self = .bool(false)
        default:
            if let integer = Int64(text) {
                self = .integer(integer)
            } else if let first = text.utf8.first,
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) || first == 0x2D
                    || first == 0x2E,
                let number = Double(text), number.isFinite, !text.hasPrefix("0x")
            {
                self = .number(number)
            } else {
                self = .string(text)
            }
        }
    }
}
