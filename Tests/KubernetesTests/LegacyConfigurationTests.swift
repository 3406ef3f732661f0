import NetworkTypes
import Testing

@testable import Kubernetes

@Suite struct LegacyConfigurationTests {
    @Test func `the older file reads as the kinds, field by field`() throws {
        let (configuration, problems) = assembled(try ManifestFixture.text("legacy-config.yaml"))
        #expect(problems.errors.isEmpty && problems.warnings.isEmpty, "\(problems)")

        let pool = try #require(configuration.pools["default"])
        #expect(
            pool.addresses.map(\.description) == [
                "198.51.100.0/24", "203.0.113.10-203.0.113.20",
            ])
        #expect(pool.avoidBuggyIPs && pool.autoAssign)

        let peer = try #require(configuration.bgpPeers["peer-1"])
        #expect(peer.myASN == 64500 && peer.remoteAS == .number(64501))
        #expect(peer.endpoint.description == "192.0.2.1" && peer.peerPort == 179)
        #expect(peer.holdTimeSeconds == 90 && peer.keepaliveTimeSeconds == 30)
        #expect(peer.routerID?.description == "192.0.2.9")
        #expect(peer.sourceAddress?.description == "192.0.2.9")
        #expect(peer.passwordBytes == Array("secret".utf8))
        #expect(
            peer.nodeSelectors == [
                LabelSelector(
                    matchLabels: ["rack": "a"],
                    matchExpressions: [.init(key: "x", operator: .isIn, values: ["y"])])
            ])

        let advertisement = try #require(configuration.bgpAdvertisements["default"])
        #expect(advertisement.ipAddressPools == ["default"])
        #expect(advertisement.aggregationLength == 32 && advertisement.localPref == 100)
        #expect(
            advertisement.communities.map { configuration.value(of: $0)?.description }
                == ["65535:65282"])
        #expect(configuration.l2Advertisements.isEmpty)
    }

    @Test func `a notice says that martlet convert prints the kinds`() throws {
        let file = ManifestReader.read(
            try ManifestFixture.text("legacy-config.yaml"), file: "old.yaml")
        let notice = try #require(
            file.problems.notices.first { $0.rule.contains("older configuration") })
        #expect(notice.remedy.contains("martlet convert old.yaml"))
        #expect(file.problems.notices.count == 1)
    }

    @Test func `a ConfigMap with protocol layer2 and a range gives a pool and who announces it`()
        throws
    {
        let (configuration, problems) = assembled(
            try ManifestFixture.text("legacy-layer2-configmap.yaml"))
        #expect(problems.errors.isEmpty && problems.warnings.isEmpty, "\(problems)")
        let pool = try #require(configuration.pools["lan"])
        #expect(pool.addresses.map(\.description) == ["192.0.2.240-192.0.2.250"])
        #expect(configuration.l2Advertisements["lan"]?.ipAddressPools == ["lan"])
        #expect(configuration.bgpAdvertisements.isEmpty)
    }

    @Test func `an error in the ConfigMap names the line of the outer file`() throws {
        let text = try ManifestFixture.text("legacy-layer2-configmap.yaml")
            .replacing("192.0.2.240-192.0.2.250", with: "192.0.2.250-192.0.2.240")
        let file = ManifestReader.read(text, file: "map.yaml")
        let error = try #require(file.problems.errors.first)
        #expect(error.file == "map.yaml" && error.line == 12, "\(error)")
        #expect(error.object == "IPAddressPool lan")
        #expect(error.field == "address-pools[0].addresses[0]")
        #expect(error.rule.contains("runs backwards"))
        #expect(file.problems.errors.count == 1)
    }

    @Test func `every field of the older file is read`() throws {
        let (configuration, problems) = assembled(
            """
            bfd-profiles:
            - {name: fast, receive-interval: 50, transmit-interval: 60, detect-multiplier: 5,
               echo-interval: 70, echo-mode: true, passive-mode: true, minimum-ttl: 9}
            peers:
            - {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1, hold-time: 30s,
               keepalive-time: 5s, ebgp-multihop: true, bfd-profile: fast}
            address-pools:
            - name: six
              protocol: bgp
              auto-assign: false
              addresses: ["2001:db8::/64", 192.0.2.0/24]
              bgp-advertisements:
              - {aggregation-length: 24, aggregation-length-v6: 64}
              - {communities: [no-export, "large:1:2:3"], localpref: 7}
            - {name: plain, protocol: bgp, addresses: [198.51.100.0/24]}
            """)
        #expect(problems.errors.isEmpty, "\(problems)")
        let profile = try #require(configuration.bfdProfiles["fast"])
        #expect(profile.receiveIntervalMilliseconds == 50)
        #expect(profile.transmitIntervalMilliseconds == 60)
        #expect(profile.detectMultiplier == 5 && profile.echoIntervalMilliseconds == 70)
        #expect(profile.echoMode && profile.passiveMode && profile.minimumTTL == 9)
        let peer = try #require(configuration.bgpPeers["peer-1"])
        #expect(peer.holdTimeSeconds == 30 && peer.keepaliveTimeSeconds == 5)
        #expect(peer.ebgpMultiHop && peer.bfdProfile == "fast")
        #expect(configuration.pools["six"]?.autoAssign == false)
        #expect(configuration.bgpAdvertisements.keys.sorted() == ["plain", "six", "six-2"])
        let first = try #require(configuration.bgpAdvertisements["six"])
        #expect(first.aggregationLength == 24 && first.aggregationLengthV6 == 64)
        #expect(configuration.bgpAdvertisements["six-2"]?.localPref == 7)
        #expect(configuration.bgpAdvertisements["plain"]?.ipAddressPools == ["plain"])
    }

    private func errors(_ text: String) -> [Problem] {
        ManifestReader.read(text, file: "old.yaml").problems.errors
    }

    @Test(
        "A rule broken in the older file is reported at its own field",
        arguments: [
            ("peer-autodiscovery: {from-labels: []}", "peer-autodiscovery", "not supported"),
            ("address-pool: []\npeers: []", "address-pool", "not a known field"),
            (
                "address-pools: [{name: a, protocol: arp, addresses: [192.0.2.0/24]}]",
                "address-pools[0].protocol", "not one of layer2, bgp"
            ),
            (
                "address-pools: [{name: a, addresses: [192.0.2.0/24]}]",
                "address-pools[0].protocol", "is required"
            ),
            (
                "address-pools: [{protocol: layer2, addresses: [192.0.2.0/24]}]",
                "address-pools[0].name", "is required"
            ),
            (
                "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24], "
                    + "bgp-advertisements: [{}]}]",
                "address-pools[0].bgp-advertisements", "protocol layer2"
            ),
            (
                "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24], "
                    + "avoidBuggyIPs: true}]",
                "address-pools[0].avoidBuggyIPs", "not a known field"
            ),
            (
                "peers: [{my-asn: 1, peer-asn: 1, peer-address: 192.0.2.1, ebgp-multihop: true}]",
                "peers[0].ebgp-multihop", "internal peer"
            ),
            (
                "peers: [{my-asn: 1, peer-asn: 2, peer-address: 192.0.2.1, hold-time: 1s}]",
                "peers[0].hold-time", "not allowed"
            ),
            ("peers: [{my-asn: 1, peer-asn: 2}]", "peers[0]", "peer-address is required"),
            ("bgp-communities: {x: 1:2:3}", "bgp-communities.x", "is not a community"),
            (
                "bfd-profiles: [{name: a, detect-multiplier: 1}]",
                "bfd-profiles[0].detect-multiplier", "out of range"
            ),
        ])
    func broken(_ text: String, _ field: String, _ rule: String) throws {
        let errors = errors(text)
        #expect(errors.count == 1, "\(errors)")
        let error = try #require(errors.first)
        #expect(error.field == field)
        #expect(error.rule.contains(rule), "\(error)")
    }

    @Test func `one bad entry of the older file harms only itself`() {
        let (configuration, problems) = assembled(
            """
            peers:
            - {my-asn: 0, peer-asn: 2, peer-address: 192.0.2.1}
            - {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.2}
            address-pools:
            - {name: bad, protocol: layer2, addresses: [x]}
            - {name: bad, protocol: layer2}
            - {name: good, protocol: layer2, addresses: [192.0.2.0/24]}
            """)
        #expect(Array(configuration.pools.keys) == ["good"])
        #expect(Array(configuration.bgpPeers.keys) == ["peer-2"])
        #expect(problems.errors.count == 3, "\(problems.errors)")
    }

    @Test func `a broken entry keeps its last good pool and who announces it`() {
        var assembler = SnapshotAssembler()
        let good = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
        _ = assembled(good, with: &assembler)
        let (configuration, problems) = assembled(
            good.replacing("/24", with: "/x"), with: &assembler)
        #expect(configuration.pools["a"] != nil)
        #expect(configuration.l2Advertisements["a"] != nil)
        #expect(problems.errors.count == 1)
    }

    @Test func `rules among pools hold for the older file too, with the line of the entry`() throws
    {
        let (_, problems) = assembled(
            """
            address-pools:
            - {name: a, protocol: layer2, addresses: [192.0.2.0/24]}
            - name: b
              protocol: layer2
              addresses:
              - 192.0.2.7/32
            """)
        let error = try #require(problems.errors.first)
        #expect(error.object == "IPAddressPool metallb-system/b")
        #expect(error.line == 6)
    }

    @Test(
        "Every truncation of the older file is read or refused with a reason",
        arguments: ["legacy-config.yaml", "legacy-layer2-configmap.yaml"])
    func truncated(_ name: String) throws {
        let text = try ManifestFixture.text(name)
        var assembler = SnapshotAssembler()
        for length in 0..<text.utf8.count {
            let part = String(decoding: text.utf8.prefix(length), as: UTF8.self)
            let file = ManifestReader.read(part, file: name)
            #expect(file.isParsable || !file.problems.errors.isEmpty)
            #expect(file.refused.isEmpty || !file.problems.errors.isEmpty)
            let snapshot = assembler.assemble([file])
            #expect(snapshot.problems.allSatisfy { !$0.rule.isEmpty && !$0.remedy.isEmpty })
        }
    }
}
