public import NetworkTypes

/// An element of a ``NamedSet``: what is matched, and what it leads to.
public struct SetElement: Hashable, Sendable {
    /// What is matched. It says which set it belongs to.
    public enum Key: Hashable, Sendable {
        /// An address, protocol and port of a Service.
        case frontend(IPAddress, ServiceChain.Transport, port: UInt16)
        /// A port of the node.
        case nodePort(IPAddress.Family, ServiceChain.Transport, port: UInt16)
        /// An address that is wholly a Service's.
        case address(IPAddress)
        /// A number that a chain drew.
        case slot(IPAddress.Family, UInt32)
        /// A number that a chain with affinity drew.
        case choice(IPAddress.Family, chain: String, UInt32)
        /// An endpoint of a chain with affinity, by its number.
        case living(IPAddress.Family, chain: String, UInt32)
        /// A backend that may speak to itself.
        case hairpin(IPAddress)
        /// An address, protocol and port of a Service whose packets are counted.
        case traffic(IPAddress, ServiceChain.Transport, port: UInt16)
        /// A port of the node whose packets are counted.
        case nodePortTraffic(IPAddress.Family, ServiceChain.Transport, port: UInt16)

        /// The set that such an element is in.
        public var set: NamedSet {
            switch self {
            case .frontend(let address, _, _): .frontends(address.family)
            case .nodePort(let family, _, _): .nodePorts(family)
            case .address(let address): .addresses(address.family)
            case .slot(let family, let number): SlotAllocator.set(family, number)
            case .choice(let family, let chain, _): .choices(family, chain: chain)
            case .living(let family, let chain, _): .living(family, chain: chain)
            case .hairpin(let address): .hairpins(address.family)
            case .traffic(let address, _, _): .traffic(address.family)
            case .nodePortTraffic(let family, _, _): .nodePortTraffic(family)
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
        /// The number of an endpoint.
        case number(UInt32)
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
