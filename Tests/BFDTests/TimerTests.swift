import BFD
import NetworkTypes
import Testing

@Suite("Intervals")
struct TimerTests {
    /// The pauses between periodic packets of an Up session that hears its peer all the time.
    private func pauses(_ session: BFDSession, count: Int) throws -> [Duration] {
        var session = session
        var pauses: [Duration] = []
        var last: Instant?
        var now = Instant.start
        while pauses.count < count {
            now = max(now, try #require(session.nextDeadline))
            _ = session.hear(.heard(.up, isFinal: true), at: now)
            let actions = session.handle(.deadlineReached, at: now)
            guard !actions.packets.isEmpty else { continue }
            if let last { pauses.append(now - last) }
            last = now
        }
        return pauses
    }

    @Test("Packets are spread over 75–100 % of the interval (RFC 5880 §6.8.7)")
    func jitter() throws {
        let pauses = try pauses(.inState(.up), count: 2_000)
        #expect(pauses.allSatisfy { $0 >= .microseconds(37_500) && $0 <= .milliseconds(50) })
        #expect(pauses.contains { $0 < .milliseconds(38) })
        #expect(pauses.contains { $0 > .microseconds(49_500) })
        let mean = pauses.reduce(.zero, +) / pauses.count
        #expect(mean > .milliseconds(43) && mean < .milliseconds(45))
    }

    @Test("With a multiplier of 1, over 75–90 %")
    func jitterOfOne() throws {
        let pauses = try pauses(.inState(.up, .every(50, times: 1)), count: 2_000)
        #expect(pauses.allSatisfy { $0 >= .microseconds(37_500) && $0 <= .milliseconds(45) })
        #expect(pauses.contains { $0 > .microseconds(44_500) })
    }

    @Test("A session that is not up keeps the pace of one second (RFC 5880 §6.8.3)")
    func slowWhileDown() throws {
        var session = BFDSession(.every(10))
        var times: [Instant] = []
        while times.count < 20 {
            let now = try #require(session.nextDeadline)
            let packets = session.handle(.deadlineReached, at: now).packets
            #expect(packets.map(\.desiredMinTransmit) == [1_000_000])
            #expect(packets.map(\.requiredMinReceive) == [10_000])
            times.append(now)
        }
        #expect(times.first == .start)
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect(later - earlier >= .milliseconds(750) && later - earlier <= .seconds(1))
        }
    }

    @Test("The interval is the greater of what both ends want; detection is by the other's values")
    func negotiation() {
        var session = BFDSession.inState(.up, .every(50, times: 3))
        _ = session.hear(.heard(.up, every: 300, times: 7), at: .at(10))
        #expect(session.status.transmitInterval == .milliseconds(300))
        #expect(session.status.receiveInterval == .milliseconds(300))
        #expect(session.status.detectionTime == .milliseconds(2_100))
        _ = session.hear(.heard(.up, every: 10, times: 2), at: .at(20))
        #expect(session.status.transmitInterval == .milliseconds(50))
        #expect(session.status.detectionTime == .milliseconds(100))
        #expect(session.handle(.deadlineReached, at: .at(119)).states.isEmpty)
        #expect(session.handle(.deadlineReached, at: .at(120)).states == [.down])
    }

    @Test("Coming up starts a Poll Sequence for the fast interval, which F ends")
    func pollOnUp() {
        var session = BFDSession.inState(.`init`)
        let up = session.hear(.heard(.`init`), at: .at(1))
        #expect(up.packets.map(\.isPoll) == [true])
        #expect(up.packets.map(\.desiredMinTransmit) == [50_000])
        #expect(session.handle(.deadlineReached, at: .at(60)).packets.map(\.isPoll) == [true])
        _ = session.hear(.heard(.up, isFinal: true), at: .at(70))
        #expect(!session.status.isPolling)
        #expect(session.handle(.deadlineReached, at: .at(120)).packets.map(\.isPoll) == [false])
    }

