import NetworkTypes

/// By what a rule in the kernel is known again: a digest of its expressions, which travels with it
/// as user data (`NFTA_RULE_USERDATA`) and which the kernel hands back as it was.
///
/// The expressions themselves come back in another shape than they were sent in (sets inside rules
/// get names, defaults get values), so they are not compared. Nobody can change a rule and leave
/// its user data: the kernel knows only new rules, and those carry the user data of their maker.
///
/// Beside it are the numbers that the rule draws, so that a process that finds the table knows
/// which slots are in use.
struct RuleDigest: Hashable, Sendable {
    /// The user data is a run of type, length, value. The `nft` tool passes over types that it does
    /// not know.
    private static let digestType: UInt8 = 0x6d
    private static let slotsType: UInt8 = 0x6e

    let value: UInt64
    let slots: Range<UInt32>?

    /// The digest of what the kernel is told of the rule.
    init(_ rule: Rule) {
        var writer = NetlinkWriter(capacity: 512)
        for expression in rule {
            writer.nested(Nft.Rule.expression) { expression.write(to: &$0, anonymousSet: nil) }
        }
        self.init(rule, expressions: writer.bytes)
    }

    /// The same, from the bytes that tell the kernel of the expressions. They name no set inside
    /// the rule: its number is another each time, and what it holds is told apart from the rule.
    init(_ rule: Rule, expressions: some Sequence<UInt8>) {
        var inside = NetlinkWriter(capacity: 0)
        for case .isOutside(_, let ranges) in rule {
            for range in ranges {
                range.first.write(to: &inside)
                range.last.write(to: &inside)
            }
        }
        value = StableHash.of(
            expressions, seed: inside.bytes.isEmpty ? 0 : StableHash.of(inside.bytes))
        slots = rule.slots
    }

    /// As the kernel keeps it.
    var userData: [UInt8] {
        var writer = NetlinkWriter(capacity: 20)
        writer.append([Self.digestType, 8])
        writer.network(value)
        if let slots {
            writer.append([Self.slotsType, 8])
            writer.network(slots.lowerBound)
            writer.network(slots.upperBound)
        }
        return writer.bytes
    }

    /// What the kernel kept; `nil` when that is no digest of ours.
    init?(userData: Span<UInt8>) {
        guard let value = userData.note(Self.digestType) else { return nil }
        self.value = value
        slots = userData.note(Self.slotsType).flatMap {
            let (first, end) = (UInt32($0 >> 32), UInt32(truncatingIfNeeded: $0))
            return first < end ? first..<end : nil
        }
    }
}
