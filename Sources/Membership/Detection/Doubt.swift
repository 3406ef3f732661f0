import NetworkTypes

/// A neighbour is overdue: what has been done to find out, and what was found.
struct Doubt: Sendable {
    /// What another watcher said last.
    struct Statement: Sendable {
        enum Content: Sendable {
            /// It hears the member, and the member hears it.
            case refutes
            /// It misses the member as well.
            case corroborates
            /// It cannot tell yet.
            case undecided
        }

        let witness: NodeID
        var content: Content
        var at: Instant
    }

    private struct Ping: Sendable {
        let sequence: UInt32
        let sentAt: Instant
    }

    static let mostPings = 64
    static let mostStatements = 8

    let since: Instant
    /// When the first of an unbroken row of refuting statements came.
    private(set) var refutedSince: Instant?
    var nextPing: Instant
    var nextInquiry: Instant
    var isSuspected = false
    /// Answers of our kernel that the host is not there; each as good as an unanswered ping.
    var hostUnreachable = 0
    private var pings: [Ping] = []
    private(set) var statements: [Statement] = []

    init(at now: Instant) {
        since = now
        nextPing = now
        nextInquiry = now
    }

    var nextStep: Instant { min(nextPing, nextInquiry) }

    mutating func pinged(_ sequence: UInt32, at now: Instant) {
        if pings.count >= Self.mostPings { pings.removeFirst() }
        pings.append(Ping(sequence: sequence, sentAt: now))
    }

    /// When the ping that is acknowledged was sent.
    func sent(_ sequence: UInt32) -> Instant? {
        pings.first { $0.sequence == sequence }?.sentAt
    }

    /// Pings sent after `proof`, the last sign of both directions, and unanswered for `wait`.
    func unanswered(after proof: Instant, at now: Instant, wait: Int64) -> Int {
        var count = min(hostUnreachable, 2)
        for ping in pings where ping.sentAt > proof && now.since(ping.sentAt) >= wait { count += 1 }
        return count
    }

    mutating func take(
        _ content: Statement.Content, from witness: NodeID, at now: Instant, valid: Int64
    ) {
        if let index = statements.firstIndex(where: { $0.witness == witness }) {
            statements[index].content = content
            statements[index].at = now
        } else if statements.count < Self.mostStatements {
            statements.append(Statement(witness: witness, content: content, at: now))
        }
        if case .refutes = content {
            refutedSince = refutedSince ?? now
        } else if !isRefuted(at: now, valid: valid) {
            refutedSince = nil
        }
    }

    func isRefuted(at now: Instant, valid: Int64) -> Bool {
        statements.contains {
            if case .refutes = $0.content { now.since($0.at) <= valid } else { false }
        }
    }

    func corroborators(at now: Instant, valid: Int64) -> Int {
        statements.count {
            if case .corroborates = $0.content { now.since($0.at) <= valid } else { false }
        }
    }

    /// Time in which we did not run is taken out.
    mutating func shift(by interval: Int64) {
        for index in statements.indices {
            statements[index].at = statements[index].at.after(interval)
        }
        refutedSince = refutedSince?.after(interval)
        pings = pings.map { Ping(sequence: $0.sequence, sentAt: $0.sentAt.after(interval)) }
    }
}
