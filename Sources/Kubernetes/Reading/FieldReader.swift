import NetworkTypes

/// Reads the fields of one mapping, strictly: each field is asked for by name and type, and
/// ``finish(alsoKnown:)`` reports the fields that nobody asked for.
///
/// ```swift
/// let spec = object.requiredReader("spec")
/// profile.detectMultiplier = spec?.int("detectMultiplier", in: 2...255) ?? 3
/// spec?.finish()
/// ```
/// A wrong value is recorded in the log and reads as `nil`; whether the object may be used is
/// decided once, at the end, by `log.hasErrors`.
final class FieldReader {
    /// Path of the mapping from the object; empty for the object itself.
    var path: String { place.description }
    let log: ProblemLog
    /// Line of the mapping's first field within the document.
    let line: Int?
    private let place: FieldPath
    /// The fields in the order written; each has a key that is no merge key.
    private var fields: [DocumentNode.Field]
    /// Of each field, whether it was asked for.
    private var isRead: [Bool]
    /// Known names: asked for, present or not. They feed the suggestions.
    private var known: [String] = []

    init(_ mapping: DocumentNode.Mapping, place: FieldPath, log: ProblemLog) {
        self.place = place
        self.log = log
        line = mapping.line
        fields = mapping.fields
        isRead = []
        if !fields.allSatisfy(Self.isOrdinary) { takeApart() }
        isRead = Array(repeating: false, count: fields.count)
    }

    convenience init(_ mapping: DocumentNode.Mapping, path: String, log: ProblemLog) {
        self.init(mapping, place: .text(path), log: log)
    }

    private static func isOrdinary(_ field: DocumentNode.Field) -> Bool {
        guard let key = field.key else { return false }
        return key.style != .plain || key.string != "<<"
    }

    /// Lays what merge keys name under the mapping's own fields
    /// (https://yaml.org/type/merge.html), and reports keys that are no names.
    private func takeApart() {
        let written = fields
        fields = written.filter(Self.isOrdinary)
        for field in written where !Self.isOrdinary(field) {
            if field.key == nil { reportKey(field) } else { merge(field.value) }
        }
    }

    private func reportKey(_ field: DocumentNode.Field) {
        log.add(
            .error, line: field.line, field: path, rule: "a field name must be plain text",
            remedy: "write \"name: value\"")
    }

    private func merge(_ node: DocumentNode) {
        switch node {
        case .mapping(let mapping):
            for field in mapping.fields {
                guard let name = field.key?.string, !has(key: name) else { continue }
                // Aliases are resolved already; a merge inside a merge is laid under it.
                if Self.isOrdinary(field) { fields.append(field) } else { merge(field.value) }
            }
        case .sequence(let sequence):
            for case .mapping(let mapping) in sequence.elements { merge(.mapping(mapping)) }
        case .scalar:
            log.add(
                .error, line: node.line, field: step("<<").description,
                rule: "a merge key takes a mapping or a list of mappings",
                remedy: "write \"<<: *anchor\"")
        }
    }

    private func index(of key: String) -> Int? { fields.firstIndex { $0.key?.string == key } }

    private func has(key: String) -> Bool { index(of: key) != nil }

    private func key(at index: Int) -> String { fields[index].key?.string ?? "" }

    private func step(_ key: String) -> FieldPath { .field(place, key) }

    private func value(at index: Int) -> FieldValue {
        FieldValue(node: fields[index].value, place: step(key(at: index)), log: log)
    }

    // MARK: Asking for a field

    /// The value of `key`; `nil` when it is absent or null.
    func value(_ key: String) -> FieldValue? {
        note(key)
        guard let index = index(of: key) else { return nil }
        isRead[index] = true
        let value = value(at: index)
        log.recordLine(of: value.place, fields[index].line)
        return value.isNull ? nil : value
    }

