import Foundation
import Testing

extension RealNetwork {
    @Suite struct LinkChangeTests {}
}

/// What changes under a running speaker is picked up from netlink: announced and answered again
/// within a second. Times come from tcpdump on the client, which is asked for nothing but to look.
extension RealNetwork.LinkChangeTests {
    private static let addresses = ["192.0.2.200", "2001:db8:2::200"]

    /// A LAN of one node that announces, and a client that asks every 10 ms.
    private struct Scene {
        let lan: NamespacedLAN
        let capture: Capture
        let asking: Background

        init() throws {
            lan = try NamespacedLAN(nodes: 1)
            capture = try Capture(lan)
            try lan.write("pool.yaml", Manifests.pool)
            try lan.write("web.yaml", Manifests.service("web"))
            try lan.martlet("node-a")
            let client = CraftedFrame.mac(try lan.macAddress("client"))
            asking = try FrameSender(lan).repeat(
                [
                    CraftedFrame.arp(
                        from: client, sender: "192.0.2.100", target: addresses[0]),
                    CraftedFrame.solicitation(
                        for: addresses[1], from: client, sender: "2001:db8:2::100",
                        options: CraftedFrame.sourceOption(client)),
                ], every: 0.01, log: "asking.log")
            let mac = try lan.macAddress("node-a")
            for address in addresses {
                let isAnswered = eventually {
                    !capture.answers(for: address, by: mac).isEmpty
                }
                #expect(isAnswered != nil, lan.lastWords)
            }
        }

        /// Every address is announced and answered within a second of `begin`.
        func expectRecovery(_ what: String, since begin: Double, by mac: String) {
            for address in addresses {
                _ = eventually(within: 3) {
                    !capture.announcements(of: address, by: mac, since: begin).isEmpty
                        && !capture.answers(for: address, by: mac, since: begin).isEmpty
                }
                let announced = capture.announcements(of: address, by: mac, since: begin).first
                let answered = capture.answers(for: address, by: mac, since: begin).first
                for (verb, frame) in [("announced", announced), ("answered", answered)] {
                    guard let frame else {
                        Issue.record("\(what): \(address) is not \(verb); \(lan.lastWords)")
                        continue
                    }
                    report("\(what): \(address) \(verb)", frame.time - begin)
                    #expect(frame.time - begin < 1, "\(what): \(address) \(verb)")
                }
            }
        }
    }

    @Test("a link that was down is announced and answered again within a second")
    func flap() throws {
        let scene = try Scene()
        let mac = try scene.lan.macAddress("node-a")
        try scene.lan.run("switch", "ip link set to-node-a down")
        let noticed = eventually { scene.lan.status()?.interfaces.first?.listening == false }
        #expect(noticed != nil, scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.run("switch", "ip link set to-node-a up")
        scene.expectRecovery("link up", since: begin, by: mac)
    }

