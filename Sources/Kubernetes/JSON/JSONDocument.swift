/// JSON texts (RFC 8259) as the values that objects are read from, and back.
///
/// - Strings are marked as quoted, so that `"1"` stays a text; numbers, booleans and null are
///   plain, and judged when somebody asks for them.
/// - Of fields that are given twice the last counts, as for the API server.
/// - Whatever the bytes are, reading ends with a value or a failure.
enum JSONDocument {
    /// The deepest nesting that is built. What is passed over may be nested deeper.
    static let depthLimit = 64

    /// The value that the text stands for, without what the pruning leaves out.
    static func node(
        _ bytes: [UInt8], pruning: JSONPruning = .everything
    ) throws(JSONFailure) -> DocumentNode {
        var builder = JSONBuilder(bytes)
        let node = try builder.node(pruning)
        try builder.cursor.finish()
        return node
    }

    /// The text of a value, on one line, without white space.
    static func text(of node: DocumentNode) -> [UInt8] {
        var text: [UInt8] = []
        append(node, to: &text)
        return text
    }

    private static func append(_ node: DocumentNode, to text: inout [UInt8]) {
        switch node {
        case .mapping(let mapping):
            text.append(UInt8(ascii: "{"))
            for (index, field) in mapping.fields.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                append(string: field.key?.string ?? "", to: &text)
                text.append(UInt8(ascii: ":"))
                append(field.value, to: &text)
            }
            text.append(UInt8(ascii: "}"))
        case .sequence(let sequence):
            text.append(UInt8(ascii: "["))
            for (index, element) in sequence.elements.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                append(element, to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .scalar(let scalar): append(scalar, to: &text)
        }
    }

    private static func append(_ scalar: DocumentNode.Scalar, to text: inout [UInt8]) {
        switch ScalarKind(scalar) {
        case .string: append(string: scalar.string, to: &text)
        case .null: text.append(contentsOf: "null".utf8)
        case .boolean(let value): text.append(contentsOf: "\(value)".utf8)
        case .integer, .float:
            // YAML has numbers that JSON lacks, such as 0x10 and .5.
            var cursor = JSONCursor(Array(scalar.string.utf8))
            do {
                _ = try cursor.number()
                try cursor.finish()
                text.append(contentsOf: scalar.string.utf8)
            } catch {
                append(string: scalar.string, to: &text)
            }
        }
    }

