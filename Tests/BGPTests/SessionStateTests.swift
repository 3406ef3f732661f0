import NetworkTypes
import Testing

@testable import BGP

@Suite("States of a session, RFC 4271 §8.2.2")
struct SessionStateTests {
    @Test("A start connects, a connection brings our OPEN, an OPEN a KEEPALIVE, that the routes")
    func wayUp() throws {
        var driven = DrivenPeer()
        #expect(driven.state == .idle)
        let connection = try #require(driven.handle(.start).connects.first)
        #expect(driven.state == .connect)
        let opened = driven.handle(.connected(connection), after: .milliseconds(1))
        guard case .open(let open)? = opened.sent(on: connection).first else {
            Issue.record("no OPEN")
            return
        }
        #expect(open.routerID == 0xC000_0201)
        #expect(driven.state == .openSent)
        #expect(driven.peer.decodingContext(connection).families == nil)
        let confirmed = driven.handle(.received(connection, open: .fixture()))
        #expect(confirmed == [.send(connection, .keepalive)])
        #expect(driven.state == .openConfirm)
        let up = driven.handle(.received(connection, .keepalive))
        #expect(up.established == [connection])
        #expect(driven.state == .established)
        let status = driven.peer.status
        #expect(status.since == driven.now)
        #expect(status.connection == connection)
        #expect(status.parameters?.remoteAS == 64513)
        #expect(status.counters.established == 1)
        #expect(status.counters.sent.opens == 1)
        #expect(status.counters.received.keepalives == 1)
        #expect(driven.peer.decodingContext(connection).families == [.ipv4])
        #expect(driven.peer.decodingContext(connection).hasFourOctetAS)
    }

    static let messages: [(BGPMessage, UInt8)] = [
        (.open(.fixture()), 1), (.update(UpdateMessage()), 2), (.keepalive, 4),
        (.routeRefresh(RouteRefreshMessage(family: .ipv4, kind: .request)), 5),
    ]

