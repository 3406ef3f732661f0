import Foundation
import Testing

extension RealNetwork {
    @Suite struct ConflictTests {}
}

/// Addresses that somebody else uses.
extension RealNetwork.ConflictTests {
    private static let addresses = ["192.0.2.200", "2001:db8:2::200"]

    private func started(squatter: Bool) throws -> NamespacedLAN {
        let lan = try NamespacedLAN(nodes: 1)
        // The first address of the pool, of either family, held by another machine's kernel.
        if squatter { try lan.attach("printer", host: 200) }
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("web.yaml", Manifests.service("web"))
        return lan
    }

    private func problem(
        _ lan: NamespacedLAN, about address: String, _ words: String
    ) -> DaemonStatus.Problem? {
        lan.status()?.problems.first {
            $0.object?.contains(address) == true && $0.rule.contains(words)
        }
    }

    @Test("an address that a machine of the LAN uses is found before use, reported, not answered")
    func beforeUse() throws {
        let lan = try started(squatter: true)
        let capture = try Capture(lan)
        try lan.martlet("node-a")
        let node = try lan.macAddress("node-a")
        let printer = try lan.macAddress("printer")
        for address in Self.addresses {
            let isReported = eventually { problem(lan, about: address, printer) != nil }
            #expect(isReported != nil, "\(address): \(lan.lastWords)")
            let found = problem(lan, about: address, printer)
            #expect(found?.severity == "error")
            #expect(found?.remedy.contains("pool") == true)
            #expect(try lan.answerers(address) == [printer])
            #expect(capture.announcements(of: address, by: node).isEmpty)
            #expect(capture.answers(for: address, by: node).isEmpty)
            let wire = lan.explain(address, at: "node-a")?.first?.addresses
                .first { $0.address == address }?.wire?.first { $0.interface == "eth0" }
            #expect(wire?.conflictWith == printer)
            #expect(wire?.answeringForSeconds == nil)
        }

        // The node's other interface has nobody in the way, so it is answered there. That, and a
        // new decision after it, changes nothing on the LAN where the printer is.
        let isClaimed = eventually {
            let record = lan.folder.appending(path: "state/speakers/node-a.json")
            let text = (try? String(contentsOf: record, encoding: .utf8)) ?? ""
            return Self.addresses.allSatisfy(text.contains)
        }
        #expect(isClaimed != nil, lan.lastWords)
        try lan.write("other.yaml", Manifests.service("other"))
        let isServed = eventually { lan.owner(of: "192.0.2.201") == "node-a" }
        #expect(isServed != nil, lan.lastWords)
        for address in Self.addresses {
            #expect(try lan.answerers(address) == [printer])
            #expect(capture.announcements(of: address, by: node).isEmpty, lan.lastWords)
        }
    }

    @Test("without conflict detection the address is used at once")
    func detectionOff() throws {
        let lan = try started(squatter: false)
        let pool = Manifests.pool.replacing(
            "spec: {addresses:", with: "spec: {conflictDetection: false, addresses:")
        try lan.write("pool.yaml", pool)
        let capture = try Capture(lan)
        try lan.martlet("node-a")
        for address in Self.addresses {
            let isAnswered = try eventually { try lan.answerers(address).count == 1 }
            #expect(isAnswered != nil, lan.lastWords)
        }
        let node = try lan.macAddress("node-a")
        let probes = capture.frames().filter {
            $0.source == node
                && ($0.text.contains("who-has 192.0.2.200 tell 0.0.0.0")
                    || $0.text.contains(":: > ff02::1:ff00:200"))
        }
        #expect(probes.isEmpty, "\(probes.map(\.text))")
    }

