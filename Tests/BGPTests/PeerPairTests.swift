import NetworkTypes
import Testing

@testable import BGP

@Suite("Two peers and a link between them")
struct PeerPairTests {
    /// Two of one AS each, or of the same.
    private func settings(
        identifiers: [UInt32] = [0xC000_0201, 0xC000_0202], numbers: [UInt32] = [64512, 64513],
        _ change: (inout PeerSettings) -> Void = { _ in }
    ) -> [PeerSettings] {
        (0...1).map { side in
            var settings = PeerSettings(
                localAS: numbers[side], remoteAS: .number(numbers[1 - side]),
                routerID: identifiers[side])
            change(&settings)
            return settings
        }
    }

    @Test("Crossing connects leave one session, whatever the delays, and no session is ever lost")
    func crossing() {
        var generator = Jitter(seed: 1)
        func milliseconds(_ bound: UInt64) -> Duration {
            .microseconds(Int(generator.seed() % (bound * 1000)))
        }
        var crossings = 0
        for run in 0..<3_000 {
            let identifiers: [UInt32] =
                run % 3 == 0
                ? [0xC000_0201, 0xC000_0201]
                : run % 3 == 1 ? [0xC000_0201, 0xC000_0202] : [0xC000_0202, 0xC000_0201]
            var pair = PeerPair(
                settings(identifiers: identifiers) {
                    $0.gracefulRestart = run % 2 == 0 ? nil : .init(time: 120, isRestarting: true)
                },
                seed: UInt64(run), delays: [milliseconds(40), milliseconds(40)])
            pair.unevenness = milliseconds(60)
            pair.tell(0, .start)
            pair.run(for: milliseconds(100))
            pair.tell(1, .start)
            pair.run(for: .seconds(2))
            #expect(pair.isUp, "run \(run)")
            for side in 0...1 {
                #expect(pair.history[side].established.count == 1, "run \(run)")
                #expect(pair.history[side].losses.isEmpty, "run \(run)")
            }
            if pair.history.contains(where: { $0.notifications.contains(.connectionCollision) }) {
                crossings += 1
            }
        }
        #expect(crossings > 300, "the collision was not tried")
    }

    @Test("One passive end, the other connects", arguments: [0, 1])
    func passive(side: Int) {
        var both = settings()
        both[side].isPassive = true
        var pair = PeerPair(both, seed: 3, delays: [.milliseconds(1), .milliseconds(1)])
        pair.tell(0, .start)
        pair.tell(1, .start)
        pair.run(for: .seconds(1))
        #expect(pair.isUp)
    }

    @Test("KEEPALIVEs hold the session for hours, and the agreed times are the same")
    func quiet() {
        var both = settings()
        both[0].holdTime = 9
        var pair = PeerPair(both, seed: 4, delays: [.milliseconds(2), .milliseconds(2)])
        pair.tell(0, .start)
        pair.tell(1, .start)
        pair.run(for: .seconds(10_800))
        #expect(pair.isUp)
        #expect(pair.peers.map(\.status.counters.established) == [1, 1])
        #expect(pair.peers.map { $0.status.parameters?.holdTime } == [9, 9])
        let received = pair.peers[0].status.counters.received.keepalives
        #expect(received >= 3_600 && received <= 4_810)
    }

    @Test("A dead link is noticed within the hold time, and the session is back after it")
    func deadLink() {
        var both = settings()
        both[0].holdTime = 9
        var pair = PeerPair(both, seed: 5, delays: [.milliseconds(2), .milliseconds(2)])
        pair.tell(0, .start)
        pair.tell(1, .start)
        pair.run(for: .seconds(30))
        #expect(pair.isUp)
        pair.isConnected = false
        pair.run(for: .seconds(9))
        for side in 0...1 {
            #expect(pair.history[side].losses.map(\.cause) == [.sent(.holdTimerExpired)])
        }
        pair.run(for: .seconds(60))
        pair.isConnected = true
        pair.run(for: .seconds(120))
        #expect(pair.isUp)
    }

    @Test("Resets of the connection, however often, end with a session")
    func resets() {
        for run in 0..<100 {
            var generator = Jitter(seed: UInt64(run))
            var pair = PeerPair(
                settings(), seed: UInt64(run), delays: [.milliseconds(3), .milliseconds(7)])
            pair.tell(0, .start)
            pair.tell(1, .start)
            for _ in 0..<10 {
                pair.run(for: .milliseconds(Int(generator.seed() % 15_000)))
                pair.resetConnections()
            }
            pair.run(for: .seconds(130))
            #expect(pair.isUp, "run \(run)")
            #expect(pair.peers.allSatisfy { $0.sessions.count == 1 })
        }
    }

    @Test("A router that does not listen yet is connected to when it does")
    func lateRouter() {
        var both = settings()
        both[1].isPassive = true
        var pair = PeerPair(both, seed: 6, delays: [.milliseconds(2), .milliseconds(2)])
        pair.isListening[1] = false
        pair.tell(0, .start)
        pair.run(for: .seconds(40))
        pair.isListening[1] = true
        pair.tell(1, .start)
        pair.run(for: .seconds(40))
        #expect(pair.isUp)
    }

    @Test("Both ends of a wrong AS say so, and a correction brings the session")
    func correctedAS() {
        var both = settings()
        let right = both[0]
        both[0].remoteAS = .number(64599)
        var pair = PeerPair(both, seed: 8, delays: [.milliseconds(2), .milliseconds(2)])
        pair.tell(0, .start)
        pair.tell(1, .start)
        pair.run(for: .seconds(600))
        #expect(!pair.isUp)
        #expect(pair.peers[0].status.lastSent?.notification.subcode == 2)
        #expect(pair.peers[1].status.lastReceived?.notification.subcode == 2)
        #expect(pair.history[0].established.isEmpty)
        pair.update(0, right)
        pair.run(for: .seconds(5))
        #expect(pair.isUp)
    }

    @Test("A reset by one end is back within seconds, and the other learns the reason")
    func administrativeReset() {
        var pair = PeerPair(
            settings { $0.shutdownMessage = "new cable" }, seed: 9,
            delays: [.milliseconds(2), .milliseconds(2)])
        pair.tell(0, .start)
        pair.tell(1, .start)
        pair.run(for: .seconds(60))
        pair.tell(0, .stop(.reset(keepRoutes: false)))
        pair.run(for: .seconds(2))
        #expect(pair.isUp)
        #expect(
            pair.peers[1].status.lastReceived?.notification.data == [9] + Array("new cable".utf8))
    }
}
