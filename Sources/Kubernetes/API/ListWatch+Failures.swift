import NetworkTypes

/// What becomes of a request that failed.
extension ListWatch {
    /// Until what is forbidden, or does not exist, is asked for again.
    static let refusalWait: Duration = .seconds(30)
    /// The longest that a server may tell us to wait.
    static let maximumRetryAfter = 300
    /// Watches in succession that could not be read, before all objects are read anew: perhaps it
    /// is this one event that cannot be.
    static let unreadableWatches = 3

    mutating func failed(_ failure: APIFailure, at now: Instant) -> [Action] {
        var actions: [Action] = []
        let attempt: Attempt
        let verb: String
        switch state {
        case .idle, .waiting: return []
        case .listing(_, let token):
            verb = "list"
            if failure.isExpired {
                brokenLists += token == nil ? 0 : 1
            } else if isMalformed(failure) {
                // Pages that have grown too large to be read are to be small again.
                brokenLists = 0
            } else if let token {
                return retry(.page(continueToken: token), after: failure, verb, at: now)
            }
            attempt = .list
            actions = [.abandonReplacing]
        case .streaming(let stream):
            verb = "watch"
            attempt = .list
            actions = [.close, .abandonReplacing]
            if isRefusalOfStreaming(failure) {
                streamingRefusedUntil = now + Self.streamingRefusal
                return actions + begin(.list, at: now)
            }
            if wasHealthy(stream, at: now) { pace.reset() }
        case .watching(let stream):
            verb = "watch"
            actions = [.close]
            if wasHealthy(stream, at: now) { pace.reset() }
            let isUnreadable = isMalformed(failure) && pace.failures + 1 >= Self.unreadableWatches
            attempt = failure.isExpired || isUnreadable ? .list : .watch
        }
        return actions + retry(attempt, after: failure, verb, at: now)
    }

    /// Says what is to be said and waits, or tries again at once.
    private mutating func retry(
        _ attempt: Attempt, after failure: APIFailure, _ verb: String, at now: Instant
    ) -> [Action] {
        var actions: [Action] = []
        if isTooFarAhead(failure) { isFloorRefused = true }
        // A server that says 410 is there: what came before counts no more. Only 410 after 410
        // does.
        if failure.isExpired, !wasExpired { pace.reset() }
        wasExpired = failure.isExpired
        wasUnreachable = isUnreachable(failure)
        let wait = wait(after: failure)
        if isAboutCredentials(failure) { actions.append(.refreshCredentials) }
        if isForPeople(failure) || pace.failures > 1 {
            let found = APITrouble(
                resource: settings.resource, namespace: settings.namespace, verb: verb,
                failure: failure)
            if found != trouble {
                trouble = found
                actions.append(.troubled(found))
            }
        }
        if wait == .zero { return actions + begin(attempt, at: now) }
        state = .waiting(until: now + wait, attempt)
        return actions
    }

    private mutating func wait(after failure: APIFailure) -> Duration {
        let wait = pace.wait(spread: settings.spread)
        guard case .status(let status) = failure else { return wait }
        switch status.code {
        case 403, 404, 405:
            // Right after a server's start, roles and kinds may not have been read yet.
            if pace.failures == 1 { return .seconds(1) + pace.moment(within: .seconds(1)) + wait }
            return Self.refusalWait - .seconds(3) + pace.moment(within: .seconds(6))
        case 429, 503:
            let asked = status.retryAfterSeconds ?? 1
            return max(wait, patience(seconds: asked))
        default:
            return status.retryAfterSeconds.map { max(wait, patience(seconds: $0)) } ?? wait
        }
    }

    /// As long as was asked for, and a little more, since others were asked for the same.
    private mutating func patience(seconds: Int) -> Duration {
        let asked = Duration.seconds(min(max(seconds, 0), Self.maximumRetryAfter))
        return asked + pace.moment(within: max(asked / 4, settings.spread))
    }

    private func isUnreachable(_ failure: APIFailure) -> Bool {
        switch failure {
        case .transport, .timeout: true
        case .status, .credentials, .malformed: false
        }
    }

    private func isMalformed(_ failure: APIFailure) -> Bool {
        if case .malformed = failure { true } else { false }
    }

    private func isAboutCredentials(_ failure: APIFailure) -> Bool {
        if case .credentials = failure { true } else { failure.code == 401 }
    }

    /// Whether waiting will hardly help, but somebody who reads of it may.
    private func isForPeople(_ failure: APIFailure) -> Bool {
        if case .credentials = failure { return true }
        return [403, 404, 405].contains(failure.code)
    }

    /// Servers before 1.27 forbid `resourceVersionMatch` in a watch, later ones forbid
    /// `sendInitialEvents` unless they have been told to know it: 422. Others say 400 or 501.
    private func isRefusalOfStreaming(_ failure: APIFailure) -> Bool {
        [400, 406, 415, 422, 501].contains(failure.code)
    }

    /// Whether the server does not get to the version that we ask for: its store was restored from
    /// a copy, or it lags far behind the server that we asked before.
    private func isTooFarAhead(_ failure: APIFailure) -> Bool {
        guard case .status(let status) = failure else { return false }
        return status.message.contains("Too large resource version")
    }

    mutating func reachedDeadline(at now: Instant) -> [Action] {
        guard let deadline = state.deadline, now >= deadline else { return [] }
        switch state {
        case .idle: return []
        case .waiting(_, let attempt): return begin(attempt, at: now)
        case .listing:
            return [.close] + failed(.timeout("no page came in \(Self.pagePatience)"), at: now)
        case .streaming(let stream):
            guard stream.lastHeard != nil else { return notOpened(at: now) }
            // It takes this for an ordinary watch, which never says that all has been told.
            let status = APIStatus(
                code: 501, reason: "NotImplemented",
                message: "the streaming list does not come to its end")
            return failed(.status(status), at: now)
        case .watching(let stream):
            guard stream.lastHeard != nil else { return notOpened(at: now) }
            return failed(.timeout("the watch has been silent for too long"), at: now)
        }
    }

    /// Brings the next attempt forward, still not at the same moment as those of others.
    mutating func reachedServer(at now: Instant) -> [Action] {
        guard case .waiting(let until, let attempt) = state, wasUnreachable, pace.failures > 1
        else { return [] }
        // What follows is often a list, and all other nodes do the same.
        let soon = now + pace.moment(within: max(settings.spread * 2, .milliseconds(100)))
        state = .waiting(until: min(until, soon), attempt)
        wasUnreachable = false
        return []
    }

    private mutating func notOpened(at now: Instant) -> [Action] {
        failed(.timeout("no answer in \(Self.openPatience)"), at: now)
    }
}
