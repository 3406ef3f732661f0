import NetworkTypes
import Testing

@testable import BGP

@Suite("Ends of our own, and what the peer keeps over them")
struct PeerEndTests {
    enum Restart: CaseIterable { case none, plain, withNotification }

    private func established(_ restart: Restart) -> (DrivenPeer, ConnectionID) {
        var driven = DrivenPeer(
            .fixture {
                $0.shutdownMessage = "kernel update"
                $0.gracefulRestart =
                    restart == .none ? nil : .init(time: 120, isRestarting: false)
            })
        let connection = driven.reach(
            .established,
            open: restart == .none
                ? .fixture() : .restartable(keepsOnNotification: restart == .withNotification))
        return (driven, connection)
    }

    @Test(
        "A shutdown tells its text, and makes the peer forget our routes",
        arguments: Restart.allCases)
    func shutdown(restart: Restart) throws {
        var (driven, connection) = established(restart)
        let actions = driven.handle(.stop(.shutdown(keepRoutes: false)))
        let inner = NotificationMessage(
            code: 6, subcode: 2, data: [13] + Array("kernel update".utf8))
        // RFC 8538 §3.1: the inner codes and data follow in the data of the outer.
        let wrapped = NotificationMessage(code: 6, subcode: 9, data: [6, 2] + inner.data)
        #expect(actions.notifications == [restart == .withNotification ? wrapped : inner])
        #expect(actions.closes == [connection])
        #expect(actions.losses.first?.peerKeepsRoutes == false)
        #expect(driven.state == .idle)
        #expect(driven.peer.nextDeadline == nil)
        #expect(actions.notes.isEmpty)
        #expect(driven.peer.status.lastSent?.notification == actions.notifications.first)
        #expect(driven.handle(.start).connects.count == 1)
    }

    @Test(
        "A restart of ours leaves the routes with a peer that can keep them",
        arguments: Restart.allCases)
    func restart(restart: Restart) {
        var (driven, connection) = established(restart)
        let actions = driven.handle(.stop(.shutdown(keepRoutes: true)))
        let subcodes: [UInt8] =
            switch restart {
            case .none: [4]
            // RFC 4724 knows only connections that break, and any NOTIFICATION clears the routes.
            case .plain: []
            case .withNotification: [4]
            }
        #expect(actions.notifications.map(\.subcode) == subcodes)
        #expect(actions.closes == [connection])
        #expect(actions.losses.first?.peerKeepsRoutes == (restart != .none))
        #expect(driven.peer.nextDeadline == nil)
    }

    @Test("A peer that is no longer configured is told so")
    func deconfigured() {
        var (driven, _) = established(.none)
        let actions = driven.handle(.stop(.deconfigured))
        #expect(actions.notifications == [NotificationMessage(code: 6, subcode: 3)])
        #expect(driven.state == .idle)
    }

    @Test("A reset connects again within a second")
    func reset() throws {
        var (driven, _) = established(.none)
        let actions = driven.handle(.stop(.reset(keepRoutes: false)))
        #expect(actions.notifications.map(\.subcode) == [4])
        #expect(driven.state == .active)
        #expect(driven.run(for: .seconds(1)).connects.count == 1)
    }

    @Test("An end before the OPEN is a Cease as well; an attempt is given up without a word")
    func early() {
        var sent = DrivenPeer()
        let connection = sent.reach(.openSent)
        let actions = sent.handle(.stop(.shutdown(keepRoutes: true)))
        #expect(actions.notifications.map(\.code) == [6])
        #expect(actions.closes == [connection])
        #expect(actions.losses.isEmpty)
        var connecting = DrivenPeer()
        let attempt = connecting.reach(.connect)
        #expect(connecting.handle(.stop(.deconfigured)) == [.close(attempt)])
    }

    @Test("What the peer keeps follows from who ended the session, and how")
    func keptRoutes() {
        let cease = NotificationMessage(code: 6, subcode: 6)
        let cases: [(Restart, BGPPeer.Event.Kind, Bool)] = [
            (.none, .closed, false), (.plain, .closed, true), (.withNotification, .closed, true),
            (.plain, .notified(cease), false), (.withNotification, .notified(cease), true),
            (.withNotification, .notified(.hardReset(of: cease)), false),
            (.plain, .silence, false), (.withNotification, .silence, true),
        ]
        for (restart, kind, isKept) in cases {
            var (driven, connection) = established(restart)
            let actions =
                switch kind {
                case .closed: driven.handle(.closed(connection, "Connection reset by peer"))
                case .notified(let notification):
                    driven.handle(.received(connection, .notification(notification)))
                case .silence: driven.run(for: .seconds(90))
                }
            #expect(actions.losses.map(\.peerKeepsRoutes) == [isKept], "\(restart) \(kind)")
        }
    }

