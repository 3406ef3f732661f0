import NetworkTypes

/// One value of a document together with its place, read as the type that the schema asks for.
///
/// Every read that fails records an error and returns `nil`; the caller goes on with the next
/// field, so that one pass finds everything. An explicit `null` counts as an absent field and never
/// becomes a value.
struct FieldValue {
    let node: DocumentNode
    let place: FieldPath
    let log: ProblemLog

    init(node: DocumentNode, place: FieldPath, log: ProblemLog) {
        self.node = node
        self.place = place
        self.log = log
    }

    init(node: DocumentNode, path: String, log: ProblemLog) {
        self.init(node: node, place: .text(path), log: log)
    }

    /// Path from the object, such as `spec.ports[0].nodePort`.
    var path: String { place.description }

    /// Line within the document, as the parser reports it.
    var line: Int? { node.line }

    /// Records that the value breaks a rule, which refuses the object.
    func fail(_ rule: String, remedy: String) { report(.error, rule, remedy: remedy) }

    /// Records something at this value.
    func report(_ severity: Problem.Severity, _ rule: String, remedy: String) {
        log.add(severity, line: line, field: path, rule: rule, remedy: remedy)
    }

    /// What kind of value stands here, for messages: `a number (80)`.
    var shown: String {
        switch node {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .scalar(let scalar):
            let text = Self.clip(scalar.string)
            switch ScalarKind(scalar) {
            case .null: return "null"
            case .boolean: return "a boolean (\(text))"
            case .integer, .float: return "a number (\(text))"
            case .string: return "the text \"\(text)\""
            }
        }
    }

    /// The text of a value for messages, cut to a length that fits a line.
    static func clip(_ text: String) -> String {
        let line = text.prefix { !$0.isNewline }
        return line.count > 60 || line.count < text.count ? line.prefix(60) + "…" : text
    }

    private func mismatch(_ expected: String, remedy: String) {
        fail("must be \(expected), but is \(shown)", remedy: remedy)
    }

    // MARK: Scalars

    /// What kind of scalar stands here; `nil` for mappings and lists.
    var kind: ScalarKind? {
        if case .scalar(let scalar) = node { return ScalarKind(scalar) }
        return nil
    }

    /// The scalar's text whatever its type, `nil` (and no error) for mappings and lists.
    var rawText: String? {
        if case .scalar(let scalar) = node { return scalar.string }
        return nil
    }

    /// A string. Numbers and booleans without quotes are refused, as the API server does.
    func string() -> String? {
        guard case .scalar(let scalar) = node else {
            mismatch("a string", remedy: "write one text value here")
            return nil
        }
        guard ScalarKind(scalar) == .string else {
            mismatch("a string", remedy: "put it in quotes: \"\(Self.clip(scalar.string))\"")
            return nil
        }
        return scalar.string
    }

    /// A string that no message may show, such as a password.
    func secretString() -> String? {
        if case .scalar(let scalar) = node, ScalarKind(scalar) == .string { return scalar.string }
        fail("must be a string", remedy: "write one text value, in quotes")
        return nil
    }

    /// A whole number in `range`.
    func int(in range: ClosedRange<Int> = .min ... .max) -> Int? {
        guard case .scalar(let scalar) = node, case .integer(let value) = ScalarKind(scalar) else {
            let quoted = node.scalar.map { Int($0.string) != nil } ?? false
            mismatch(
                "a whole number",
                remedy: quoted ? "remove the quotes" : "write a number" + Self.within(range))
            return nil
        }
        guard let value, range.contains(value) else {
            fail(
                "\(Self.clip(scalar.string)) is out of range",
                remedy: "use a number" + Self.within(range))
            return nil
        }
        return value
    }