    /// The value of `key`, whose absence is an error.
    func required(_ key: String, remedy: String? = nil) -> FieldValue? {
        if let value = value(key) { return value }
        report(
            .error, key, has(key: key) ? "is required, but empty" : "is required",
            remedy: remedy ?? "add \"\(key):\" with its value")
        return nil
    }

    /// Whether `key` is there and not null; does not count as reading it.
    func has(_ key: String) -> Bool {
        index(of: key).map { !value(at: $0).isNull } ?? false
    }

    /// All fields in the order written, each counted as read.
    func takeAll() -> [(key: String, value: FieldValue)] {
        fields.indices.map {
            isRead[$0] = true
            return (key(at: $0), value(at: $0))
        }
    }

    /// Counts fields as known and read without looking at them.
    func ignore(_ ignored: String...) {
        for key in ignored {
            note(key)
            if let index = index(of: key) { isRead[index] = true }
        }
    }

    /// Remembers a known name, where somebody may be told of it.
    private func note(_ key: String) {
        if log.origin != .server { known.append(key) }
    }

    // MARK: Shorthands; absent fields read as `nil`, or as an empty collection

    func string(_ key: String) -> String? { value(key)?.string() }

    func requiredString(_ key: String) -> String? { required(key)?.string() }

    func int(_ key: String, in range: ClosedRange<Int> = .min ... .max) -> Int? {
        value(key)?.int(in: range)
    }

    func requiredInt(_ key: String, in range: ClosedRange<Int> = .min ... .max) -> Int? {
        required(key)?.int(in: range)
    }

    func bool(_ key: String) -> Bool? { value(key)?.bool() }

    func enumeration<Value: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Value.Type = Value.self
    ) -> Value? where Value.RawValue == String { value(key)?.enumeration(type) }

    func address(_ key: String) -> IPAddress? { value(key)?.address() }

    func list(_ key: String) -> [FieldValue] { value(key)?.list() ?? [] }

    func strings(_ key: String) -> [String] { value(key)?.strings() ?? [] }

    func stringMap(_ key: String) -> [String: String] { value(key)?.stringMap() ?? [:] }

    func reader(_ key: String) -> FieldReader? { value(key)?.reader() }

    func requiredReader(_ key: String) -> FieldReader? { required(key)?.reader() }

    /// The mappings of a list, each with its own reader.
    func readers(_ key: String) -> [FieldReader] { list(key).compactMap { $0.reader() } }

    // MARK: Reporting

    /// Records an error at `key`, or at the mapping as a whole.
    func fail(_ key: String? = nil, _ rule: String, remedy: String) {
        report(.error, key, rule, remedy: remedy)
    }

    /// Records something at `key`, or at the mapping as a whole.
    func report(
        _ severity: Problem.Severity, _ key: String? = nil, _ rule: String, remedy: String
    ) {
        let found = key.flatMap { index(of: $0) }
        log.add(
            severity, line: found.flatMap { fields[$0].line } ?? line,
            field: (key.map(step) ?? place).description, rule: rule, remedy: remedy)
    }

    /// Reports every field that has not been asked for, with the name it probably should have. Of
    /// what a server sends, a field that is not known is no error; see ``ProblemLog/Origin``.
    ///
    /// - Parameter alsoKnown: standard fields that Martlet does not use; they are passed over.
    func finish(alsoKnown: Set<String> = []) {
        guard log.origin != .server else { return }
        for index in fields.indices where !isRead[index] && !alsoKnown.contains(key(at: index)) {
            let names = Set(known).union(alsoKnown)
            let remedy =
                NearestName.remedy(for: key(at: index), among: names)
                ?? (names.count <= 12
                    ? "remove it; known here: \(names.sorted().joined(separator: ", "))"
                    : "remove it, or look for a slip in its name or its indentation")
            log.add(
                log.origin.isServer ? .notice : .error, line: fields[index].line,
                field: step(key(at: index)).description, rule: "is not a known field",
                remedy: remedy)
        }
    }
}
