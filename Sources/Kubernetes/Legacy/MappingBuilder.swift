import Yams

/// A YAML mapping in the making; values equal to their default, and empty lists, are left out.
struct MappingBuilder {
    private var pairs: [(Yams.Node, Yams.Node)] = []

    init() {}

    init(_ selector: LabelSelector) {
        add("matchLabels", selector.matchLabels)
        add(
            "matchExpressions",
            mappings: selector.matchExpressions.map { requirement in
                var entry = MappingBuilder()
                entry.add("key", requirement.key)
                entry.add("operator", requirement.operator.rawValue)
                entry.add("values", requirement.values)
                return entry
            })
    }

    var isEmpty: Bool { pairs.isEmpty }

    var node: Yams.Node { Yams.Node(pairs, .implicit, pairs.isEmpty ? .flow : .block) }

    mutating func add(_ key: String, _ text: String, unless standard: String? = nil) {
        if text != standard { pairs.append((Self.scalar(key), Self.scalar(text))) }
    }

    mutating func add(_ key: String, _ flag: Bool, unless standard: Bool) {
        if flag != standard { pairs.append((Self.scalar(key), Self.plain(flag.description))) }
    }

    mutating func add(_ key: String, _ number: Int?, unless standard: Int?) {
        guard let number, number != standard else { return }
        pairs.append((Self.scalar(key), Self.plain(String(number))))
    }

    mutating func add(_ key: String, _ mapping: MappingBuilder) {
        pairs.append((Self.scalar(key), mapping.node))
    }

    mutating func add(_ key: String, mappings: [MappingBuilder], evenIfEmpty: Bool = false) {
        guard evenIfEmpty || !mappings.isEmpty else { return }
        let style: Yams.Node.Sequence.Style = mappings.isEmpty ? .flow : .block
        pairs.append((Self.scalar(key), Yams.Node(mappings.map(\.node), .implicit, style)))
    }

    mutating func add(_ key: String, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        pairs.append((Self.scalar(key), Yams.Node(texts.map(Self.scalar), .implicit, .block)))
    }

    mutating func add(_ key: String, _ selectors: [LabelSelector]) {
        add(key, mappings: selectors.map(MappingBuilder.init))
    }

    mutating func add(_ key: String, _ map: [String: String]) {
        guard !map.isEmpty else { return }
        let sorted = map.sorted { $0.key < $1.key }
        let node = Yams.Node(sorted.map { (Self.scalar($0.key), Self.scalar($0.value)) })
        pairs.append((Self.scalar(key), node))
    }

    /// Text in quotes, unless every reader of YAML takes it for text without them.
    private static func scalar(_ text: String) -> Yams.Node {
        let isSafe =
            ScalarKind(plain: text) == .string && !["y", "Y", "n", "N"].contains(text)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                    || (0x61...0x7a).contains(byte) || "-./_".utf8.contains(byte)
            }
            && text.utf8.first != UInt8(ascii: "-")
        return Yams.Node(text, Tag(.str), isSafe ? .plain : .doubleQuoted)
    }

    private static func plain(_ text: String) -> Yams.Node { Yams.Node(text, .implicit, .plain) }
}