    @Test("The first OPEN after a restart says so, later ones that forwarding went on")
    func restartBits() throws {
        var driven = DrivenPeer(
            .fixture { $0.gracefulRestart = .init(time: 120, isRestarting: true) })
        func bits(_ actions: [BGPPeer.Action]) -> [Bool]? {
            for case .gracefulRestart(let value) in actions.opens.first?.capabilities ?? [] {
                return [value.isRestarting] + value.families.map(\.isForwardingPreserved)
            }
            return nil
        }
        let first = try #require(driven.handle(.start).connects.first)
        #expect(bits(driven.handle(.connected(first))) == [true, true])
        driven.handle(.closed(first, "Connection reset by peer"))
        let second = try driven.nextConnect()
        #expect(bits(driven.handle(.connected(second))) == [true, true])
        driven.handle(.received(second, open: .restartable(keepsOnNotification: true)))
        driven.handle(.received(second, .keepalive))
        driven.handle(.closed(second, "Connection reset by peer"))
        let third = try driven.nextConnect()
        #expect(bits(driven.handle(.connected(third))) == [false, true])
        var fresh = DrivenPeer(
            .fixture { $0.gracefulRestart = .init(time: 120, isRestarting: false) })
        let connection = fresh.reach(.connect)
        #expect(bits(fresh.handle(.connected(connection))) == [false, false])
    }

    @Test("Settings that concern only us change without a reset")
    func changesInPlace() throws {
        var (driven, connection) = established(.none)
        var settings = driven.peer.settings
        settings.shutdownMessage = "other words"
        settings.connectRetryTime = 1
        settings.isPassive = true
        settings.prefixLimit = 10
        settings.keepaliveTime = 5
        #expect(driven.peer.update(settings: settings, at: driven.now).isEmpty)
        #expect(driven.state == .established)
        let keepalive = try #require(driven.peer.status.keepaliveDeadline)
        #expect(keepalive - driven.now <= .seconds(5))
        #expect(driven.peer.status.parameters?.keepaliveTime == 5)
        #expect(driven.handle(.closed(connection, "gone")).losses.count == 1)
        #expect(driven.peer.nextDeadline == nil, "passive now")
    }

    static let changes: [@Sendable (inout PeerSettings) -> Void] = [
        { $0.localAS = 64999 }, { $0.remoteAS = .anyOther }, { $0.routerID += 1 },
        { $0.holdTime = 30 }, { $0.families = [.ipv4, .ipv6] }, { $0.role = .customer },
        { $0.offersExtendedNextHop = true }, { $0.offersMultiprotocol = false },
        { $0.gracefulRestart?.time = 60 },
    ]

    @Test(
        "Settings of the OPEN reset the session, and the peer keeps what it can",
        arguments: Restart.allCases)
    func changesByReset(restart: Restart) {
        for change in Self.changes {
            var (driven, connection) = established(restart)
            var settings = driven.peer.settings
            change(&settings)
            guard settings != driven.peer.settings else { continue }
            let actions = driven.peer.update(settings: settings, at: driven.now)
            #expect(actions.closes == [connection])
            #expect(
                actions.notifications
                    == (restart == .plain ? [] : [NotificationMessage(code: 6, subcode: 6)]))
            #expect(actions.losses.first?.peerKeepsRoutes == (restart != .none))
            #expect(driven.run(for: .seconds(1)).connects.count == 1)
        }
    }

    @Test("Corrected settings are tried at once, whatever the back-off was")
    func correction() {
        var driven = DrivenPeer()
        var connection = driven.reach(.connect)
        for _ in 0..<6 {
            driven.handle(.connectFailed(connection, "Connection refused"))
            connection = driven.runNext()?.connects.first ?? connection
        }
        driven.handle(.connectFailed(connection, "Connection refused"))
        var settings = driven.peer.settings
        settings.remoteAS = .number(64514)
        #expect(driven.peer.update(settings: settings, at: driven.now).isEmpty)
        #expect(driven.run(for: .seconds(1)).connects.count == 1)
    }
}

extension BGPPeer.Event {
    /// Ways for a session to end.
    enum Kind {
        case closed, silence
        case notified(NotificationMessage)
    }
}
