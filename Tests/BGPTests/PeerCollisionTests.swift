import NetworkTypes
import Testing

@testable import BGP

/// Ours is Identifier 192.0.2.1, AS 64512; the router's AS is 64513.
@Suite("Two connections with one peer, RFC 4271 §6.8")
struct PeerCollisionTests {
    static let higher: UInt32 = 0xC000_0209
    static let lower: UInt32 = 0xC000_0200
    let incoming = ConnectionID.incoming(1)

    /// Both connections in OpenSent.
    private func both() -> (DrivenPeer, outgoing: ConnectionID) {
        var driven = DrivenPeer()
        let outgoing = driven.reach(.openSent)
        driven.handle(.accepted(incoming))
        return (driven, outgoing)
    }

    @Test("The connection that the higher Identifier opened is kept, whichever OPEN comes first")
    func higherIdentifierWins() {
        for (identifier, oursWins) in [(Self.higher, false), (Self.lower, true)] {
            for isOutgoingFirst in [true, false] {
                var (driven, outgoing) = both()
                let order = isOutgoingFirst ? [outgoing, incoming] : [incoming, outgoing]
                let kept = oursWins ? outgoing : incoming
                let closed = oursWins ? incoming : outgoing
                var actions: [BGPPeer.Action] = []
                for connection in order {
                    actions += driven.handle(
                        .received(connection, open: .fixture(routerID: identifier)))
                }
                #expect(actions.closes == [closed])
                #expect(
                    actions.sent(on: closed) == [.notification(.connectionCollision)],
                    "the one that is closed never got our KEEPALIVE")
                #expect(actions.sent(on: kept) == [.keepalive])
                #expect(driven.handle(.received(kept, .keepalive)).established == [kept])
                #expect(driven.peer.sessions.count == 1)
                #expect(driven.peer.status.counters.collisions == 1)
                #expect(driven.peer.status.lastSent == nil)
            }
        }
    }

    @Test("With the same Identifier the higher AS opened the one that is kept")
    func sameIdentifier() {
        var (driven, outgoing) = both()
        let open = OpenMessage.fixture(routerID: 0xC000_0201)
        driven.handle(.received(outgoing, open: open))
        #expect(driven.handle(.received(incoming, open: open)).closes == [outgoing])
    }

    @Test("The one that is going to lose waits for the other's OPEN, five seconds at most")
    func deferral() {
        var (driven, outgoing) = both()
        let open = OpenMessage.fixture(routerID: Self.lower)
        #expect(driven.handle(.received(incoming, open: open)).isEmpty)
        #expect(driven.handle(.received(incoming, .keepalive)).isEmpty)
        // With a short hold time it sends a second one meanwhile.
        #expect(driven.handle(.received(incoming, .keepalive)).isEmpty)
        #expect(driven.run(for: .milliseconds(4_999)).isEmpty)
        let late = driven.run(for: .milliseconds(1))
        #expect(late.sent(on: incoming) == [.keepalive])
        #expect(late.closes == [outgoing])
        #expect(late.established == [incoming])
    }

    @Test("It goes on at once when the other breaks")
    func deferralEnds() {
        var (driven, outgoing) = both()
        driven.handle(.received(incoming, open: .fixture(routerID: Self.lower)))
        driven.handle(.received(incoming, .keepalive))
        let actions = driven.handle(.closed(outgoing, "Connection reset by peer"))
        #expect(actions.established == [incoming])
        #expect(driven.peer.nextDeadline != driven.now)
    }

    @Test("An attempt that is still under way is given up when the peer's OPEN comes")
    func attemptGivenUp() {
        var driven = DrivenPeer()
        let outgoing = driven.reach(.connect)
        driven.handle(.accepted(incoming))
        let actions = driven.handle(.received(incoming, open: .fixture(routerID: Self.lower)))
        #expect(actions.closes == [outgoing])
        #expect(actions.sent(on: incoming) == [.keepalive])
        #expect(driven.handle(.connected(outgoing)) == [.close(outgoing)])
    }

    @Test("A second incoming connection takes the place of the first")
    func secondIncoming() {
        var (driven, _) = both()
        let actions = driven.handle(.accepted(.incoming(2)))
        #expect(actions.closes == [incoming])
        #expect(actions.opens.count == 1)
        #expect(driven.peer.sessions.count == 2)
    }

    @Test("While Established another connection is refused as a collision")
    func establishedStays() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        driven.run(for: .seconds(20))
        let actions = driven.handle(.accepted(incoming))
        #expect(actions.notifications == [.connectionCollision])
        #expect(actions.closes == [incoming])
        #expect(driven.peer.status.connection == connection)
        #expect(driven.state == .established)
    }

    @Test("A peer with graceful restart that started again replaces its session by its OPEN")
    func restartedPeer() {
        var driven = DrivenPeer(
            .fixture { $0.gracefulRestart = .init(time: 120, isRestarting: false) })
        let open = OpenMessage.restartable(keepsOnNotification: false)
        let connection = driven.reach(.established, open: open)
        #expect(driven.handle(.accepted(incoming), after: .seconds(4)).closes == [incoming])
        let second = ConnectionID.incoming(2)
        let accepted = driven.handle(.accepted(second), after: .seconds(2))
        #expect(accepted.closes.isEmpty)
        #expect(driven.state == .established)
        let replaced = driven.handle(.received(second, open: open))
        #expect(replaced.notifications.isEmpty)
        #expect(replaced.closes == [connection])
        #expect(replaced.losses.map(\.cause) == [.replaced(by: second)])
        #expect(replaced.losses.first?.peerKeepsRoutes == true)
        #expect(driven.handle(.received(second, .keepalive)).established == [second])
    }
}