    @Test(
        "A message that the state does not expect ends the session with the state's subcode",
        arguments: [PeerStatus.State.openSent, .openConfirm, .established])
    func unexpectedMessages(state: PeerStatus.State) {
        let rules: [PeerStatus.State: (subcode: UInt8, types: [UInt8])] = [
            .openSent: (1, [2, 4, 5]), .openConfirm: (2, [1, 2, 5]), .established: (3, [1]),
        ]
        for (message, type) in Self.messages {
            var driven = DrivenPeer()
            let connection = driven.reach(state)
            let actions = driven.handle(.received(connection, message))
            guard let rule = rules[state], rule.types.contains(type) else {
                #expect(actions.notifications.isEmpty, "type \(type)")
                continue
            }
            #expect(
                actions.notifications
                    == [NotificationMessage(code: 5, subcode: rule.subcode, data: [type])])
            #expect(actions.closes == [connection])
            #expect(actions.losses.count == (state == .established ? 1 : 0))
            #expect(driven.state == .active)
        }
    }

    @Test(
        "A NOTIFICATION ends the session in every state without an answer",
        arguments: [PeerStatus.State.openSent, .openConfirm, .established])
    func notification(state: PeerStatus.State) {
        var driven = DrivenPeer()
        let connection = driven.reach(state)
        let message = NotificationMessage(code: 6, subcode: 2, data: [2, 0x68, 0x69])
        let actions = driven.handle(.received(connection, .notification(message)))
        #expect(actions.notifications.isEmpty)
        #expect(actions.closes == [connection])
        #expect(actions.losses.map(\.cause) == (state == .established ? [.received(message)] : []))
        let last = driven.peer.status.lastReceived
        #expect(last?.notification == message)
        #expect(last?.text.contains("hi") == true, "the shutdown text, RFC 9003")
        #expect(last?.at == driven.now)
        #expect(driven.peer.status.lastSent == nil)
    }

    @Test(
        "What is no message ends the session with the decoder's NOTIFICATION",
        arguments: [PeerStatus.State.openSent, .openConfirm, .established])
    func fault(state: PeerStatus.State) {
        var driven = DrivenPeer()
        let connection = driven.reach(state)
        let notification = NotificationMessage(code: 1, subcode: 1)
        let actions = driven.handle(
            .faulted(connection, MessageFault(notification: notification, rule: "bad marker")))
        #expect(actions.notifications == [notification])
        #expect(actions.closes == [connection])
        #expect(driven.peer.status.lastSent?.text.contains("bad marker") == true)
    }

    @Test("An OPEN has four minutes to come")
    func openHoldTime() {
        var driven = DrivenPeer()
        let connection = driven.reach(.openSent)
        #expect(driven.run(for: .seconds(239)).isEmpty)
        let actions = driven.run(for: .seconds(1))
        #expect(actions.notifications == [.holdTimerExpired])
        #expect(actions.closes == [connection])
    }

    @Test("Silence for the hold time ends the session; a KEEPALIVE or an UPDATE begins it anew")
    func holdTime() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established, open: .fixture(holdTime: 9))
        driven.run(for: .seconds(8))
        driven.handle(.received(connection, .keepalive))
        driven.run(for: .seconds(8))
        driven.handle(.received(connection, .update(UpdateMessage())))
        #expect(driven.run(for: .milliseconds(8_999)).notifications.isEmpty)
        #expect(driven.state == .established)
        let actions = driven.run(for: .milliseconds(1))
        #expect(actions.notifications == [.holdTimerExpired])
        #expect(actions.losses.first?.cause == .sent(.holdTimerExpired))
    }

    @Test("Hold time 0 never expires and needs no KEEPALIVE")
    func noHoldTime() {
        var driven = DrivenPeer()
        _ = driven.reach(.established, open: .fixture(holdTime: 0))
        #expect(driven.peer.nextDeadline == nil)
        #expect(driven.run(for: .seconds(86_400)).isEmpty)
        #expect(driven.state == .established)
    }

    @Test("KEEPALIVEs come at 0.75 to 1.0 of the interval, and not all alike")
    func keepaliveJitter() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        var gaps: Set<Int64> = []
        var last = driven.now
        for round in 0..<200 {
            driven.handle(.received(connection, .keepalive))
            let actions = driven.runNext()
            #expect(actions == [.send(connection, .keepalive)])
            let gap = driven.now - last
            last = driven.now
            #expect(gap >= .milliseconds(22_500) && gap <= .seconds(30), "round \(round)")
            gaps.insert(gap.wholeNanoseconds)
        }
        #expect(gaps.count > 150)
        #expect((gaps.min() ?? 0) < 23_500_000_000)
        #expect((gaps.max() ?? 0) > 29_000_000_000)
    }

    @Test("Never more than one KEEPALIVE in a second")
    func keepaliveFloor() {
        var driven = DrivenPeer()
        _ = driven.reach(.established, open: .fixture(holdTime: 3))
        let start = driven.now
        #expect(driven.runNext()?.count == 1)
        #expect(driven.now - start == .seconds(1))
    }

    @Test("A peer that takes nothing for eight minutes, or twice the hold time, is given up")
    func sendHoldTime() {
        for (holdTime, expected) in [(UInt16(90), 480), (600, 1200)] {
            var driven = DrivenPeer(.fixture { $0.holdTime = 600 })
            let connection = driven.reach(.established, open: .fixture(holdTime: holdTime))
            driven.handle(.stalled(connection))
            let start = driven.now
            driven.handle(.stalled(connection), after: .seconds(5))
            var actions: [BGPPeer.Action] = []
            while actions.notifications.isEmpty, let next = driven.runNext() {
                actions = next
                driven.handle(.received(connection, .keepalive))
            }
            #expect(actions.notifications == [.sendHoldTimerExpired])
            #expect(driven.now - start == .seconds(expected))
        }
    }

    @Test("A peer that takes some of it has all the time again")
    func progress() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        driven.handle(.stalled(connection))
        #expect(driven.peer.status.sendHoldDeadline == driven.now + .seconds(480))
        driven.handle(.progressed(connection), after: .seconds(60))
        #expect(driven.peer.status.sendHoldDeadline == nil)
        driven.handle(.stalled(connection))
        #expect(driven.peer.status.sendHoldDeadline == driven.now + .seconds(480))
    }

    @Test("A refresh is asked for only of an agreed family; its marks mean nothing to us")
    func refresh() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        func outcome(_ family: RouteFamily, _ kind: RouteRefreshMessage.Kind) -> [BGPPeer.Action] {
            driven.handle(
                .received(connection, .routeRefresh(.init(family: family, kind: kind))))
        }
        #expect(outcome(.ipv4, .request) == [.refreshRequested(.ipv4)])
        #expect(outcome(.ipv6, .request).isEmpty)
        #expect(outcome(.ipv4, .begin).isEmpty)
        #expect(outcome(.ipv4, .end).isEmpty)
    }

    @Test("A faulty UPDATE costs no session, is counted, and is noted once for each rule")
    func faultyUpdates() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        let fault = UpdateFault(
            attribute: 5, approach: .attributeDiscard, rule: "LOCAL_PREF from outside")
        let update = UpdateMessage(faults: [fault])
        let first = driven.handle(.received(connection, .update(update)))
        #expect(first.first == .inbound(connection, update))
        #expect(first.notes.first?.text.contains("LOCAL_PREF from outside") == true)
        #expect(driven.handle(.received(connection, .update(update))).notes.isEmpty)
        for number in 0..<100 {
            let other = UpdateFault(
                attribute: 99, approach: .treatAsWithdraw, rule: "rule \(number)")
            driven.handle(.received(connection, .update(UpdateMessage(faults: [other]))))
        }
        #expect(driven.peer.sessions.first?.notedFaults.count == BGPSession.maximumNotedFaults)
        #expect(driven.peer.status.counters.faultyUpdates == 102)
        #expect(driven.state == .established)
    }
}
