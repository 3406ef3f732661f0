import Kubernetes
import NetworkTypes
import Testing

@Suite("Which proxy runs, and what keeps it and Martlet apart")
struct ProxyReviewTests {
    private func facts(_ change: (inout ProxyReview.Facts) -> Void) -> ProxyReview.Facts {
        var facts = ProxyReview.Facts()
        facts.seesTables = true
        facts.switches["all"] = .init(arpIgnore: 0, arpAnnounce: 0, rpFilter: 0)
        change(&facts)
        return facts
    }

    private let beside = ProxyReview.Context(carriesTraffic: false)

    @Test("each mode is known by its marks")
    func modes() {
        let cases: [(ProxyReview.Mode, (inout ProxyReview.Facts) -> Void)] = [
            (.nftables, { $0.nftablesTables = [.ipv4] }),
            (.iptables(isLegacy: false), { $0.iptablesChains = [.ipv4, .ipv6] }),
            (.iptables(isLegacy: true), { $0.legacyChains = [.ipv4] }),
            (.ipvs, { $0.dummyAddresses = [] }),
            (.plugin(.cilium), { $0.interfaces = ["cilium_host", "eth0"] }),
            (.plugin(.calico), { $0.interfaces = ["bpfin.cali"] }),
            (.plugin(.antrea), { $0.interfaces = ["antrea-gw0"] }),
            (.plugin(.ovnKubernetes), { $0.interfaces = ["ovn-k8s-mp0"] }),
        ]
        for (mode, change) in cases {
            let review = ProxyReview(facts(change), beside)
            #expect(review.modes == [mode])
            #expect(review.summary(beside) == mode.description)
        }
    }

    @Test("the chains that kube-proxy has in IPVS mode, too, are no mode of their own")
    func ipvsChains() {
        let review = ProxyReview(
            facts {
                $0.dummyAddresses = []
                $0.iptablesChains = [.ipv4]
            }, beside)
        #expect(review.modes == [.ipvs])
    }

    @Test("the interface that a former IPVS mode left does not hide what is there now")
    func formerDummy() throws {
        let address = try #require(IPAddress("198.18.0.1"))
        let iptables = ProxyReview.Mode.iptables(isLegacy: false)
        func modes(_ servers: Int?, _ stated: String?) -> [ProxyReview.Mode] {
            ProxyReview(
                facts {
                    $0.dummyAddresses = [address]
                    $0.virtualServers = servers
                    $0.statedMode = stated
                    $0.iptablesChains = [.ipv4]
                }, beside
            ).modes
        }
        #expect(modes(0, nil) == [iptables])
        #expect(modes(0, "iptables") == [iptables])
        #expect(modes(nil, "iptables") == [iptables])
        #expect(modes(nil, nil) == [.ipvs])
        #expect(modes(7, nil) == [.ipvs])
        #expect(modes(0, "ipvs") == [.ipvs])
        #expect(modes(7, "iptables").sorted() == [.ipvs, iptables].sorted())
        let left = ProxyReview(facts { $0.dummyAddresses = [] }, beside)
        #expect(left.modes == [.ipvs])
    }

    @Test("a plugin that need not do a proxy's work is worth a notice with its own setting")
    func plugins() throws {
        for (interface, setting) in [
            ("cilium_host", "kubeProxyReplacement"), ("antrea-gw0", "proxyAll"),
        ] {
            let alone = facts { $0.interfaces = [interface] }
            let review = ProxyReview(alone, beside)
            #expect(review.findings.map(\.severity) == [.notice])
            #expect(review.findings.first?.remedy.contains(setting) == true)
            #expect(review.findings.first?.remedy.contains("--dataplane nftables") == true)
            let two = ProxyReview(alone, .init(carriesTraffic: true))
            #expect(two.findings.map(\.severity) == [.notice])
            #expect(two.findings.first?.remedy.contains("--dataplane none") == true)
            var besides = alone
            besides.nftablesTables = [.ipv4]
            let quiet = ProxyReview(besides, beside)
            #expect(quiet.modes == [.nftables] && quiet.findings.isEmpty)
        }
        let always = facts { $0.interfaces = ["ovn-k8s-mp0"] }
        #expect(ProxyReview(always, beside).findings.isEmpty)
        let both = ProxyReview(always, .init(carriesTraffic: true))
        #expect(both.findings.map(\.severity) == [.warning])
    }

    @Test("who may not look at the tables believes kube-proxy's own word")
    func stated() {
        var blind = ProxyReview.Facts()
        blind.statedMode = "iptables"
        #expect(ProxyReview(blind, beside).modes == [.iptables(isLegacy: false)])
        blind.statedMode = nil
        let review = ProxyReview(blind, beside)
        #expect(review.modes.isEmpty && review.findings.isEmpty)
    }