    @Test("a link that flaps within a millisecond is announced again")
    func shortFlap() throws {
        let scene = try Scene()
        let mac = try scene.lan.macAddress("node-a")
        // The opening burst is over, so that what is announced now is announced for the flap.
        let burstEnd = eventually(within: 10) {
            Self.addresses.allSatisfy {
                scene.capture.announcements(of: $0, by: mac).count >= ($0.contains(":") ? 4 : 8)
            }
        }
        #expect(burstEnd != nil, scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.run(
            "switch", "ip link set to-node-a down && ip link set to-node-a up")
        scene.expectRecovery("short flap", since: begin, by: mac)
    }

    @Test("an interface deleted and made again under its name is used again within a second")
    func remadeInterface() throws {
        let scene = try Scene()
        try scene.lan.run("node-a", "ip link del eth0")
        let isGone = eventually {
            scene.lan.status()?.interfaces.contains { $0.interface == "eth0" } == false
        }
        #expect(isGone != nil, scene.lan.lastWords)
        let begin = wallClock()
        try scene.lan.plug("node-a", host: 11)
        let mac = try scene.lan.macAddress("node-a")
        scene.expectRecovery("interface made again", since: begin, by: mac)
    }

    @Test("an interface that becomes a port of a bridge hands over to the bridge, and back")
    func enslaved() throws {
        let scene = try Scene()
        let lan = scene.lan
        try lan.run("node-a", "ip link add br-lan type bridge forward_delay 0 mcast_snooping 0")
        var begin = wallClock()
        try lan.run(
            "node-a",
            """
            ip addr flush dev eth0 && ip link set eth0 master br-lan && ip link set br-lan up &&
            ip addr add 192.0.2.11/24 dev br-lan && ip addr add 2001:db8:2::11/64 dev br-lan nodad
            """)
        scene.expectRecovery(
            "enslaved to a bridge", since: begin, by: try lan.macAddress("node-a", "br-lan"))
        let isMoved = eventually {
            let names = lan.status()?.interfaces.map(\.interface) ?? []
            return names.contains("br-lan") && !names.contains("eth0")
        }
        #expect(isMoved != nil, lan.lastWords)
        for address in Self.addresses { #expect(try lan.answerers(address).count == 1) }

        begin = wallClock()
        try lan.run(
            "node-a",
            """
            ip link del br-lan && ip addr add 192.0.2.11/24 dev eth0 &&
            ip addr add 2001:db8:2::11/64 dev eth0 nodad
            """)
        scene.expectRecovery("bridge taken away", since: begin, by: try lan.macAddress("node-a"))
        for address in Self.addresses { #expect(try lan.answerers(address).count == 1) }
    }

    @Test("a changed link-layer address is announced, and answers carry it")
    func changedMAC() throws {
        let scene = try Scene()
        let mac = "02:00:5e:00:53:77"
        let begin = wallClock()
        try scene.lan.run("node-a", "ip link set eth0 address \(mac)")
        scene.expectRecovery("MAC changed", since: begin, by: mac)
        for address in Self.addresses { #expect(try scene.lan.answerers(address) == [mac]) }
    }

    @Test("a new interface is announced on within a second")
    func additionalInterface() throws {
        let scene = try Scene()
        let lan = scene.lan
        let begin = wallClock()
        try Shell.run(
            """
            ip -n \(lan.namespace("node-a")) link add lan2 type veth \
                peer name lan2 netns \(lan.namespace("client")) &&
            ip -n \(lan.namespace("client")) link set lan2 up &&
            ip -n \(lan.namespace("node-a")) link set lan2 up
            """)
        let isUsed = eventually(within: 3) {
            lan.explain("default/web", at: "node-a")?.first?.addresses.allSatisfy { address in
                address.wire?.contains {
                    $0.interface == "lan2" && $0.answeringForSeconds != nil
                } == true
            } == true
        }
        #expect(isUsed != nil, lan.lastWords)
        report("new interface: answering", wallClock() - begin)
        #expect(wallClock() - begin < 1.5, "the question to the daemon included")
    }
}

/// Which interfaces an advertisement names.
extension RealNetwork.LinkChangeTests {
    private func started(_ advertisements: String) throws -> NamespacedLAN {
        let lan = try NamespacedLAN(nodes: 1)
        let pool = Manifests.pool.components(separatedBy: "---\n")[0]
        try lan.write("pool.yaml", pool + advertisements)
        try lan.write("web.yaml", Manifests.service("web"))
        try lan.martlet("node-a")
        return lan
    }

    private static func advertisement(_ name: String, _ interfaces: String) -> String {
        """
        ---
        apiVersion: metallb.io/v1beta1
        kind: L2Advertisement
        metadata: {name: \(name)}
        spec: {interfaces: [\(interfaces)]}

        """
    }

    @Test("a node without the advertised interface is no candidate, and explain says so")
    func missingInterface() throws {
        let lan = try started(Self.advertisement("far", "eth9"))
        let isSaid = eventually {
            lan.explain("default/web", at: "node-a")?.first?.addresses.first?.nodes.first?.reason
                .contains("no usable interface among eth9") == true
        }
        #expect(isSaid != nil, lan.lastWords)
        for address in Self.addresses {
            #expect(lan.owner(of: address) == nil)
            #expect(try lan.answerers(address).isEmpty)
        }
        // The interface comes: the node is a candidate at once.
        let begin = wallClock()
        try lan.run("node-a", "ip link set eth0 down && ip link set eth0 name eth9 up")
        let isOwner = eventually(within: 3) { lan.owner(of: Self.addresses[0]) == "node-a" }
        #expect(isOwner != nil, lan.lastWords)
        report("missing interface appears: owned", wallClock() - begin)
    }

    @Test("several advertisements are united: the address is answered on the interfaces of both")
    func united() throws {
        let lan = try started(
            Self.advertisement("lan", "eth0") + Self.advertisement("pods", "pods, eth9"))
        let isUnited = eventually {
            lan.explain(Self.addresses[0], at: "node-a")?.first?.addresses
                .first { $0.address == Self.addresses[0] }?.wire
                .map { Set($0.filter { $0.answeringForSeconds != nil }.map(\.interface)) }
                == ["eth0", "pods"]
        }
        #expect(isUnited != nil, lan.lastWords)
        #expect(
            try lan.answerers(Self.addresses[0], from: "client") == [lan.macAddress("node-a")])
        #expect(
            try lan.answerers(Self.addresses[0], from: "backend-a")
                == [lan.macAddress("node-a", "pods")])
    }
}
