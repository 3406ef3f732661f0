import LinuxNetwork
import NetworkTypes

/// What an operator should know of, newest last; the last 64 are kept.
package struct RecentEvents: Sendable {
    /// One of them.
    package struct Event: Sendable, Equatable {
        /// Whether somebody should act.
        package var isWarning: Bool
        /// One word for it, as an Event's reason.
        package var reason: String
        /// What it is about: an address, a node.
        package var subject: String
        /// What happened, and what to do.
        package var message: String
        /// When it was last so.
        package var at: Instant
        /// How often.
        package var count: Int
    }

    private static let maximum = 64

    /// The events.
    package private(set) var events: [Event] = []

    /// Notes an event; the same one again counts, and moves to the end.
    mutating func note(
        _ reason: String, _ subject: String, _ message: String, isWarning: Bool = true,
        at now: Instant = MonotonicClock.now()
    ) {
        var event = Event(
            isWarning: isWarning, reason: reason, subject: subject, message: message, at: now,
            count: 1)
        if let index = events.firstIndex(where: {
            $0.reason == reason && $0.subject == subject && $0.message == message
        }) {
            event.count += events.remove(at: index).count
        }
        if events.count == Self.maximum { events.removeFirst() }
        events.append(event)
    }
}
