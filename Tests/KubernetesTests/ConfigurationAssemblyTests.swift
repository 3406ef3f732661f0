import NetworkTypes
import Testing

@testable import Kubernetes

@Suite struct ConfigurationAssemblyTests {
    private let lan = ("IPAddressPool", "lan", "{addresses: [192.0.2.0/24]}")
    private let all = ("L2Advertisement", "all", "{}")
    private let peer = ("BGPPeer", "tor", "{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1}")

    private func sole(_ problems: [Problem]) throws -> Problem {
        #expect(problems.errors.count == 1, "\(problems)")
        return try #require(problems.errors.first)
    }

    // MARK: Pools

    @Test func `of two pools that overlap the later by name is refused, with pool and range`()
        throws
    {
        let (configuration, problems) = assembled(
            documents(
                ("IPAddressPool", "b", "{addresses: [198.51.100.0/24, 192.0.2.128/25]}"),
                ("IPAddressPool", "a", "{addresses: [192.0.2.0-192.0.2.130]}"), all))
        #expect(Array(configuration.pools.keys) == ["a"])
        let error = try sole(problems)
        #expect(error.object == "IPAddressPool metallb-system/b")
        #expect(error.field == "spec.addresses[1]")
        #expect(error.file == "all.yaml" && error.line == 5)
        #expect(
            error.rule.contains(
                "192.0.2.128/25 overlaps 192.0.2.0-192.0.2.130 of IPAddressPool metallb-system/a"))
        #expect(error.remedy.contains("one pool only"))
    }

    @Test func `pools that touch do not overlap`() {
        let (configuration, problems) = assembled(
            documents(
                ("IPAddressPool", "a", "{addresses: [192.0.2.0/25]}"),
                ("IPAddressPool", "b", "{addresses: [192.0.2.128/25, '2001:db8::/64']}"),
                ("IPAddressPool", "c", "{addresses: ['2001:db8:0:1::/64']}"), all))
        #expect(configuration.pools.count == 3)
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test func `a newcomer never pushes out a pool that is in force, whatever its name`() throws {
        var assembler = SnapshotAssembler()
        _ = assembled(documents(lan, all), with: &assembler)
        let (configuration, problems) = assembled(
            documents(lan, all, ("IPAddressPool", "a", "{addresses: [192.0.2.9/32]}")),
            with: &assembler)
        #expect(Array(configuration.pools.keys) == ["lan"])
        #expect(try sole(problems).object == "IPAddressPool metallb-system/a")
    }

    @Test func `a pool edited into an overlap keeps its last good version`() throws {
        var assembler = SnapshotAssembler()
        let other = ("IPAddressPool", "wan", "{addresses: [198.51.100.0/24]}")
        _ = assembled(documents(lan, other, all), with: &assembler)
        let edited = ("IPAddressPool", "lan", "{addresses: [192.0.2.0/24, 198.51.100.7/32]}")
        for _ in 0..<2 {
            let (configuration, problems) = assembled(
                documents(edited, other, all), with: &assembler)
            #expect(configuration.pools["lan"]?.addresses.map(\.description) == ["192.0.2.0/24"])
            #expect(configuration.pools["wan"] != nil)
            #expect(try sole(problems).object == "IPAddressPool metallb-system/lan")
            #expect(problems.notices.contains { $0.rule.contains("last good version") })
        }
        let (configuration, problems) = assembled(documents(edited, all), with: &assembler)
        #expect(configuration.pools["lan"]?.addresses.count == 2, "the obstacle is gone")
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test func `a pool that cannot be read any more keeps its last good version until deleted`() {
        var assembler = SnapshotAssembler()
        _ = assembled(documents(lan, all), with: &assembler)
        let broken = ("IPAddressPool", "lan", "{addresses: [192.0.2.0/99]}")
        var (configuration, problems) = assembled(documents(broken, all), with: &assembler)
        #expect(configuration.pools["lan"]?.addresses.map(\.description) == ["192.0.2.0/24"])
        #expect(problems.errors.count == 1)
        (configuration, problems) = assembled(documents(all), with: &assembler)
        #expect(configuration.pools.isEmpty)
        (configuration, problems) = assembled(documents(broken, all), with: &assembler)
        #expect(configuration.pools.isEmpty, "what was deleted does not come back")
    }

    @Test func `addresses may go from one pool to another in one edit`() {
        var assembler = SnapshotAssembler()
        _ = assembled(
            documents(
                ("IPAddressPool", "a", "{addresses: [192.0.2.0/25]}"),
                ("IPAddressPool", "b", "{addresses: [192.0.2.128/25]}"), all), with: &assembler)
        let (configuration, problems) = assembled(
            documents(
                ("IPAddressPool", "a", "{addresses: [192.0.2.0/24]}"),
                ("IPAddressPool", "b", "{addresses: [198.51.100.0/25]}"), all), with: &assembler)
        #expect(configuration.pools["a"]?.addresses.map(\.description) == ["192.0.2.0/24"])
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test func `one bad pool takes nothing from its neighbours`() {
        let (configuration, problems) = assembled(
            documents(
                ("IPAddressPool", "bad", "{addresses: [x]}"), lan, all,
                ("BGPPeer", "bad", "{myASN: 0}"), peer))
        #expect(Array(configuration.pools.keys) == ["lan"])
        #expect(Array(configuration.bgpPeers.keys) == ["tor"])
        #expect(configuration.l2Advertisements.count == 1)
        #expect(Set(problems.errors.map(\.object)) == ["IPAddressPool bad", "BGPPeer bad"])
    }

    @Test func `objects outside the configuration namespace are not used, with a warning`() {
        let text = """
            apiVersion: metallb.io/v1beta1
            kind: IPAddressPool
            metadata: {name: lan, namespace: shop}
            spec: {addresses: [192.0.2.0/24]}
            """
        let (configuration, problems) = assembled(text)
        #expect(configuration.pools.isEmpty)
        #expect(problems.map(\.severity) == [.warning])
        #expect(problems.first?.field == "metadata.namespace")
        #expect(problems.first?.rule.contains("metallb-system") == true)
    }

    // MARK: Advertisements

    @Test func `an advertisement of an unknown pool is refused with the name that was meant`()
        throws
    {
        let (configuration, problems) = assembled(
            documents(lan, ("L2Advertisement", "a", "{ipAddressPools: [lam]}")))
        #expect(configuration.l2Advertisements.isEmpty)
        let error = try sole(problems)
        #expect(error.object == "L2Advertisement metallb-system/a")
        #expect(error.field == "spec.ipAddressPools[0]" && error.line == 10)
        #expect(error.rule == "there is no pool lam")
        #expect(error.remedy == "did you mean lan?")
    }

    @Test func `one unknown pool is an error, but the other pools stay announced`() throws {
        let (configuration, problems) = assembled(
            documents(lan, ("L2Advertisement", "a", "{ipAddressPools: [lan, gone]}")))
        let pool = try #require(configuration.pools["lan"])
        #expect(configuration.l2Advertisements["a"]?.selects(pool) == true)
        #expect(try sole(problems).field == "spec.ipAddressPools[1]")
    }

    @Test func `an advertisement of a pool that is refused itself goes on`() {
        let (configuration, problems) = assembled(
            documents(
                lan, ("IPAddressPool", "bad", "{addresses: []}"),
                ("L2Advertisement", "a", "{ipAddressPools: [lan, bad]}")))
        #expect(configuration.l2Advertisements.count == 1)
        #expect(problems.errors.map(\.object) == ["IPAddressPool bad"])
        #expect(problems.warnings.map(\.field) == ["spec.ipAddressPools[1]"])
    }

    @Test func `an advertisement that selects no pool gets a warning`() {
        let (_, problems) = assembled(
            documents(
                lan, all,
                ("L2Advertisement", "b", "{ipAddressPoolSelectors: [{matchLabels: {a: b}}]}")))
        #expect(problems.warnings.map(\.object) == ["L2Advertisement metallb-system/b"])
        #expect(problems.errors.isEmpty)
    }

    @Test(
        "Blocks may be as wide as the widest block of an address entry, and no wider",
        arguments: [
            ("192.0.2.0/24", "aggregationLength: 24", true),
            ("192.0.2.0/24", "aggregationLength: 23", false),
            ("192.0.2.0-192.0.2.130", "aggregationLength: 25", true),
            ("192.0.2.0-192.0.2.130", "aggregationLength: 24", false),
            ("\"2001:db8::/64\"", "aggregationLengthV6: 64", true),
            ("\"2001:db8::/64\"", "aggregationLengthV6: 63", false),
            ("\"2001:db8::/64\"", "aggregationLength: 1", true),
        ])
    func aggregation(_ addresses: String, _ length: String, _ fits: Bool) throws {
        let (configuration, problems) = assembled(
            documents(
                ("IPAddressPool", "lan", "{addresses: [\(addresses)]}"),
                ("BGPAdvertisement", "a", "{\(length)}")))
        #expect((configuration.bgpAdvertisements["a"] != nil) == fits)
        guard !fits else {
            #expect(problems.errors.isEmpty)
            return
        }
        let error = try sole(problems)
        #expect(error.field == "spec.\(length.prefix { $0 != ":" })")
        #expect(error.rule.contains("IPAddressPool metallb-system/lan"))
    }

    @Test func `a pool that is too small is left out, and the others stay announced`() throws {
        let (configuration, problems) = assembled(
            documents(
                lan, ("IPAddressPool", "small", "{addresses: [198.51.100.0/28]}"),
                ("BGPAdvertisement", "a", "{aggregationLength: 24}")))
        let advertisement = try #require(configuration.bgpAdvertisements["a"])
        #expect(advertisement.selects(try #require(configuration.pools["lan"])))
        #expect(!advertisement.selects(try #require(configuration.pools["small"])))
        #expect(problems.errors.count == 1)
    }

    @Test(
        "Two localPrefs clash only for the same pool, aggregation, peer and node",
        arguments: [
            ("{localPref: 5}", "{localPref: 6}", true),
            ("{localPref: 5}", "{}", true),
            ("{localPref: 5}", "{localPref: 5}", false),
            ("{}", "{localPref: 0}", false),
            ("{localPref: 5, aggregationLength: 31}", "{localPref: 6}", false),
            ("{localPref: 5, peers: [tor]}", "{localPref: 6, peers: [tor2]}", false),
            ("{localPref: 5, peers: [tor]}", "{localPref: 6}", true),
            (
                "{localPref: 5, nodeSelectors: [{matchLabels: {r: a}}]}",
                "{localPref: 6, nodeSelectors: [{matchLabels: {r: b}}]}", false
            ),
            (
                "{localPref: 5, nodeSelectors: [{matchLabels: {r: a}}]}",
                "{localPref: 6, nodeSelectors: [{matchLabels: {s: b}}]}", true
            ),
            (
                "{localPref: 5, ipAddressPools: [lan]}", "{localPref: 6, ipAddressPools: [wan]}",
                false
            ),
        ])
    func localPref(_ first: String, _ second: String, _ clash: Bool) {
        let second2 = ("BGPPeer", "tor2", "{myASN: 1, peerASN: 2, peerAddress: 192.0.2.2}")
        let node = """
            ---
            apiVersion: v1
            kind: Node
            metadata: {name: n1, labels: {r: a, s: b}}

            """
        let (configuration, problems) = assembled(
            node
                + documents(
                    lan, ("IPAddressPool", "wan", "{addresses: [198.51.100.0/24]}"), peer, second2,
                    ("BGPAdvertisement", "a", first), ("BGPAdvertisement", "b", second)))
        #expect(configuration.bgpAdvertisements["a"] != nil)
        #expect((configuration.bgpAdvertisements["b"] == nil) == clash, "\(problems)")
        #expect(problems.errors.allSatisfy { $0.field == "spec.localPref" })
        #expect(problems.errors.isEmpty != clash)
    }

    @Test func `an unknown community refuses the advertisement, an alias or known name does not`()
        throws
    {
        let alias = ("Community", "c", "{communities: [{name: ours, value: '64500:7'}]}")
        var (configuration, problems) = assembled(
            documents(lan, alias, ("BGPAdvertisement", "a", "{communities: [ours, blackhole]}")))
        let advertisement = try #require(configuration.bgpAdvertisements["a"])
        #expect(
            advertisement.communities.map { configuration.value(of: $0)?.description }
                == ["64500:7", "65535:666"])
        (configuration, problems) = assembled(
            documents(lan, alias, ("BGPAdvertisement", "a", "{communities: [our]}")))
        #expect(configuration.bgpAdvertisements.isEmpty)
        #expect(try sole(problems).field == "spec.communities[0]")
        #expect(try sole(problems).remedy == "did you mean ours?")
    }

    @Test func `community names are unique in the cluster`() throws {
        let (configuration, problems) = assembled(
            documents(
                ("Community", "a", "{communities: [{name: x, value: '1:1'}]}"),
                ("Community", "b", "{communities: [{name: x, value: '1:2'}]}")))
        #expect(configuration.communities["x"]?.description == "1:1")
        let error = try sole(problems)
        #expect(error.object == "Community metallb-system/b")
        #expect(error.rule.contains("Community metallb-system/a"))
    }

    @Test func `an unknown BGP peer in an advertisement is an error`() throws {
        let (configuration, problems) = assembled(
            documents(lan, peer, ("BGPAdvertisement", "a", "{peers: [tro]}")))
        #expect(configuration.bgpAdvertisements.isEmpty)
        #expect(try sole(problems).rule == "there is no peer tro")
        #expect(try sole(problems).remedy == "did you mean tor?")
    }
}
