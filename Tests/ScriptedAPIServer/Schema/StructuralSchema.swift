/// A structural schema (apiextensions.k8s.io/v1 `JSONSchemaProps`), read once and used to prune,
/// fill in defaults, validate and merge.
package final class StructuralSchema: Sendable {
    package enum ListType: Sendable, Equatable {
        case atomic, set
        case map(keys: [String])
    }

    /// A CEL rule: recorded, not evaluated here.
    package struct Rule: Sendable, Equatable {
        package var path: String
        package var rule: String
        package var message: String
    }

    struct Numbers: Sendable {
        var minimum: Double?
        var maximum: Double?
        var isAboveMinimum = false
        var isBelowMaximum = false
        var multipleOf: Double?
    }

    struct Counts: Sendable {
        var minimum: Int?
        var maximum: Int?
    }

    struct Parts: Sendable {
        var type: String?
        var properties: [String: StructuralSchema] = [:]
        var order: [String] = []
        var items: StructuralSchema?
        var additional: StructuralSchema?
        var required: [String] = []
        var allowed: [JSONValue] = []
        var pattern: String?
        var format: String?
        var numbers = Numbers()
        var length = Counts()
        var count = Counts()
        var members = Counts()
        var fallback: JSONValue?
        var isNullable = false
        var isIntOrString = false
        var keepsUnknown = false
        var isEmbeddedObject = false
        var listType = ListType.atomic
        /// Strategic merge goes by this key, where it differs from the keys of the list type.
        var patchKey: String?
        var isAtomicMap = false
        var allOf: [StructuralSchema] = []
        var anyOf: [StructuralSchema] = []
        var oneOf: [StructuralSchema] = []
        var negated: StructuralSchema?
        var rules: [Rule] = []
    }

    let parts: Parts

    init(_ parts: Parts) { self.parts = parts }

    var items: StructuralSchema? { parts.items }
    var isAtomicMap: Bool { parts.isAtomicMap }

    /// The schema of a member.
    func child(_ key: String) -> StructuralSchema? { parts.properties[key] ?? parts.additional }

    /// Every CEL rule of this schema and those below it.
    package var rules: [Rule] {
        var rules = parts.rules
        for key in parts.order { rules += parts.properties[key]?.rules ?? [] }
        rules += parts.items?.rules ?? []
        rules += parts.additional?.rules ?? []
        return rules
    }

    /// The keys by which the elements of a list are told apart, as `FieldsV1` writes them; `nil`
    /// for a list that is one value.
    func elementKeys(_ elements: [JSONValue]) -> [String]? {
        switch parts.listType {
        case .atomic: return nil
        case .set: return elements.map { "v:\($0.text)" }
        case .map(let keys):
            return elements.map { element in
                var key = JSONObject()
                for name in keys.sorted() {
                    key[name] =
                        element.object?[name] ?? parts.items?.parts.properties[name]?.parts.fallback
                }
                return "k:\(JSONValue.object(key).text)"
            }
        }
    }
}

extension StructuralSchema {
    /// What is known of a built-in kind: which of its lists are merged and how. Paths name members
    /// with dots, and elements with `[]`.
    static func lists(_ lists: [(path: String, type: ListType, patchKey: String?)])
        -> StructuralSchema
    {
        node(lists.map { (path: $0.path.split(separator: ".")[...], $0.type, $0.patchKey) })
    }

    private typealias Entry = (path: ArraySlice<Substring>, type: ListType, patchKey: String?)

    private static func node(_ entries: [Entry]) -> StructuralSchema {
        var parts = Parts()
        parts.keepsUnknown = true
        let grouped = Dictionary(grouping: entries.filter { !$0.path.isEmpty }) {
            $0.path.first ?? ""
        }
        for (name, below) in grouped {
            let key = name.hasSuffix("[]") ? name.dropLast(2) : name
            let rest: [Entry] = below.map { ($0.path.dropFirst(), $0.type, $0.patchKey) }
            if let own = rest.first(where: { $0.path.isEmpty }) {
                var list = Parts()
                list.type = "array"
                list.listType = own.type
                list.patchKey = own.patchKey
                list.keepsUnknown = true
                list.items = node(rest.filter { !$0.path.isEmpty })
                parts.properties[String(key)] = StructuralSchema(list)
            } else {
                let existing = node(rest)
                if name.hasSuffix("[]") {
                    var list = Parts()
                    list.keepsUnknown = true
                    list.items = existing
                    parts.properties[String(key)] = StructuralSchema(list)
                } else {
                    parts.properties[String(key)] = existing
                }
            }
        }
        return StructuralSchema(parts)
    }
}
