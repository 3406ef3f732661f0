import NetworkTypes

extension BGPPeer {
    mutating func receive(
        _ message: BGPMessage, on connection: ConnectionID, isCounted: Bool = true,
        at now: Instant, _ actions: inout [Action]
    ) {
        if parked?.connection == connection {
            record.counters.received.count(message)
            return park(message, &actions)
        }
        guard let index = index(of: connection) else { return }
        if isCounted { record.counters.received.count(message) }
        if case .update(let update) = message, !update.faults.isEmpty {
            record.counters.faultyUpdates += 1
        }
        let outcome = sessions[index].receive(message, at: now)
        perform(outcome, of: connection, at: now, &actions)
    }

    /// Everything that is due. Every step sets the deadline that brought it, so one round is all.
    mutating func runDue(at now: Instant, _ actions: inout [Action]) {
        for connection in sessions.map(\.connection) {
            guard let index = index(of: connection) else { continue }
            let outcome = sessions[index].runDue(at: now)
            perform(outcome, of: connection, at: now, &actions)
        }
        if let deferral, now >= deferral { confirmDeferred(at: now, &actions) }
        if let attempt, now >= attempt.deadline { attemptExpired(attempt, at: now, &actions) }
        if let hold, now >= hold.until { release(at: now, &actions) }
        if let retry, now >= retry { attemptIfWanted(at: now, &actions) }
    }

    private mutating func perform(
        _ outcome: [BGPSession.Action], of connection: ConnectionID, at now: Instant,
        _ actions: inout [Action]
    ) {
        for step in outcome {
            switch step {
            case .send(let message): send(message, on: connection, &actions)
            case .agreed(let parameters):
                resolve(connection, parameters, at: now, &actions)
            case .established(let parameters):
                established(connection, parameters, at: now, &actions)
            case .inbound(let update): actions.append(.inbound(connection, update))
            case .refreshRequested(let family): actions.append(.refreshRequested(family))
            case .noted(let note): actions.append(.noted(note))
            case .end(let ending): end(connection, ending, at: now, &actions)
            }
        }
    }

    /// The peer's OPEN has come on a connection: which one is kept?
    private mutating func resolve(
        _ connection: ConnectionID, _ parameters: SessionParameters, at now: Instant,
        _ actions: inout [Action]
    ) {
        giveUpAttempt(&actions)
        let others = sessions.filter { $0.connection != connection }
        for other in others where other.isEstablished {
            // Only what may replace it was accepted at all.
            end(other.connection, .replaced(by: connection), at: now, &actions)
        }
        let isWinner = connection.isIncoming != isOursPreferred(parameters)
        for other in others where !other.isEstablished {
            if other.parameters != nil {
                record.counters.collisions += 1
                let loser = isWinner ? other.connection : connection
                end(loser, .fault(.collision), at: now, &actions)
            } else if !isWinner {
                deferral = now + Self.collisionPatience
                return
            }
        }
        confirm(connection, at: now, &actions)
    }

    /// Whether of two connections that which we opened is kept.
    private func isOursPreferred(_ parameters: SessionParameters) -> Bool {
        (settings.routerID, settings.localAS) > (parameters.remoteRouterID, parameters.remoteAS)
    }

    private mutating func confirm(
        _ connection: ConnectionID, at now: Instant, _ actions: inout [Action]
    ) {
        guard let index = index(of: connection) else { return }
        let outcome = sessions[index].confirm(at: now)
        perform(outcome, of: connection, at: now, &actions)
    }

    /// Lets the session go on that waited for another's OPEN.
    private mutating func confirmDeferred(at now: Instant, _ actions: inout [Action]) {
        deferral = nil
        for session in sessions {
            guard case .agreed = session.phase else { continue }
            confirm(session.connection, at: now, &actions)
        }
    }

    private mutating func established(
        _ connection: ConnectionID, _ parameters: SessionParameters, at now: Instant,
        _ actions: inout [Action]
    ) {
        for other in sessions where other.connection != connection {
            record.counters.collisions += 1
            end(other.connection, .fault(.collision), at: now, &actions)
        }
        giveUpAttempt(&actions)
        retry = nil
        deferral = nil
        hasBeenEstablished = true
        lastNote = nil
        record.counters.established += 1
        actions.append(.established(connection, parameters))
    }

    /// Ends a session, or what else there is on the connection, and plans what comes then.
    mutating func end(
        _ connection: ConnectionID, _ ending: BGPSession.Ending, at now: Instant,
        _ actions: inout [Action]
    ) {
        if parked?.connection == connection {
            actions.append(.close(connection))
            parked = nil
            return
        }
        guard let index = index(of: connection) else { return }
        let session = sessions.remove(at: index)
        if case .fault(let fault) = ending {
            send(.notification(fault.notification), on: connection, &actions)
        }
        actions.append(.close(connection))
        account(for: ending, of: session, at: now, &actions)
        if case .established(let parameters, let since) = session.phase {
            if now - since >= Self.lastingTime { backOff.reset() }
            let end = SessionEnd(ending, parameters)
            actions.append(.lost(connection, end))
        }
        planRetry(after: ending, of: session, at: now)
        if deferral != nil, !sessions.contains(where: { $0.parameters == nil }) {
            confirmDeferred(at: now, &actions)
        }
    }

    /// RFC 5492 §3: a peer that does not take our optional parameters gets one OPEN without. It is
    /// of use only where IPv4 routes are wanted.
    private mutating func planRetry(
        after ending: BGPSession.Ending, of session: BGPSession, at now: Instant
    ) {
        let hadCapabilities = !session.offer.capabilities.isEmpty
        offersNothing = false
        switch ending {
        case .received(let notification)
        where notification.isAboutCapabilities && !session.isEstablished && hadCapabilities
            && settings.families.contains(.ipv4):
            offersNothing = true
            retrySoon(at: now)
        case .fault(let fault) where fault.notification.isPrefixLimit:
            hold = Hold(cause: .prefixes, until: now + Self.prefixHoldTime)
            retry = nil
        case .fault(let fault) where fault == .collision: break
        case .replaced: break
        case .fault(let fault) where fault.notification.isOurWish: retrySoon(at: now)
        case .silently: retrySoon(at: now)
        default: retryAfterFailure(at: now)
        }
    }

    /// Waits before the next attempt, and longer the next time. A wait that is under way remains;
    /// with another session at work there is nothing to wait for.
    mutating func retryAfterFailure(at now: Instant) {
        guard mayRetry, retry == nil else { return }
        retry = now + jitter.spread(backOff.next())
    }

    /// Waits a moment, for an end that is no failure.
    mutating func retrySoon(at now: Instant) {
        guard mayRetry else { return }
        retry = now + jitter.spread(Self.promptTime)
    }

    private var mayRetry: Bool {
        isRunning && !settings.isPassive && hold == nil && attempt == nil
            && sessions.allSatisfy { $0.connection.isIncoming && $0.parameters == nil }
    }
}

extension NotificationMessage {
    fileprivate var isAboutCapabilities: Bool { code == 2 && (subcode == 4 || subcode == 7) }

    fileprivate var isPrefixLimit: Bool { (code, subcode) == (6, 1) }

    /// Cease for a reason of our own, also inside a hard reset.
    var isOurWish: Bool {
        guard code == 6, let subcode = CeaseSubcode(rawValue: subcode) else { return false }
        switch subcode {
        case .administrativeShutdown, .peerDeconfigured, .administrativeReset,
            .otherConfigurationChange, .hardReset:
            return true
        case .maximumPrefixes, .connectionRejected, .connectionCollision, .outOfResources,
            .bfdDown:
            return false
        }
    }
}
