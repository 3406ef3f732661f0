import BGP
import NetworkTypes
import Testing

@testable import LinuxNetwork
@testable import Speaker

/// Two speakers of ours on loopback: what real routers see is for the tests against them.
@Suite("The BGP thread", .serialized) struct BGPSpeakerTests {
    /// One passive, one active.
    final class Pair {
        let active: BGPSpeaker
        let passive: BGPSpeaker
        private static let loopback = IPAddress(ipv4: 0x7f00_0001)

        static var links: LinkTable {
            var link = Link(
                index: 2, name: "eth0", macAddress: nil, hardwareType: 1, flags: [.up, .lowerUp],
                kind: nil, master: nil)
            if let subnet = Prefix("192.0.2.0/24") {
                link.addresses.insert(
                    InterfaceAddress(address: IPAddress(ipv4: 0xc000_020b), subnet: subnet))
            }
            return LinkTable([link])
        }

        static func plan(
            _ port: UInt16, own: UInt32, other: UInt32, isPassive: Bool, key: String? = nil
        ) -> BGPPeerPlan {
            var settings = PeerSettings(
                localAS: own, remoteAS: .number(other), routerID: own)
            settings.isPassive = isPassive
            settings.connectRetryTime = 1
            var transport = PeerTransport(place: .address(loopback))
            transport.port = port
            transport.key = key.flatMap { StreamKey($0) }
            return BGPPeerPlan(session: settings, transport: transport)
        }

        init(port: UInt16, key: String? = nil, otherKey: String? = nil) throws {
            active = try BGPSpeaker(listening: .init(port: 0))
            passive = try BGPSpeaker(listening: .init(port: port, addresses: [Self.loopback]))
            try passive.start()
            try active.start()
            passive.update(links: Self.links)
            active.update(links: Self.links)
            passive.update(peers: [
                "client": Self.plan(
                    port, own: 64501, other: 64500, isPassive: true, key: otherKey ?? key)
            ])
            active.update(peers: [
                "server": Self.plan(port, own: 64500, other: 64501, isPassive: false, key: key)
            ])
        }

        deinit {
            active.stop()
            passive.stop()
        }

        /// What the passive end has heard of.
        func heard() async -> Int? {
            await passive.report().peers.first?.status.prefixesIn[.ipv4]
        }

        func told(_ prefix: Prefix) async -> PathAttributes? {
            await active.report(of: [prefix]).peers.first?.told[prefix]
        }

        func areEstablished() async -> Bool {
            let ends = await [active.report(), passive.report()]
            return ends.allSatisfy { $0.establishedCount == 1 }
        }
    }

