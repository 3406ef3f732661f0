import NetworkTypes

/// What one Service port needs in the table: its chains and its elements.
///
/// Up to four chains a family, made only when something leads to them:
///
/// ```
/// firewall4/…  drop outside the source ranges, then ─┐   (load balancer addresses with ranges)
/// external4/…  mark for masquerade, then ────────────┤   (from outside, policy Cluster)
/// origin4/…    from inside, or not: either  ─────────┤   (from outside, policy Local)
/// cluster4/…   one of all endpoints  ◄───────────────┤
/// local4/…     one of this node's endpoints  ◄───────┘
/// ```
///
/// `cluster` and `local` draw a number from a run of slots of their own; the map of the family's
/// endpoints makes it a destination. So an endpoint that takes another's place is two elements, no
/// rule, and one more or less is that and one rule; with the consistent choice it is elements only.
///
/// With affinity a chain has three maps of its own, in which endpoints have numbers that stay
/// theirs: see ``Rule/affine(_:in:slots:seconds:)``.
struct ServiceRules: Sendable {
    private(set) var chains: [RuleChain] = []
    /// Entrances and hairpins, which other Services may want too.
    private(set) var elements: [SetElement] = []
    private(set) var spreads: [Spread] = []

    /// The maps that are this Service port's alone.
    var sets: [NamedSet] { spreads.flatMap(\.sets) }

    /// Works out what `service` needs. It keeps those runs of `former` that still fit, and gives
    /// back the rest.
    init(
        _ service: ServiceChain, _ options: Ruleset.Options, former: [Spread],
        _ allocator: inout SlotAllocator
    ) {
        for family in IPAddress.Family.allCases {
            var frontends: [ServiceChain.Frontend] = []
            for frontend in service.frontends
            where frontend.family == family && !frontends.contains(frontend) {
                frontends.append(frontend)
            }
            guard !frontends.isEmpty else { continue }
            let endpoints = Self.distinct(service.endpoints.filter { $0.address.family == family })
            let names = ChainNames(service.identity, family)
            addBalanced(service, family, frontends, endpoints, former, &allocator)
            addEntrances(service, family, frontends, names)
            if options.counters == .traffic { addTraffic(service, frontends) }
            for (index, endpoint) in endpoints.enumerated()
            where index == 0 || endpoints[index - 1].address != endpoint.address {
                elements.append(SetElement(.hairpin(endpoint.address)))
            }
        }
        for spread in former {
            guard let run = spread.run, !spreads.contains(where: { $0.run == run }) else {
                continue
            }
            allocator.release(run, spread.family)
        }
    }

    /// Endpoints in order, each place once: a chain would count one that is named twice as two, and
    /// the kernel refuses an element that comes twice.
    private static func distinct(
        _ endpoints: [ServiceChain.Endpoint]
    ) -> [ServiceChain.Endpoint] {
        let sorted = endpoints.sorted { ($0.address, $0.port) < ($1.address, $1.port) }
        var distinct: [ServiceChain.Endpoint] = []
        for endpoint in sorted {
            guard let last = distinct.last, last.address == endpoint.address,
                last.port == endpoint.port
            else {
                distinct.append(endpoint)
                continue
            }
            distinct[distinct.count - 1] = ServiceChain.Endpoint(
                last.address, port: last.port, isLocal: last.isLocal || endpoint.isLocal,
                servesCluster: last.servesCluster || endpoint.servesCluster)
        }
        return distinct
    }

    /// The chains that end the way: `cluster` and `local`, where something leads to them.
    private mutating func addBalanced(
        _ service: ServiceChain, _ family: IPAddress.Family, _ frontends: [ServiceChain.Frontend],
        _ endpoints: [ServiceChain.Endpoint], _ former: [Spread],
        _ allocator: inout SlotAllocator
    ) {
        let names = ChainNames(service.identity, family)
        for policy in service.policies(at: frontends) {
            let name = names.balanced(policy)
            let usable = endpoints.filter { $0.serves(policy) }
            guard !usable.isEmpty else {
                // With endpoints elsewhere, silence: the client's next packet may reach a node that
                // has one, while a refusal would be final.
                let isNowhere = !endpoints.contains(where: \.servesCluster)
                let answer = isNowhere ? Rule.refusal(service.identity.transport) : Rule.drop
                chains.append(RuleChain(name, rules: [answer]))
                continue
            }
            let slots = service.choice == .consistent ? ConsistentSlots.assign(usable) : usable
            var run: SlotAllocator.Run?
            if service.affinity == .none {
                let capacity = SlotAllocator.capacity(for: slots.count)
                let kept = former.first { $0.chain == name && $0.run?.capacity == capacity }
                run = kept?.run ?? allocator.allocate(slots.count, family, for: name)
            }
            let spread = Spread(
                chain: name, family: family, run: run, endpoints: usable, slots: slots,
                affinity: service.affinity)
            spreads.append(spread)
            chains.append(spread.ruleChain(service.choice))
        }
    }