    @Test("an address that is claimed while in use is defended at most once in ten seconds")
    func defence() throws {
        let lan = try started(squatter: false)
        let capture = try Capture(lan)
        try lan.write("pool.yaml", Manifests.pool + "spec: {reannounceInterval: 0}\n")
        try lan.martlet("node-a")
        let node = try lan.macAddress("node-a")
        for address in Self.addresses {
            let burst = address.contains(":") ? 4 : 8
            let isOver = eventually(within: 10) {
                capture.announcements(of: address, by: node).count >= burst
            }
            #expect(isOver != nil, lan.lastWords)
        }
        let stranger: [UInt8] = [2, 0, 0x5e, 0, 0x53, 0x66]
        let begin = wallClock()
        let claims = try FrameSender(lan).repeat(
            [
                CraftedFrame.arp(
                    from: stranger, sender: Self.addresses[0], target: Self.addresses[0]),
                CraftedFrame.advertisement(of: Self.addresses[1], from: stranger),
            ], every: 0.2, log: "claims.log")
        for address in Self.addresses {
            // One defence at once, the next after ten seconds, and none between.
            let isDefended = eventually(within: 12) {
                defences(capture, address, node, since: begin).count == 2
            }
            #expect(isDefended != nil, lan.lastWords)
            let times = defences(capture, address, node, since: begin)
            #expect(times.first.map { $0 - begin < 1.5 } == true, "\(times)")
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 > 9.9 }, "\(times)")
            #expect(problem(lan, about: address, "02:00:5e:00:53:66") != nil)
        }
        claims.stop()
        // It is the operator's decision who serves it: ours goes on answering.
        for address in Self.addresses { #expect(try lan.answerers(address) == [node]) }
    }

    /// When announcements began: those within half a second are one defence, in all its forms.
    private func defences(
        _ capture: Capture, _ address: String, _ mac: String, since begin: Double
    ) -> [Double] {
        capture.announcements(of: address, by: mac, since: begin).map(\.time)
            .reduce(into: []) { times, time in
                if times.last.map({ time - $0 > 0.5 }) ?? true { times.append(time) }
            }
    }

    @Test("an address that this node's kernel holds is reported with the sysctl to set")
    func kernelHeld() throws {
        let lan = try started(squatter: false)
        try lan.run(
            "node-a",
            "ip addr add 192.0.2.200/32 dev lo; ip addr add 2001:db8:2::200/128 dev lo nodad")
        try lan.martlet("node-a")
        for address in Self.addresses {
            let isReported = eventually { problem(lan, about: address, "kernel holds") != nil }
            #expect(isReported != nil, "\(address): \(lan.lastWords)")
        }
        #expect(
            problem(lan, about: Self.addresses[0], "kernel holds")?.remedy
                .contains("arp_ignore=1") == true)
        try lan.run(
            "node-a",
            "ip addr del 192.0.2.200/32 dev lo; ip addr del 2001:db8:2::200/128 dev lo")
        for address in Self.addresses {
            let isOver = eventually { problem(lan, about: address, "kernel holds") == nil }
            #expect(isOver != nil, lan.lastWords)
        }
    }

    @Test("addresses that an IPVS proxy keeps are one problem of the proxy's, not one each")
    func proxyHeld() throws {
        let lan = try started(squatter: false)
        // It is known by its name, and not every kernel has dummies.
        try lan.run(
            "node-a",
            """
            ip link add kube-ipvs0 type bridge && ip addr add 192.0.2.200/32 dev kube-ipvs0 &&
            ip addr add 2001:db8:2::200/128 dev kube-ipvs0 nodad
            """)
        try lan.martlet("node-a")
        let isReported = eventually {
            problem(lan, about: "Service proxy", "answers ARP for 192.0.2.200 on kube-ipvs0") != nil
        }
        #expect(isReported != nil, lan.lastWords)
        for address in Self.addresses { #expect(problem(lan, about: address, "holds") == nil) }
    }

    @Test(
        "a node with two interfaces on one LAN answers on one, and is not in conflict with itself")
    func twoInterfaces() throws {
        let lan = try started(squatter: false)
        try lan.run(
            "switch",
            """
            ip link add to-second type veth peer name eth1 netns \(lan.namespace("node-a")) &&
            ip link set to-second master br0 up
            """)
        try lan.run("node-a", "ip link set eth1 up")
        try lan.martlet("node-a")
        let own = [try lan.macAddress("node-a"), try lan.macAddress("node-a", "eth1")]
        for address in Self.addresses {
            let isAnswered = try eventually { try lan.answerers(address).count == 1 }
            #expect(isAnswered != nil, lan.lastWords)
            #expect(try lan.answerers(address).count == 1, lan.lastWords)
            for mac in own { #expect(problem(lan, about: address, mac) == nil) }
        }
    }
}
