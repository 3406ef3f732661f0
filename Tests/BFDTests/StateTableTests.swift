import BFD
import NetworkTypes
import Testing

@Suite("States")
struct StateTableTests {
    static let table: [(BFDState, [BFDState: BFDState])] = [
        (
            .adminDown,
            [.adminDown: .adminDown, .down: .adminDown, .`init`: .adminDown, .up: .adminDown]
        ),
        (.down, [.adminDown: .down, .down: .`init`, .`init`: .up, .up: .down]),
        (.`init`, [.adminDown: .down, .down: .`init`, .`init`: .up, .up: .up]),
        (.up, [.adminDown: .down, .down: .down, .`init`: .up, .up: .up]),
    ]

    @Test("Every state on hearing every state becomes what RFC 5880 §6.8.6 says", arguments: table)
    func transitions(from: BFDState, becomes: [BFDState: BFDState]) {
        for heard in BFDState.allCases {
            var session = BFDSession.inState(from)
            #expect(session.state == from)
            let actions = session.hear(.heard(heard), at: .at(10))
            #expect(session.state == becomes[heard], "heard \(heard)")
            #expect(actions.states == (session.state == from ? [] : [session.state]))
        }
    }

    @Test("Down because of the neighbor says so; so does Down because of silence")
    func diagnostics() throws {
        for heard in [BFDState.down, .adminDown] {
            var session = BFDSession.inState(.up)
            let actions = session.hear(.heard(heard), at: .at(10))
            #expect(actions.contains(.stateChanged(.down, .neighborSignaledSessionDown)))
            #expect(actions.packets.last?.diagnostic == .neighborSignaledSessionDown)
        }
        for state in [BFDState.`init`, .up] {
            var session = BFDSession.inState(state)
            let actions = session.handle(.deadlineReached, at: .at(150))
            #expect(actions.contains(.stateChanged(.down, .controlDetectionTimeExpired)))
            #expect(actions.packets.map(\.diagnostic) == [.controlDetectionTimeExpired])
        }
    }

    @Test("A change of state is told at once, not with the next periodic packet")
    func changesAreTold() {
        var session = BFDSession.inState(.down)
        _ = session.handle(.deadlineReached, at: .start)
        #expect(session.hear(.heard(.down), at: .at(1)).packets.map(\.state) == [.`init`])
        #expect(session.hear(.heard(.`init`), at: .at(2)).packets.map(\.state) == [.up])
        #expect(session.handle(.disable, at: .at(3)).packets.map(\.state) == [.adminDown])
        #expect(session.handle(.enable, at: .at(4)).packets.map(\.state) == [.down])
    }

    @Test("Silence in Up makes the other end unknown, so that a new one can come")
    func forgetting() {
        var session = BFDSession.inState(.up)
        let actions = session.handle(.deadlineReached, at: .at(150))
        #expect(actions.packets.map(\.yourDiscriminator) == [0])
        #expect(session.status.remote == nil)
        #expect(session.status.detectionTime == nil)
    }

    @Test("In Down, too, an end that fell silent is forgotten (RFC 5880 §6.8.1)")
    func forgettingInDown() {
        var session = BFDSession.inState(.down)
        _ = session.hear(.heard(.adminDown), at: .start)
        #expect(session.status.remote?.discriminator == 2)
        _ = session.handle(.deadlineReached, at: .at(149))
        #expect(session.status.remote?.discriminator == 2)
        _ = session.handle(.deadlineReached, at: .at(150))
        #expect(session.status.remote == nil)
        #expect(session.state == .down)
    }

    @Test("A passive session is silent until it hears, and again once it is alone")
    func passive() {
        var settings = BFDSession.Settings.every(50)
        settings.role = .passive
        var session = BFDSession(settings)
        #expect(session.nextDeadline == nil)
        #expect(session.handle(.deadlineReached, at: .at(5000)).isEmpty)
        #expect(session.hear(.heard(.down), at: .at(6000)).packets.map(\.state) == [.`init`])
        let last = session.handle(.deadlineReached, at: .at(6150))
        #expect(last.states == [.down])
        #expect(session.nextDeadline == nil)
        #expect(session.handle(.deadlineReached, at: .at(9000)).isEmpty)
    }
}

@Suite("What a session says about its path")
struct ReachabilityTests {
    @Test("A session that has not been up yet says nothing, whatever it hears")
    func neverUp() {
        var session = BFDSession()
        #expect(session.hear(.heard(.down), at: .at(1)).verdicts.isEmpty)
        #expect(session.handle(.deadlineReached, at: .at(200)).verdicts.isEmpty)
        #expect(session.reachability == .unknown)
    }

    @Test("Silence and a neighbor that went Down are failures")
    func failures() {
        var silent = BFDSession.inState(.up)
        #expect(silent.reachability == .up)
        #expect(silent.handle(.deadlineReached, at: .at(150)).verdicts == [.down])
        var told = BFDSession.inState(.up)
        #expect(told.hear(.heard(.down), at: .at(10)).verdicts == [.down])
        #expect(told.hear(.heard(.down), at: .at(20)).verdicts.isEmpty)
        #expect(told.hear(.heard(.up), at: .at(30)).verdicts == [.up])
    }

    @Test("AdminDown at either end is none (RFC 5882 §3.2)")
    func adminDown() {
        var told = BFDSession.inState(.up)
        #expect(told.hear(.heard(.adminDown), at: .at(10)).verdicts == [.unknown])
        #expect(told.handle(.deadlineReached, at: .at(160)).verdicts.isEmpty)
        #expect(told.hear(.heard(.down), at: .at(200)).verdicts.isEmpty)
        var ours = BFDSession.inState(.up)
        #expect(ours.handle(.disable, at: .at(10)).verdicts == [.unknown])
    }

    @Test("A failed path whose neighbor says AdminDown afterwards is no failure any more")
    func adminDownAfterwards() {
        var session = BFDSession.inState(.up)
        #expect(session.handle(.deadlineReached, at: .at(150)).verdicts == [.down])
        #expect(session.hear(.heard(.adminDown), at: .at(900)).verdicts == [.unknown])
    }
}
