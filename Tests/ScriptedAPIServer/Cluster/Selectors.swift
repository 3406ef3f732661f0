/// A label selector as queries write it.
package struct LabelSelector: Sendable {
    enum Requirement: Sendable {
        case exists(String), absent(String)
        case anyOf(String, Set<String>), noneOf(String, Set<String>)
        case above(String, Int), below(String, Int)
    }

    let requirements: [Requirement]
    static let everything = LabelSelector(requirements: [])
    var isEverything: Bool { requirements.isEmpty }

    private init(requirements: [Requirement]) { self.requirements = requirements }

    package init(_ text: String) throws(StatusError) {
        var parts: [String] = []
        var depth = 0
        var part = ""
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        parts.append(part)
        var requirements: [Requirement] = []
        for part in parts {
            let part = part.trimmed
            if part.isEmpty, parts.count == 1 { continue }
            guard let requirement = Self.requirement(part) else {
                throw .badRequest("unable to parse requirement: \(part)")
            }
            requirements.append(requirement)
        }
        self.requirements = requirements
    }

    private static func requirement(_ part: String) -> Requirement? {
        if part.hasPrefix("!") {
            let key = String(part.dropFirst()).trimmed
            return isKey(key) ? .absent(key) : nil
        }
        for (symbol, negated) in [("!=", true), ("==", false), ("=", false)] {
            guard let range = part.firstRange(of: symbol) else { continue }
            let key = String(part[..<range.lowerBound]).trimmed
            let value = String(part[range.upperBound...]).trimmed
            guard isKey(key), !value.contains("=") else { return nil }
            return negated ? .noneOf(key, [value]) : .anyOf(key, [value])
        }
        for (symbol, isAbove) in [(">", true), ("<", false)] {
            guard let range = part.firstRange(of: symbol) else { continue }
            let key = String(part[..<range.lowerBound]).trimmed
            guard isKey(key), let bound = Int(String(part[range.upperBound...]).trimmed) else {
                return nil
            }
            return isAbove ? .above(key, bound) : .below(key, bound)
        }
        if part.hasSuffix(")"), let open = part.firstIndex(of: "(") {
            let words = part[..<open].split(separator: " ").map(String.init)
            guard words.count == 2, isKey(words[0]) else { return nil }
            let inner = part[part.index(after: open)...].dropLast()
            let values = Set(
                inner.split(separator: ",", omittingEmptySubsequences: false).map {
                    String($0).trimmed
                })
            switch words[1] {
            case "in": return .anyOf(words[0], values)
            case "notin": return .noneOf(words[0], values)
            default: return nil
            }
        }
        return isKey(part) ? .exists(part) : nil
    }

    private static func isKey(_ text: String) -> Bool {
        !text.isEmpty && !text.contains { $0 == " " || $0 == "(" || $0 == "!" }
    }

    func matches(_ object: StoredObject) -> Bool {
        guard !requirements.isEmpty else { return true }
        let labels = object.labels
        return requirements.allSatisfy { requirement in
            switch requirement {
            case .exists(let key): return labels[key] != nil
            case .absent(let key): return labels[key] == nil
            case .anyOf(let key, let values):
                guard let value = labels[key]?.string else { return false }
                return values.contains(value)
            case .noneOf(let key, let values):
                guard let value = labels[key]?.string else { return true }
                return !values.contains(value)
            case .above(let key, let bound):
                return labels[key]?.string.flatMap(Int.init).map { $0 > bound } ?? false
            case .below(let key, let bound):
                return labels[key]?.string.flatMap(Int.init).map { $0 < bound } ?? false
            }
        }
    }
}

/// A field selector as queries write it; only fields that the kind says are selectable.
package struct FieldSelector: Sendable {
    struct Term: Sendable {
        var path: [String]
        var value: String
        var isEqual: Bool
    }

    let terms: [Term]
    static let everything = FieldSelector(terms: [])
    var isEverything: Bool { terms.isEmpty }

    private init(terms: [Term]) { self.terms = terms }

    init(_ text: String, of kind: ResourceKind) throws(StatusError) {
        var terms: [Term] = []
        for part in text.split(separator: ",") {
            let isEqual = !part.contains("!=")
            let pieces = part.split(
                separator: "=", maxSplits: isEqual ? 2 : 1, omittingEmptySubsequences: false)
            guard let first = pieces.first, pieces.count >= 2, let last = pieces.last else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(part)'")
            }
            let field = String(isEqual ? first : first.dropLast())
            let known = ["metadata.name"] + (kind.isNamespaced ? ["metadata.namespace"] : [])
            guard known.contains(field) || kind.selectableFields.contains(field) else {
                throw .badRequest("field label not supported: \(field)")
            }
            terms.append(
                Term(
                    path: field.split(separator: ".").map(String.init), value: String(last),
                    isEqual: isEqual))
        }
        self.terms = terms
    }

    func matches(_ object: StoredObject) -> Bool {
        terms.allSatisfy { term in
            let value: String
            switch object.content[path: term.path[...]] {
            case .string(let text)?: value = text
            case .integer(let number)?: value = String(number)
            case .bool(let flag)?: value = flag ? "true" : "false"
            default: value = ""
            }
            return (value == term.value) == term.isEqual
        }
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
