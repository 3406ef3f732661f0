import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPMalformedTests {}
}

/// Malformed UPDATEs in a live session (RFC 7606): what the daemon makes of them, as its metrics
/// and the peer's end of the wire tell.
extension RealNetwork.BGPMalformedTests {
    /// The routes that the messages are about.
    private static let routes = ["198.51.100.0/24", "2001:db8:64::/48"]

    /// An UPDATE about both routes without fault, as the session would have it.
    private func update(announcing: Bool, _ kind: String) -> [UInt8] {
        let target: [UInt8] = [24, 198, 51, 100]
        let target6: [UInt8] = [48, 0x20, 0x01, 0x0d, 0xb8, 0, 0x64]
        guard announcing else {
            return RawPeer.withdrawal([target])
                + RawPeer.message(2, [0, 0, 0, 13, 0x80, 15, 10, 0, 2, 1] + target6)
        }
        let path: [UInt8] =
            kind == "internal"
            ? [0x40, 2, 0, 0x40, 5, 4, 0, 0, 0, 100]
            : kind == "two-octet"
                ? [0x40, 2, 4, 2, 1] + RawPeer.octets(64496, 2)
                : [0x40, 2, 6, 2, 1] + RawPeer.octets(64496, 4)
        let common: [UInt8] = [0x40, 1, 1, 0] + path
        let hop: [UInt8] = [0x40, 3, 4, 192, 0, 2, 50]
        let hop6: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 2] + [UInt8](repeating: 0, count: 9) + [50]
        let reach: [UInt8] = [0x80, 14, 28, 0, 2, 1, 16] + hop6 + [0] + target6
        func message(_ attributes: [UInt8], _ routes: [UInt8]) -> [UInt8] {
            RawPeer.message(2, [0, 0] + RawPeer.octets(attributes.count, 2) + attributes + routes)
        }
        return message(common + hop, target) + message(common + reach, [])
    }

    /// Routes before and after, and whether an UPDATE counts as faulty.
    private func expected(_ outcome: String) -> (before: Bool, change: Int, faulty: Int)? {
        switch outcome {
        case "accept": (false, 1, 0)
        case "discard": (false, 1, 1)
        case "withdraw", "discard-withdrawn": (true, -1, 1)
        case "ignore": (true, 0, 1)
        case "nothing": (true, 0, 0)
        default: nil
        }
    }

    @Test("every malformed UPDATE costs what RFC 7606 says, in a live session")
    func malformed() throws {
        let lab = try RawLab(kinds: Array(RawLab.kinds.keys))
        let cases = try BGPMalformedCase.all()
        var sessions: [String: RawPeer] = [:]
        var faulty: [String: Int] = [:]
        var resets = 0
        for item in cases {
            let peer = try sessions[item.session] ?? lab.session(item.session)
            sessions[item.session] = peer
            guard let expected = expected(item.outcome) else {
                sessions[item.session] = nil
                peer.send(item.bytes)
                let last = try peer.farewell()
                #expect(last?.body == item.notification, "\(item): \(String(describing: last))")
                resets += 1
                continue
            }
            peer.send(update(announcing: expected.before, item.session))
            #expect(try peer.settle() == nil, "\(item): before")
            peer.send(item.bytes)
            let end = try peer.settle()
            #expect(end == nil, "\(item): the session goes on")
            if end != nil { sessions[item.session] = nil }
            faulty[item.session, default: 0] += expected.faulty
            let figures = try lab.metrics(
                [
                    "metallb_bgp_received_prefixes_total", "martlet_bgp_faulty_updates_total",
                ], item.session)
            let routes = (expected.before ? 2 : 0) + expected.change
            #expect(figures == [routes, faulty[item.session]], "\(item)")
            faulty[item.session] = figures[1]
        }
        #expect(cases.count > 100 && resets > 15)
        #expect(lab.daemon.isRunning)
        print("malformed: \(cases.count) messages, \(resets) of them end the session")
    }

    @Test("what ExaBGP can be made to send malformed costs what RFC 7606 says, too")
    func exabgp() throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.peer("p4", at: "192.0.2.50", my: 64501, "dualStackAddressFamily: true")
        let session = RouterSession("p4", "192.0.2.11", as: 64501)
        let router = try lab.router(.exabgp, sessions: [session])
        try lab.start("node-a")
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4"], within: 20)
        // Type, flags and value of an attribute, how many routes come of it, and faults.
        let cases: [(attribute: String, routes: Int, faults: Int)] = [
            ("0x63 0xc0 0x01", 1, 0), ("0x08 0xc0 0x010203", 0, 1), ("0x08 0x40 0x00010002", 0, 1),
            ("0x20 0xc0 0x0001000200030004", 0, 1), ("0x10 0xc0 0x00020003000400", 0, 1),
            ("0x04 0x80 0x000001", 0, 1), ("0x07 0xc0 0x0001c0000201", 1, 1),
            ("0x06 0x40 0x01", 1, 1), ("0x09 0x80 0xc000", 1, 1), ("0x23 0xc0 0x01", 0, 1),
        ]
        var routes = 0
        var faults = 0
        for (number, item) in cases.enumerated() {
            routes += item.routes
            faults += item.faults
            try Shell.run(
                """
                echo 'neighbor 192.0.2.11 announce route 203.0.113.\(number)/32 next-hop self \
                attribute [ \(item.attribute) ]' > \(lab.lan.folder.path)/of-router-50/orders
                """)
            var figures: [Int] = []
            let isCounted = try eventually {
                figures = try lab.lan.metrics(
                    [
                        "metallb_bgp_received_prefixes_total",
                        "martlet_bgp_faulty_updates_total", "martlet_bgp_established_total",
                    ], of: "192.0.2.50")
                return figures == [routes, faults, 1]
            }
            #expect(
                isCounted != nil, "\(item): \(figures), wanted \(routes), \(faults), 1 session")
        }
        #expect(routes == 4 && faults == 9)
    }
}