    private func eventually(
        _ what: Comment, _ condition: () async -> Bool
    ) async throws {
        let deadline = MonotonicClock.now() + .seconds(10)
        while await !condition() {
            try #require(MonotonicClock.now() < deadline, what)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func prefix(_ text: String) throws -> Prefix { try #require(Prefix(text)) }

    @Test("a session comes up, routes are told, changed and withdrawn")
    func routes() async throws {
        let pair = try Pair(port: 17901)
        let one = try Self.prefix("198.51.100.1/32")
        let two = try Self.prefix("198.51.100.2/32")
        pair.active.update(changes: ["server": [one: Route(), two: Route()]])
        try await eventually("established") { await pair.areEstablished() }
        try await eventually("two prefixes") { await pair.heard() == 2 }
        #expect(await pair.told(one)?.nextHop?.address == IPAddress("192.0.2.11"))

        pair.active.update(changes: ["server": [two: Route?.none]])
        try await eventually("one is withdrawn") { await pair.heard() == 1 }
        #expect(await pair.told(two) == nil)
    }

    @Test("routes that are about to go carry GRACEFUL_SHUTDOWN, and lose it again")
    func marks() async throws {
        let pair = try Pair(port: 17902)
        let one = try Self.prefix("198.51.100.1/32")
        pair.active.update(changes: ["server": [one: Route()]])
        try await eventually("told") { await pair.told(one) != nil }
        #expect(await pair.told(one)?.communities == [])
        pair.active.markShutdown(true)
        try await eventually("marked") {
            await pair.told(one)?.communities == [.gracefulShutdown]
        }
        pair.active.markShutdown(false)
        try await eventually("not marked any more") { await pair.told(one)?.communities == [] }
    }

    @Test("at the end everything is withdrawn before the session is")
    func ends() async throws {
        let pair = try Pair(port: 17903)
        pair.active.update(changes: ["server": [try Self.prefix("198.51.100.1/32"): Route()]])
        try await eventually("told") { await pair.heard() == 1 }
        pair.active.end(keepingRoutes: false)
        try await eventually("ended") { await pair.active.report().establishedCount == 0 }
        let peer = try #require(await pair.active.report().peers.first)
        #expect(peer.routes.ipv4.withdrawals == 1)
        #expect(peer.status.lastSent?.notification.code == NotificationMessage.Code.cease.rawValue)
    }

    @Test("after the end no session begins any more, not even with a peer that is new")
    func endsForGood() async throws {
        let pair = try Pair(port: 17907)
        pair.active.end(keepingRoutes: false)
        pair.active.update(peers: [
            "server": Pair.plan(17907, own: 64500, other: 64501, isPassive: false),
            "new": Pair.plan(17908, own: 64500, other: 64501, isPassive: false),
        ])
        let peers = await pair.active.report().peers
        #expect(peers.map(\.name) == ["new", "server"])
        #expect(peers.first?.status.counters.attempts == 0)
        #expect(peers.first?.status.state == .idle)
    }

    @Test("a router that is left for another is told to forget the routes")
    func moved() async throws {
        let pair = try Pair(port: 17909)
        func plan(isPassive: Bool) -> BGPPeerPlan {
            var plan = Pair.plan(
                17909, own: isPassive ? 64501 : 64500, other: isPassive ? 64500 : 64501,
                isPassive: isPassive)
            plan.session.gracefulRestart = .init(time: 120, isRestarting: true)
            return plan
        }
        pair.passive.update(peers: ["client": plan(isPassive: true)])
        pair.active.update(peers: ["server": plan(isPassive: false)])
        try await eventually("restart is agreed") {
            let status = await pair.active.report().peers.first?.status
            return status?.state == .established && status?.parameters?.keepsOnNotification == true
        }
        var moved = plan(isPassive: false)
        moved.transport.place = .address(IPAddress(ipv4: 0x7f00_0002))
        pair.active.update(peers: ["server": moved])
        // Cease/Hard Reset: a plain NOTIFICATION would have the routes kept (RFC 8538 §3.1).
        try await eventually("a hard reset came") {
            let last = await pair.passive.report().peers.first?.status.lastReceived
            return last?.notification.code == 6 && last?.notification.subcode == 9
        }
    }

    @Test("a peer that is removed is told so, and the others never notice")
    func removed() async throws {
        let pair = try Pair(port: 17904)
        try await eventually("established") { await pair.areEstablished() }
        pair.active.update(peers: [:])
        try await eventually("the other end knows") {
            await pair.passive.report().peers.first?.status.lastReceived != nil
        }
        #expect(await pair.active.report().peers.isEmpty)
        let error = await pair.passive.report().peers.first?.status.lastReceived
        // Cease/Peer De-configured (RFC 4486 §4).
        #expect(error?.notification.code == 6)
        #expect(error?.notification.subcode == 3)
    }

    @Test("with different passwords nothing comes up; once they are equal, it does")
    func passwords() async throws {
        let pair = try Pair(port: 17905, key: "one", otherKey: "other")
        try await Task.sleep(for: .milliseconds(300))
        #expect(await pair.passive.report().establishedCount == 0)
        #expect(await pair.passive.report().peers.first?.status.counters.accepted == 0)
        pair.passive.update(peers: [
            "client": Pair.plan(17905, own: 64501, other: 64500, isPassive: true, key: "one")
        ])
        try await eventually("established") { await pair.areEstablished() }
    }

    @Test("a port that is taken is a trouble that names the way out, and harms nothing else")
    func portTaken() async throws {
        let other = try StreamListener(
            SocketAddress(IPAddress(ipv4: 0x7f00_0001), port: 17906))
        let pair = try Pair(port: 17906)
        try await eventually("told") { await pair.passive.report().listeningTrouble != nil }
        let trouble = await pair.passive.report().listeningTrouble
        #expect(trouble?.contains("another BGP speaker perhaps") == true)
        #expect(other.local.port == 17906)
        #expect(await pair.active.report().peers.count == 1)
    }

    @Test("whoever asks a speaker that does not run gets an empty answer at once")
    func notRunning() async throws {
        let speaker = try BGPSpeaker()
        #expect(await speaker.report().peers.isEmpty)
        speaker.stop()
    }
}
