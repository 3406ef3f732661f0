import Yams

/// Keeps anchors and aliases from blowing a small text up into a huge tree.
///
/// The parser lets aliases share what they stand for, so parsing alone is cheap; walking the
/// result is not, and the parser itself walks every mapping key that is not a scalar, and frees
/// nested values by recursion. Hence two checks:
/// - before parsing, over the bytes (an overestimate: text in comments and strings counts too): at
///   most ``anchorLimit`` anchors that aliases refer to, and next to mapping keys that are lists or
///   mappings at most ``keyExpansionLimit`` possible expansions;
/// - after parsing, over the tree: at most ``expandedNodeLimit`` values, ``depthLimit`` levels.
struct AliasBound {
    /// The most anchors that aliases may refer to in one document.
    static let anchorLimit = 16
    /// The most expansions where a mapping key may hold an alias.
    static let keyExpansionLimit = 1000
    /// The most values that one document with aliases may have once they are expanded.
    static let expandedNodeLimit = 1_000_000
    /// The deepest nesting of a document with aliases.
    static let depthLimit = 100

    private var references: [Int] = []
    private var mayHaveCompoundKeys = false

    /// Whether no alias refers to any anchor.
    var isEmpty: Bool { references.isEmpty }

    /// Which limit the text breaks, `nil` when it may be parsed.
    var excess: String? {
        if references.count > Self.anchorLimit {
            return "aliases refer to \(references.count) anchors; the limit is \(Self.anchorLimit)"
        }
        // A chain of aliases passes each anchor once, so the product bounds the expansions.
        var expansions = 1
        for count in references {
            expansions *= count + 1
            if mayHaveCompoundKeys && expansions > Self.keyExpansionLimit {
                return "its aliases may expand to more than \(Self.keyExpansionLimit) keys"
            }
            if expansions > 1 << 40 { break }
        }
        return nil
    }

    init(_ text: String) {
        let bytes = text.utf8
        guard bytes.contains(UInt8(ascii: "&")), bytes.contains(UInt8(ascii: "*")) else { return }
        var newest: [Substring: Int] = [:]
        var counts: [Int] = []
        var previous = UInt8(ascii: " ")
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            let next = bytes.index(after: index)
            if byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), !Self.isNameByte(previous) {
                let end =
                    bytes[next...].firstIndex { !Self.isNameByte($0) } ?? bytes.endIndex
                let name = text[next..<end]
                if byte == UInt8(ascii: "&"), !name.isEmpty {
                    newest[name] = counts.count
                    counts.append(0)
                } else if let anchor = newest[name] {
                    counts[anchor] += 1
                    if Self.isFollowedByColon(bytes[end...]) { mayHaveCompoundKeys = true }
                }
            } else if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") {
                if Self.isFollowedByColon(bytes[next...]) { mayHaveCompoundKeys = true }
            } else if byte == UInt8(ascii: "?"), !Self.isNameByte(previous) {
                mayHaveCompoundKeys = true
            }
            previous = byte
            index = next
        }
        references = counts.filter { $0 > 0 }
    }

    /// Whether the tree stays within the limits once its aliases are expanded.
    func permits(_ root: Yams.Node) -> Bool {
        var budget = Self.expandedNodeLimit
        return Self.spend(&budget, on: root, depth: 0)
    }

    private static func spend(_ budget: inout Int, on node: Yams.Node, depth: Int) -> Bool {
        budget -= 1
        guard budget > 0, depth < depthLimit else { return false }
        switch node {
        case .scalar, .alias: return true
        case .sequence(let sequence):
            for element in sequence {
                guard spend(&budget, on: element, depth: depth + 1) else { return false }
            }
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard spend(&budget, on: key, depth: depth + 1),
                    spend(&budget, on: value, depth: depth + 1)
                else { return false }
            }
        }
        return true
    }

    /// What an anchor's name may hold for the parser: letters, digits, `_` and `-`.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
            || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }

    private static func isFollowedByColon(_ rest: Substring.UTF8View) -> Bool {
        rest.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: ":")
    }
}
