import NetworkTypes

extension BGPPeer {
    mutating func start(at now: Instant, _ actions: inout [Action]) {
        guard !isRunning else { return }
        isRunning = true
        attemptIfWanted(at: now, &actions)
    }

    /// Attempts to connect, unless that is not ours to do or not the time for it. A session whose
    /// OPEN has not come yet is no reason not to: who connected may be no router at all.
    mutating func attemptIfWanted(at now: Instant, _ actions: inout [Action]) {
        retry = nil
        guard isRunning, !settings.isPassive, hold == nil, attempt == nil,
            sessions.allSatisfy({ $0.connection.isIncoming && $0.parameters == nil })
        else { return }
        serial += 1
        record.counters.attempts += 1
        let patience = jitter.spread(max(Self.minimumPatience, backOff.wait))
        let next = Attempt(connection: .outgoing(serial), deadline: now + patience)
        attempt = next
        actions.append(.connect(next.connection))
    }

    mutating func connected(
        _ connection: ConnectionID, at now: Instant, _ actions: inout [Action]
    ) {
        guard attempt?.connection == connection else {
            if index(of: connection) == nil { actions.append(.close(connection)) }
            return
        }
        attempt = nil
        open(connection, at: now, &actions)
    }

    mutating func connectFailed(
        _ connection: ConnectionID, _ reason: String, at now: Instant, _ actions: inout [Action]
    ) {
        guard attempt?.connection == connection else { return }
        attempt = nil
        record.lastFailure = .init(text: reason, at: now)
        note(.unreachable(reason), &actions)
        actions.append(.close(connection))
        retryAfterFailure(at: now)
    }

    mutating func giveUpAttempt(_ actions: inout [Action]) {
        guard let attempt else { return }
        actions.append(.close(attempt.connection))
        self.attempt = nil
    }

    /// Nobody answers. The wait for it was the wait of the back-off, so the next attempt is now.
    mutating func attemptExpired(_ expired: Attempt, at now: Instant, _ actions: inout [Action]) {
        let seconds = max(Self.minimumPatience, backOff.wait).components.seconds
        let reason = "no answer within \(seconds) s"
        giveUpAttempt(&actions)
        record.lastFailure = .init(text: reason, at: now)
        note(.unreachable("it does not answer"), &actions)
        _ = backOff.next()
        attemptIfWanted(at: now, &actions)
    }

    /// Sends our OPEN on a connection.
    mutating func open(_ connection: ConnectionID, at now: Instant, _ actions: inout [Action]) {
        let isRestarting = settings.gracefulRestart?.isRestarting ?? false
        let offer = OpenMessage(
            offering: settings,
            on: .init(
                isRestarting: isRestarting && !hasBeenEstablished,
                isForwardingPreserved: isRestarting || hasBeenEstablished,
                hasCapabilities: !offersNothing))
        sessions.append(
            BGPSession(
                connection: connection, settings: settings, offer: offer, seed: jitter.seed(),
                at: now))
        send(.open(offer), on: connection, &actions)
    }

    mutating func accept(_ connection: ConnectionID, at now: Instant, _ actions: inout [Action]) {
        precondition(connection.isIncoming, "an accepted connection is named by incoming(_:)")
        guard index(of: connection) == nil, parked?.connection != connection else { return }
        record.counters.accepted += 1
        guard isRunning else { return refuse(connection, .cease(.connectionRejected), &actions) }
        if hold != nil {
            if let parked { actions.append(.close(parked.connection)) }
            parked = Parked(connection: connection)
            return
        }
        if let session = sessions.first(where: \.isEstablished),
            !session.isReplaceable(at: now)
        {
            record.counters.collisions += 1
            return refuse(connection, .connectionCollision, &actions)
        }
        // A peer opens one connection at a time: it has given up the one before.
        for former in sessions where former.connection.isIncoming && !former.isEstablished {
            end(former.connection, .fault(.collision), at: now, &actions)
        }
        open(connection, at: now, &actions)
    }

    private mutating func refuse(
        _ connection: ConnectionID, _ notification: NotificationMessage,
        _ actions: inout [Action]
    ) {
        send(.notification(notification), on: connection, &actions)
        actions.append(.close(connection))
    }

    /// BFD's word on the path.
    mutating func pathChanged(
        to path: PeerStatus.Path, at now: Instant, _ actions: inout [Action]
    ) {
        let former = self.path
        self.path = path
        guard path == .down else {
            if hold?.cause == .path { release(at: now, &actions) }
            return
        }
        guard former == .up, isRunning, hold == nil else { return }
        hold = Hold(cause: .path, until: now + Self.pathHoldTime)
        retry = nil
        giveUpAttempt(&actions)
        let fault = MessageFault(
            notification: .cease(.bfdDown), rule: "BFD has lost the path to the peer (RFC 9384)")
        for session in sessions {
            end(session.connection, .fault(fault), at: now, &actions)
        }
    }

    /// The hold has no cause any more, or was long enough.
    mutating func release(at now: Instant, _ actions: inout [Action]) {
        hold = nil
        guard let parked else { return attemptIfWanted(at: now, &actions) }
        self.parked = nil
        open(parked.connection, at: now, &actions)
        guard let message = parked.open else { return attemptIfWanted(at: now, &actions) }
        receive(.open(message), on: parked.connection, isCounted: false, at: now, &actions)
    }

    /// What came on the connection that is kept unanswered.
    mutating func park(_ message: BGPMessage, _ actions: inout [Action]) {
        guard let parked else { return }
        if case .open(let open) = message, parked.open == nil {
            self.parked?.open = open
        } else {
            actions.append(.close(parked.connection))
            self.parked = nil
        }
    }
}

extension BGPSession {
    /// Whether another connection may mean that the peer has started again (RFC 4724 §5).
    fileprivate func isReplaceable(at now: Instant) -> Bool {
        guard case .established(let parameters, let since) = phase,
            let restart = parameters.gracefulRestart
        else { return false }
        return !restart.families.isEmpty && now - since >= BGPPeer.collisionTime
    }
}

extension MessageFault {
    static let collision = MessageFault(
        notification: .connectionCollision,
        rule: "another connection with the peer is kept (RFC 4271 §6.8)")
}
