public import NetworkTypes

/// One of the sets and maps of the table. Each exists once per family, from one description.
public enum NamedSet: Hashable, Sendable {
    /// `address . protocol . port` → chain: load balancer, cluster and external addresses.
    case frontends(IPAddress.Family)
    /// `protocol . port` → chain: ports on the node's own addresses.
    case nodePorts(IPAddress.Family)
    /// Address → chain: what becomes of traffic to an address of ours that no Service port wants.
    case addresses(IPAddress.Family)
    /// Slot number → `address . port` of an endpoint. Each chain that spreads over endpoints has a
    /// run of slots of its own in one of these maps.
    case endpoints(IPAddress.Family, shard: UInt32)
    /// `source . destination` of a connection from a backend to itself.
    case hairpins(IPAddress.Family)
    /// `address . protocol . port` whose packets are counted.
    case traffic(IPAddress.Family)
    /// `protocol . port` on the node's own addresses whose packets are counted.
    case nodePortTraffic(IPAddress.Family)
    /// Slot number → number of an endpoint, for one chain with affinity.
    case choices(IPAddress.Family, chain: String)
    /// Number of an endpoint → its `address . port`, for one chain with affinity.
    case living(IPAddress.Family, chain: String)
    /// Source → number of the endpoint that a chain sent it to last. The kernel itself adds its
    /// elements, and lets them go when their time is over.
    case affinity(IPAddress.Family, chain: String)

    /// How many clients one chain remembers. Those beyond it are served, and not remembered.
    public static let maximumAffinities: UInt32 = 65_536

    /// Those that are there whatever the Services are.
    public static func permanent(_ options: Ruleset.Options = .init()) -> [NamedSet] {
        IPAddress.Family.allCases.flatMap { family -> [NamedSet] in
            let lookups: [NamedSet] = [
                .frontends(family), .nodePorts(family), .addresses(family), .hairpins(family),
            ]
            guard options.counters == .traffic else { return lookups }
            return lookups + [.traffic(family), .nodePortTraffic(family)]
        }
    }

    /// The family of its addresses or traffic.
    public var family: IPAddress.Family {
        switch self {
        case .frontends(let family), .nodePorts(let family), .addresses(let family),
            .endpoints(let family, _), .choices(let family, _), .living(let family, _),
            .hairpins(let family), .traffic(let family), .nodePortTraffic(let family),
            .affinity(let family, _):
            family
        }
    }

    /// The name in the table: a word and the IP version, or a word and whose it is.
    public var name: String {
        switch self {
        case .frontends(let family): "frontends\(family.rawValue)"
        case .nodePorts(let family): "node-ports\(family.rawValue)"
        case .addresses(let family): "addresses\(family.rawValue)"
        case .endpoints(let family, let shard): "endpoints\(family.rawValue)-\(shard)"
        case .hairpins(let family): "hairpins\(family.rawValue)"
        case .traffic(let family): "traffic\(family.rawValue)"
        case .nodePortTraffic(let family): "node-port-traffic\(family.rawValue)"
        case .choices(_, let chain): "choices-" + chain
        case .living(_, let chain): "living-" + chain
        case .affinity(_, let chain): "affinity-" + chain
        }
    }

    /// Whether the kernel makes its elements itself, so that nobody else knows them.
    public var isDynamic: Bool { if case .affinity = self { true } else { false } }

    /// Whether each of its elements counts how often it is looked up.
    public func counts(_ options: Ruleset.Options) -> Bool {
        switch self {
        case .frontends, .nodePorts, .endpoints, .living: options.counters != .none
        case .traffic, .nodePortTraffic: true
        case .addresses, .hairpins, .choices, .affinity: false
        }
    }
}

extension NamedSet {
    /// The set of this name, `nil` when Martlet has none of it.
    public init?(name: String) {
        for family in IPAddress.Family.allCases {
            let fixed: [NamedSet] = [
                .frontends(family), .nodePorts(family), .addresses(family), .hairpins(family),
                .traffic(family), .nodePortTraffic(family),
            ]
            if let set = fixed.first(where: { $0.name == name }) {
                self = set
                return
            }
            let shards = "endpoints\(family.rawValue)-"
            if name.hasPrefix(shards), let shard = UInt32(name.dropFirst(shards.count)),
                name == NamedSet.endpoints(family, shard: shard).name
            {
                self = .endpoints(family, shard: shard)
                return
            }
            for policy in ["cluster", "local"] {
                let chains = "\(policy)\(family.rawValue)/"
                let own: [(String, (IPAddress.Family, String) -> NamedSet)] = [
                    ("affinity-", NamedSet.affinity), ("choices-", NamedSet.choices),
                    ("living-", NamedSet.living),
                ]
                for (prefix, set) in own where name.hasPrefix(prefix + chains) {
                    self = set(family, String(name.dropFirst(prefix.count)))
                    return
                }
            }
        }
        return nil
    }
}
