import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPFailureTests {}
}

/// BFD with routers that have it.
extension RealNetwork.BGPFailureTests {
    @Test(
        "with BFD a stopped daemon's routes are gone long before the hold time, and come back",
        arguments: BGPMatrix.routers(with: .bfd))
    func stopped(kind: RouterKind) throws {
        let lab = try RouterLab()
        try lab.service("web", 10)
        try lab.lan.write(
            "profile.yaml",
            """
            apiVersion: metallb.io/v1beta1
            kind: BFDProfile
            metadata: {name: fast, namespace: metallb-system}
            spec: {receiveInterval: 100, transmitInterval: 100, detectMultiplier: 3}

            """)
        var sessions: [RouterSession] = []
        for (name, router, node) in [
            ("p4", "192.0.2.50", "192.0.2.11"), ("p6", "2001:db8:2::50", "2001:db8:2::11"),
        ] {
            try lab.peer(
                name, at: router, my: 64501, "dualStackAddressFamily: true", "bfdProfile: fast",
                "holdTime: 90s")
            var session = RouterSession(name, node, as: 64501)
            session.bfdInterval = 100
            session.holdTime = 90
            sessions.append(session)
        }
        let router = try lab.router(kind, sessions: sessions)
        let daemon = try lab.start("node-a")
        try lab.expectEstablished()
        try lab.expect(RouterLab.prefixes(10), at: router, sessions: ["p4", "p6"])
        let isWatched = try eventually(within: 10, every: 0.1) { try areBothUp(kind, router) }
        #expect(isWatched != nil, lab.lastWords)
        let begin = wallClock()
        daemon.signal(SIGSTOP, wait: false)
        let isGone = try eventually(within: 5, every: 0.02) { try router.routes().isEmpty }
        #expect(isGone != nil, lab.lastWords)
        report("\(kind): daemon stopped, 100 ms × 3: no route held", wallClock() - begin)
        #expect(wallClock() - begin < 1.5)
        daemon.signal(SIGCONT, wait: false)
        try lab.expect(
            RouterLab.prefixes(10), at: router, sessions: ["p4", "p6"], within: 20)
        print("matrix: \(kind), BFD over IPv4 and IPv6: up, down by detection, up again")
    }

    /// Whether both of the router's BFD sessions are up.
    private func areBothUp(_ kind: RouterKind, _ router: any Router) throws -> Bool {
        switch router {
        case let bird as BIRDRouter:
            try bird.ask("show bfd sessions").split(separator: "\n").count { $0.contains(" Up ") }
                == 2
        case let frr as FRRRouter:
            try RouterJSON(text: frr.ask("show bfd peers json")).list
                .count { $0["status"].text == "up" } == 2
        default: false
        }
    }
}
