import NetworkTypes

extension BGPPeer {
    mutating func stop(_ reason: StopReason, at now: Instant, _ actions: inout [Action]) {
        let wasRunning = isRunning
        isRunning = false
        giveUpAttempt(&actions)
        retry = nil
        hold = nil
        deferral = nil
        offersNothing = false
        if let parked { end(parked.connection, .silently(""), at: now, &actions) }
        let (subcode, text, keepsRoutes, rule) = wording(of: reason)
        let cease = NotificationMessage.cease(subcode, text: text)
        for session in sessions {
            let ending = session.farewell(cease, keepsRoutes: keepsRoutes, rule: rule)
            end(session.connection, ending, at: now, &actions)
        }
        guard case .reset = reason, wasRunning else { return }
        isRunning = true
        backOff.reset()
        retrySoon(at: now)
    }

    private func wording(
        of reason: StopReason
    ) -> (NotificationMessage.CeaseSubcode, text: String, keepsRoutes: Bool, rule: String) {
        let text = settings.shutdownMessage
        return switch reason {
        // A restart, unlike a shutdown, is no reason for the peer to forget us (RFC 8538 §3.1).
        case .shutdown(keepRoutes: true):
            (.administrativeReset, text, true, "this speaker is about to start again")
        case .shutdown: (.administrativeShutdown, text, false, "the session is shut down here")
        case .deconfigured:
            (.peerDeconfigured, "", false, "the peer is no longer configured here")
        case .reset(let keepsRoutes):
            (.administrativeReset, text, keepsRoutes, "the session is reset here")
        }
    }

    /// Takes other settings. What only we have to know of takes effect in place: prefix limit,
    /// keepalive interval, retry time, passive or not, shutdown message. The rest needs another
    /// OPEN, so sessions are reset, with Cease/Other Configuration Change; where graceful restart
    /// is agreed the peer keeps our routes meanwhile.
    public mutating func update(settings: PeerSettings, at now: Instant) -> [Action] {
        let former = self.settings
        guard settings != former else { return [] }
        let isHeldForPrefixes = hold?.cause == .prefixes
        self.settings = settings
        var actions: [Action] = []
        if settings.connectRetryTime != former.connectRetryTime {
            backOff = BackOff(first: .seconds(Int(settings.connectRetryTime)))
            if retry != nil { retry = now + jitter.spread(backOff.next()) }
        }
        if settings.needsReset(from: former) {
            offersNothing = false
            for session in sessions {
                let ending = session.farewell(
                    .otherConfigurationChange, keepsRoutes: true,
                    rule: "the peer's configuration here has changed")
                end(session.connection, ending, at: now, &actions)
            }
            // What failed so far may have been what was changed.
            backOff.reset()
            retrySoon(at: now)
        } else {
            applyInPlace(at: now, &actions)
        }
        if isHeldForPrefixes, settings.prefixLimit != former.prefixLimit {
            release(at: now, &actions)
        }
        if settings.isPassive {
            giveUpAttempt(&actions)
            retry = nil
        } else if former.isPassive {
            attemptIfWanted(at: now, &actions)
        }
        noteState(at: now)
        return actions
    }

    private mutating func applyInPlace(at now: Instant, _ actions: inout [Action]) {
        for connection in sessions.map(\.connection) {
            guard let index = index(of: connection) else { continue }
            sessions[index].setKeepalive(wish: settings.keepaliveTime, at: now)
            if let family = sessions[index].prefixes.setLimit(settings.prefixLimit) {
                end(connection, sessions[index].tooManyPrefixes(family), at: now, &actions)
            } else if sessions[index].prefixes.isToBeRecounted {
                // How many there are is known only by hearing them again.
                let ending = sessions[index].farewell(
                    .otherConfigurationChange, keepsRoutes: true,
                    rule: "the peer's prefixes have to be counted anew for the limit")
                end(connection, ending, at: now, &actions)
            }
        }
    }
}

extension PeerSettings {
    /// Whether a session held by `former` has to be begun anew.
    fileprivate func needsReset(from former: PeerSettings) -> Bool {
        var same = former
        same.keepaliveTime = keepaliveTime
        same.connectRetryTime = connectRetryTime
        same.isPassive = isPassive
        same.shutdownMessage = shutdownMessage
        same.prefixLimit = prefixLimit
        if let gracefulRestart {
            same.gracefulRestart?.isRestarting = gracefulRestart.isRestarting
        }
        return same != self
    }
}

extension BGPSession {
    /// How we end a session, so that the peer keeps our routes, or does not.
    ///
    /// By RFC 4724 the peer keeps them over a lost connection but not over a NOTIFICATION. Where
    /// both have the N bit it does over both, and only a hard reset makes it forget (RFC 8538
    /// §3.1).
    func farewell(
        _ notification: NotificationMessage, keepsRoutes: Bool, rule: String
    ) -> Ending {
        let plain = Ending.fault(MessageFault(notification: notification, rule: rule))
        guard case .established(let parameters, _) = phase, parameters.gracefulRestart != nil else {
            return plain
        }
        switch (keepsRoutes, parameters.keepsOnNotification) {
        case (true, true), (false, false): return plain
        case (true, false): return .silently(rule)
        case (false, true):
            return .fault(
                MessageFault(notification: .hardReset(of: notification), rule: rule))
        }
    }
}

extension SessionEnd {
    init(_ ending: BGPSession.Ending, _ parameters: SessionParameters) {
        let hasRestart = parameters.gracefulRestart != nil
        func survives(_ notification: NotificationMessage) -> Bool {
            hasRestart && parameters.keepsOnNotification
                && notification.subcode(of: .cease) != .hardReset
        }
        switch ending {
        case .fault(let fault):
            self.init(
                cause: .sent(fault.notification), text: fault.rule,
                peerKeepsRoutes: survives(fault.notification))
        case .received(let notification):
            self.init(
                cause: .received(notification), text: "the peer sent \(notification)",
                peerKeepsRoutes: survives(notification))
        case .transport(let reason):
            self.init(cause: .transport(reason), text: reason, peerKeepsRoutes: hasRestart)
        case .silently(let rule):
            self.init(cause: .closedSilently, text: rule, peerKeepsRoutes: hasRestart)
        case .replaced(let connection):
            self.init(
                cause: .replaced(by: connection),
                text: "the peer has started again and opened another connection",
                peerKeepsRoutes: hasRestart)
        }
    }
}

extension NotificationMessage {
    fileprivate func subcode(of code: Code) -> CeaseSubcode? {
        self.code == code.rawValue ? CeaseSubcode(rawValue: subcode) : nil
    }
}
