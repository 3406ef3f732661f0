import CLinux
import Glibc
import NetworkTypes

/// Waits for many descriptors and one mailbox at once (epoll, level-triggered).
///
/// What is ready and not dealt with is told again by the next wait, after the others that are
/// ready: with more than 64, everyone has a turn. A descriptor that is closed is no longer watched,
/// but its event may already be in the batch being worked off: look tags up, do not trust them.
///
/// A poller belongs to one thread.
@safe package final class Poller {
    /// One descriptor that is ready.
    package struct Event: Equatable, Sendable {
        /// The tag that it was added with.
        package let tag: UInt64
        /// There is something to read, the end of the stream, or a connection to accept.
        package let isReadable: Bool
        /// There is room to write, or an attempt to connect has ended.
        package let isWritable: Bool
        /// An error is pending, or both directions have ended; the next call on the descriptor
        /// tells it.
        package let isFailed: Bool
    }

    /// What a wait ended with; nothing at all when the time was up.
    package struct WakeUp: Equatable, Sendable {
        /// Mail came.
        package var isSignalled = false
        /// What is ready, at most 64.
        package var events: [Event] = []
    }

    private static let mailboxTag = UInt64.max

    private let descriptor: Int32
    private let mailboxDescriptor: Int32
    // Keeps the mailbox's descriptor open.
    private let mailbox: AnyObject
    private let ready: UnsafeMutablePointer<martlet_poll_event>

    /// A poller that watches `mailbox` and nothing else yet.
    package init<Content: Sendable>(with mailbox: Mailbox<Content>) throws(SystemError) {
        let opened = martlet_poll_open()
        guard opened >= 0 else {
            throw SystemError("epoll_create1", errno: -opened, subject: "poller")
        }
        let status = martlet_poll_add(
            opened, mailbox.descriptor, UInt32(MARTLET_POLL_READABLE), Self.mailboxTag)
        guard status == 0 else {
            close(opened)
            throw SystemError("epoll_ctl", errno: -status, subject: "mailbox")
        }
        descriptor = opened
        mailboxDescriptor = mailbox.descriptor
        self.mailbox = mailbox
        let batch = Int(MARTLET_POLL_BATCH)
        unsafe ready = .allocate(capacity: batch)
        unsafe ready.initialize(repeating: martlet_poll_event(), count: batch)
    }

    deinit {
        close(descriptor)
        unsafe ready.deallocate()
    }

    /// Watches a descriptor. Failure is told whatever is watched for.
    ///
    /// - Precondition: the tag is not `UInt64.max`.
    package func add(
        _ watched: Int32, tag: UInt64, reading: Bool = true, writing: Bool
    ) throws(SystemError) {
        precondition(tag != Self.mailboxTag, "the mailbox's tag")
        let status = martlet_poll_add(descriptor, watched, Self.bits(reading, writing), tag)
        try Self.check(status, watched)
    }

    /// Changes what a descriptor is watched for.
    package func modify(
        _ watched: Int32, tag: UInt64, reading: Bool = true, writing: Bool
    ) throws(SystemError) {
        precondition(tag != Self.mailboxTag, "the mailbox's tag")
        let status = martlet_poll_change(descriptor, watched, Self.bits(reading, writing), tag)
        try Self.check(status, watched)
    }

    /// No longer watches a descriptor; nothing happens when it was not watched.
    package func remove(_ watched: Int32) {
        _ = martlet_poll_remove(descriptor, watched)
    }

    /// Sleeps until something is ready, mail comes, or `deadline` is reached.
    package func wait(until deadline: Instant?) throws(SystemError) -> WakeUp {
        var timeout: Int64 = -1
        if let deadline {
            timeout = max(0, (deadline - MonotonicClock.now()).wholeNanoseconds)
        }
        let count = unsafe martlet_poll_wait(descriptor, ready, timeout)
        guard count >= 0 else { throw SystemError("epoll_wait", errno: -count, subject: "poller") }
        var wakeUp = WakeUp()
        for index in 0..<Int(count) {
            let event = unsafe ready[index]
            if event.tag == Self.mailboxTag {
                martlet_mailbox_clear(mailboxDescriptor)
                wakeUp.isSignalled = true
            } else {
                wakeUp.events.append(Event(event))
            }
        }
        return wakeUp
    }

    private static func bits(_ reading: Bool, _ writing: Bool) -> UInt32 {
        (reading ? UInt32(MARTLET_POLL_READABLE) : 0)
            | (writing ? UInt32(MARTLET_POLL_WRITABLE) : 0)
    }

    private static func check(_ status: Int32, _ watched: Int32) throws(SystemError) {
        guard status != 0 else { return }
        throw SystemError(
            "epoll_ctl", errno: -status, subject: "descriptor \(watched)",
            remedy: status == -ENOSPC ? "raise fs.epoll.max_user_watches" : nil)
    }
}

extension Poller.Event {
    init(_ event: martlet_poll_event) {
        tag = event.tag
        isReadable = event.bits & UInt32(MARTLET_POLL_READABLE) != 0
        isWritable = event.bits & UInt32(MARTLET_POLL_WRITABLE) != 0
        isFailed = event.bits & UInt32(MARTLET_POLL_FAILED) != 0
    }
}
