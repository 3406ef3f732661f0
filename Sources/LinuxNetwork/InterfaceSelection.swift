import NetworkTypes

/// Which interfaces addresses are announced on.
///
/// Without a list: every Ethernet interface that is not a container's or a tunnel's by its name.
/// With one: those named, whatever their kind, as long as they speak ARP. A port of a bridge, bond
/// or team sees nothing useful itself; its master stands for it, under both names. A VRF is no such
/// master: its members keep their own traffic.
package struct InterfaceSelection: Equatable, Sendable {
    /// The names given by the operator; empty means no restriction.
    package let allowed: Set<String>

    /// A selection of the named interfaces, or of all suitable ones.
    package init(allowed: Set<String> = []) {
        self.allowed = allowed
    }

    /// An interface to announce on.
    package struct Binding: Equatable, Sendable {
        /// The interface.
        package let link: Link
        /// Its own name and those of the ports it stands for.
        package let names: Set<String>
    }

    /// Why an interface is used, or is not.
    package enum Verdict: Equatable, Sendable {
        case used
        /// Stands back for its master, of that name.
        case port(of: String)
        /// Not Ethernet, a loopback, or without ARP.
        case speaksNoARP
        /// Its name is that of a container or overlay interface.
        case virtualName
        /// The operator's list leaves it out.
        case notListed
    }

    /// Names that container networks and tunnels use for what is no LAN.
    private static let virtualNames = [
        "docker", "cbr", "virbr", "lxcbr", "lxc", "veth", "cali", "tunl", "flannel", "kube-ipvs",
        "cni", "nodelocaldns", "dummy",
    ]

    /// How many masters above one another are followed; more is a loop.
    private static let maximumDepth = 8

    /// The interfaces to announce on, by index.
    package func bindings(in table: LinkTable) -> [Binding] {
        var names: [Int: Set<String>] = [:]
        for link in table.links.values {
            guard let top = Self.top(of: link, in: table) else { continue }
            names[top.index, default: []].insert(link.name)
        }
        return names.compactMap { index, names in
            guard let link = table.links[index], verdict(on: link, names: names) == .used
            else { return nil }
            return Binding(link: link, names: names)
        }.sorted { $0.link.index < $1.link.index }
    }

    /// Why `link` is used or not.
    package func verdict(on link: Link, in table: LinkTable) -> Verdict {
        guard let top = Self.top(of: link, in: table) else { return .speaksNoARP }
        guard top.index == link.index else { return .port(of: top.name) }
        let ports = table.links.values.filter { Self.top(of: $0, in: table)?.index == link.index }
        return verdict(on: link, names: Set(ports.map(\.name)))
    }

    private func verdict(on link: Link, names: Set<String>) -> Verdict {
        guard link.isEthernet else { return .speaksNoARP }
        if !allowed.isEmpty { return allowed.isDisjoint(with: names) ? .notListed : .used }
        return Self.virtualNames.contains { link.name.hasPrefix($0) } ? .virtualName : .used
    }

    private static func top(of link: Link, in table: LinkTable) -> Link? {
        var top = link
        for _ in 0..<maximumDepth {
            guard let index = top.master, let master = table.links[index], master.kind != "vrf"
            else { return top }
            top = master
        }
        return nil
    }
}