    @Test("nobody at all is a warning, unless Martlet does it itself")
    func nobody() {
        let review = ProxyReview(facts { _ in }, beside)
        #expect(review.findings.map(\.severity) == [.warning])
        #expect(review.findings.first?.remedy.contains("--dataplane nftables") == true)
        #expect(
            ProxyReview(facts { _ in }, .init(carriesTraffic: true)).findings.isEmpty)
    }

    @Test("two data planes on one node, and rules of two modes, are warned about")
    func two() {
        let both = ProxyReview(
            facts { $0.nftablesTables = [.ipv4] }, .init(carriesTraffic: true))
        #expect(both.findings.map(\.severity) == [.warning])
        #expect(both.findings.first?.remedy.contains("--dataplane none") == true)
        let left = ProxyReview(
            facts {
                $0.nftablesTables = [.ipv4]
                $0.iptablesChains = [.ipv4]
            }, beside)
        #expect(left.modes.count == 2)
        #expect(left.findings.first?.remedy.contains("--cleanup") == true)
    }

    @Test("a mode that kube-proxy states and that has no rules is noticed")
    func notYet() {
        let review = ProxyReview(
            facts {
                $0.statedMode = "nftables"
                $0.iptablesChains = [.ipv4]
            }, beside)
        #expect(review.findings.contains { $0.rule.contains("says that its mode is nftables") })
    }

    @Test("an address on kube-ipvs0 without strict ARP is an error that names it and the switch")
    func dummy() throws {
        let address = try #require(IPAddress("192.0.2.10"))
        let six = try #require(IPAddress("2001:db8::10"))
        let context = ProxyReview.Context(carriesTraffic: false, addresses: [address, six])
        let review = ProxyReview(facts { $0.dummyAddresses = [address, six] }, context)
        #expect(review.conduct == .answersForThem)
        let finding = try #require(review.findings.first)
        #expect(finding.severity == .error)
        #expect(finding.rule.contains("192.0.2.10") && !finding.rule.contains("2001:db8"))
        #expect(finding.remedy.contains("strictARP") && finding.remedy.contains("arp_ignore=1"))
        let other = ProxyReview(facts { $0.dummyAddresses = [] }, context)
        #expect(other.findings.map(\.severity) == [.warning])
    }

    @Test("arp_announce alone is a warning that names it: the kernel does not answer then")
    func announce() throws {
        let address = try #require(IPAddress("192.0.2.10"))
        let review = ProxyReview(
            facts {
                $0.dummyAddresses = [address]
                $0.switches["all"] = .init(arpIgnore: 1, arpAnnounce: 1)
            }, .init(carriesTraffic: false, addresses: [address]))
        let finding = try #require(review.findings.first)
        #expect(review.findings.count == 1 && finding.severity == .warning)
        #expect(finding.rule.contains("arp_announce") && !finding.rule.contains("answers"))
    }

    @Test("addresses on kube-ipvs0 without a virtual server are left over")
    func leftOver() throws {
        let address = try #require(IPAddress("198.18.0.1"))
        let review = ProxyReview(
            facts {
                $0.dummyAddresses = [address]
                $0.virtualServers = 0
                $0.iptablesChains = [.ipv4]
                $0.switches["all"] = .init(arpIgnore: 1, arpAnnounce: 2)
            }, beside)
        #expect(review.findings.count == 1)
        #expect(review.findings.first?.rule.contains("no virtual server") == true)
    }

    @Test("whoever announces from a folder may have other means than a proxy")
    func folder() {
        let context = ProxyReview.Context(carriesTraffic: false, isInCluster: false)
        #expect(ProxyReview(facts { _ in }, context).findings.isEmpty)
    }

    @Test("what the kernel does goes by the greater of all and the interface, the worst of ours")
    func strict() {
        func conduct(
            _ all: (Int, Int), _ eth0: (Int, Int)?, _ names: Set<String>
        ) -> ARPConduct? {
            var switches: [String: ProxyReview.Facts.Switches] = [
                "all": .init(arpIgnore: all.0, arpAnnounce: all.1)
            ]
            if let eth0 { switches["eth0"] = .init(arpIgnore: eth0.0, arpAnnounce: eth0.1) }
            return ARPConduct(switches, on: names)
        }
        #expect(conduct((1, 2), nil, []) == .strict)
        #expect(conduct((0, 0), (1, 2), ["eth0"]) == .strict)
        #expect(conduct((0, 2), (1, 0), ["eth0"]) == .strict)
        #expect(conduct((8, 2), nil, ["eth0"]) == .strict)
        #expect(conduct((0, 0), (1, 2), ["eth0", "eth1"]) == .answersForThem)
        #expect(conduct((1, 1), (0, 0), ["eth0"]) == .asksWithThem)
        #expect(conduct((1, 0), (0, 2), ["eth0", "eth1"]) == .asksWithThem)
        // 3 keeps back addresses of scope host alone, and those of a dummy are global.
        #expect(conduct((3, 2), nil, []) == .answersForThem)
        #expect(ARPConduct([:], on: []) == nil)
    }

    @Test("forwarding that is off matters for the families of our addresses")
    func forwarding() throws {
        let address = try #require(IPAddress("2001:db8::10"))
        let review = ProxyReview(
            facts {
                $0.iptablesChains = [.ipv6]
                $0.forwarding = [.ipv4: false, .ipv6: false]
            }, .init(carriesTraffic: false, addresses: [address]))
        #expect(review.findings.map(\.remedy) == ["sysctl -w net.ipv6.conf.all.forwarding=1"])
    }

    @Test("bridges and strict reverse paths are worth a notice where they can matter")
    func notices() {
        let review = ProxyReview(
            facts {
                $0.nftablesTables = [.ipv4]
                $0.hasBridge = true
                $0.bridgeCalls = [.ipv4: false, .ipv6: true]
                $0.switches["eth1"] = .init(rpFilter: 1)
            }, .init(carriesTraffic: false, interfaces: ["eth0", "eth1"]))
        #expect(review.findings.map(\.severity) == [.notice, .notice])
        #expect(review.findings[0].remedy.contains("bridge-nf-call-iptables=1"))
        #expect(review.findings[1].remedy.contains("net.ipv4.conf.eth1.rp_filter=2"))
    }
}
