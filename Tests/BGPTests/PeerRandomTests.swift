import NetworkTypes
import Testing

@testable import BGP

/// Whatever happens, in whatever order, some things never do.
@Suite("A peer under random events")
struct PeerRandomTests {
    /// What must hold, kept apart from the peer.
    struct Watch {
        var open: Set<ConnectionID> = []
        var attempts: Set<ConnectionID> = []
        var closed: Set<ConnectionID> = []
        var established: ConnectionID?

        mutating func observe(_ actions: [BGPPeer.Action], _ place: String) {
            for action in actions {
                switch action {
                case .connect(let connection):
                    #expect(attempts.isEmpty, "two attempts, \(place)")
                    #expect(!closed.contains(connection), "a name used twice, \(place)")
                    attempts.insert(connection)
                case .send(let connection, _):
                    #expect(open.contains(connection), "sent on \(connection), \(place)")
                case .close(let connection):
                    if established == connection { lastClosed = connection }
                    open.remove(connection)
                    attempts.remove(connection)
                    closed.insert(connection)
                case .established(let connection, _):
                    #expect(established == nil, "two Established, \(place)")
                    #expect(open.contains(connection), place.commented)
                    established = connection
                case .lost(let connection, _):
                    #expect(established == connection, "lost another, \(place)")
                    #expect(lastClosed == connection, "lost but not closed, \(place)")
                    established = nil
                case .inbound(let connection, _):
                    #expect(established == connection, place.commented)
                case .refreshRequested: #expect(established != nil, place.commented)
                case .noted: break
                }
            }
            #expect(established.map(open.contains) ?? true, "up on a closed one, \(place)")
        }

        private var lastClosed: ConnectionID?
    }

    @Test(
        "Never two sessions up, no word on a closed connection, no timer when idle",
        arguments: 0..<20)
    func invariants(seed: UInt64) {
        var generator = Jitter(seed: seed)
        func roll(_ bound: UInt64) -> Int { Int(generator.seed() % bound) }
        var driven = DrivenPeer(
            .fixture {
                $0.prefixLimit = seed % 3 == 0 ? 3 : nil
                $0.isPassive = seed % 5 == 0
                $0.gracefulRestart = seed % 2 == 0 ? .init(time: 9, isRestarting: true) : nil
            }, seed: seed)
        var watch = Watch()
        var accepted: UInt64 = 0
        var ups = 0
        for step in 0..<2_000 {
            let place = "seed \(seed) step \(step)"
            var event: BGPPeer.Event?
            let connection = watch.open.union(watch.attempts).sorted {
                $0.number < $1.number
            }.dropFirst(roll(2)).first
            let unknown = ConnectionID.incoming(UInt64(1_000_000 + roll(9)))
            switch roll(100) {
            case 0: event = .stop([.deconfigured, .shutdown(keepRoutes: roll(2) == 0)][roll(2)])
            case 1: event = .stop(.reset(keepRoutes: roll(2) == 0))
            case 2..<6: event = .start
            case 6..<16:
                accepted += 1
                event = .accepted(.incoming(accepted))
            case 16..<30:
                event = watch.attempts.first.map { .connected($0) }
            case 30..<32:
                event = watch.attempts.first.map { .connectFailed($0, "Connection refused") }
            case 32..<35: event = .closed(connection ?? unknown, "reset")
            case 35..<36: event = [.pathUp, .pathDown, .pathUnknown][roll(3)]
            case 36..<40: event = .pathUp
            case 40..<42: event = .stalled(connection ?? unknown)
            case 42..<44: event = .progressed(connection ?? unknown)
            case 44..<45:
                event = .faulted(
                    connection ?? unknown,
                    MessageFault(notification: .init(code: 1, subcode: 2), rule: "length"))
            case 45..<46:
                var settings = driven.peer.settings
                if roll(2) == 0 { settings.holdTime = UInt16(3 + roll(100)) }
                settings.isPassive = roll(3) == 0
                settings.prefixLimit = roll(2) == 0 ? nil : roll(5) + 1
                watch.observe(driven.peer.update(settings: settings, at: driven.now), place)
            case 46..<60: driven.now = driven.now + .milliseconds(roll(9_000))
            default:
                guard let connection, !watch.attempts.contains(connection) else { break }
                event = .received(connection, message(roll(12), roll(8)))
            }
            if case .accepted(let connection)? = event { watch.open.insert(connection) }
            if case .connected(let connection)? = event, watch.attempts.remove(connection) != nil {
                watch.open.insert(connection)
            }
            if let event { watch.observe(driven.handle(event), place) }
            if let deadline = driven.peer.nextDeadline, deadline <= driven.now {
                watch.observe(driven.handle(.deadlineReached), place)
                let next = driven.peer.nextDeadline
                #expect(next.map { $0 > driven.now } ?? true, "a deadline stays, \(place)")
            }
            if watch.established != nil { ups += 1 }
            check(driven.peer, watch, place)
        }
        #expect(ups > 0, "never Established")
    }

    private func check(_ peer: BGPPeer, _ watch: Watch, _ place: String) {
        let status = peer.status
        #expect((status.state == .established) == (watch.established != nil), place.commented)
        #expect(peer.sessions.count <= 2, place.commented)
        #expect(peer.sessions.filter(\.isEstablished).count <= 1, place.commented)
        let known = Set(
            peer.sessions.map(\.connection) + [peer.parked?.connection].compactMap(\.self))
        #expect(known == watch.open, "connections forgotten, \(place)")
        #expect((peer.attempt != nil) == (status.state == .connect) || !known.isEmpty)
        if status.state == .idle {
            #expect(peer.nextDeadline == status.nextAttempt, "a timer in Idle, \(place)")
        }
        if status.state == .active, !peer.settings.isPassive {
            #expect(status.nextAttempt != nil, "waits for nothing, \(place)")
        }
    }

    private func message(_ choice: Int, _ detail: Int) -> BGPMessage {
        let prefix = IPAddress("198.51.100.\(detail)").flatMap { Prefix($0, length: 32) }
        return switch choice {
        case 0: .notification(NotificationMessage(code: 6, subcode: UInt8(detail)))
        case 1: .routeRefresh(RouteRefreshMessage(family: .ipv4, kind: .request))
        case 2: .update(UpdateMessage(announced: [prefix].compactMap(\.self)))
        case 3: .update(UpdateMessage(withdrawn: [prefix].compactMap(\.self)))
        case 4: .open(.fixture(holdTime: UInt16(detail)))
        case 5: .open(.fixture(routerID: 1))
        case 6: .open(.restartable(keepsOnNotification: detail % 2 == 0))
        default: [.keepalive, .keepalive, .open(.fixture())][detail % 3]
        }
    }
}

extension String {
    /// The place of a failure.
    fileprivate var commented: Comment { Comment(rawValue: self) }
}
