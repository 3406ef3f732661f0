/// A chain of the table: its name, where packets enter it when it is a base chain, and its rules.
public struct RuleChain: Hashable, Sendable {
    /// A place in the kernel's packet path. The first three translate addresses, and see only the
    /// first packet of each connection; the others count, and see every packet.
    public enum Hook: Hashable, Sendable {
        /// Connections that come in, before routing.
        case prerouting
        /// Connections of this node's own processes.
        case output
        /// Connections that go out, after routing.
        case postrouting
        /// Every packet that comes in, before routing.
        case trafficIn
        /// Every packet of this node's own processes.
        case trafficOut
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
