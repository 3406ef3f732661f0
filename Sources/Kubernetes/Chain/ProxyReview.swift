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
        /// Programs in the kernel, of a network plugin.
        case eBPF(String)

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
    /// Whether the kernel answers ARP for addresses of the dummy interface only where they are, on
    /// all interfaces to announce on; `nil` when it cannot be told.
    public let isARPStrict: Bool?
    /// What to set right.
    public let findings: [Finding]

    /// Judges what was seen.
    public init(_ facts: Facts, _ context: Context) {
        modes = Self.modes(facts)
        isARPStrict = Self.isARPStrict(facts, context)
        var findings: [Finding] = []
        Self.judgePresence(modes, facts, context, &findings)
        Self.judgeDummy(modes, isARPStrict, facts, context, &findings)
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
        if facts.dummyAddresses != nil { modes.insert(.ipvs) }
        // In IPVS mode kube-proxy has a chain KUBE-SERVICES as well.
        if !modes.contains(.ipvs) {
            if !facts.iptablesChains.isEmpty { modes.insert(.iptables(isLegacy: false)) }
            if !facts.legacyChains.isEmpty { modes.insert(.iptables(isLegacy: true)) }
        }
        for (interface, plugin) in programs where facts.interfaces.contains(interface) {
            modes.insert(.eBPF(plugin))
        }
        let isSeen = modes.contains { if case .eBPF = $0 { false } else { true } }
        if !isSeen {
            switch facts.statedMode {
            case "iptables"?: modes.insert(.iptables(isLegacy: false))
            case "nftables"?: modes.insert(.nftables)
            case "ipvs"?: modes.insert(.ipvs)
            default: break
            }
        }
        return modes.sorted()
    }

    /// Interfaces by which plugins are known that can do a proxy's work in programs.
    private static let programs = [("cilium_host", "Cilium"), ("bpfin.cali", "Calico")]

    private static func isARPStrict(_ facts: Facts, _ context: Context) -> Bool? {
        guard let all = facts.switches["all"] else { return nil }
        let interfaces = context.interfaces.isEmpty ? ["all"] : context.interfaces
        var isStrict = true
        for name in interfaces {
            // What the kernel goes by is the greater of the interface's own and that of `all`.
            let own = facts.switches[name]
            guard
                let ignore = [all.arpIgnore, own?.arpIgnore].compactMap(\.self).max(),
                let announce = [all.arpAnnounce, own?.arpAnnounce].compactMap(\.self).max()
            else { return nil }
            isStrict = isStrict && ignore >= 1 && announce >= 2
        }
        return isStrict
    }

    // MARK: Judgements

    private static func judgePresence(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        let proxies = modes.filter { if case .eBPF = $0 { false } else { true } }
        if modes.isEmpty, context.isInCluster, !context.carriesTraffic, facts.seesTables {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "nobody takes traffic for Services on to endpoints: no kube-proxy and no "
                        + "network plugin that stands in for it can be seen",
                    remedy: "run kube-proxy, or start the speaker with --dataplane nftables"))
        }
        if let first = modes.first, context.carriesTraffic {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "\(first) and Martlet both take traffic for Services on; Martlet's "
                        + "chains come first",
                    remedy: "start the speaker with --dataplane none, or remove the other one "
                        + "(kube-proxy --cleanup)"))
        }
        if proxies.count > 1 {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "there are rules of more than one mode of kube-proxy: "
                        + proxies.map(\.description).joined(separator: ", "),
                    remedy: "remove what a former mode left: kube-proxy --cleanup, then restart it"
                ))
        }
        if let stated = facts.statedMode, !proxies.isEmpty, facts.seesTables,
            !proxies.contains(where: { $0.name == stated })
        {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "kube-proxy says that its mode is \(stated), but only rules of "
                        + "\(proxies.map(\.name).joined(separator: ", ")) are there",
                    remedy: "look at kube-proxy's log: it may not have its rules in yet"))
        }
    }

    private static func judgeDummy(
        _ modes: [Mode], _ isARPStrict: Bool?, _ facts: Facts, _ context: Context,
        _ findings: inout [Finding]
    ) {
        guard modes.contains(.ipvs) else { return }
        if facts.virtualServers == 0, facts.dummyAddresses?.isEmpty == false {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "\(facts.dummyName) holds addresses of Services, but IPVS has no virtual "
                        + "server: they lead nowhere",
                    remedy: "look at kube-proxy's log; if its mode is another one now, remove what "
                        + "is left: kube-proxy --cleanup"))
        }
        guard isARPStrict == false else { return }
        let held = (facts.dummyAddresses ?? []).intersection(context.addresses)
            .filter { $0.family == .ipv4 }.sorted()
        let shown = held.prefix(3).map(\.description).joined(separator: ", ")
        let more = held.count > 3 ? " and \(held.count - 3) more" : ""
        findings.append(
            Finding(
                severity: held.isEmpty ? .warning : .error,
                rule: held.isEmpty
                    ? "strict ARP is off: once kube-proxy has an address on \(facts.dummyName), "
                        + "the kernel answers for it here, whoever owns it"
                    : "the kernel of this node answers ARP for \(shown)\(more) on "
                        + "\(facts.dummyName), whoever owns the address",
                remedy: "set ipvs.strictARP: true in kube-proxy's configuration, or sysctl -w "
                    + "net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"))
    }

    private static func judgeForwarding(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        // Programs at the interface pass packets on themselves; of its own data plane Martlet says
        // it with the families that have endpoints.
        let needsIt = modes.contains { if case .eBPF = $0 { false } else { true } }
        guard needsIt, !context.carriesTraffic else { return }
        for family in Set(context.addresses.map(\.family)).sorted(by: { $0.rawValue < $1.rawValue })
        where facts.forwarding[family] == false {
            let name = family == .ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "\(family.apiName) packets are not passed on, so endpoints are out of "
                        + "reach",
                    remedy: "sysctl -w \(name)=1"))
        }
    }

    private static func judgeBridges(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        let usesFilter =
            context.carriesTraffic
            || modes.contains { if case .eBPF = $0 { false } else { true } }
        guard facts.hasBridge, usesFilter else { return }
        for family in IPAddress.Family.allCases where facts.bridgeCalls[family] == false {
            let name = "net.bridge.bridge-nf-call-ip\(family == .ipv6 ? "6" : "")tables"
            findings.append(
                Finding(
                    severity: .notice,
                    rule: "bridged \(family.apiName) packets do not pass the packet filter: a Pod "
                        + "does not reach a Service whose endpoint is on its own bridge",
                    remedy: "where Pods are on a bridge: sysctl -w \(name)=1"))
        }
    }

    private static func judgeReversePath(
        _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        guard context.interfaces.count > 1 else { return }
        let all = facts.switches["all"]?.rpFilter ?? 0
        let strict = context.interfaces.sorted().filter {
            max(all, facts.switches[$0]?.rpFilter ?? 0) == 1
        }
        guard let first = strict.first else { return }
        findings.append(
            Finding(
                severity: .notice,
                rule: "strict reverse path filtering is on (\(strict.joined(separator: ", "))): a "
                    + "client whose way back leaves by another interface is not heard",
                remedy: "where that is so: sysctl -w net.ipv4.conf.\(first).rp_filter=2"))
    }
}

extension ProxyReview.Mode: CustomStringConvertible {
    /// As kube-proxy's own flag has it, or the plugin.
    public var name: String {
        switch self {
        case .iptables: "iptables"
        case .nftables: "nftables"
        case .ipvs: "ipvs"
        case .eBPF(let plugin): plugin
        }
    }

    /// With where it is to be seen.
    public var description: String {
        switch self {
        case .iptables(isLegacy: false): "kube-proxy (iptables, over nf_tables)"
        case .iptables(isLegacy: true): "kube-proxy (iptables, legacy)"
        case .nftables: "kube-proxy (nftables)"
        case .ipvs: "kube-proxy (ipvs)"
        case .eBPF(let plugin): "\(plugin) (eBPF)"
        }
    }
}