    /// The chains and elements by which traffic comes in, each after what it leads to.
    private mutating func addEntrances(
        _ service: ServiceChain, _ family: IPAddress.Family, _ frontends: [ServiceChain.Frontend],
        _ names: ChainNames
    ) {
        var external = names.balanced(service.externalPolicy)
        if frontends.contains(where: \.isExternal) {
            let onwards: Rule = [.verdict(.goto(external))]
            switch service.externalPolicy {
            case .cluster:
                external = names.external
                chains.append(RuleChain(external, rules: [Rule.mark, onwards]))
            case .local:
                external = names.origin
                let inside = Rule.inside(
                    family, podSubnets: service.podSubnets, to: names.balanced(.cluster))
                chains.append(RuleChain(external, rules: inside + [onwards]))
            }
        }
        var restricted = external
        if !service.sourceRanges.isEmpty, frontends.contains(where: \.isLoadBalancer) {
            let ranges = service.sourceRanges.filter { $0.family == family }.map(\.range)
            let rules = [Rule.outside(family, ranges), [.verdict(.goto(external))]]
            restricted = names.firewall
            chains.append(RuleChain(restricted, rules: rules))
        }
        let transport = service.identity.transport
        // Where one address is several things, the way that may be restricted counts.
        let ordered = frontends.filter(\.isLoadBalancer) + frontends.filter { !$0.isLoadBalancer }
        for frontend in ordered {
            switch frontend {
            case .loadBalancer(let address, let port):
                lead(.frontend(address, transport, port: port), to: restricted)
                lead(.address(address), to: RuleChain.loadBalancerAddress)
            case .clusterIP(let address, let port):
                let chain = names.balanced(service.internalPolicy)
                lead(.frontend(address, transport, port: port), to: chain)
                lead(.address(address), to: RuleChain.clusterAddress)
            case .externalIP(let address, let port):
                // Other ports of such an address are whose it is.
                lead(.frontend(address, transport, port: port), to: external)
            case .nodePort(let family, let port):
                lead(.nodePort(family, transport, port: port), to: external)
            }
        }
    }

    /// What leads somewhere already goes on to lead there.
    private mutating func lead(_ key: SetElement.Key, to chain: String) {
        guard !elements.contains(where: { $0.key == key }) else { return }
        elements.append(SetElement(key, .goto(chain)))
    }
}

extension ServiceRules {
    /// The elements by which the packets of what comes in are counted.
    private mutating func addTraffic(
        _ service: ServiceChain, _ frontends: [ServiceChain.Frontend]
    ) {
        let transport = service.identity.transport
        for frontend in frontends {
            let key: SetElement.Key =
                switch frontend {
                case .loadBalancer(let address, let port), .clusterIP(let address, let port),
                    .externalIP(let address, let port):
                    .traffic(address, transport, port: port)
                case .nodePort(let family, let port):
                    .nodePortTraffic(family, transport, port: port)
                }
            guard !elements.contains(where: { $0.key == key }) else { continue }
            elements.append(SetElement(key))
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
    var origin: String { "origin" + suffix }

    func balanced(_ policy: ServiceChain.Policy) -> String {
        (policy == .cluster ? "cluster" : "local") + suffix
    }
}

extension ServiceChain.Frontend {
    /// Whether traffic comes from outside the cluster.
    var isExternal: Bool {
        if case .clusterIP = self { false } else { true }
    }

    fileprivate var isLoadBalancer: Bool {
        if case .loadBalancer = self { true } else { false }
    }
}
