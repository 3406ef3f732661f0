import Testing

@testable import Kubernetes

@Suite struct ConfigurationAdvertisementTests {
    private static let l2 = "L2Advertisement"
    private static let bgp = "BGPAdvertisement"
    private static let bfd = "BFDProfile"

    static let cases: [ConfigurationCase] = [
        .accepts(l2, "interfaces: [eth0, br-lan.10]"),
        .refuses(
            l2, "interfaces: [eth0, eth0]", at: "spec.interfaces[1]", "repeats eth0", "remove"),
        .refuses(
            l2, "interfaces: [a123456789012345]", at: "spec.interfaces[0]", "name of an interface",
            "1 to 15"),
        .refuses(l2, "ipAddressPools: [a, a]", at: "spec.ipAddressPools[1]", "repeats a", "remove"),
        .accepts(l2, "preferredNodeSelectors:\n- weight: 1\n  preference: {}"),
        .accepts(l2, "preferredNodeSelectors:\n- weight: 100\n  preference: {}"),
        .refuses(
            l2, "preferredNodeSelectors:\n- weight: 0\n  preference: {}",
            at: "spec.preferredNodeSelectors[0].weight", line: 6, "0 is out of range", "1 to 100"),
        .refuses(
            l2, "preferredNodeSelectors:\n- weight: 101\n  preference: {}",
            at: "spec.preferredNodeSelectors[0].weight", line: 6, "101 is out of range",
            "1 to 100"),
        .refuses(
            l2, "preferredNodeSelectors:\n- weight: 5",
            at: "spec.preferredNodeSelectors[0].preference",
            line: 6, "is required", "preference"),
        .accepts(l2, "reannounceInterval: 0"),
        .accepts(l2, "reannounceInterval: 1m"),
        .accepts(l2, "reannounceInterval: 86400"),
        .refuses(
            l2, "reannounceInterval: 86401", at: "spec.reannounceInterval", "out of range", "0"),
        .accepts(l2, "preemption: Gradual"),
        .refuses(
            l2, "preemption: gradual", at: "spec.preemption", "not one of Never, Gradual, Always",
            "did you mean \"Gradual\"?"),
        .refuses(
            l2, "nodeSelectors:\n- matchLabel: {a: b}", at: "spec.nodeSelectors[0].matchLabel",
            line: 6, "is not a known field", "matchLabels"),
        .accepts(bgp, "aggregationLength: 1\naggregationLengthV6: 1"),
        .accepts(bgp, "aggregationLength: 32\naggregationLengthV6: 128"),
        .refuses(
            bgp, "aggregationLength: 0", at: "spec.aggregationLength", "out of range", "1 to 32"),
        .refuses(
            bgp, "aggregationLength: 33", at: "spec.aggregationLength", "out of range", "1 to 32"),
        .refuses(
            bgp, "aggregationLengthV6: 129", at: "spec.aggregationLengthV6", "out of range",
            "1 to 128"),
        .accepts(bgp, "localPref: 4294967295"),
        .refuses(
            bgp, "localPref: 4294967296", at: "spec.localPref", "out of range", "4294967295"),
        .accepts(bgp, "communities: ['65535:65535', 'large:4294967295:0:1', no-export]"),
        .refuses(
            bgp, "communities: ['65536:1']", at: "spec.communities[0]",
            "\"65536:1\" is not a community", "a:b"),
        .refuses(
            bgp, "communities: ['large:1:2']", at: "spec.communities[0]", "is not a community",
            "large:a:b:c"),
        .refuses(
            bgp, "communities: ['1:2', '01:2']", at: "spec.communities[1]", "repeats 01:2",
            "remove"),
        .accepts(bgp, "communities: [" + communities(63) + "]"),
        .refuses(
            bgp, "communities: [" + communities(64) + "]", at: "spec.communities", "64 entries",
            "at most 63"),
        .accepts(bgp, "serviceSelectors: [{matchLabels: {a: b}}]"),
        .refuses(
            bgp, "serviceSelectors: [{matchLabels: {a: b}}]\naggregationLength: 31",
            at: "spec.serviceSelectors", "aggregationLength 31", "32 and 128"),
        .refuses(bgp, "peers: [a, a]", at: "spec.peers[1]", "repeats a", "remove"),
        .accepts(bfd, "receiveInterval: 10\ntransmitInterval: 60000"),
        .refuses(
            bfd, "receiveInterval: 9", at: "spec.receiveInterval", "out of range", "10 to 60000"),
        .refuses(
            bfd, "transmitInterval: 60001", at: "spec.transmitInterval", "out of range",
            "10 to 60000"),
        .accepts(bfd, "detectMultiplier: 2"),
        .accepts(bfd, "detectMultiplier: 255"),
        .refuses(
            bfd, "detectMultiplier: 1", at: "spec.detectMultiplier", "out of range", "2 to 255"),
        .refuses(
            bfd, "detectMultiplier: 256", at: "spec.detectMultiplier", "out of range", "2 to 255"),
        .refuses(bfd, "echoInterval: 9", at: "spec.echoInterval", "out of range", "10 to 60000"),
        .accepts(bfd, "minimumTtl: 254"),
        .refuses(bfd, "minimumTtl: 255", at: "spec.minimumTtl", "out of range", "1 to 254"),
        .refuses(bfd, "minimumTtl: 0", at: "spec.minimumTtl", "out of range", "1 to 254"),
        .refuses(bfd, "minimumTTL: 5", at: "spec.minimumTTL", "not a known field", "minimumTtl"),
        .accepts("Community", "communities: [{name: a, value: '1:2'}]"),
        .refuses(
            "Community", "communities:\n- {name: a, value: '1:2'}\n- {name: a, value: '1:3'}",
            at: "spec.communities[1].name", line: 7, "repeats a", "remove"),
        .refuses(
            "Community", "communities: [{name: a, value: '1'}]", at: "spec.communities[0].value",
            "\"1\" is not a community", "a:b"),
        .refuses(
            "Community", "communities: [{name: '1:2', value: '1:2'}]",
            at: "spec.communities[0].name", "cannot be the name", "without colons"),
    ]