    @Test("A poll is answered at once, with F and without P, in every state but AdminDown")
    func answers() {
        for state in [BFDState.down, .`init`, .up] {
            var session = BFDSession.inState(state)
            for time in 1...3 {
                let heard: BFDState = state == .up ? .up : .adminDown
                let packets = session.hear(.heard(heard, isPoll: true), at: .at(time)).packets
                #expect(packets.map(\.isFinal) == [true])
                #expect(packets.map(\.isPoll) == [false])
            }
        }
    }

    @Test("Answers to the other end's polls do not hold up our own packets")
    func pollFlood() {
        var session = BFDSession.inState(.up, .every(50))
        var periodic = 0
        for millisecond in 1...1000 {
            _ = session.hear(.heard(.up, isPoll: true), at: .at(millisecond))
            let packets = session.handle(.deadlineReached, at: .at(millisecond)).packets
            periodic += packets.count { !$0.isFinal }
        }
        #expect(periodic >= 20)
    }

    @Test("Sending less often waits until the other end has confirmed it (RFC 5880 §6.8.3)")
    func slower() {
        var session = BFDSession.inState(.up)
        let news = session.handle(.settingsChanged(.every(400)), at: .at(10)).packets
        #expect(news.map(\.isPoll) == [true])
        #expect(news.map(\.desiredMinTransmit) == [400_000])
        #expect(session.status.transmitInterval == .milliseconds(50))
        _ = session.hear(.heard(.up), at: .at(20))
        #expect(session.status.transmitInterval == .milliseconds(50))
        _ = session.hear(.heard(.up, isFinal: true), at: .at(30))
        #expect(session.status.transmitInterval == .milliseconds(400))
    }

    @Test("Expecting packets more often waits, too; expecting them less often does not")
    func detection() {
        var session = BFDSession.inState(.up, .every(300))
        #expect(session.status.detectionTime == .milliseconds(900))
        _ = session.handle(.settingsChanged(.every(100)), at: .at(10))
        #expect(session.status.transmitInterval == .milliseconds(100))
        #expect(session.status.detectionTime == .milliseconds(900))
        _ = session.hear(.heard(.up, isFinal: true), at: .at(20))
        #expect(session.status.detectionTime == .milliseconds(300))
        _ = session.handle(.settingsChanged(.every(700)), at: .at(30))
        #expect(session.status.detectionTime == .milliseconds(2_100))
    }

    @Test("The other end's smaller receive interval is honored at once")
    func honored() throws {
        var session = BFDSession.inState(.up)
        _ = session.hear(.heard(.up, every: 5_000), at: .at(10))
        _ = session.handle(.deadlineReached, at: .at(10))
        #expect(try #require(session.nextDeadline) > .at(3_000))
        _ = session.hear(.heard(.up, every: 50), at: .at(1_000))
        #expect(try #require(session.nextDeadline) <= .at(1_000))
        #expect(session.handle(.deadlineReached, at: .at(1_000)).packets.count == 1)
    }

    @Test("A change during a Poll Sequence is confirmed by an answer of its own")
    func changeWhilePolling() {
        var session = BFDSession.inState(.up)
        _ = session.handle(.settingsChanged(.every(200)), at: .at(10))
        _ = session.handle(.settingsChanged(.every(400)), at: .at(11))
        _ = session.hear(.heard(.up, isFinal: true), at: .at(12))
        #expect(session.status.transmitInterval == .milliseconds(50))
        _ = session.hear(.heard(.up, isFinal: true), at: .at(13))
        #expect(session.status.transmitInterval == .milliseconds(400))
        #expect(!session.status.isPolling)
    }

    @Test("The multiplier may change without a Poll Sequence (RFC 5880 §6.8.3)")
    func multiplier() {
        var session = BFDSession.inState(.up)
        let news = session.handle(.settingsChanged(.every(50, times: 9)), at: .at(10)).packets
        #expect(news.map(\.detectMultiplier) == [9])
        #expect(news.map(\.isPoll) == [false])
    }

