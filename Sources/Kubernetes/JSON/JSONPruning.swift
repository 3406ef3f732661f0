/// Which fields of a JSON text are built at all.
///
/// What is left out is passed over byte by byte: its strings and brackets are followed to find its
/// end, and nothing else of it is judged. A server's objects are mostly such text
/// (`managedFields`, images of Nodes, probes of Pods), so this is where time and memory are saved.
struct JSONPruning: Sendable {
    /// What becomes of fields that are not named.
    enum Others: Sendable {
        case kept
        case skipped
        /// Kept when their names begin with one of these.
        case beginning(with: [String])
    }

    /// A field with its own rule.
    struct Field: Sendable {
        let name: String
        let bytes: [UInt8]
        /// `nil` passes the field over.
        let pruning: JSONPruning?

        init(_ name: String, _ pruning: JSONPruning? = .everything) {
            self.name = name
            self.bytes = Array(name.utf8)
            self.pruning = pruning
        }
    }

    /// Keeps those elements of a list that are mappings with certain values in one field.
    struct ElementFilter: Sendable {
        let field: String
        var values: [String] = []
        var prefixes: [String] = []
    }

    /// Rules of fields, where the value is a mapping, or a list of mappings.
    var fields: [Field] = []
    var others: Others = .kept
    var filter: ElementFilter?
    /// Whether texts below are likely to occur again, so that one copy of them may serve all.
    var repeats = true

    /// All of the value.
    static let everything = JSONPruning()
    /// All of the value, whose texts hardly occur twice.
    static let unique = JSONPruning(repeats: false)

    /// Only these fields of the value, whole.
    static func only(_ names: String...) -> JSONPruning {
        JSONPruning(fields: names.map { Field($0) }, others: .skipped)
    }

    /// Only these fields of the value.
    static func only(_ fields: [Field]) -> JSONPruning {
        JSONPruning(fields: fields, others: .skipped)
    }

    /// The field of this name; `nil` when it has no rule of its own.
    func field(named name: ArraySlice<UInt8>) -> Field? {
        for field in fields
        where field.bytes.count == name.count && field.bytes.elementsEqual(name) {
            return field
        }
        return nil
    }

    /// Whether a field without a rule is kept.
    func keepsOther(named name: ArraySlice<UInt8>) -> Bool {
        switch others {
        case .kept: true
        case .skipped: false
        case .beginning(let prefixes): prefixes.contains { name.starts(with: $0.utf8) }
        }
    }
}
