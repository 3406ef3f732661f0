import Dataplane
import NetworkTypes
import Testing

/// Short ways to write Services in tests.
enum Example {
    static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    static func service(
        _ name: String = "web", transport: ServiceChain.Transport = .tcp,
        frontends: [ServiceChain.Frontend], endpoints: [ServiceChain.Endpoint] = []
    ) -> ServiceChain {
        ServiceChain(
            identity: .init(
                namespace: "default", service: name, port: "http", transport: transport),
            frontends: frontends, endpoints: endpoints)
    }

    /// A load balancer address, a cluster address and a node port; one endpoint here, one
    /// elsewhere.
    static func web() throws -> ServiceChain {
        service(
            frontends: [
                .loadBalancer(try address("203.0.113.10"), port: 80),
                .clusterIP(try address("198.18.0.10"), port: 80),
                .nodePort(.ipv4, port: 32000),
            ],
            endpoints: [
                .init(try address("192.0.2.1"), port: 8080, isLocal: true),
                .init(try address("192.0.2.2"), port: 8080, isLocal: false),
            ])
    }
}

/// A table as the kernel would have it: differences are applied in their order, and whatever the
/// kernel would refuse is recorded.
struct TableModel: Equatable {
    var sets: Set<NamedSet> = []
    var chains: [String: [Rule]] = [:]
    var elements: [SetElement.Key: SetElement.Value] = [:]
    var refusals: [String] = []

    mutating func apply(_ diff: RulesetDiff) {
        if diff.replacesTable { self = TableModel() }
        for set in diff.addedSets where !sets.insert(set).inserted {
            refusals.append("set \(set.name) exists")
        }
        for chain in diff.addedChains where chains.updateValue([], forKey: chain.name) != nil {
            refusals.append("chain \(chain.name) exists")
        }
        for element in diff.removedElements
        where elements.removeValue(forKey: element.key) != element.value {
            refusals.append("no element \(element)")
        }
        for element in diff.addedElements {
            if !sets.contains(element.key.set) { refusals.append("no set for \(element)") }
            if elements.updateValue(element.value, forKey: element.key) != nil {
                refusals.append("element \(element) exists")
            }
        }
        for chain in diff.writtenChains
        where chains.updateValue(chain.rules, forKey: chain.name) == nil {
            refusals.append("no chain \(chain.name)")
        }
        for name in diff.removedChains where chains.removeValue(forKey: name) == nil {
            refusals.append("no chain \(name)")
        }
        for name in diff.removedSets {
            guard let set = sets.first(where: { $0.name == name }) else {
                refusals.append("no set \(name)")
                continue
            }
            sets.remove(set)
        }
        for set in usedSets.subtracting(sets) { refusals.append("a rule uses \(set.name)") }
        for target in targets where chains[target] == nil {
            refusals.append("nothing at \(target)")
        }
    }

    /// Every chain that something leads to.
    private var targets: Set<String> {
        var targets: Set<String> = []
        for case .goto(let chain) in elements.values { targets.insert(chain) }
        for expression in chains.values.joined().joined() {
            switch expression {
            case .verdict(.goto(let chain)), .verdict(.jump(let chain)): targets.insert(chain)
            default: break
            }
        }
        return targets
    }

    /// Every set that a rule uses.
    private var usedSets: Set<NamedSet> {
        var used: Set<NamedSet> = []
        for expression in chains.values.joined().joined() {
            switch expression {
            case .isMember(_, let set), .dispatch(_, let set), .find(_, let set, _),
                .remember(_, _, let set, _), .forget(_, _, let set):
                used.insert(set)
            default: break
            }
        }
        return used
    }

    /// The chain that a packet to a frontend enters first.
    func entrance(_ key: SetElement.Key) -> String? {
        guard case .goto(let chain) = elements[key] else { return nil }
        return chain
    }

    /// The destinations in the slots that a chain's rules draw from.
    func destinations(of chain: String) -> [SetElement.Value] {
        for rule in chains[chain] ?? [] {
            for expression in rule {
                switch expression {
                case .anyOf(let first, let count, _), .hash(_, _, _, let first, let count):
                    let isIPv6 = chain.prefix { $0 != "/" }.hasSuffix("6")
                    let family: IPAddress.Family = isIPv6 ? .ipv6 : .ipv4
                    return (first..<first + count).compactMap { elements[.slot(family, $0)] }
                default: break
                }
            }
        }
        return []
    }
}
