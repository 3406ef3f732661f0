import NetworkTypes

extension ListWatch {
    /// What the next attempt will be.
    enum Attempt: Hashable, Sendable {
        /// A list from its beginning.
        case list
        /// The page after those that have come.
        case page(continueToken: String)
        /// A watch from where the last one stood.
        case watch
    }

    /// A watch that was asked for.
    struct Stream: Hashable, Sendable {
        /// When it was asked for, and once it is open, when it was opened.
        var since: Instant
        /// When the server is to end it.
        var timeoutSeconds: Int
        /// When something was last heard; `nil` until it is open.
        var lastHeard: Instant?
        /// Bookmarks that have come, as far as they matter.
        var bookmarks = 0
        /// Events that have come, as far as they matter.
        var events = 0

        init(since: Instant, timeoutSeconds: Int) {
            self.since = since
            self.timeoutSeconds = timeoutSeconds
        }

        /// When the server should have ended it, were its clock ours.
        var end: Instant { since + .seconds(timeoutSeconds) }
    }

    /// The state with what belongs to it.
    enum State: Hashable, Sendable {
        case idle
        case waiting(until: Instant, Attempt)
        case listing(until: Instant, continueToken: String?)
        case streaming(Stream)
        case watching(Stream)
    }

    /// How long a page may take.
    static let pagePatience: Duration = .seconds(120)
    /// How long the server may take to begin an answer.
    static let openPatience: Duration = .seconds(60)
    /// How long a streaming list may pause: longer than a server takes to be sure that it is up to
    /// date, shorter than one that does not know such lists needs for the first bookmark.
    static let streamPatience: Duration = .seconds(30)
    /// How long a watch may be silent once bookmarks are known to come every minute.
    static let bookmarkPatience: Duration = .seconds(180)
    /// How long a watch may be silent beyond its own end.
    static let endPatience: Duration = .seconds(30)
}

extension ListWatch.State {
    var phase: ListWatch.Phase {
        switch self {
        case .idle: .idle
        case .waiting: .waiting
        case .listing: .listing
        case .streaming: .streaming
        case .watching: .watching
        }
    }

    var deadline: Instant? {
        switch self {
        case .idle: return nil
        case .waiting(let until, _), .listing(let until, _): return until
        case .streaming(let stream):
            guard let heard = stream.lastHeard else { return stream.since + ListWatch.openPatience }
            return heard + ListWatch.streamPatience
        case .watching(let stream):
            guard let heard = stream.lastHeard else { return stream.since + ListWatch.openPatience }
            let patience = Duration.seconds(stream.timeoutSeconds) + ListWatch.endPatience
            return heard
                + (stream.bookmarks < 2 ? patience : min(patience, ListWatch.bookmarkPatience))
        }
    }
}
