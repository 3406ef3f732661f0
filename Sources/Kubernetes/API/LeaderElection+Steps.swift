import NetworkTypes

extension LeaderElection {
    // MARK: What is known of the Lease

    /// A record that changed, whatever in it, may mean that its holder lives.
    mutating func note(_ record: LeaseRecord?, _ now: Instant, _ actions: inout [Action]) {
        if let record {
            if let seen, record.isOlder(than: seen) { return }
            goneUntil = nil
            if record != seen { (seen, seenSince) = (record, now) }
        } else if let seen, let seenSince {
            goneUntil = seen.isReleased || seen.holder == identity ? nil : seenSince + seen.duration
            (self.seen, self.seenSince) = (nil, nil)
        }
        guard phase == .leading, seen?.holder != identity else { return }
        stepDown(seen.map { $0.isReleased ? .taken : .lost(to: $0.holder) } ?? .taken, &actions)
    }

    mutating func stepDown(_ reason: StepDownReason, _ actions: inout [Action]) {
        freshUntil = nil
        guard phase == .leading else { return }
        phase = .waiting
        actions.append(.stepDown(reason))
    }

    // MARK: Requests

    mutating func ask(_ action: Action, _ now: Instant, _ actions: inout [Action]) {
        request = action == .read ? .read : .write
        requestUntil = now + timing.request
        asksAt = nil
        actions.append(action)
    }

    mutating func endRequest() {
        request = nil
        requestUntil = nil
    }

    /// Decides what to ask next, and when, as long as nothing is under way.
    mutating func proceed(_ now: Instant, _ actions: inout [Action]) {
        guard request == nil else { return }
        switch phase {
        case .waiting: claim(now, &actions)
        case .leading: asksAt = asksAt ?? now + timing.retry
        case .resigning: release(now, &actions)
        case .idle, .ended: break
        }
    }

    /// Takes the Lease if nobody can think to have it, else waits.
    private mutating func claim(_ now: Instant, _ actions: inout [Action]) {
        guard let seen, let seenSince else {
            if let goneUntil, goneUntil > now {
                asksAt = min(goneUntil, now + timing.retry)
            } else {
                ask(.create(record(after: nil)), now, &actions)
            }
            return
        }
        let expiry = seenSince + seen.duration
        if seen.isReleased || seen.holder == identity || expiry <= now {
            ask(.update(record(after: seen)), now, &actions)
        } else {
            asksAt = min(expiry, now + timing.retry)
        }
    }

    /// The record by which this process has the Lease.
    func record(after former: LeaseRecord?) -> LeaseRecord {
        let isOurs = former?.holder == identity
        let transitions = former?.transitions ?? 0
        return LeaseRecord(
            holder: identity, durationSeconds: Int(timing.duration.components.seconds),
            acquireTime: isOurs ? former?.acquireTime : nil, renewTime: nil,
            transitions: former == nil || isOurs || transitions >= Int(Int32.max)
                ? transitions : transitions + 1,
            resourceVersion: former?.resourceVersion ?? "")
    }

    mutating func lead(_ sentAt: Instant, _ now: Instant, _ actions: inout [Action]) {
        guard phase == .waiting || phase == .leading, seen?.holder == identity else {
            return proceed(now, &actions)
        }
        let until = sentAt + timing.duration - timing.margin
        guard until > now else {
            // It took too long; the version is known now, so the next is quick or fails.
            return proceed(now, &actions)
        }
        phase = .leading
        failure = nil
        let fresh = max(freshUntil ?? until, until)
        freshUntil = fresh
        asksAt = max(now, sentAt + timing.renewal)
        actions.append(.lead(until: fresh))
    }

    mutating func fail(_ failure: APIFailure, _ now: Instant, _ actions: inout [Action]) {
        let wasWrite = request == .write
        endRequest()
        if wasWrite, failure.code == 404 {
            note(nil, now, &actions)
            return proceed(now, &actions)
        }
        if wasWrite, failure.isConflict, !hadConflict {
            // Somebody else was faster, or an earlier write of ours came through after all.
            hadConflict = true
            return ask(.read, now, &actions)
        }
        hadConflict = false
        self.failure = failure
        asksAt = now + pause(after: failure)
    }

    /// A server that asks for patience has it, as far as a leader can afford that.
    private func pause(after failure: APIFailure) -> Duration {
        guard case .status(let status) = failure, let seconds = status.retryAfterSeconds else {
            return timing.retry
        }
        return min(max(.seconds(seconds), timing.retry), timing.request)
    }

    // MARK: Deadlines

    mutating func meetDeadlines(_ now: Instant, _ actions: inout [Action]) {
        if let resignsBy, resignsBy <= now {
            phase = .ended
            return
        }
        if let requestUntil, requestUntil <= now {
            endRequest()
            failure = .timeout("the Lease: no answer within \(timing.request)")
            asksAt = now
        }
        guard request == nil, let due = asksAt, due <= now else { return }
        switch phase {
        case .leading:
            if let seen { ask(.update(record(after: seen)), now, &actions) }
        case .waiting:
            claim(now, &actions)
            if request == nil { ask(.read, now, &actions) }
        case .resigning: ask(.read, now, &actions)
        case .idle, .ended: break
        }
    }

    // MARK: The end

    mutating func resign(_ now: Instant, _ actions: inout [Action]) {
        let wasLeading = phase == .leading
        stepDown(.resigned, &actions)
        // An attempt that is under way may yet succeed.
        guard wasLeading || request == .write else {
            phase = .ended
            return
        }
        phase = .resigning
        resignsBy = now + timing.request
        proceed(now, &actions)
    }

    private mutating func release(_ now: Instant, _ actions: inout [Action]) {
        guard let seen, seen.holder == identity else {
            phase = .ended
            return
        }
        ask(
            .update(
                LeaseRecord(
                    holder: "", durationSeconds: 1, acquireTime: seen.acquireTime,
                    transitions: seen.transitions, resourceVersion: seen.resourceVersion)),
            now, &actions)
    }
}
