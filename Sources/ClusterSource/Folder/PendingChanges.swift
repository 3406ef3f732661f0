import NetworkTypes

/// When to read which file after notices about it.
///
/// Editors and tools replace a file in many ways: write in place, write beside and rename, move the
/// old one away and write a new one. A file is therefore read a moment after it looked finished,
/// never while somebody still has it open for writing, and it is taken as deleted only when nothing
/// took its place for a while. Everything happens well inside 100 ms.
struct PendingChanges {
    /// What a notice says about a file.
    enum Notice {
        /// It was closed after writing, or came by renaming.
        case finished
        /// It is being written.
        case opened
        /// Its name is gone.
        case vanished
        /// Looking at everything showed another version of it.
        case found
        /// Looking at everything did not show it, right after the folder itself was replaced.
        case missing
    }

    /// After the last of a burst of notices.
    static let settle = Duration.milliseconds(10)
    /// After the first of a burst of notices.
    static let longestSettle = Duration.milliseconds(50)
    /// Until a name that is gone counts as deleted.
    static let vanishing = Duration.milliseconds(60)
    /// The same when the whole folder was made anew: it may still be being filled.
    static let refilling = Duration.milliseconds(500)
    /// After the last write to a file that its writer keeps open.
    static let openFallback = Duration.seconds(5)
    /// After the first write to a file that its writer keeps open.
    static let longestOpenFallback = Duration.seconds(60)

    private struct Entry {
        var notice: Notice
        var since: Instant
        var due: Instant
    }

    private var entries: [String: Entry] = [:]

    /// The number of files that wait.
    var count: Int { entries.count }

    /// When the next file is due.
    var nextDeadline: Instant? { entries.values.lazy.map(\.due).min() }

    /// Whether the file waits for its writer, or for a successor.
    func isUnsettled(_ path: String) -> Bool {
        switch entries[path]?.notice {
        case .opened, .vanished, .missing: true
        case .finished, .found, nil: false
        }
    }

    /// Takes a notice.
    mutating func note(_ notice: Notice, _ path: String, at now: Instant) {
        let before = entries[path]
        // The bounds on waiting count from the first notice of the same sort.
        let since = before.map { $0.notice == notice ? $0.since : now } ?? now
        let due =
            switch notice {
            case .finished: min(now + Self.settle, since + Self.longestSettle)
            case .opened: min(now + Self.openFallback, since + Self.longestOpenFallback)
            case .vanished: since + Self.vanishing
            case .missing: since + Self.refilling
            case .found: now
            }
        entries[path] = Entry(notice: notice, since: since, due: due)
    }

    /// Takes out the files that are due, in order of name.
    mutating func takeDue(at now: Instant) -> [String] {
        let due = entries.filter { $0.value.due <= now }.keys.sorted()
        for path in due { entries[path] = nil }
        return due
    }
}
