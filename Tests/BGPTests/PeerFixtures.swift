import NetworkTypes
import Testing

@testable import BGP

extension PeerSettings {
    /// AS 64512 towards AS 64513, Identifier 192.0.2.1, no jitter to reckon with but the FSM's own.
    static func fixture(_ change: (inout PeerSettings) -> Void = { _ in }) -> PeerSettings {
        var settings = PeerSettings(
            localAS: 64512, remoteAS: .number(64513), routerID: 0xC000_0201)
        change(&settings)
        return settings
    }
}

extension OpenMessage {
    /// What a router of AS 64513 sends, Identifier 192.0.2.9.
    static func fixture(
        holdTime: UInt16 = 90, routerID: UInt32 = 0xC000_0209,
        _ capabilities: [Capability] = [.multiprotocol(.ipv4), .fourOctetAS(64513)]
    ) -> OpenMessage {
        OpenMessage(
            myAS: 64513, holdTime: holdTime, routerID: routerID, capabilities: capabilities)
    }

    static func restartable(keepsOnNotification: Bool) -> OpenMessage {
        .fixture([
            .multiprotocol(.ipv4), .fourOctetAS(64513),
            .gracefulRestart(
                .init(
                    isRestarting: false, keepsOnNotification: keepsOnNotification,
                    restartTime: 120,
                    families: [.init(.ipv4, isForwardingPreserved: true)])),
        ])
    }
}

extension BGPPeer.Event {
    static func received(_ connection: ConnectionID, open: OpenMessage) -> BGPPeer.Event {
        .received(connection, .open(open))
    }
}

/// A peer with a clock, and a test in the place of the router.
struct DrivenPeer {
    var peer: BGPPeer
    var now = Instant(nanoseconds: 1_000_000_000_000)

    init(_ settings: PeerSettings = .fixture(), seed: UInt64 = 7) {
        peer = BGPPeer(settings: settings, seed: seed)
    }

    /// Tells of an event, after some time.
    @discardableResult
    mutating func handle(
        _ event: BGPPeer.Event, after wait: Duration = .zero
    ) -> [BGPPeer.Action] {
        now = now + wait
        return peer.handle(event, at: now)
    }

    /// Lets the time pass to the next deadline. `nil` when there is none.
    mutating func runNext() -> [BGPPeer.Action]? {
        guard let deadline = peer.nextDeadline else { return nil }
        now = max(now, deadline)
        return peer.handle(.deadlineReached, at: now)
    }

    /// Lets the time pass to the next deadline, which is to bring an attempt.
    mutating func nextConnect() throws -> ConnectionID {
        let actions = runNext() ?? []
        return try #require(actions.connects.first)
    }

    /// Lets time pass, with everything that is due in it.
    @discardableResult
    mutating func run(for duration: Duration) -> [BGPPeer.Action] {
        let end = now + duration
        var actions: [BGPPeer.Action] = []
        while let deadline = peer.nextDeadline, deadline <= end {
            now = max(now, deadline)
            actions += peer.handle(.deadlineReached, at: now)
        }
        now = end
        return actions
    }

    /// Starts and gets to the state named, on an outgoing connection.
    mutating func reach(
        _ state: PeerStatus.State, open: OpenMessage = .fixture()
    ) -> ConnectionID {
        let started = handle(.start)
        guard let connection = started.connects.first else { return .incoming(0) }
        if state == .connect { return connection }
        handle(.connected(connection))
        if state == .openSent { return connection }
        handle(.received(connection, open: open))
        if state == .openConfirm { return connection }
        handle(.received(connection, .keepalive))
        return connection
    }

    var state: PeerStatus.State { peer.status.state }
}

extension [BGPPeer.Action] {
    var connects: [ConnectionID] {
        compactMap { if case .connect(let connection) = $0 { connection } else { nil } }
    }

    var closes: [ConnectionID] {
        compactMap { if case .close(let connection) = $0 { connection } else { nil } }
    }

    var established: [ConnectionID] {
        compactMap { if case .established(let connection, _) = $0 { connection } else { nil } }
    }

    var losses: [SessionEnd] {
        compactMap { if case .lost(_, let end) = $0 { end } else { nil } }
    }

    var notes: [PeerNote] {
        compactMap { if case .noted(let note) = $0 { note } else { nil } }
    }

    func sent(on connection: ConnectionID) -> [BGPMessage] {
        compactMap {
            if case .send(connection, let message) = $0 { message } else { nil }
        }
    }

    var notifications: [NotificationMessage] {
        compactMap {
            if case .send(_, .notification(let notification)) = $0 { notification } else { nil }
        }
    }

    var opens: [OpenMessage] {
        compactMap { if case .send(_, .open(let open)) = $0 { open } else { nil } }
    }
}