    @Test("An end that can receive nothing is sent nothing but news and answers")
    func receivesNothing() {
        var session = BFDSession.inState(.up)
        var packet = BFDPacket.heard(.up)
        packet.requiredMinReceive = 0
        _ = session.hear(packet, at: .at(10))
        #expect(session.handle(.deadlineReached, at: .at(100)).packets.isEmpty)
        packet.isPoll = true
        #expect(session.hear(packet, at: .at(110)).packets.map(\.isFinal) == [true])
        #expect(session.handle(.disable, at: .at(120)).packets.map(\.state) == [.adminDown])
    }

    @Test("An end in Demand mode is sent nothing while both are up, unless we poll (RFC 5880 §6.6)")
    func demand() throws {
        var session = BFDSession.inState(.up)
        var packet = BFDPacket.heard(.up)
        packet.isDemand = true
        _ = session.hear(packet, at: .at(10))
        #expect(session.handle(.deadlineReached, at: .at(100)).packets.isEmpty)
        #expect(try #require(session.nextDeadline) == .at(160))
        _ = session.handle(.settingsChanged(.every(70)), at: .at(105))
        #expect(session.handle(.deadlineReached, at: .at(159)).packets.map(\.isPoll) == [true])
        packet.isFinal = true
        _ = session.hear(packet, at: .at(160))
        #expect(session.handle(.deadlineReached, at: .at(300)).packets.isEmpty)
        #expect(session.handle(.deadlineReached, at: .at(370)).packets.map(\.state) == [.down])
    }
}

@Suite("Demand mode and echo")
struct DemandEchoTests {
    @Test("A session that the echo function ends leaves no deadline in the past")
    func noDeadlineInThePast() throws {
        var settings = BFDSession.Settings.every(300, times: 1)
        settings.echo = .init(transmitInterval: 50_000, requiredMinReceive: 50_000)
        var session = BFDSession.inState(.up, settings)
        var packet = BFDPacket.heard(.up)
        packet.isDemand = true
        packet.isFinal = true
        packet.requiredMinEchoReceive = 50_000
        _ = session.hear(packet, at: .at(10))
        let due = session.handle(.deadlineReached, at: .at(20))
        let number = try #require(
            due.compactMap { if case .sendEcho(let number) = $0 { number } else { nil } }.first)
        _ = session.handle(.echoReturned(number), at: .at(21))
        // The poll that the slower pace of control packets needs is answered; then silence.
        _ = session.hear(packet, at: .at(22))
        for time in stride(from: 4_000, to: 9_000, by: 700) {
            _ = session.handle(.deadlineReached, at: .at(time))
            if let next = session.nextDeadline { #expect(next > .at(time)) }
        }
        #expect(session.state == .down)
    }
}

@Suite("Late and early clocks")
struct ClockTests {
    @Test("Packets that came before the session's last event count from when they came")
    func oldArrivals() {
        var session = BFDSession.inState(.up)
        _ = session.hear(.heard(.up), at: .at(100))
        _ = session.handle(.settingsChanged(.every(50)), at: .at(400))
        for time in [150, 200, 350] { _ = session.hear(.heard(.up), at: .at(time)) }
        #expect(session.handle(.deadlineReached, at: .at(400)).states.isEmpty)
        #expect(session.status.lastReceived == .at(350))
        #expect(session.handle(.deadlineReached, at: .at(500)).states == [.down])
    }

    @Test("A packet older than one already heard does not bring detection forward")
    func reordered() {
        var session = BFDSession.inState(.up)
        _ = session.hear(.heard(.up), at: .at(100))
        _ = session.hear(.heard(.up), at: .at(40))
        #expect(session.handle(.deadlineReached, at: .at(249)).states.isEmpty)
    }

    @Test("Whatever is due is done in one go: no deadline is left in the past")
    func noDeadlineInThePast() throws {
        for state in BFDState.allCases {
            var session = BFDSession.inState(state)
            _ = session.handle(.deadlineReached, at: .at(60_000))
            if let next = session.nextDeadline { #expect(next > .at(60_000)) }
        }
    }
}
