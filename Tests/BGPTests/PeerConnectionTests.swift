import NetworkTypes
import Testing

@testable import BGP

@Suite("Connecting to a peer")
struct PeerConnectionTests {
    @Test("The wait after failures doubles from the configured time to two minutes, with jitter")
    func backOff() throws {
        var driven = DrivenPeer()
        var connection = try #require(driven.handle(.start).connects.first)
        for seconds in [5, 10, 20, 40, 80, 120, 120, 120] {
            let failed = driven.handle(.connectFailed(connection, "Connection refused"))
            #expect(failed.closes == [connection])
            #expect(driven.state == .active)
            let start = driven.now
            #expect(driven.peer.status.nextAttempt == driven.peer.nextDeadline)
            let next = try driven.nextConnect()
            let wait = driven.now - start
            #expect(wait >= .milliseconds(750 * seconds) && wait <= .seconds(seconds))
            #expect(next != connection)
            connection = next
        }
        #expect(driven.peer.status.counters.attempts == 9)
        #expect(driven.peer.status.lastFailure?.text == "Connection refused")
    }

    @Test("Different seeds, different waits")
    func jitter() {
        let waits = Set(
            (UInt64(0)..<100).map { seed in
                var driven = DrivenPeer(seed: seed)
                let connection = driven.reach(.connect)
                driven.handle(.connectFailed(connection, "Connection refused"))
                return driven.peer.nextDeadline
            })
        #expect(waits.count > 90)
    }

    @Test("An attempt without an answer is repeated at once, after ever longer waits for it")
    func noAnswer() {
        var driven = DrivenPeer()
        var connection = driven.reach(.connect)
        for seconds in [5, 10, 20, 40, 80, 120, 120] {
            let start = driven.now
            let actions = driven.runNext() ?? []
            let wait = driven.now - start
            #expect(wait >= .milliseconds(750 * seconds) && wait <= .seconds(seconds))
            #expect(actions.first == .close(connection))
            #expect(actions.connects.count == 1)
            connection = actions.connects.first ?? connection
        }
    }

