import Foundation
import Testing

extension RealNetwork {
    @Suite struct BFDTests {}
}

/// BFD with other people's programs, judged from their own tables and from the wire.
extension RealNetwork.BFDTests {
    private static let near = "192.0.2.11"
    private static let near6 = "2001:db8:2::11"

    @Test("BIRD believes us, and we believe it, by every kind of authentication")
    func authentication() throws {
        let lab = try BFDLab()
        let kinds = [
            "simple", "keyed-md5", "meticulous-keyed-md5", "keyed-sha1",
            "meticulous-keyed-sha1",
        ]
        var birds: [BFDBird] = []
        for (index, kind) in kinds.enumerated() {
            let (host, number) = ("bird-\(index)", 51 + index)
            try lab.lan.attach(host, host: number)
            let words = kind.replacing("-", with: " ")
            birds.append(
                try lab.bird(
                    host,
                    """
                      interface "eth0" {
                        interval 300 ms; multiplier 3;
                        authentication \(words); password "\(BFDLab.secret)" { id 7; };
                      };
                      neighbor \(Self.near) dev "eth0";
                      neighbor \(Self.near6) dev "eth0";
                    """))
            try lab.profile(
                kind,
                "authentication: {type: \(kind), keyID: 7, password: \"\(BFDLab.secret)\"}")
            try lab.peer("\(kind)-4", at: "192.0.2.\(number)", profile: kind)
            try lab.peer("\(kind)-6", at: "2001:db8:2::\(number)", profile: kind)
        }
        try lab.profile(
            "wrong", "authentication: {type: keyed-sha1, keyID: 7, password: \"close sesame\"}")
        try lab.start()
        for (kind, bird) in zip(kinds, birds) {
            let isUp = try eventually(within: 15, every: 0.1) {
                try bird.sessions() == [Self.near: "Up", Self.near6: "Up"]
            }
            #expect(isUp != nil, "\(kind): \(bird.process.text)\n\(lab.lan.lastWords)")
        }
        // Another password, and nothing else, makes the difference.
        try lab.peer("keyed-sha1-4", at: "192.0.2.54", profile: "wrong")
        #expect(
            try eventually(within: 10, every: 0.1) {
                try birds[3].sessions()?[Self.near] != "Up"
            } != nil)
        #expect(try birds[3].sessions()?[Self.near6] == "Up")
        #expect(lab.path("meticulous-keyed-md5-6")?.downs == 0)
    }

    @Test("FRR, keepalived and BIRD: echo, multihop, passive, AdminDown either way")
    func features() throws {
        let lab = try BFDLab()
        try lab.lan.attach("frr", host: 60)
        try lab.lan.run("frr", "sysctl -qw net.ipv4.ip_forward=1")
        let frr = try lab.frr(
            "frr",
            [
                " peer \(Self.near) interface eth0", "  receive-interval 300",
                "  transmit-interval 300", "  echo-mode", "  echo transmit-interval 100",
                "  echo receive-interval 100", " !",
                " peer \(Self.near6) local-address 2001:db8:2::60 interface eth0",
                "  receive-interval 300", "  transmit-interval 300", " !",
            ])
        try lab.profile("echo", "echoMode: true", "echoInterval: 100")
        try lab.peer("frr-4", at: "192.0.2.60", profile: "echo")
        try lab.profile("passive", "passiveMode: true")
        try lab.peer("frr-6", at: "2001:db8:2::60", profile: "passive")

        try lab.lan.attach("keepalived", host: 61)
        let keepalived = try lab.keepalived("keepalived", source: "192.0.2.61", milliseconds: 300)
        try lab.profile("plain")
        try lab.peer("keepalived", at: "192.0.2.61", profile: "plain")

        // BIRD sends multihop packets with the kernel's hop limit of 64.
        try lab.lan.attach("bird", host: 62)
        try lab.lan.run("bird", "ip addr add 203.0.113.62/32 dev lo")
        try lab.lan.run("node-a", "ip route add 203.0.113.62/32 via 192.0.2.62")
        let bird = try lab.bird(
            "bird",
            """
              multihop { interval 300 ms; multiplier 3; };
              neighbor \(Self.near) local 203.0.113.62 multihop on;
            """)
        try lab.profile("far", "minimumTtl: 64")
        try lab.peer("bird", at: "203.0.113.62", profile: "far", "ebgpMultiHop: true")

        let wire = try Capture(
            lab.lan, on: "frr", filter: "ip and udp port 3784 and src \(Self.near)")
        try lab.start()
        expectUp(lab, frr, keepalived, bird)
        try expectEcho(lab, frr)
        try expectFarewells(lab, frr, bird, wire)
    }

    private func expectUp(
        _ lab: BFDLab, _ frr: BFDFRR, _ keepalived: Background, _ bird: BFDBird
    ) {
        let isFRRUp = try? eventually(within: 15, every: 0.1) {
            try frr.peers().filter { $0.status == "up" }.count == 2
        }
        #expect(isFRRUp != nil, "\(lab.lan.lastWords)")
        let isKeepalivedUp = eventually(within: 10, every: 0.1) {
            keepalived.text.contains("(martlet) Entering Up state")
                && lab.path("keepalived")?.state == "Up"
        }
        #expect(isKeepalivedUp != nil, "\(keepalived.text.suffix(800))")
        let isBirdUp = try? eventually(within: 10, every: 0.1) {
            try bird.sessions()?["\(Self.near) multihop"] == "Up"
        }
        #expect(isBirdUp != nil, "\(lab.lan.lastWords)")
    }

    /// Both ends send echo packets through the other's kernel; FRR measures how long they take.
    private func expectEcho(_ lab: BFDLab, _ frr: BFDFRR) throws {
        #expect(eventually(within: 10, every: 0.2) { lab.path("frr-4")?.echoing == true } != nil)
        let isMeasured = try eventually(within: 10, every: 0.2) {
            try frr.peers().contains { $0.peer == Self.near && $0.rttAverage ?? 0 > 0 }
        }
        #expect(isMeasured != nil, "\(frr.shown)")
        #expect(lab.path("frr-4")?.downs == 0)
        #expect(lab.path("frr-6")?.downs == 0)
    }

    private func expectFarewells(
        _ lab: BFDLab, _ frr: BFDFRR, _ bird: BFDBird, _ wire: Capture
    ) throws {
        try frr.ask(
            "conf t", "bfd", "peer \(Self.near6) local-address 2001:db8:2::60 interface eth0",
            "shutdown")
        #expect(
            eventually(within: 10, every: 0.1) {
                lab.path("frr-6")?.remoteState == "AdminDown"
            } != nil)
        #expect(lab.path("frr-6")?.diagnostic == "neighbor signaled session down")
        lab.daemon?.signal(SIGTERM)
        let isTold = try eventually(within: 10, every: 0.1) {
            try frr.peers().contains {
                $0.peer == Self.near && $0.status == "down"
                    && $0.remoteDiagnostic == "administratively down"
            }
        }
        #expect(isTold != nil, "\(frr.shown)")
        #expect(try bird.sessions()?["\(Self.near) multihop"] != "Up")
        // The session lives in the process that speaks BGP, and says so.
        let packets = wire.frames().map(\.text)
        #expect(packets.contains { $0.contains("State Up") })
        #expect(packets.contains { $0.contains("State AdminDown") })
        #expect(!packets.contains { $0.contains("Control Plane Independent") })
    }

    @Test(
        "a peer that stands still is down within a fifth more than the agreed time",
        arguments: [(50, "bird"), (10, "bird"), (50, "frr"), (10, "frr")])
    func detection(milliseconds: Int, kind: String) throws {
        let lab = try BFDLab()
        try lab.lan.attach("peer", host: 60)
        let process: Background
        if kind == "bird" {
            process = try lab.bird(
                "peer",
                """
                  interface "eth0" { interval \(milliseconds) ms; multiplier 3; };
                  neighbor \(Self.near) dev "eth0";
                """
            ).process
        } else {
            process = try lab.frr(
                "peer",
                [
                    " peer \(Self.near) interface eth0", "  receive-interval \(milliseconds)",
                    "  transmit-interval \(milliseconds)", " !",
                ]
            ).process
        }
        try lab.profile("fast", milliseconds: milliseconds)
        try lab.peer("peer", at: "192.0.2.60", profile: "fast")
        let wire = try Capture(lab.lan, on: "node-a", filter: "udp port 3784")
        try lab.start()
        let agreed = Double(3 * milliseconds)
        #expect(
            eventually(within: 15, every: 0.1) {
                lab.path("peer")?.detectionMilliseconds == agreed
            } != nil, "\(lab.lan.lastWords)")
        process.signal(SIGSTOP, wait: false)
        defer { process.signal(SIGCONT, wait: false) }
        #expect(eventually(within: 10, every: 0.05) { lab.path("peer")?.state == "Down" } != nil)
        let station = try lab.lan.macAddress("node-a")
        let silence = try #require(Self.silence(wire.frames(), of: station)) * 1000
        report("BFD \(kind) at \(milliseconds) ms × 3: down", silence / 1000)
        #expect((agreed...agreed * 1.2).contains(silence))
    }

    /// From the peer's last packet to our first one that says Down, in seconds.
    private static func silence(_ frames: [Capture.Frame], of station: String) -> Double? {
        guard
            let up = frames.lastIndex(where: {
                $0.source == station && $0.text.contains("State Up")
            }),
            let down = frames[up...].first(where: {
                $0.source == station && $0.text.contains("State Down")
            }),
            let last = frames.last(where: { $0.source != station })
        else { return nil }
        return down.time - last.time
    }
}
