public import NetworkTypes

/// One of the sets and maps of the table. Each exists once per family, from one description.
public enum NamedSet: Hashable, Sendable {
    /// `address . protocol . port` → chain: load balancer and cluster addresses.
    case frontends(IPAddress.Family)
    /// `protocol . port` → chain: ports on the node's own addresses.
    case nodePorts(IPAddress.Family)
    /// Slot number → `address . port` of an endpoint. Each chain that spreads over endpoints has a
    /// run of slots of its own in one of these maps.
    case endpoints(IPAddress.Family, shard: UInt32)
    /// `source . destination` of a connection from a backend to itself.
    case hairpins(IPAddress.Family)

    /// Those that are there whatever the Services are.
    public static let permanent: [NamedSet] = IPAddress.Family.allCases.flatMap {
        [.frontends($0), .nodePorts($0), .hairpins($0)]
    }

    /// The family of its addresses or traffic.
    public var family: IPAddress.Family {
        switch self {
        case .frontends(let family), .nodePorts(let family), .endpoints(let family, _),
            .hairpins(let family):
            family
        }
    }

    /// The name in the table: a word and the IP version.
    public var name: String {
        switch self {
        case .frontends(let family): "frontends\(family.rawValue)"
        case .nodePorts(let family): "node-ports\(family.rawValue)"
        case .endpoints(let family, let shard): "endpoints\(family.rawValue)-\(shard)"
        case .hairpins(let family): "hairpins\(family.rawValue)"
        }
    }
}

/// An element of a ``NamedSet``: what is matched, and what it leads to.
public struct SetElement: Hashable, Sendable {
    /// What is matched. It says which set it belongs to.
    public enum Key: Hashable, Sendable {
        /// An address, protocol and port of a Service.
        case frontend(IPAddress, ServiceChain.Transport, port: UInt16)
        /// A port of the node.
        case nodePort(IPAddress.Family, ServiceChain.Transport, port: UInt16)
        /// A number that a chain drew.
        case slot(IPAddress.Family, UInt32)
        /// A backend that may speak to itself.
        case hairpin(IPAddress)

        /// The set that such an element is in.
        public var set: NamedSet {
            switch self {
            case .frontend(let address, _, _): .frontends(address.family)
            case .nodePort(let family, _, _): .nodePorts(family)
            case .slot(let family, let number): SlotAllocator.set(family, number)
            case .hairpin(let address): .hairpins(address.family)
            }
        }
    }

    /// What a match leads to.
    public enum Value: Hashable, Sendable {
        /// Nothing: a member of a plain set.
        case none
        /// A chain to go to, for good.
        case goto(String)
        /// A new destination.
        case destination(IPAddress, port: UInt16)
    }

    /// What is matched.
    public let key: Key
    /// What it leads to.
    public let value: Value

    /// Makes an element.
    public init(_ key: Key, _ value: Value = .none) {
        self.key = key
        self.value = value
    }
}
