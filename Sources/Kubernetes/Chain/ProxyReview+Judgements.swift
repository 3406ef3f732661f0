import NetworkTypes

extension ProxyReview {
    static func judgePresence(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        let proxies = modes.filter(\.isKubeProxy)
        judgePlugins(modes, facts, context, &findings)
        if modes.isEmpty, context.isInCluster, !context.carriesTraffic, facts.seesTables {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "nobody takes traffic for Services on to endpoints: no kube-proxy and no "
                        + "network plugin that stands in for it can be seen",
                    remedy: "run kube-proxy, or start the speaker with --dataplane nftables"))
        }
        if let first = modes.first(where: \.isCertain), context.carriesTraffic {
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

    /// Plugins that take traffic on if they are told to, which cannot be seen from here.
    static func judgePlugins(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        for case .plugin(let plugin) in modes {
            guard let setting = plugin.setting else { continue }
            if context.carriesTraffic {
                findings.append(
                    Finding(
                        severity: .notice,
                        rule:
                            "\(plugin.name) is on this node, and with \(setting) it takes traffic "
                            + "for Services on, as Martlet does",
                        remedy: "where \(setting) is set, start the speaker with --dataplane none"))
            } else if context.isInCluster, facts.seesTables {
                findings.append(
                    Finding(
                        severity: .notice,
                        rule:
                            "there is no kube-proxy, and \(plugin.name) takes traffic for Services "
                            + "on only with \(setting), which cannot be seen from here",
                        remedy: "see that \(setting) is set, or run kube-proxy, or start the "
                            + "speaker with --dataplane nftables"))
            }
        }
    }

    static func judgeDummy(
        _ modes: [Mode], _ conduct: ARPConduct?, _ facts: Facts, _ context: Context,
        _ findings: inout [Finding]
    ) {
        guard let dummyAddresses = facts.dummyAddresses else { return }
        if facts.virtualServers == 0, !dummyAddresses.isEmpty {
            findings.append(
                Finding(
                    severity: .warning,
                    rule: "\(facts.dummyName) holds addresses of Services, but IPVS has no virtual "
                        + "server: they lead nowhere",
                    remedy: "look at kube-proxy's log; if its mode is another one now, remove what "
                        + "is left: kube-proxy --cleanup"))
        }
        guard let conduct, conduct != .strict else { return }
        // What a former mode left and no Service of ours has harms nobody.
        let held = dummyAddresses.intersection(context.addresses)
            .filter { $0.family == .ipv4 }.sorted()
        guard !held.isEmpty || modes.contains(.ipvs) else { return }
        let shown =
            held.prefix(3).map(\.description).joined(separator: ", ")
            + (held.count > 3 ? " and \(held.count - 3) more" : "")
        let rule =
            switch conduct {
            case .answersForThem where held.isEmpty:
                "strict ARP is off: once kube-proxy has an address on \(facts.dummyName), the "
                    + "kernel answers for it here, whoever owns it"
            case .answersForThem:
                "the kernel of this node answers ARP for \(shown) on \(facts.dummyName), whoever "
                    + "owns the address"
            case .asksWithThem, .strict:
                "arp_announce is below 2: with an address of \(facts.dummyName) as its source the "
                    + "kernel asks for others, and who hears it takes this node for the owner"
            }
        findings.append(
            Finding(
                severity: conduct == .answersForThem && !held.isEmpty ? .error : .warning,
                rule: rule,
                remedy: "set ipvs.strictARP: true in kube-proxy's configuration, or "
                    + "\(ARPConduct.remedy)"))
    }

    static func judgeForwarding(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        // Programs at the interface pass packets on themselves; of its own data plane Martlet says
        // it with the families that have endpoints.
        guard modes.contains(where: \.isKubeProxy), !context.carriesTraffic else { return }
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

    static func judgeBridges(
        _ modes: [Mode], _ facts: Facts, _ context: Context, _ findings: inout [Finding]
    ) {
        let usesFilter = context.carriesTraffic || modes.contains(where: \.isKubeProxy)
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

    static func judgeReversePath(
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
