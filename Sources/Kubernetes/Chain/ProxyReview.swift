import NetworkTypes

/// Says which proxy takes traffic for Services on to endpoints on a node, in which mode, and what
/// of the node's settings keeps Martlet and it from going together.
public struct ProxyReview: Hashable, Sendable {
    /// A way in which Services' traffic is taken on.
    public enum Mode: Hashable, Sendable, Comparable {
        /// kube-proxy's rules of iptables; over the older kernel interface or over nf_tables.
        case iptables(isLegacy: Bool)
        /// kube-proxy's tables of nf_tables.
        case nftables
        /// IPVS, by kube-proxy or kube-router.
        case ipvs
        /// A network plugin, which does it itself, or can be told to.
        case plugin(NetworkPlugin)

        /// By name, so that equal facts read alike.
        public static func < (left: Self, right: Self) -> Bool {
            left.description < right.description
        }
    }

    /// Something to be set right.
    public struct Finding: Hashable, Sendable {
        /// How much it matters.
        public var severity: Problem.Severity
        /// What is so.
        public var rule: String
        /// What to do.
        public var remedy: String
    }

    /// What Martlet does on the node, and for which addresses.
    public struct Context: Hashable, Sendable {
        /// Whether Martlet's own data plane runs.
        public var carriesTraffic: Bool
        /// Whether the node belongs to a cluster, so that somebody has to take traffic on. Who
        /// announces from a folder may have other means.
        public var isInCluster: Bool
        /// The load balancer addresses that this node may announce.
        public var addresses: Set<IPAddress>
        /// The interfaces to announce on.
        public var interfaces: Set<String>

        /// Describes it.
        public init(
            carriesTraffic: Bool, isInCluster: Bool = true, addresses: Set<IPAddress> = [],
            interfaces: Set<String> = []
        ) {
            self.carriesTraffic = carriesTraffic
            self.isInCluster = isInCluster
            self.addresses = addresses
            self.interfaces = interfaces
        }
    }

    /// Every mode whose marks are there; more than one when a former proxy left its own behind.
    public let modes: [Mode]
    /// What the kernel does with ARP about addresses of the dummy interface; `nil` when it cannot
    /// be told.
    public let conduct: ARPConduct?
    /// What to set right.
    public let findings: [Finding]

    /// Judges what was seen.
    public init(_ facts: Facts, _ context: Context) {
        modes = Self.modes(facts)
        conduct = ARPConduct(facts.switches, on: context.interfaces)
        var findings: [Finding] = []
        Self.judgePresence(modes, facts, context, &findings)
        Self.judgeDummy(modes, conduct, facts, context, &findings)
        Self.judgeForwarding(modes, facts, context, &findings)
        Self.judgeBridges(modes, facts, context, &findings)
        Self.judgeReversePath(facts, context, &findings)
        self.findings = findings
    }

    /// One line: who takes traffic on.
    public func summary(_ context: Context) -> String {
        let names = modes.map(\.description)
        let own = context.carriesTraffic ? ["Martlet (table inet martlet)"] : []
        let all = names + own
        return all.isEmpty ? "nobody that can be seen" : all.joined(separator: " and ")
    }

    // MARK: Modes

    private static func modes(_ facts: Facts) -> [Mode] {
        var modes: Set<Mode> = []
        if !facts.nftablesTables.isEmpty { modes.insert(.nftables) }
        if hasIPVS(facts) { modes.insert(.ipvs) }
        // In IPVS mode kube-proxy has a chain KUBE-SERVICES as well.
        let isChainOfIPVS =
            modes.contains(.ipvs) && facts.statedMode.map { $0 == "ipvs" } ?? true
        if !isChainOfIPVS {
            if !facts.iptablesChains.isEmpty { modes.insert(.iptables(isLegacy: false)) }
            if !facts.legacyChains.isEmpty { modes.insert(.iptables(isLegacy: true)) }
        }
        if modes.isEmpty {
            switch facts.statedMode {
            case "iptables"?: modes.insert(.iptables(isLegacy: false))
            case "nftables"?: modes.insert(.nftables)
            case "ipvs"?: modes.insert(.ipvs)
            default: break
            }
        }
        for plugin in NetworkPlugin.allCases where facts.interfaces.contains(plugin.interface) {
            // Beside kube-proxy a plugin that need not do its work most often leaves it alone.
            if plugin.setting == nil || modes.isEmpty { modes.insert(.plugin(plugin)) }
        }
        return modes.sorted()
    }

    /// Whether IPVS takes traffic on. The dummy alone may be what a former mode left, for
    /// kube-proxy does not remove it; so is one without any virtual server, unless kube-proxy says
    /// otherwise.
    private static func hasIPVS(_ facts: Facts) -> Bool {
        guard facts.dummyAddresses != nil else { return false }
        if let servers = facts.virtualServers, servers > 0 { return true }
        return facts.statedMode.map { $0 == "ipvs" } ?? (facts.virtualServers == nil)
    }
}

extension ProxyReview.Mode: CustomStringConvertible {
    /// As kube-proxy's own flag has it, or the plugin.
    public var name: String {
        switch self {
        case .iptables: "iptables"
        case .nftables: "nftables"
        case .ipvs: "ipvs"
        case .plugin(let plugin): plugin.name
        }
    }

    /// Whether it is not a network plugin.
    var isKubeProxy: Bool { if case .plugin = self { false } else { true } }

    /// Whether what is seen of it means that it takes traffic on.
    var isCertain: Bool {
        guard case .plugin(let plugin) = self else { return true }
        return plugin.setting == nil
    }

    /// With where it is to be seen.
    public var description: String {
        switch self {
        case .iptables(isLegacy: false): "kube-proxy (iptables, over nf_tables)"
        case .iptables(isLegacy: true): "kube-proxy (iptables, legacy)"
        case .nftables: "kube-proxy (nftables)"
        case .ipvs: "kube-proxy (ipvs)"
        case .plugin(let plugin):
            plugin.setting.map { "\(plugin.name) (with \($0))" } ?? plugin.name
        }
    }
}