    /// Appends a string in quotes (RFC 8259 §7).
    static func append(string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case UInt8(ascii: "\n"): text.append(contentsOf: "\\n".utf8)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                text.append(contentsOf: "\\u00\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8)
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

/// Builds values from where a cursor stands.
struct JSONBuilder {
    var cursor: JSONCursor
    private var strings = StringPool()

    init(_ bytes: [UInt8]) { cursor = JSONCursor(bytes) }

    /// The next value, pruned.
    mutating func node(
        _ pruning: JSONPruning, depth: Int = 0
    ) throws(JSONFailure) -> DocumentNode {
        switch try cursor.peek() {
        case UInt8(ascii: "{"): return try mapping(pruning, depth: depth)
        case UInt8(ascii: "["): return try list(pruning, depth: depth)
        case UInt8(ascii: "\""):
            return .scalar(DocumentNode.Scalar(try string(pruning.repeats), .quoted))
        case UInt8(ascii: "t"): return plain(try cursor.literal("true"))
        case UInt8(ascii: "f"): return plain(try cursor.literal("false"))
        case UInt8(ascii: "n"): return plain(try cursor.literal("null"))
        case UInt8(ascii: "-"), 0x30...0x39: return plain(try cursor.number())
        case let byte: throw cursor.failure(.unexpected(byte))
        }
    }

    private func plain(_ text: String) -> DocumentNode {
        .scalar(DocumentNode.Scalar(text, .plain))
    }

    private mutating func string(_ repeats: Bool) throws(JSONFailure) -> String {
        try string(at: try cursor.textBounds(), repeats)
    }

    private mutating func string(
        at text: JSONCursor.Text, _ repeats: Bool
    ) throws(JSONFailure) -> String {
        guard repeats, text.isPlain, text.isASCII else { return try cursor.text(of: text) }
        return strings.text(cursor.bytes[text.bounds])
    }

    private mutating func mapping(
        _ pruning: JSONPruning, depth: Int
    ) throws(JSONFailure) -> DocumentNode {
        guard depth < JSONDocument.depthLimit else { throw cursor.failure(.tooDeep) }
        try cursor.begin(.mapping)
        var fields: [DocumentNode.Field] = []
        var places: [String: Int] = [:]
        while let text = try cursor.nextKeyBytes() {
            let name =
                text.isPlain
                ? cursor.bytes[text.bounds] : Array(try cursor.text(of: text).utf8)[...]
            let key: String
            let inner: JSONPruning
            if let field = pruning.field(named: name) {
                guard let rule = field.pruning else {
                    try cursor.skipValue()
                    continue
                }
                (key, inner) = (field.name, rule)
            } else {
                guard pruning.keepsOther(named: name) else {
                    try cursor.skipValue()
                    continue
                }
                (key, inner) = (try string(at: text, true), pruning.repeats ? .everything : .unique)
            }
            let value = try node(inner, depth: depth + 1)
            if let former = Self.place(of: key, in: fields, &places) {
                fields[former].value = value
            } else {
                let name = DocumentNode.Scalar(key, .quoted)
                fields.append(DocumentNode.Field(key: name, value: value))
            }
        }
        return .mapping(DocumentNode.Mapping(fields: fields))
    }

    /// Where a field was given before. Mappings that are not small are looked up by hash, so that
    /// no mapping costs more than its length.
    private static func place(
        of key: String, in fields: [DocumentNode.Field], _ places: inout [String: Int]
    ) -> Int? {
        guard fields.count >= 16 else { return fields.firstIndex { $0.key?.string == key } }
        for index in places.count..<max(places.count, fields.count) {
            if let name = fields[index].key?.string { places[name] = index }
        }
        return places[key]
    }

    private mutating func list(
        _ pruning: JSONPruning, depth: Int
    ) throws(JSONFailure) -> DocumentNode {
        guard depth < JSONDocument.depthLimit else { throw cursor.failure(.tooDeep) }
        try cursor.begin(.list)
        var nodes: [DocumentNode] = []
        while try cursor.nextElement() {
            let node = try node(pruning, depth: depth + 1)
            if let filter = pruning.filter, !filter.permits(node) { continue }
            nodes.append(node)
        }
        return .sequence(DocumentNode.Sequence(elements: nodes))
    }
}

extension JSONPruning.ElementFilter {
    fileprivate func permits(_ node: DocumentNode) -> Bool {
        guard let value = Fields(node)?[field] else { return false }
        return values.contains(value) || prefixes.contains { value.hasPrefix($0) }
    }
}

/// Looks at single fields of a mapping, without judging them.
struct Fields {
    private let fields: [DocumentNode.Field]

    /// `nil` when the value is no mapping.
    init?(_ node: DocumentNode) {
        guard case .mapping(let mapping) = node else { return nil }
        fields = mapping.fields
    }

    /// The value of a field.
    func node(_ key: String) -> DocumentNode? {
        fields.first { $0.key?.string == key }?.value
    }

    /// The text of a field, if it is a scalar and not null.
    subscript(key: String) -> String? {
        guard let scalar = node(key)?.scalar, ScalarKind(scalar) != .null else { return nil }
        return scalar.string
    }

    /// The fields of a mapping in a field.
    func fields(_ key: String) -> Fields? { node(key).flatMap { Fields($0) } }

    /// The elements of a list in a field; none when it is no list.
    func list(_ key: String) -> [DocumentNode] {
        guard case .sequence(let sequence)? = node(key) else { return [] }
        return sequence.elements
    }
}
