import NetworkTypes

extension BGPPeer {
    /// What is to be known from outside.
    public var status: PeerStatus {
        var status = record
        let session = foremost
        status.state = state
        status.connection = session?.connection ?? attempt?.connection ?? parked?.connection
        status.parameters = session?.parameters
        status.nextAttempt = retry ?? hold?.until
        status.backOff = backOff.wait
        status.holdDeadline = session?.holdDeadline
        status.keepaliveDeadline = session?.keepaliveDeadline
        status.sendHoldDeadline = session?.sendHoldDeadline
        status.path = path
        status.prefixesIn = session?.prefixes.counts ?? [:]
        status.arePrefixesExact = session?.prefixes.isExact ?? true
        return status
    }

    /// The session that is furthest on.
    private var foremost: BGPSession? { sessions.max { $0.progressMade < $1.progressMade } }

    private var state: PeerStatus.State {
        guard isRunning else { return .idle }
        if let foremost { return foremost.state }
        if attempt != nil { return .connect }
        return hold == nil ? .active : .idle
    }

    mutating func noteState(at now: Instant) {
        guard record.state != state || record.since == nil else { return }
        record.state = state
        record.since = now
    }

    mutating func send(
        _ message: BGPMessage, on connection: ConnectionID, _ actions: inout [Action]
    ) {
        record.counters.sent.count(message)
        actions.append(.send(connection, message))
    }

    /// Keeps what a session ended by, and notes what is news.
    mutating func account(
        for ending: BGPSession.Ending, of session: BGPSession, at now: Instant,
        _ actions: inout [Action]
    ) {
        switch ending {
        case .fault(let fault):
            // Another connection goes on: nothing to see to.
            guard fault != .collision else { return }
            let text = "\(fault.notification): \(fault.rule)"
            record.lastSent = .init(notification: fault.notification, text: text, at: now)
            if !fault.notification.isOurWish { note(.sent(fault), &actions) }
        case .received(let notification):
            // Without another connection it is news: the peer believes that there is one.
            guard notification != .connectionCollision || sessions.isEmpty else { return }
            let text = "\(notification)"
            record.lastReceived = .init(notification: notification, text: text, at: now)
            note(.received(notification), &actions)
        case .transport(let reason):
            record.lastFailure = .init(text: reason, at: now)
            note(.broken(reason, wasEstablished: session.isEstablished), &actions)
        case .silently: break
        case .replaced:
            note(
                PeerNote(
                    .notice, "the peer has started again: its new connection replaces the old"),
                &actions)
        }
    }

    mutating func note(_ note: PeerNote, _ actions: inout [Action]) {
        guard note != lastNote else { return }
        lastNote = note
        actions.append(.noted(note))
    }
}

extension BGPSession {
    fileprivate var progressMade: Int {
        switch phase {
        case .openSent: 0
        case .agreed: 1
        case .openConfirm: 2
        case .established: 3
        }
    }

    fileprivate var state: PeerStatus.State {
        switch phase {
        case .openSent, .agreed: .openSent
        case .openConfirm: .openConfirm
        case .established: .established
        }
    }
}
