import CLinux
import Glibc
import NetworkTypes
import Synchronization

/// What `Mailbox.wait` woke up for; all false when the time was up.
///
/// Plain flags: as an option set, building one costs more than a system call on the hot path.
package struct WakeUp: Equatable, Sendable {
    /// The watched descriptor has something to read, or a pending error that reading will tell.
    package let isReady: Bool
    /// The second watched descriptor has.
    package let isOtherReady: Bool
    /// Mail came.
    package let isSignalled: Bool

    /// Nothing happened.
    package static let nothing = WakeUp(bits: 0)

    /// The same for a caller to whom both descriptors are one.
    var ready: WakeUp {
        WakeUp(
            bits: Int32(MARTLET_WAIT_READABLE) | Int32(MARTLET_WAIT_OTHER_READABLE)
                | (isSignalled ? Int32(MARTLET_WAIT_SIGNALLED) : 0))
    }

    init(bits: Int32) {
        isReady = bits & Int32(MARTLET_WAIT_READABLE) != 0
        isOtherReady = bits & Int32(MARTLET_WAIT_OTHER_READABLE) != 0
        isSignalled = bits & Int32(MARTLET_WAIT_SIGNALLED) != 0
    }
}

/// How other threads talk to one that sleeps in `poll`: a value they merge into, and an eventfd.
///
/// The content is one value that `post` edits and `take` empties, not a queue: a newer wish
/// replaces an older one, so its size is that of the wish and never that of the delay.
package final class Mailbox<Content: Sendable>: Sendable {
    private let content: Mutex<Content>
    private let empty: Content
    /// Readable once mail came, for a ``Poller``.
    let descriptor: Int32

    /// An empty mailbox; `empty` is what `take` leaves behind.
    package init(empty: Content) throws(SystemError) {
        let opened = martlet_mailbox_open()
        guard opened >= 0 else {
            throw SystemError("eventfd", errno: -opened, subject: "mailbox")
        }
        self.empty = empty
        content = Mutex(empty)
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Merges something in and wakes the reader.
    package func post<Result: Sendable>(_ edit: (inout Content) -> Result) -> Result {
        let result = content.withLock { content in edit(&content) }
        martlet_mailbox_signal(descriptor)
        return result
    }

    /// Takes what has been posted since the last call.
    package func take() -> Content {
        content.withLock { content in
            let taken = content
            content = empty
            return taken
        }
    }

    /// Rests after a failure, so that a lasting one does not take a whole core. In the meantime
    /// only mail is heard of.
    ///
    /// - Parameter isEnd: takes the mail, and says whether it is the end.
    /// - Returns: whether it was.
    package func rest(for pause: Duration, isEnd: () -> Bool) -> Bool {
        let end = MonotonicClock.now() + pause
        while MonotonicClock.now() < end {
            _ = try? wait(for: nil, until: end)  // woken early is harmless
            if isEnd() { return true }
        }
        return false
    }

    /// Sleeps until `watched` or `other` (if any) is ready, mail comes, or `deadline` is reached.
    package func wait(
        for watched: Int32?, or other: Int32? = nil, until deadline: Instant?
    ) throws(SystemError) -> WakeUp {
        var timeout: Int64 = -1
        if let deadline {
            timeout = max(0, (deadline - MonotonicClock.now()).wholeNanoseconds)
        }
        let result = martlet_wait(watched ?? -1, other ?? -1, descriptor, timeout)
        guard result >= 0 else { throw SystemError("ppoll", errno: -result, subject: "mailbox") }
        return WakeUp(bits: result)
    }
}