    @Test("The same failure is noted once until the session was up")
    func notes() {
        var driven = DrivenPeer()
        var connection = driven.reach(.connect)
        var notes: [PeerNote] = []
        for _ in 0..<5 {
            notes += driven.handle(.connectFailed(connection, "Connection refused")).notes
            connection = driven.runNext()?.connects.first ?? connection
        }
        #expect(notes.count == 1)
        #expect(notes.first?.remedy != nil)
        driven.handle(.connected(connection))
        driven.handle(.received(connection, open: .fixture()))
        driven.handle(.received(connection, .keepalive))
        driven.handle(.closed(connection, "Connection reset by peer"))
        connection = driven.runNext()?.connects.first ?? connection
        #expect(
            driven.handle(.connectFailed(connection, "Connection refused")).notes.count == 1)
    }

    /// Up and down again, `lasting` long, after some failures.
    private func waitAfterSession(lasting: Duration) throws -> Duration {
        var driven = DrivenPeer()
        var connection = driven.reach(.connect)
        for _ in 0..<3 {
            driven.handle(.connectFailed(connection, "Connection refused"))
            connection = try driven.nextConnect()
        }
        driven.handle(.connected(connection))
        driven.handle(.received(connection, open: .fixture()))
        driven.handle(.received(connection, .keepalive))
        driven.run(for: lasting)
        let actions = driven.handle(.closed(connection, "Connection reset by peer"))
        #expect(actions.losses.map(\.cause) == [.transport("Connection reset by peer")])
        return try #require(driven.peer.nextDeadline) - driven.now
    }

    @Test("Only a session that lasted sets the back-off to its start")
    func backOffStartsAnew() throws {
        #expect(try waitAfterSession(lasting: .seconds(10)) <= .seconds(5))
        #expect(try waitAfterSession(lasting: .milliseconds(9_999)) >= .seconds(30))
    }

    @Test("A session that never gets to Established leaves the back-off as it is")
    func noResetBefore() throws {
        var driven = DrivenPeer()
        var connection = driven.reach(.connect)
        for seconds in [5, 10, 20] {
            driven.handle(.connected(connection))
            driven.handle(.received(connection, open: .fixture()))
            driven.run(for: .seconds(30))
            driven.handle(.closed(connection, "Connection reset by peer"))
            let wait = try #require(driven.peer.nextDeadline) - driven.now
            #expect(wait >= .milliseconds(750 * seconds) && wait <= .seconds(seconds))
            connection = try driven.nextConnect()
        }
    }

    @Test("A passive peer never connects, waits for nothing, and takes what comes")
    func passive() {
        var driven = DrivenPeer(.fixture { $0.isPassive = true })
        #expect(driven.handle(.start).isEmpty)
        #expect(driven.state == .active)
        #expect(driven.peer.nextDeadline == nil)
        let connection = ConnectionID.incoming(1)
        let opened = driven.handle(.accepted(connection))
        #expect(opened.opens.count == 1)
        driven.handle(.received(connection, open: .fixture()))
        #expect(driven.handle(.received(connection, .keepalive)).established == [connection])
        driven.handle(.closed(connection, "Connection reset by peer"))
        #expect(driven.peer.nextDeadline == nil)
        #expect(driven.state == .active)
    }

    @Test("What the peer opens does not wait for our back-off")
    func incomingDuringBackOff() {
        var driven = DrivenPeer()
        let attempt = driven.reach(.connect)
        driven.handle(.connectFailed(attempt, "Connection refused"))
        let connection = ConnectionID.incoming(1)
        driven.handle(.accepted(connection))
        driven.handle(.received(connection, open: .fixture()))
        #expect(driven.handle(.received(connection, .keepalive)).established == [connection])
        #expect(driven.peer.status.nextAttempt == nil)
    }

    @Test("A connection on which no OPEN comes does not keep us from connecting")
    func silentVisitor() {
        var driven = DrivenPeer()
        let attempt = driven.reach(.connect)
        driven.handle(.connectFailed(attempt, "Connection refused"))
        driven.handle(.accepted(.incoming(1)))
        #expect(driven.run(for: .seconds(5)).connects.count == 1)
    }

    @Test("Before start and after shutdown a connection is refused by Cease/Connection Rejected")
    func refusedWhenIdle() {
        var driven = DrivenPeer()
        let first = driven.handle(.accepted(.incoming(1)))
        #expect(first.notifications == [NotificationMessage(code: 6, subcode: 5)])
        #expect(first.closes == [.incoming(1)])
        _ = driven.reach(.established)
        driven.handle(.stop(.shutdown(keepRoutes: false)))
        #expect(driven.handle(.accepted(.incoming(2))).notifications.map(\.subcode) == [5])
        #expect(driven.state == .idle)
        #expect(driven.peer.nextDeadline == nil)
    }

    @Test(
        "A peer that takes no capabilities gets one OPEN without, and the next with them again",
        arguments: [UInt8(4), 7])
    func withoutCapabilities(subcode: UInt8) throws {
        var driven = DrivenPeer()
        let first = driven.reach(.openSent)
        driven.handle(
            .received(first, .notification(NotificationMessage(code: 2, subcode: subcode))))
        let second = try driven.nextConnect()
        let plain = try #require(driven.handle(.connected(second)).opens.first)
        #expect(plain.capabilities.isEmpty)
        #expect(plain.myAS == 64512)
        driven.handle(
            .received(second, .notification(NotificationMessage(code: 2, subcode: subcode))))
        let third = try driven.nextConnect()
        let full = try #require(driven.handle(.connected(third)).opens.first)
        #expect(!full.capabilities.isEmpty)
    }

    @Test("Late news of a connection that is closed changes nothing")
    func lateNews() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        driven.handle(.stop(.shutdown(keepRoutes: false)))
        let events: [BGPPeer.Event] = [
            .closed(connection, "gone"), .received(connection, .keepalive),
            .faulted(
                connection,
                MessageFault(notification: .holdTimerExpired, rule: "late")),
            .stalled(connection), .progressed(connection), .connectFailed(connection, "late"),
        ]
        for event in events { #expect(driven.handle(event).isEmpty, "\(event)") }
        #expect(driven.handle(.connected(connection)) == [.close(connection)])
        #expect(driven.state == .idle)
    }
}
