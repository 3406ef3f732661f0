import NetworkTypes

/// What one Service port needs in the table: its chains and its elements.
///
/// Up to four chains a family, made only when something leads to them:
///
/// ```
/// firewall4/…  drop outside the source ranges, then ─┐   (load balancer addresses with ranges)
/// external4/…  mark for masquerade, then ────────────┤   (from outside, policy Cluster)
/// cluster4/…   one of all endpoints  ◄───────────────┤
/// local4/…     one of this node's endpoints  ◄───────┘
/// ```
///
/// `cluster` and `local` draw a number from a run of slots of their own; the map of the family's
/// endpoints makes it a destination. So an endpoint that takes another's place is two elements, no
/// rule, and one more or less is that and one rule.
struct ServiceRules: Sendable {
    /// The endpoints of a chain, one in each slot of its run from the first on.
    struct Spread: Sendable {
        let chain: String
        let family: IPAddress.Family
        let run: SlotAllocator.Run
        let endpoints: [ServiceChain.Endpoint]

        var elements: [SetElement] {
            endpoints.enumerated().map { offset, endpoint in
                SetElement(
                    .slot(family, run.first + UInt32(offset)),
                    .destination(endpoint.address, port: endpoint.port))
            }
        }
    }

    private(set) var chains: [RuleChain] = []
    /// Entrances and hairpins, which other Services may want too.
    private(set) var elements: [SetElement] = []
    private(set) var spreads: [Spread] = []

    /// Works out what `service` needs. It keeps those runs of `former` that still fit, and gives
    /// back the rest.
    init(_ service: ServiceChain, former: [Spread], _ allocator: inout SlotAllocator) {
        for family in IPAddress.Family.allCases {
            var frontends: [ServiceChain.Frontend] = []
            for frontend in service.frontends
            where frontend.family == family && !frontends.contains(frontend) {
                frontends.append(frontend)
            }
            guard !frontends.isEmpty else { continue }
            let endpoints = service.endpoints.filter { $0.address.family == family }.sorted {
                $0.address == $1.address ? $0.port < $1.port : $0.address < $1.address
            }
            let names = ChainNames(service.identity, family)
            addBalanced(service, family, frontends, endpoints, former, &allocator)
            addEntrances(service, family, frontends, names)
            for (index, endpoint) in endpoints.enumerated()
            where index == 0 || endpoints[index - 1].address != endpoint.address {
                elements.append(SetElement(.hairpin(endpoint.address)))
            }
        }
        for spread in former where !spreads.contains(where: { $0.run == spread.run }) {
            allocator.release(spread.run, spread.family)
        }
    }

    /// The chains that end the way: `cluster` and `local`, where something leads to them.
    private mutating func addBalanced(
        _ service: ServiceChain, _ family: IPAddress.Family, _ frontends: [ServiceChain.Frontend],
        _ endpoints: [ServiceChain.Endpoint], _ former: [Spread],
        _ allocator: inout SlotAllocator
    ) {
        let names = ChainNames(service.identity, family)
        let policies = frontends.map {
            $0.isExternal ? service.externalPolicy : service.internalPolicy
        }
        for policy in [ServiceChain.Policy.cluster, .local] where policies.contains(policy) {
            let name = names.balanced(policy)
            let usable = policy == .cluster ? endpoints : endpoints.filter(\.isLocal)
            guard !usable.isEmpty else {
                // With endpoints elsewhere, silence: the client's next packet may reach a node that
                // has one, while a refusal would be final.
                let isNowhere = endpoints.isEmpty
                let answer = isNowhere ? Rule.refusal(service.identity.transport) : Rule.drop
                chains.append(RuleChain(name, rules: [answer]))
                continue
            }
            let kept = former.first {
                $0.chain == name && $0.run.capacity == SlotAllocator.capacity(for: usable.count)
            }
            let run = kept?.run ?? allocator.allocate(usable.count, family)
            spreads.append(Spread(chain: name, family: family, run: run, endpoints: usable))
            // A packet that meets the map in the instant of a change finds no slot; it is dropped
            // and sent again, and never let through as it came.
            let spread = Rule.spread(
                family, service.affinity, first: run.first, count: UInt32(usable.count))
            chains.append(RuleChain(name, rules: [spread, Rule.drop]))
        }
    }

    /// The chains and elements by which traffic comes in, each after what it leads to.
    private mutating func addEntrances(
        _ service: ServiceChain, _ family: IPAddress.Family, _ frontends: [ServiceChain.Frontend],
        _ names: ChainNames
    ) {
        var external = names.balanced(service.externalPolicy)
        if service.externalPolicy == .cluster, frontends.contains(where: \.isExternal) {
            let rules = [Rule.mark, [.verdict(.goto(external))]]
            external = names.external
            chains.append(RuleChain(external, rules: rules))
        }
        var restricted = external
        if !service.sourceRanges.isEmpty, frontends.contains(where: \.isLoadBalancer) {
            let ranges = service.sourceRanges.filter { $0.family == family }.map(\.range)
            let rules = [Rule.outside(family, ranges), [.verdict(.goto(external))]]
            restricted = names.firewall
            chains.append(RuleChain(restricted, rules: rules))
        }
        let transport = service.identity.transport
        for frontend in frontends {
            switch frontend {
            case .loadBalancer(let address, let port):
                let key = SetElement.Key.frontend(address, transport, port: port)
                elements.append(SetElement(key, .goto(restricted)))
            case .clusterIP(let address, let port):
                let key = SetElement.Key.frontend(address, transport, port: port)
                let chain = names.balanced(service.internalPolicy)
                elements.append(SetElement(key, .goto(chain)))
            case .nodePort(let family, let port):
                let key = SetElement.Key.nodePort(family, transport, port: port)
                elements.append(SetElement(key, .goto(external)))
            }
        }
    }
}

/// The names of a Service port's chains: the role, the IP version, and whose they are.
private struct ChainNames {
    let suffix: String

    init(_ identity: ServiceChain.Identity, _ family: IPAddress.Family) {
        suffix = "\(family.rawValue)/\(identity)"
    }

    var firewall: String { "firewall" + suffix }
    var external: String { "external" + suffix }

    func balanced(_ policy: ServiceChain.Policy) -> String {
        (policy == .cluster ? "cluster" : "local") + suffix
    }
}

extension ServiceChain.Frontend {
    /// Whether traffic comes from outside the cluster.
    fileprivate var isExternal: Bool {
        if case .clusterIP = self { false } else { true }
    }

    fileprivate var isLoadBalancer: Bool {
        if case .loadBalancer = self { true } else { false }
    }
}