    private static func communities(_ count: Int) -> String {
        (1...count).map { "'64500:\($0)'" }.joined(separator: ", ")
    }

    @Test(
        "Every rule of advertisements, profiles and communities holds at its border",
        arguments: cases)
    func rule(_ subject: ConfigurationCase) { subject.check() }

    @Test func `an L2Advertisement without spec announces all pools from all nodes`() {
        let file = ManifestReader.read(
            """
            apiVersion: metallb.io/v1beta1
            kind: L2Advertisement
            metadata:
              name: everything
              namespace: metallb-system
            """, file: "a.yaml")
        #expect(file.problems.isEmpty, "\(file.problems)")
        #expect(
            file.objects.map(\.value) == [
                .configuration(
                    .l2Advertisement(
                        L2Advertisement(
                            metadata: ObjectMeta(
                                name: ObjectName(namespace: "metallb-system", "everything")))))
            ])
    }

    @Test func `every field of an L2Advertisement is read`() throws {
        let (configuration, problems) = assembled(
            documents(
                (
                    "L2Advertisement", "a",
                    """
                    {ipAddressPools: [lan], ipAddressPoolSelectors: [{matchLabels: {a: b}}],
                      nodeSelectors: [{matchLabels: {rack: "1"}}], interfaces: [eth1],
                      serviceSelectors: [{matchLabels: {tier: web}}], reannounceInterval: 5,
                      preferredNodeSelectors: [{weight: 7, preference: {matchLabels: {x: z}}}]}
                    """
                ), ("IPAddressPool", "lan", "{addresses: [192.0.2.0/24]}")))
        let advertisement = try #require(configuration.l2Advertisements["a"])
        #expect(advertisement.ipAddressPools == ["lan"])
        #expect(advertisement.ipAddressPoolSelectors == [LabelSelector(matchLabels: ["a": "b"])])
        #expect(advertisement.nodeSelectors == [LabelSelector(matchLabels: ["rack": "1"])])
        #expect(advertisement.interfaces == ["eth1"])
        #expect(advertisement.serviceSelectors == [LabelSelector(matchLabels: ["tier": "web"])])
        #expect(advertisement.reannounceIntervalSeconds == 5)
        #expect(advertisement.preferredNodeSelectors.map(\.weight) == [7])
        #expect(advertisement.preemption == .never)
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test func `no field of the configuration kinds waits for a later version`() {
        let (_, problems) = assembled(
            documents(
                ("IPAddressPool", "lan", "{addresses: [192.0.2.0/24]}"),
                ("L2Advertisement", "a", "{preemption: Always, interfaces: [eth0]}"),
                ("BGPAdvertisement", "b", "{localPref: 5, communities: [no-export]}"),
                ("BFDProfile", "f", "{echoMode: true}"),
                ("BGPPeer", "p", "{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, vrf: red}"),
                ("Community", "c", "{communities: [{name: n, value: '1:2'}]}")))
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test func `BFD profiles have the documented defaults`() throws {
        let (configuration, _) = assembled(documents(("BFDProfile", "f", "{}")))
        let profile = try #require(configuration.bfdProfiles["f"])
        #expect(profile.receiveIntervalMilliseconds == 300)
        #expect(profile.transmitIntervalMilliseconds == 300)
        #expect(profile.detectMultiplier == 3)
        #expect(profile.echoIntervalMilliseconds == 50)
        #expect(!profile.echoMode && !profile.passiveMode)
        #expect(profile.minimumTTL == nil && profile.authentication == nil)
    }

    @Test(
        "Well-known communities have the numbers of their RFCs",
        arguments: [
            ("no-export", "65535:65281"), ("no-advertise", "65535:65282"),
            ("no-export-subconfed", "65535:65283"), ("no-peer", "65535:65284"),
            ("graceful-shutdown", "65535:0"), ("blackhole", "65535:666"),
            ("accept-own", "65535:1"), ("llgr-stale", "65535:6"), ("no-llgr", "65535:7"),
        ])
    func wellKnown(_ name: String, _ value: String) {
        #expect(Configuration().value(of: .name(name))?.description == value)
    }

    @Test func `kinds that Martlet writes are passed over with a notice`() {
        for kind in ["ServiceL2Status", "ServiceBGPStatus", "ConfigurationState"] {
            let text = documents((kind, "x", "{}"))
            let (configuration, problems) = assembled(text)
            #expect(configuration == Configuration())
            #expect(problems.map(\.severity) == [.notice], "\(problems)")
        }
    }
}
