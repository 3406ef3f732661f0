/// A chain of the table: its name, where packets enter it when it is a base chain, and its rules.
public struct RuleChain: Hashable, Sendable {
    /// A place in the kernel's packet path. All of Martlet's base chains translate addresses.
    public enum Hook: Hashable, Sendable {
        /// Every packet that comes in, before routing.
        case prerouting
        /// Packets of this node's own processes.
        case output
        /// Every packet that goes out, after routing.
        case postrouting
    }

    /// The name, at most 255 bytes.
    public let name: String
    /// Where packets enter; `nil` for a chain that others lead to.
    public let hook: Hook?
    /// The rules in order.
    public let rules: [Rule]

    /// Makes a chain.
    public init(_ name: String, hook: Hook? = nil, rules: [Rule]) {
        self.name = name
        self.hook = hook
        self.rules = rules
    }
}
