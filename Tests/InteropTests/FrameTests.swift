import Foundation
import Testing

extension RealNetwork {
    @Suite struct FrameTests {}
}

/// Frames that well-behaved programs do not send, and what comes back. Behind each goes a plain
/// question from another address: its answer shows that the one before was looked at first.
extension RealNetwork.FrameTests {
    private static let plainAsker = ["192.0.2.111", "2001:db8:2::111"]

    private func started() throws -> (NamespacedLAN, FrameSender, node: [UInt8], client: [UInt8]) {
        let lan = try NamespacedLAN(nodes: 1)
        let capture = try Capture(lan)
        try lan.write("pool.yaml", Manifests.pool + "spec: {reannounceInterval: 0}\n")
        try lan.write("web.yaml", Manifests.service("web"))
        try lan.martlet("node-a")
        let mac = try lan.macAddress("node-a")
        // The opening burst of announcements takes 1.6 s: four of each family.
        for address in ["192.0.2.200", "2001:db8:2::200"] {
            let count = address.contains(":") ? 4 : 8
            let isOver = eventually(within: 10) {
                capture.announcements(of: address, by: mac).count >= count
            }
            #expect(isOver != nil, lan.lastWords)
        }
        return (
            lan, try FrameSender(lan), CraftedFrame.mac(mac),
            CraftedFrame.mac(try lan.macAddress("client"))
        )
    }

    /// The answers to a frame, not those to the plain question behind it.
    private func answers(
        to frame: [UInt8], from sender: FrameSender, client: [UInt8], target: String
    ) throws -> [CraftedAnswer] {
        let isIPv6 = target.contains(":")
        let asker = Self.plainAsker[isIPv6 ? 1 : 0]
        let plain =
            isIPv6
            ? CraftedFrame.solicitation(
                for: target, from: client, sender: asker,
                options: CraftedFrame.sourceOption(client))
            : CraftedFrame.arp(from: client, sender: asker, target: target)
        let askerBytes = CraftedFrame.address(asker)
        let received = try sender.send([frame, plain], until: askerBytes)
            .compactMap(CraftedAnswer.init)
        #expect(
            received.contains { $0.receiver == askerBytes },
            "the plain question got no answer")
        return received.filter { $0.receiver != askerBytes && $0.isARP != isIPv6 }
    }

    @Test("ARP: every form of question for our address is answered, and nothing else is")
    func arp() throws {
        let (lan, sender, node, client) = try started()
        let target = "192.0.2.200"
        let asker = "192.0.2.110"
        func ask(_ to: [UInt8] = CraftedFrame.everyone, tag: UInt16? = nil) -> [UInt8] {
            CraftedFrame.arp(to: to, from: client, sender: asker, target: target, tag: tag)
        }
        let answered: [(String, [UInt8], receiver: String)] = [
            ("a broadcast request", ask(), asker),
            ("a unicast request", ask(node), asker),
            ("a request with priority tag, VLAN 0", ask(tag: 0xa000), asker),
            (
                "a probe, sender 0.0.0.0",
                CraftedFrame.arp(from: client, sender: "0.0.0.0", target: target), "0.0.0.0"
            ),
        ]
        for (what, frame, receiver) in answered {
            let answers = try answers(to: frame, from: sender, client: client, target: target)
            #expect(answers.count == 1, "\(what)")
            guard let answer = answers.first else { continue }
            #expect(answer.destinationMAC == client, "\(what)")
            #expect(answer.sourceMAC == node && answer.linkLayer == node, "\(what)")
            #expect(answer.subject == CraftedFrame.address(target), "\(what)")
            #expect(answer.receiver == CraftedFrame.address(receiver), "\(what)")
        }
        let ignored: [(String, [UInt8])] = [
            (
                "a reply that says nothing of our address",
                CraftedFrame.arp(
                    operation: 2, to: node, from: client, sender: asker, target: target)
            ),
            (
                "a request for a free address of the pool",
                CraftedFrame.arp(from: client, sender: asker, target: "192.0.2.201")
            ),
            ("a request of VLAN 7", ask(tag: 7)),
            (
                "a request of another hardware type",
                CraftedFrame.arp(hardware: 6, from: client, sender: asker, target: target)
            ),
            ("a request cut short", Array(ask().prefix(34))),
        ]
        for (what, frame) in ignored {
            #expect(
                try answers(to: frame, from: sender, client: client, target: target).isEmpty,
                "\(what)")
        }
        withExtendedLifetime(lan) {}
    }

    @Test("NDP: every valid question for our address is answered, and nothing else is")
    func neighborDiscovery() throws {
        let (lan, sender, node, client) = try started()
        let target = "2001:db8:2::200"
        let asker = "2001:db8:2::110"
        let option = CraftedFrame.sourceOption(client)
        func ask(
            _ wanted: String = target, sender: String = asker, options: [UInt8],
            hopLimit: UInt8 = 255, tag: UInt16? = nil, spoilChecksum: Bool = false
        ) -> [UInt8] {
            CraftedFrame.solicitation(
                for: wanted, from: client, sender: sender, options: options, hopLimit: hopLimit,
                tag: tag, spoilChecksum: spoilChecksum)
        }
        let unicast = CraftedFrame.solicitation(
            for: target, from: client, sender: asker, to: target, on: node, options: option)
        let answered: [(String, [UInt8], toGroup: Bool)] = [
            ("a solicitation to the group", ask(options: option), false),
            ("a unicast solicitation", unicast, false),
            ("a solicitation without source option", ask(options: []), false),
            ("a solicitation with priority tag, VLAN 0", ask(options: option, tag: 0xa000), false),
            (
                "an unknown option before the known",
                ask(options: [99, 1, 0, 0, 0, 0, 0, 0] + option), false
            ),
            ("a probe from ::", ask(sender: "::", options: []), true),
        ]
        for (what, frame, toGroup) in answered {
            let answers = try answers(to: frame, from: sender, client: client, target: target)
            #expect(answers.count == 1, "\(what)")
            guard let answer = answers.first else { continue }
            #expect(answer.sourceMAC == node && answer.linkLayer == node, "\(what)")
            #expect(answer.subject == CraftedFrame.address(target), "\(what)")
            #expect(answer.hopLimit == 255, "\(what)")
            #expect(answer.flags & 0x20 != 0, "\(what): override")
            // RFC 4861 §7.2.4: a probe is answered to all nodes, and counts as unasked.
            #expect((answer.flags & 0x40 == 0) == toGroup, "\(what): solicited")
            #expect(
                answer.receiver == CraftedFrame.address(toGroup ? "ff02::1" : asker), "\(what)")
            #expect(
                answer.destinationMAC == (toGroup ? [0x33, 0x33, 0, 0, 0, 1] : client), "\(what)")
        }
        let ignored: [(String, [UInt8])] = [
            ("hop limit 254", ask(options: option, hopLimit: 254)),
            ("a wrong checksum", ask(options: option, spoilChecksum: true)),
            ("a free address of the pool", ask("2001:db8:2::201", options: option)),
            ("a frame of VLAN 7", ask(options: option, tag: 7)),
            ("a probe with a source option", ask(sender: "::", options: option)),
            ("an option of length 0", ask(options: [1, 0] + client)),
            ("a multicast target", ask("ff02::1", options: option)),
        ]
        for (what, frame) in ignored {
            #expect(
                try answers(to: frame, from: sender, client: client, target: target).isEmpty,
                "\(what)")
        }
        withExtendedLifetime(lan) {}
    }
}
