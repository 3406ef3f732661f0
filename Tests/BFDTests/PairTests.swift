import BFD
import NetworkTypes
import Testing

@Suite("Two sessions on a link")
struct PairTests {
    @Test("They come up within three packets, and agree on the fast intervals")
    func comingUp() {
        var pair = Pair(.every(50), .every(100, times: 5))
        pair.run(for: .milliseconds(5))
        #expect(pair.states == [.up, .up])
        pair.run(for: .seconds(1))
        #expect(
            pair.ends.map(\.status.transmitInterval) == [.milliseconds(100), .milliseconds(100)])
        #expect(pair.ends[0].status.detectionTime == .milliseconds(500))
        #expect(pair.ends[1].status.detectionTime == .milliseconds(300))
        #expect(pair.ends.allSatisfy { !$0.status.isPolling })
        #expect(pair.ends.map(\.reachability) == [.up, .up])
    }

    @Test("A passive end comes up with an active one; two passive ends stay silent")
    func passive() {
        var passive = BFDSession.Settings.every(50)
        passive.role = .passive
        var mixed = Pair(passive, .every(50))
        mixed.run(for: .seconds(2))
        #expect(mixed.states == [.up, .up])
        var silent = Pair(passive, passive)
        silent.run(for: .seconds(10))
        #expect(silent.states == [.down, .down])
        #expect(silent.sent == [0, 0])
    }

    @Test("They come up, and stay, while one packet in ten is lost", arguments: 1...8)
    func loss(seed: Int) {
        var pair = Pair(.every(50, times: 10), .every(50, times: 10), seed: UInt64(seed))
        pair.loses = { end, number in (number &* 2_654_435_761 &+ end &* seed) % 10 == 3 }
        pair.run(for: .seconds(10))
        #expect(pair.states == [.up, .up])
        pair.run(for: .seconds(120))
        #expect(pair.ends.map(\.status.counters.downs) == [0, 0])
    }

    @Test("With every second packet lost they still meet", arguments: 1...10)
    func heavyLoss(seed: Int) {
        var pair = Pair(.every(50, times: 20), .every(50, times: 20), seed: UInt64(seed))
        pair.loses = { _, number in (number &* 2_654_435_761 &+ seed) >> 7 & 1 == 1 }
        pair.run(for: .seconds(30))
        #expect(pair.states == [.up, .up])
    }

    @Test(
        "A dead end is noticed after the agreed time and not before",
        arguments: [UInt32(10), 50, 300])
    func detection(interval: UInt32) throws {
        for seed in UInt64(1)...20 {
            var pair = Pair.up(.every(interval), .every(interval), seed: seed)
            pair.loses = { end, _ in end == 1 }
            let cut = pair.now
            pair.run(for: .seconds(5))
            let fall = try #require(pair.changes(of: 0).first)
            #expect(fall.state == .down)
            let agreed = Duration.milliseconds(3 * Int(interval))
            #expect(fall.time - cut <= agreed + pair.delay)
            #expect(fall.time - cut >= agreed - .milliseconds(Int(interval)))
        }
    }

    @Test("A link that fails one way takes both ends down, and both come back")
    func oneWay() {
        var pair = Pair.up()
        pair.loses = { end, _ in end == 1 }
        pair.run(for: .seconds(1))
        // The end that still hears goes on offering.
        #expect(pair.states == [.down, .`init`])
        #expect(pair.ends[0].status.diagnostic == .controlDetectionTimeExpired)
        #expect(pair.ends[1].status.diagnostic == .neighborSignaledSessionDown)
        #expect(pair.ends[1].status.remoteDiagnostic == .controlDetectionTimeExpired)
        pair.loses = { _, _ in false }
        pair.run(for: .seconds(2))
        #expect(pair.states == [.up, .up])
        #expect(pair.verdicts(of: 0) == [.down, .up])
        #expect(pair.verdicts(of: 1) == [.down, .up])
    }

    @Test("An end that starts anew under another discriminator is met again")
    func restart() {
        var pair = Pair.up()
        pair.restart(1, discriminator: 77)
        pair.run(for: .seconds(2))
        #expect(pair.states == [.up, .up])
        #expect(pair.ends[0].status.remote?.discriminator == 77)
    }

    @Test("Held down, an end is not missed; let go, it comes back")
    func adminDown() {
        var pair = Pair.up()
        pair.tell(0, .disable)
        pair.run(for: .seconds(10))
        #expect(pair.states == [.adminDown, .down])
        #expect(pair.verdicts(of: 1) == [.unknown])
        #expect(pair.log.contains { $0.end == 0 && $0.action == .farewellEnded })
        pair.tell(0, .enable)
        pair.run(for: .seconds(2))
        #expect(pair.states == [.up, .up])
        #expect(pair.verdicts(of: 1) == [.unknown, .up])
    }

    @Test("AdminDown is heard also when the first packet of it is lost")
    func lostFarewell() throws {
        var pair = Pair.up()
        let first = pair.sent[0] + 1
        pair.loses = { end, number in end == 0 && number == first }
        pair.tell(0, .disable)
        let start = pair.now
        pair.run(for: .seconds(3))
        #expect(pair.verdicts(of: 1) == [.unknown])
        let end = try #require(pair.log.first { $0.action == .farewellEnded })
        #expect(end.time - start < .milliseconds(150))
    }

    @Test("A farewell that nobody hears ends after a detection time")
    func unheardFarewell() throws {
        var pair = Pair.up()
        pair.loses = { _, _ in true }
        pair.tell(0, .disable)
        let start = pair.now
        pair.run(for: .seconds(3))
        let end = try #require(pair.log.first { $0.action == .farewellEnded })
        #expect(end.time - start == .milliseconds(150))
        var alone = BFDSession()
        _ = alone.handle(.disable, at: .at(10))
        #expect(alone.handle(.deadlineReached, at: .at(10)).contains(.farewellEnded))
    }

    @Test(
        "Intervals change both ways while up, with loss, and the session never falls",
        arguments: 1...20)
    func changes(seed: Int) {
        var pair = Pair.up(.every(50, times: 6), .every(50, times: 6), seed: UInt64(seed))
        pair.loses = { end, number in (number &* 40_503 &+ end &* 7 &+ seed) % 9 == 0 }
        for (index, interval) in [300, 10, 1000, 20, 50].enumerated() {
            pair.tell(index % 2, .settingsChanged(.every(UInt32(interval), times: 6)))
            pair.run(for: .seconds(20))
            #expect(pair.ends.allSatisfy { !$0.status.isPolling })
        }
        #expect(pair.ends.map(\.status.counters.downs) == [0, 0])
        #expect(pair.ends[0].status.transmitInterval == .milliseconds(50))
        #expect(pair.ends[1].status.transmitInterval == .milliseconds(50))
    }

    @Test("A late wake-up of our own thread is no failure of the path")
    func lateThread() {
        // The other end waits for five seconds; here 150 ms would be over.
        var pair = Pair.up(.every(50, times: 100), .every(50))
        let downs = pair.ends[0].status.counters.downs
        for _ in 0..<20 {
            pair.suspend(0, for: .milliseconds(1_300))
            pair.run(for: .seconds(3))
        }
        #expect(pair.ends[0].status.counters.downs == downs)
        #expect(pair.states == [.up, .up])
    }

    @Test("A quiet hour brings no change and no more packets than agreed")
    func quiet() {
        var pair = Pair.up(.every(1000), .every(1000))
        let before = pair.sent
        pair.run(for: .seconds(3_600))
        #expect(pair.changes(of: 0).isEmpty && pair.changes(of: 1).isEmpty)
        for end in 0...1 {
            #expect((3_600...4_800).contains(pair.sent[end] - before[end]))
        }
    }
}
