import Foundation
import Testing

extension RealNetwork {
    @Suite struct AnswererTests {}
}

/// Who answers, judged by arping, ndisc6 and tcpdump.
extension RealNetwork.AnswererTests {
    private static let addresses = ["192.0.2.200", "2001:db8:2::200"]

    private func started(snooping: Bool) throws -> NamespacedLAN {
        let lan = try NamespacedLAN(nodes: 3, snooping: snooping)
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes))
        try lan.write("web.yaml", Manifests.service("web", nodes: ["node-a", "node-b"]))
        for node in lan.nodes { try lan.martlet(node) }
        for address in Self.addresses {
            let isAnswered = try eventually { try lan.answerers(address).count == 1 }
            #expect(isAnswered != nil, lan.lastWords)
        }
        return lan
    }

    @Test(
        "exactly one node answers for every address, and none once the Service is gone",
        arguments: [false, true])
    func oneAnswerer(snooping: Bool) throws {
        let lan = try started(snooping: snooping)
        for address in Self.addresses {
            let owner = try #require(lan.owner(of: address), lan.lastWords)
            #expect(try lan.answerers(address) == [try lan.macAddress(owner)], lan.lastWords)
            // Every node's daemon names the same owner.
            for node in lan.nodes {
                #expect(lan.owner(of: address, at: node) == owner)
            }
        }
        #expect(try lan.answerers("192.0.2.201").isEmpty)
        #expect(try lan.answerers("2001:db8:2::201").isEmpty)

        try lan.delete("web.yaml")
        for address in Self.addresses {
            let isSilent = try eventually { try lan.answerers(address).isEmpty }
            #expect(isSilent != nil, lan.lastWords)
        }
    }

    @Test("on a snooping bridge the solicited-node group is joined by a report that goes out")
    func multicastReport() throws {
        let lan = try started(snooping: true)
        let groups = try lan.run("switch", "bridge mdb show dev br0").text
        #expect(groups.contains("ff02::1:ff00:200"), "\(groups)")
    }

    @Test("a not-ready node hands its addresses on, and takes none back when it returns")
    func notReadyAndBack() throws {
        let lan = try started(snooping: false)
        let address = Self.addresses[0]
        let first = try #require(lan.owner(of: address))
        let watcher = first == "node-a" ? "node-b" : "node-a"

        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes, notReady: [first]))
        let moved = eventually { (lan.owner(of: address, at: watcher) ?? first) != first }
        #expect(moved != nil, lan.lastWords)
        let second = try #require(lan.owner(of: address, at: watcher))
        let answered = try eventually {
            try lan.answerers(address) == [try lan.macAddress(second)]
        }
        #expect(answered != nil, lan.lastWords)

        // Claimed first: only a claim keeps the address where it is.
        let claimed = eventually {
            let record = lan.folder.appending(path: "state/speakers/\(second).json")
            let text = (try? String(contentsOf: record, encoding: .utf8)) ?? ""
            return text.contains(address)
        }
        #expect(claimed != nil, lan.lastWords)
        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes))
        let returned = eventually {
            let reasons = lan.explain(address, at: watcher)?.first?.addresses
                .first { $0.address == address }?.nodes.first { $0.node == first }?.reason
            return reasons?.contains("not ready") == false
        }
        #expect(returned != nil, lan.lastWords)
        #expect(lan.owner(of: address, at: watcher) == second, lan.lastWords)
        #expect(try lan.answerers(address) == [try lan.macAddress(second)], lan.lastWords)
    }

    @Test("a speaker that stops on purpose hands over, and none answers twice")
    func gracefulStop() throws {
        let lan = try NamespacedLAN(nodes: 2)
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes))
        try lan.write("web.yaml", Manifests.service("web"))
        let daemons = [
            "node-a": try lan.martlet("node-a"), "node-b": try lan.martlet("node-b"),
        ]
        let address = Self.addresses[0]
        _ = try eventually { try lan.answerers(address).count == 1 }
        let first = try #require(
            lan.owner(of: address) ?? lan.owner(of: address, at: "node-b"), lan.lastWords)
        let second = first == "node-a" ? "node-b" : "node-a"
        daemons[first]?.signal(SIGTERM)
        let taken = try eventually { try lan.answerers(address) == [try lan.macAddress(second)] }
        #expect(taken != nil, lan.lastWords)
    }

    @Test("announcements take the forms that neighbours accept")
    func gratuitousForms() throws {
        let lan = try NamespacedLAN(nodes: 1)
        let capture = try lan.start(
            "client", ["tcpdump", "-lnei", "eth0", "arp or icmp6"], log: "capture.log")
        _ = eventually { capture.text.contains("listening on") }
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("web.yaml", Manifests.service("web"))
        try lan.martlet("node-a")
        let mac = try lan.macAddress("node-a")
        let request = "\(mac) > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806)"
        let isSeen = eventually {
            let text = capture.text
            return text.contains("Announcement 192.0.2.200")
                || text.contains(
                    "Request who-has 192.0.2.200 tell 192.0.2.200")
        }
        #expect(isSeen != nil, "\(capture.text)")
        let replied = eventually { capture.text.contains("Reply 192.0.2.200 is-at \(mac)") }
        #expect(replied != nil, "\(capture.text)")
        let advertised = eventually {
            capture.text.contains("neighbor advertisement, tgt is 2001:db8:2::200")
        }
        #expect(advertised != nil, "\(capture.text)")
        #expect(capture.text.contains(request))
    }
}
