import NetworkTypes

/// What a watch brings.
extension ListWatch {
    /// A watch that lived so long was a good one.
    static let healthyLife: Duration = .seconds(60)
    /// So was one that the server ended in an orderly way after this time.
    static let orderlyLife: Duration = .seconds(10)
    /// And one that brought so many events.
    static let healthyEvents = 10

    mutating func opened(at now: Instant) -> [Action] {
        switch state {
        case .streaming(var stream) where stream.lastHeard == nil:
            stream.since = now
            stream.lastHeard = now
            state = .streaming(stream)
            return []
        case .watching(var stream) where stream.lastHeard == nil:
            stream.since = now
            stream.lastHeard = now
            state = .watching(stream)
            return recover()
        default: return []
        }
    }

    mutating func received(event version: String, at now: Instant) -> [Action] {
        switch state {
        case .streaming(var stream):
            // The first events come in the order of names; only the closing bookmark says where
            // the watch goes on.
            stream.lastHeard = now
            state = .streaming(stream)
        case .watching(var stream):
            stream.lastHeard = now
            stream.events = min(stream.events + 1, Self.healthyEvents)
            state = .watching(stream)
            advance(to: version)
        default: break
        }
        return []
    }

    mutating func received(
        bookmark version: String, endsInitialEvents: Bool, at now: Instant
    ) -> [Action] {
        switch state {
        case .streaming(var stream):
            stream.lastHeard = now
            state = .streaming(stream)
            guard endsInitialEvents else { return [] }
            guard !version.isEmpty else {
                return failed(.malformed("a bookmark without metadata.resourceVersion"), at: now)
            }
            guard isBelieved(version) else { return reject(version, at: now) }
            state = .watching(stream)
            return finish(version) + recover()
        case .watching(var stream):
            if ResourceVersion.isOlder(version, than: resourceVersion) {
                // The server stands before what it has told us already: its store was restored from
                // a copy, and a watch from here would be silent until its versions catch up.
                let status = APIStatus(
                    code: 410, reason: "Expired",
                    message: "the server is at version \(version), behind what it told before")
                return failed(.status(status), at: now)
            }
            stream.lastHeard = now
            stream.bookmarks = min(stream.bookmarks + 1, 2)
            state = .watching(stream)
            advance(to: version)
            return []
        default: return []
        }
    }

    /// Versions of a watch grow; one that is repeated late must not take us back to before others.
    private mutating func advance(to version: String) {
        guard !version.isEmpty, !ResourceVersion.isOlder(version, than: resourceVersion) else {
            return
        }
        resourceVersion = version
    }

    mutating func ended(at now: Instant) -> [Action] {
        switch state {
        case .streaming:
            return failed(.transport("the server ended the list before it was whole"), at: now)
        case .watching(let stream):
            // Time for the end to reach us, and for clocks to differ.
            if stream.lastHeard != nil, now + .seconds(5) >= stream.end {
                pace.reset()
                return begin(.watch, at: now)
            }
            if stream.lastHeard != nil, now >= stream.since + Self.orderlyLife { pace.reset() }
            return failed(.transport("the server ended the watch before its time"), at: now)
        default: return []
        }
    }

    /// Whether a watch that has failed was a good one until then.
    func wasHealthy(_ stream: Stream, at now: Instant) -> Bool {
        guard stream.lastHeard != nil else { return false }
        return now >= stream.since + Self.healthyLife || stream.events >= Self.healthyEvents
    }

    mutating func recover() -> [Action] {
        guard trouble != nil else { return [] }
        trouble = nil
        return [.recovered]
    }
}
