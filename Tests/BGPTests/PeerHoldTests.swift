import NetworkTypes
import Testing

@testable import BGP

@Suite("Holds: BFD and the limit of prefixes")
struct PeerHoldTests {
    private func upWithBFD() -> (DrivenPeer, ConnectionID) {
        var driven = DrivenPeer()
        driven.handle(.pathDown)
        let connection = driven.reach(.established)
        driven.handle(.pathUp)
        return (driven, connection)
    }

    @Test("A lost path ends the session by Cease/BFD Down at once, and a path found connects")
    func pathLost() {
        var (driven, connection) = upWithBFD()
        let actions = driven.handle(.pathDown)
        #expect(actions.notifications == [NotificationMessage(code: 6, subcode: 10)])
        #expect(actions.closes == [connection])
        #expect(actions.losses.count == 1)
        #expect(driven.state == .idle)
        #expect(driven.run(for: .seconds(20)).isEmpty)
        #expect(driven.handle(.pathUp).connects.count == 1)
    }

    @Test("After thirty seconds it is tried without BFD")
    func pathWaitedFor() {
        var (driven, _) = upWithBFD()
        driven.handle(.pathDown)
        #expect(driven.peer.nextDeadline == driven.now + .seconds(30))
        #expect(driven.run(for: .seconds(30)).connects.count == 1)
    }

    @Test("A BFD session that is taken away, or never came up, ends nothing")
    func unknownPath() {
        var (driven, _) = upWithBFD()
        #expect(driven.handle(.pathUnknown).isEmpty)
        #expect(driven.handle(.pathDown).isEmpty)
        #expect(driven.state == .established)
        #expect(driven.peer.status.path == .down)
    }

    @Test("A path that is lost and then unknown is tried at once")
    func unknownAfterDown() {
        var (driven, _) = upWithBFD()
        driven.handle(.pathDown)
        #expect(driven.handle(.pathUnknown).connects.count == 1)
    }

    @Test("What the peer opens meanwhile is answered once the path is there, OPEN and all")
    func parked() {
        var (driven, _) = upWithBFD()
        driven.handle(.pathDown)
        let connection = ConnectionID.incoming(1)
        #expect(driven.handle(.accepted(connection)).isEmpty)
        #expect(driven.handle(.received(connection, open: .fixture())).isEmpty)
        let actions = driven.handle(.pathUp)
        #expect(actions.sent(on: connection).count == 2)
        #expect(actions.opens.count == 1)
        #expect(actions.connects.isEmpty)
        #expect(driven.handle(.received(connection, .keepalive)).established == [connection])
    }

    @Test("Of several connections meanwhile the last is kept; more than an OPEN is too much")
    func parkedBounds() {
        var (driven, _) = upWithBFD()
        driven.handle(.pathDown)
        driven.handle(.accepted(.incoming(1)))
        #expect(driven.handle(.accepted(.incoming(2))) == [.close(.incoming(1))])
        driven.handle(.received(.incoming(2), open: .fixture()))
        #expect(
            driven.handle(.received(.incoming(2), .keepalive)) == [.close(.incoming(2))])
        driven.handle(.accepted(.incoming(3)))
        #expect(driven.handle(.closed(.incoming(3), "gone")) == [.close(.incoming(3))])
        #expect(driven.handle(.pathUp).connects.count == 1)
    }

    private func update(_ announced: Range<UInt32>, withdrawn: Range<UInt32> = 0..<0) -> BGPMessage
    {
        func prefixes(_ range: Range<UInt32>) -> [Prefix] {
            range.compactMap {
                Prefix(IPAddress(family: .ipv4, bits: UInt128(0xC612_0000 + $0)), length: 32)
            }
        }
        return .update(
            UpdateMessage(withdrawn: prefixes(withdrawn), announced: prefixes(announced)))
    }

    @Test("Prefixes are counted as announced and not withdrawn, each once")
    func counting() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        driven.handle(.received(connection, update(0..<100)))
        driven.handle(.received(connection, update(50..<150)))
        driven.handle(.received(connection, update(0..<0, withdrawn: 140..<200)))
        #expect(driven.peer.status.prefixesIn == [.ipv4: 140])
        #expect(driven.peer.status.arePrefixesExact)
        driven.handle(.received(connection, update(0..<11_000)))
        #expect(driven.peer.status.prefixesIn == [.ipv4: 10_000])
        #expect(!driven.peer.status.arePrefixesExact)
        #expect(driven.state == .established)
    }

    @Test("One prefix more than allowed ends the session for two minutes")
    func limit() throws {
        var driven = DrivenPeer(.fixture { $0.prefixLimit = 100 })
        let connection = driven.reach(.established)
        driven.handle(.received(connection, update(0..<100)))
        driven.handle(.received(connection, update(0..<100)))
        driven.handle(.received(connection, update(100..<101, withdrawn: 0..<1)))
        #expect(driven.state == .established)
        let actions = driven.handle(.received(connection, update(101..<102)))
        // RFC 4486 §4: family, and the limit.
        #expect(
            actions.notifications
                == [NotificationMessage(code: 6, subcode: 1, data: [0, 1, 1, 0, 0, 0, 100])])
        #expect(actions.notes.first?.remedy?.contains("maximumPrefixes") == true)
        #expect(driven.state == .idle)
        #expect(driven.handle(.accepted(.incoming(1))).isEmpty)
        driven.handle(.pathUp)
        #expect(driven.run(for: .seconds(119)).isEmpty)
        #expect(!driven.run(for: .seconds(1)).opens.isEmpty)
    }

    @Test("A lower limit takes effect at once, and a higher one ends the wait")
    func changedLimit() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        driven.handle(.received(connection, update(0..<100)))
        var settings = driven.peer.settings
        settings.prefixLimit = 100
        #expect(driven.peer.update(settings: settings, at: driven.now).isEmpty)
        settings.prefixLimit = 99
        let actions = driven.peer.update(settings: settings, at: driven.now)
        #expect(actions.notifications.map(\.subcode) == [1])
        settings.prefixLimit = 1_000
        #expect(driven.peer.update(settings: settings, at: driven.now).connects.count == 1)
    }

    @Test("A first limit for more prefixes than could be counted has them announced anew")
    func limitForTheUncounted() {
        var driven = DrivenPeer()
        let connection = driven.reach(.established)
        driven.handle(.received(connection, update(0..<12_000)))
        var settings = driven.peer.settings
        settings.prefixLimit = 50_000
        let actions = driven.peer.update(settings: settings, at: driven.now)
        // Cease/Other Configuration Change: the peer may well be within the limit.
        #expect(actions.notifications.map(\.subcode) == [6])
        #expect(driven.run(for: .seconds(1)).connects.count == 1)
    }
}
