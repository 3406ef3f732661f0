import NetworkTypes
import Yams

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
    // One entry of each for every field, in the order written.
    private var keys: [String] = []
    private var lines: [Int?] = []
    private var nodes: [Yams.Node] = []
    private var isRead: [Bool] = []
    /// Known names: asked for, present or not. They feed the suggestions.
    private var known: [String] = []

    init(_ mapping: Yams.Node.Mapping, place: FieldPath, log: ProblemLog) {
        self.place = place
        self.log = log
        line = mapping.mark?.line
        keys.reserveCapacity(mapping.count)
        nodes.reserveCapacity(mapping.count)
        var merged: [Yams.Node] = []
        for index in mapping.indices {
            let (key, node) = mapping[index]
            if !add(key, node) { merged.append(node) }
        }
        // Merge keys are laid under the mapping's own fields (https://yaml.org/type/merge.html).
        for node in merged { merge(node) }
    }

    convenience init(_ mapping: Yams.Node.Mapping, path: String, log: ProblemLog) {
        self.init(mapping, place: .text(path), log: log)
    }

    /// Adds a field; false when it is a merge key.
    private func add(_ key: Yams.Node, _ node: Yams.Node) -> Bool {
        guard case .scalar(let scalar) = key else {
            log.add(
                .error, line: key.mark?.line, field: path, rule: "a field name must be plain text",
                remedy: "write \"name: value\"")
            return true
        }
        guard scalar.string != "<<" else { return false }
        keys.append(scalar.string)
        lines.append(scalar.mark?.line)
        nodes.append(node)
        isRead.append(false)
        return true
    }

    private func merge(_ node: Yams.Node) {
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard let name = key.scalar?.string, !keys.contains(name) else { continue }
                // Aliases are resolved already; a merge inside a merge is laid under it.
                if !add(key, value) { merge(value) }
            }
        case .sequence(let sequence):
            for case .mapping(let mapping) in sequence { merge(.mapping(mapping)) }
        case .scalar, .alias:
            log.add(
                .error, line: node.mark?.line, field: step("<<").description,
                rule: "a merge key takes a mapping or a list of mappings",
                remedy: "write \"<<: *anchor\"")
        }
    }

    private func step(_ key: String) -> FieldPath { .field(place, key) }

    private func value(at index: Int) -> FieldValue {
        FieldValue(node: nodes[index], place: step(keys[index]), log: log)
    }

    // MARK: Asking for a field

    /// The value of `key`; `nil` when it is absent or null.
    func value(_ key: String) -> FieldValue? {
        known.append(key)
        guard let index = keys.firstIndex(of: key) else { return nil }
        isRead[index] = true
        let value = value(at: index)
        log.recordLine(of: value.place, lines[index])
        return value.isNull ? nil : value
    }

    /// The value of `key`, whose absence is an error.
    func required(_ key: String, remedy: String? = nil) -> FieldValue? {
        if let value = value(key) { return value }
        report(
            .error, key, keys.contains(key) ? "is required, but empty" : "is required",
            remedy: remedy ?? "add \"\(key):\" with its value")
        return nil
    }

    /// Whether `key` is there and not null; does not count as reading it.
    func has(_ key: String) -> Bool {
        keys.firstIndex(of: key).map { !value(at: $0).isNull } ?? false
    }

    /// All fields in the order written, each counted as read.
    func takeAll() -> [(key: String, value: FieldValue)] {
        keys.indices.map {
            isRead[$0] = true
            return (keys[$0], value(at: $0))
        }
    }

    /// Counts fields as known and read without looking at them.
    func ignore(_ ignored: String...) {
        for key in ignored {
            known.append(key)
            if let index = keys.firstIndex(of: key) { isRead[index] = true }
        }
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
        let index = key.flatMap { keys.firstIndex(of: $0) }
        log.add(
            severity, line: index.flatMap { lines[$0] } ?? line,
            field: (key.map(step) ?? place).description, rule: rule, remedy: remedy)
    }

    /// Reports every field that has not been asked for, with the name it probably should have.
    ///
    /// - Parameter alsoKnown: standard fields that Martlet does not use; they are passed over.
    func finish(alsoKnown: Set<String> = []) {
        for index in keys.indices where !isRead[index] && !alsoKnown.contains(keys[index]) {
            let names = Set(known).union(alsoKnown)
            let remedy =
                NearestName.remedy(for: keys[index], among: names)
                ?? (names.count <= 12
                    ? "remove it; known here: \(names.sorted().joined(separator: ", "))"
                    : "remove it, or look for a slip in its name or its indentation")
            log.add(
                .error, line: lines[index], field: step(keys[index]).description,
                rule: "is not a known field", remedy: remedy)
        }
    }
}