    private static func within(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): ""
        case (let low, .max): " of at least \(low)"
        case (let low, let high): " from \(low) to \(high)"
        }
    }

    /// A boolean: `true` or `false`, or another spelling of YAML 1.1 (`yes`, `off`, …).
    func bool() -> Bool? {
        guard case .scalar(let scalar) = node, case .boolean(let value) = ScalarKind(scalar) else {
            mismatch("true or false", remedy: "write true or false, without quotes")
            return nil
        }
        return value
    }

    /// One of the raw values of `Value`.
    func enumeration<Value: RawRepresentable & CaseIterable>(
        _ type: Value.Type = Value.self
    ) -> Value? where Value.RawValue == String {
        guard let text = string() else { return nil }
        if let value = Value(rawValue: text) { return value }
        let names = Value.allCases.map(\.rawValue)
        fail(
            "\"\(Self.clip(text))\" is not one of \(names.joined(separator: ", "))",
            remedy: NearestName.remedy(for: text, among: names)
                ?? "use \(names.joined(separator: " or "))")
        return nil
    }

    /// An IP address, of one family when `family` is given.
    func address(_ family: IPAddress.Family? = nil) -> IPAddress? {
        guard let text = string() else { return nil }
        let kind = family.map { $0 == .ipv4 ? "IPv4 " : "IPv6 " } ?? "IP "
        let address = log.origin.isServer ? IPAddress(apiText: text) : IPAddress(text)
        guard let address, family == nil || address.family == family else {
            fail(
                "\"\(Self.clip(text))\" is not an \(kind)address",
                remedy: "write an \(kind)address, such as "
                    + (family == .ipv6 ? "2001:db8::1" : "192.0.2.1"))
            return nil
        }
        return address
    }

    /// A CIDR prefix.
    func prefix() -> Prefix? {
        guard let text = string() else { return nil }
        guard let prefix = log.origin.isServer ? Prefix(apiText: text) : Prefix(text) else {
            fail(
                "\"\(Self.clip(text))\" is not a CIDR prefix",
                remedy: "write address/length, such as 192.0.2.0/24 or 2001:db8::/64")
            return nil
        }
        return prefix
    }

    /// A CIDR prefix, or `first-last`.
    func addressRange() -> AddressRange? {
        guard let text = string() else { return nil }
        guard let range = AddressRange(text) else {
            fail(
                "\"\(Self.clip(text))\" is no address range: it takes a CIDR prefix, or first-last "
                    + "of one family with first not above last",
                remedy: "write 192.0.2.0/24 or 192.0.2.10-192.0.2.20 "
                    + "(one address alone: 192.0.2.10/32)")
            return nil
        }
        return range
    }

    // MARK: Collections

    /// The elements of a list; nulls among them are errors.
    func list() -> [FieldValue]? {
        guard case .sequence(let sequence) = node else {
            mismatch("a list", remedy: "begin each entry with \"- \", or use [a, b]")
            return nil
        }
        var values: [FieldValue] = []
        for (index, element) in sequence.elements.enumerated() {
            let value = FieldValue(node: element, place: .element(place, index), log: log)
            log.recordLine(of: value.place, value.line)
            if value.isNull {
                value.fail("is empty", remedy: "remove the entry, or give it a value")
            } else {
                values.append(value)
            }
        }
        return values
    }

    /// A list of strings.
    func strings() -> [String]? { list()?.compactMap { $0.string() } }

    /// A reader of the mapping's fields.
    func reader() -> FieldReader? {
        guard case .mapping(let mapping) = node else {
            mismatch("a mapping", remedy: "write its fields below it, indented: \"name: value\"")
            return nil
        }
        return FieldReader(mapping, place: place, log: log)
    }

    /// A mapping of strings to strings.
    func stringMap() -> [String: String]? {
        guard let reader = reader() else { return nil }
        var map: [String: String] = [:]
        for (key, value) in reader.takeAll() {
            // The API takes a null in such a map for the empty string.
            map[key] = value.isNull ? "" : value.string()
        }
        return map
    }

    /// Whether the value is `null`, `~` or nothing at all.
    var isNull: Bool { kind == .null }
}
