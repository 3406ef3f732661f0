import Kubernetes
import LinuxNetwork
import NetworkTypes

/// Lets requests through as a ``RequestBudget`` admits them; the others wait in line, each class in
/// its own.
actor RequestGate {
    private var budget: RequestBudget
    private var lines: [RequestBudget.Class: [CheckedContinuation<Bool, Never>]] = [:]
    private var isClosed = false
    /// Rings when there may be something to do earlier than was known.
    private nonisolated let alarm = Alarm()

    init(_ settings: RequestBudget.Settings, seed: UInt64) {
        budget = RequestBudget(settings, seed: seed, at: MonotonicClock.now())
    }

    /// Lets in those for whom time brings room, until the task is cancelled; then nobody is let in
    /// any more.
    func run() async {
        while !Task.isCancelled {
            await alarm.wait(until: budget.nextDeadline)
            admitWaiting()
        }
        isClosed = true
        for waiting in lines.values.flatMap(\.self) { waiting.resume(returning: false) }
        lines = [:]
    }

    /// Sends a request when it is its turn.
    func pass<Answer: Sendable>(
        _ kind: RequestBudget.Class,
        _ request: @Sendable () async throws(APIFailure) -> Answer
    ) async throws(APIFailure) -> Answer {
        guard await enter(kind) else { throw .transport("this process is stopping") }
        do throws(APIFailure) {
            let answer = try await request()
            leave(kind, .answered)
            return answer
        } catch {
            leave(kind, .failed(error))
            throw error
        }
    }

    /// How many wait for their turn.
    var waiting: Int { lines.values.reduce(0) { $0 + $1.count } }

    /// The server answers: who waits because it could not be reached need not any more.
    func noteServerReached() {
        guard budget.pausedUntil != nil else { return }
        budget.serverReached(at: MonotonicClock.now())
        alarm.ring()
    }

    private func enter(_ kind: RequestBudget.Class) async -> Bool {
        if isClosed { return false }
        if lines[kind]?.isEmpty ?? true, budget.admit(kind, at: MonotonicClock.now()) {
            return true
        }
        alarm.ring()
        return await withCheckedContinuation { lines[kind, default: []].append($0) }
    }

    private func leave(_ kind: RequestBudget.Class, _ outcome: RequestBudget.Outcome) {
        budget.finished(kind, outcome, at: MonotonicClock.now())
        admitWaiting()
        // Who is refused now may wait for less than those before.
        if budget.nextDeadline != nil { alarm.ring() }
    }

    private func admitWaiting() {
        let now = MonotonicClock.now()
        for kind in RequestBudget.Class.allCases {
            var admitted = 0
            let line = lines[kind] ?? []
            while admitted < line.count, budget.admit(kind, at: now) {
                line[admitted].resume(returning: true)
                admitted += 1
            }
            if admitted > 0 { lines[kind]?.removeFirst(admitted) }
        }
    }
}
