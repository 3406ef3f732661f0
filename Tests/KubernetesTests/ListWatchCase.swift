import Kubernetes
import NetworkTypes

/// A machine, a clock and short names for what happens.
struct ListWatchCase {
    var machine: ListWatch
    var now = Instant(nanoseconds: 1_000_000_000)

    init(
        _ resource: APIResource = .services, seed: UInt64 = 1,
        adapt: (inout ListWatch.Settings) -> Void = { _ in }
    ) {
        var settings = ListWatch.Settings(resource: resource)
        adapt(&settings)
        machine = ListWatch(settings, seed: seed)
    }

    /// One that knows all objects as of version 100 and watches.
    static func watching(
        _ resource: APIResource = .services, seed: UInt64 = 1,
        adapt: (inout ListWatch.Settings) -> Void = { _ in }
    ) -> ListWatchCase {
        var story = ListWatchCase(resource, seed: seed, adapt: adapt)
        story.tell(.started(floor: nil))
        if story.machine.phase == .streaming {
            story.tell(.watchOpened)
            story.tell(.bookmarkReceived(resourceVersion: "100", endsInitialEvents: true))
        } else {
            story.tell(.pageReceived(resourceVersion: "100", continueToken: nil, count: 1))
            story.tell(.watchOpened)
        }
        return story
    }

    @discardableResult
    mutating func tell(_ event: ListWatch.Event, after time: Duration = .zero) -> [ListWatch.Action]
    {
        now = now + time
        return machine.handle(event, at: now)
    }

    @discardableResult
    mutating func fail(
        _ code: Int, _ reason: String = "", _ message: String = "", retryAfter: Int? = nil,
        after time: Duration = .zero
    ) -> [ListWatch.Action] {
        let status = APIStatus(
            code: code, reason: reason, message: message, retryAfterSeconds: retryAfter)
        return tell(.failed(.status(status)), after: time)
    }

    /// Lets time pass to the next deadline.
    @discardableResult
    mutating func wait() -> [ListWatch.Action] {
        guard let deadline = machine.nextDeadline else { return [] }
        now = max(now, deadline)
        return machine.handle(.deadlineReached, at: now)
    }

    /// How long until the next deadline.
    var patience: Duration? { machine.nextDeadline.map { $0 - now } }
}

extension [ListWatch.Action] {
    /// The watch that is asked for.
    var watch: WatchQuery? {
        for case .watch(let query) in self { return query }
        return nil
    }

    /// The page that is asked for.
    var page: ListQuery? {
        for case .list(let query) in self { return query }
        return nil
    }

    /// The trouble that is told.
    var trouble: APITrouble? {
        for case .troubled(let trouble) in self { return trouble }
        return nil
    }
}

extension [(String, String)] {
    /// The value of a parameter.
    func value(of name: String) -> String? { first { $0.0 == name }?.1 }
}
