import BFD
import NetworkTypes
import Testing

@Suite("The Echo function")
struct EchoTests {
    private static func settings(
        transmit: UInt32? = 50, receive: UInt32 = 50, control: UInt32 = 300
    ) -> BFDSession.Settings {
        var settings = BFDSession.Settings.every(control)
        settings.echo = .init(
            transmitInterval: transmit.map { $0 * 1000 }, requiredMinReceive: receive * 1000)
        return settings
    }

    private static func echoTimes(_ pair: Pair, of end: Int) -> [Instant] {
        pair.log.compactMap { entry in
            guard entry.end == end, case .sendEcho = entry.action else { return nil }
            return entry.time
        }
    }

    @Test("Echo packets that come back take over, and control packets slow down (RFC 5880 §6.8.3)")
    func active() {
        let pair = Pair.up(Self.settings(), Self.settings())
        for end in pair.ends {
            #expect(end.status.echo == .active)
            #expect(end.status.counters.echoesReturned > 20)
            #expect(end.status.receiveInterval == .seconds(1))
            #expect(end.status.transmitInterval == .seconds(1))
        }
    }

    @Test("They keep the greater interval of both ends, spread over 75–100 %")
    func interval() {
        var pair = Pair.up(Self.settings(transmit: 20), Self.settings(receive: 100))
        pair.run(for: .seconds(60))
        let times = Self.echoTimes(pair, of: 0)
        #expect(times.count > 600)
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect(later - earlier >= .milliseconds(75) && later - earlier <= .milliseconds(100))
        }
    }

    @Test("None are sent to an end that takes none, nor over several hops")
    func notOffered() {
        let refused = Pair.up(Self.settings(), Self.settings(receive: 0))
        #expect(refused.ends[0].status.echo == .off)
        #expect(refused.ends[0].status.counters.echoesSent == 0)
        var multihop = Self.settings()
        multihop.isMultihop = true
        let far = Pair.up(multihop, multihop)
        #expect(far.states == [.up, .up])
        #expect(far.ends.allSatisfy { $0.status.counters.echoesSent == 0 })
        #expect(far.packets(of: 0).allSatisfy { $0.packet.requiredMinEchoReceive == 0 })
    }

    @Test("An end that offers echo, but whose network drops it, costs nothing")
    func neverReturned() {
        var pair = Pair(Self.settings(), Self.settings())
        pair.echoes = [false, false]
        pair.run(for: .seconds(60))
        #expect(pair.states == [.up, .up])
        #expect(pair.ends.allSatisfy { $0.status.echo == .trying })
        #expect(pair.ends.allSatisfy { $0.status.counters.downs == 0 })
        #expect(pair.ends.allSatisfy { $0.status.receiveInterval == .milliseconds(300) })
    }

    @Test("When they stop coming back, the session falls in their detection time, and says why")
    func failure() throws {
        var pair = Pair.up(Self.settings(), Self.settings(transmit: nil))
        let cut = pair.now
        pair.echoes = [false, false]
        pair.run(for: .seconds(1))
        let fall = try #require(pair.changes(of: 0).first)
        #expect(fall.state == .down)
        #expect(fall.time - cut <= .milliseconds(165))
        #expect(fall.time - cut >= .milliseconds(100))
        let reason = pair.log.first { entry in
            entry.action == .stateChanged(.down, .echoFunctionFailed)
        }
        #expect(reason?.end == 0)
        #expect(pair.verdicts(of: 0).first == .down)
    }

    @Test("A thread that was late to send them does not miss those it did not send")
    func lateThread() {
        var pair = Pair.up(Self.settings(), Self.settings())
        for _ in 0..<50 {
            pair.suspend(0, for: .milliseconds(400))
            pair.run(for: .milliseconds(1_500))
        }
        #expect(pair.ends[0].status.counters.downs == 0)
    }

    @Test("Every packet has had time to come back before it counts as lost")
    func lastChance() {
        var settings = Self.settings()
        settings.detectMultiplier = 1
        var session = BFDSession.inState(.up, settings)
        var packet = BFDPacket.heard(.up, every: 10_000)
        packet.requiredMinEchoReceive = 50_000
        _ = session.hear(packet, at: .at(0))
        for round in 0..<10 {
            // Each packet is sent late by three intervals, and is back 2 ms later.
            let actions = session.handle(.deadlineReached, at: .at(200 * round))
            for case .sendEcho(let number) in actions {
                #expect(session.handle(.deadlineReached, at: .at(200 * round + 1)).states.isEmpty)
                _ = session.handle(.echoReturned(number), at: .at(200 * round + 2))
            }
        }
        #expect(session.status.counters.echoesReturned == 10)
        #expect(session.state == .up)
    }

    @Test("When the other end withdraws its offer, they cease and control packets are fast again")
    func withdrawn() {
        var pair = Pair.up(Self.settings(), Self.settings())
        pair.tell(1, .settingsChanged(Self.settings(receive: 0)))
        pair.run(for: .seconds(5))
        #expect(pair.ends[0].status.echo == .off)
        #expect(pair.ends[1].status.echo == .active)
        #expect(pair.ends[0].status.receiveInterval == .milliseconds(300))
        #expect(pair.ends.allSatisfy { $0.status.counters.downs == 0 })
    }

    @Test("Only the number of a packet under way counts as come back, and once")
    func numbers() throws {
        var session = BFDSession.inState(.up, Self.settings())
        var packet = BFDPacket.heard(.up)
        packet.requiredMinEchoReceive = 50_000
        _ = session.hear(packet, at: .at(1))
        let actions = session.handle(.deadlineReached, at: .at(1))
        let number = try #require(
            actions.compactMap { if case .sendEcho(let number) = $0 { number } else { nil } }.first)
        for wrong in [number &+ 1, number &- 1, 0, .max] {
            _ = session.handle(.echoReturned(wrong), at: .at(2))
        }
        #expect(session.status.echo == .trying)
        for _ in 0..<2 { _ = session.handle(.echoReturned(number), at: .at(3)) }
        #expect(session.status.echo == .active)
        #expect(session.status.counters.echoesReturned == 1)
    }
}
