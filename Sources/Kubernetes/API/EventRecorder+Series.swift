import NetworkTypes

extension EventRecorder {
    /// An Event that is to be written, or was.
    struct Entry: Sendable {
        /// Its name, given by us, so that a second try cannot make a second one.
        var name: String
        var firstTime: WallTime
        var lastTime: WallTime
        /// How often it was told.
        var count = 1
        /// How often the server knows of.
        var written = 0
        /// Whether it is in the outbox.
        var isQueued = true
        /// Whether repeats wait to be said together.
        var isGathering = false
        /// Counts the words, so that of several marks the last one is known.
        var touch = 0
        /// How often the server has said no.
        var refusals = 0
    }

    /// When an Event is to be looked at again.
    struct Mark: Sendable {
        var tiding: Tiding
        var due: Instant
        var touch: Int
    }

    mutating func take(_ tiding: Tiding, at now: Instant, _ time: WallTime) {
        guard var entry = entries[tiding] else {
            begin(tiding, at: now, time)
            return
        }
        entry.count += 1
        entry.lastTime = max(time, entry.lastTime)
        entry.touch += 1
        idle.append(Mark(tiding: tiding, due: now + Self.finishes, touch: entry.touch))
        if !entry.isQueued, !entry.isGathering {
            if entry.count == 2 {
                entry.isQueued = true
                outbox.append(tiding)
            } else {
                entry.isGathering = true
                gathering.append(
                    Mark(tiding: tiding, due: now + Self.gathers, touch: entry.touch))
            }
        }
        entries[tiding] = entry
        makeRoom()
        // Marks of words that others followed are only in the way once they are most.
        if idle.count > 4 * (entries.count + Self.knownLimit) {
            idle.removeAll { [entries] in entries[$0.tiding]?.touch != $0.touch }
        }
    }

    private mutating func begin(_ tiding: Tiding, at now: Instant, _ time: WallTime) {
        guard budgets.spend(on: tiding.service, at: now) else {
            lost += 1
            return
        }
        entries[tiding] = Entry(
            name: names.next(for: tiding.service.name, at: time), firstTime: time, lastTime: time)
        outbox.append(tiding)
        idle.append(Mark(tiding: tiding, due: now + Self.finishes, touch: 0))
        makeRoom()
    }

    private mutating func makeRoom() {
        while outbox.count > queueLimit, let oldest = outbox.removeFirst() {
            guard let entry = entries[oldest], entry.isQueued else { continue }
            if entry.written > 0 {
                // Only repeats go unsaid; the Event itself is there.
                entries[oldest]?.isQueued = false
            } else {
                lost += UInt64(entry.count)
                entries[oldest] = nil
            }
        }
    }

    /// Forgets what nobody has spoken of for long, and the longest silent of what is too much.
    mutating func forget(at now: Instant) {
        var marks = idle.count
        while marks > 0, let mark = idle.first {
            marks -= 1
            guard let entry = entries[mark.tiding], entry.touch == mark.touch else {
                idle.removeFirst()
                continue
            }
            let isExcess = entries.count - outbox.count > Self.knownLimit
            guard mark.due <= now || isExcess else { return }
            idle.removeFirst()
            if entry.isQueued || entry.isGathering || request?.tiding == mark.tiding {
                // It has something to say yet.
                idle.append(
                    Mark(tiding: mark.tiding, due: now + Self.finishes, touch: mark.touch))
            } else {
                entries[mark.tiding] = nil
            }
        }
    }

    /// Has the repeats said that have waited long enough.
    mutating func gather(at now: Instant) {
        while let mark = gathering.first, mark.due <= now {
            gathering.removeFirst()
            guard entries[mark.tiding]?.isGathering == true else { continue }
            entries[mark.tiding]?.isGathering = false
            enqueue(mark.tiding)
        }
    }

    mutating func enqueue(_ tiding: Tiding) {
        guard entries[tiding]?.isQueued == false else { return }
        entries[tiding]?.isQueued = true
        outbox.append(tiding)
        makeRoom()
    }
}
