import Dataplane
import NetworkTypes

/// The way that Martlet's table gives to one flow, as the kernel has it.
package struct KernelWay: Equatable, Sendable {
    /// Where the flow's address and port lead; `nil` when they are no entrance.
    package private(set) var entrance: String?
    /// The chain that spreads over endpoints; `nil` when there is none.
    package private(set) var spread: String?
    /// The endpoints that it draws from, each once, in order.
    package private(set) var endpoints: [SocketAddress] = []
    /// Slots that lead nowhere.
    package private(set) var emptySlots = 0

    /// Follows a flow from its entrance to endpoints.
    package init(
        to address: IPAddress, port: UInt16, _ transport: ServiceChain.Transport,
        in table: KernelTable
    ) {
        let key = SetElement.Key.frontend(address, transport, port: port)
        guard case .goto(let chain)? = table.elements[key] else { return }
        entrance = chain
        spread = Self.spread(from: chain, table)
        guard let spread else { return }
        guard let slots = table.adoption.runs[spread] else {
            follow(affine: spread, in: table)
            return
        }
        var found: Set<SocketAddress> = []
        for slot in slots {
            if case .destination(let address, let port)? =
                table.elements[.slot(address.family, slot)]
            {
                found.insert(SocketAddress(address, port: port))
            } else {
                emptySlots += 1
            }
        }
        endpoints = found.sorted()
    }

    /// Where clients are bound to endpoints a place is drawn, which has a number, which has an
    /// endpoint.
    private mutating func follow(affine chain: String, in table: KernelTable) {
        var living: [UInt32: SocketAddress] = [:]
        var drawn: [UInt32] = []
        for (key, value) in table.elements {
            switch (key, value) {
            case (.living(_, chain: chain, let number), .destination(let address, let port)):
                living[number] = SocketAddress(address, port: port)
            case (.choice(_, chain: chain, _), .number(let number)): drawn.append(number)
            default: continue
            }
        }
        endpoints = Set(drawn.compactMap { living[$0] }).sorted()
        emptySlots = drawn.count { living[$0] == nil }
    }

    /// The chain that an entrance ends in: they are named by their role, and otherwise alike.
    private static func spread(from chain: String, _ table: KernelTable) -> String? {
        guard let slash = chain.firstIndex(of: "/") else { return nil }
        let role = chain[..<slash]
        let rest = chain[slash...]
        guard let version = role.last, ["4", "6"].contains(version) else { return nil }
        let names: [String] =
            switch role.dropLast() {
            case "cluster", "local": [chain]
            case "external": ["cluster\(version)\(rest)"]
            // What begins inside the cluster goes another way; a client outside is meant here.
            case "origin": ["local\(version)\(rest)"]
            case "firewall":
                // Behind a firewall chain, policy Cluster has the one that marks for masquerade.
                table.hasChain("external\(version)\(rest)")
                    ? ["cluster\(version)\(rest)"] : ["local\(version)\(rest)"]
            default: []
            }
        return names.first { table.hasChain($0) }
    }
}
