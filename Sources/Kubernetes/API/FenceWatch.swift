public import NetworkTypes

/// Finds out which nodes surely answer for nothing, from their Leases, when somebody needs to know.
///
/// A node is *silent* when its Lease
/// - is released, or
/// - is as it was when it was first seen so, in a read that was sent its duration or more after
///   that; the same where there is none.
///
/// A verdict counts only if the read behind it was sent while this node's own Lease was fresh, in
/// the session that still goes on. Then two nodes cannot both find the other silent and be wrong:
/// the one that comes back later finds the other's Lease renewed again and again. And it lasts only
/// ``verdictLasts``, so that old news decides nothing; one read confirms it.
///
/// Leases are read only of nodes that somebody waits for. Many at a time are read with one request.
public struct FenceWatch: Equatable, Sendable {
    /// What happened.
    public enum Event: Equatable, Sendable {
        /// This node's own Lease is fresh, in this session; `nil`: it is not.
        case sessionChanged(UInt64?)
        /// Addresses wait for these nodes to be found silent, and for no others.
        case awaited(Set<String>)
        /// A read that was sent at the instant brought this; `nil`: there is no such Lease.
        case read(String, LeaseRecord?, sentAt: Instant)
        /// A read of all that was sent at the instant brought this.
        case readAll([String: LeaseRecord], sentAt: Instant)
        /// A read brought nothing; `nil`: one of all.
        case failed(String?)
        /// ``FenceWatch/nextDeadline`` has come.
        case deadlineReached
    }

    /// What to do.
    public enum Action: Equatable, Sendable {
        /// Read the Lease of a node.
        case read(String)
        /// Read all Leases.
        case readAll
        /// These are the nodes found silent.
        case silent(Set<String>)
    }

    struct Sight: Equatable, Sendable {
        var record: LeaseRecord?
        var since: Instant
    }

    /// How long a verdict lasts, where there is a Lease.
    static let verdictLasts = Duration.seconds(5)
    /// How long it lasts where there is none: the node never had a speaker that fences.
    static let absenceLasts = Duration.seconds(300)
    /// How long a read may take.
    static let readLasts = Duration.seconds(5)
    /// From a failure to the next attempt.
    static let retry = Duration.seconds(1)
    /// More reads than this at a time become one of all.
    static let readsAtOnce = 8
    /// How many Leases are remembered beside those awaited.
    static let sightLimit = 8_192

    /// How long a node without a Lease is left alone.
    public let duration: Duration
    var session: UInt64?
    /// When the present session began.
    var sessionBegan = Instant(nanoseconds: .max)
    var awaited: Set<String> = []
    var sights: [String: Sight] = [:]
    /// By node: until when it counts as silent.
    var verdicts: [String: Instant] = [:]
    /// By node: when to read its Lease, and when to give a read that is under way up.
    var due: [String: Instant] = [:]
    var underWay: [String: Instant] = [:]
    var allUnderWay: Instant?

    /// A watch that has seen nothing.
    public init(duration: Duration = .seconds(10)) { self.duration = duration }

    /// The nodes that surely answer for nothing.
    public var silent: Set<String> { Set(verdicts.keys) }

    /// When to send ``Event/deadlineReached``; `nil` for never.
    public var nextDeadline: Instant? {
        let first = [verdicts.values.min(), nextRead, underWay.values.min(), allUnderWay]
        return first.lazy.compactMap { $0 }.min()
    }

    private var nextRead: Instant? {
        guard session != nil, allUnderWay == nil else { return nil }
        return due.lazy.filter { isToBeRead($0.key) }.map(\.value).min()
    }

    private func isToBeRead(_ node: String) -> Bool {
        awaited.contains(node) && verdicts[node] == nil && underWay[node] == nil
    }

    /// Takes note of what happened and answers what to do about it, in order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        let before = silent
        switch event {
        case .sessionChanged(let session):
            guard session != self.session else { break }
            self.session = session
            sessionBegan = session == nil ? Instant(nanoseconds: .max) : now
            verdicts = [:]
            // What is under way was sent in another session: it shows something, and decides
            // nothing.
            due = [:]
            underWay = [:]
            allUnderWay = nil
        case .awaited(let nodes):
            awaited = nodes
            due = due.filter { nodes.contains($0.key) }
            forget()
        case .read(let node, let record, let sentAt):
            underWay[node] = nil
            see(node, record, sentAt, now)
        case .readAll(let records, let sentAt):
            allUnderWay = nil
            for node in awaited.union(verdicts.keys) { see(node, records[node], sentAt, now) }
        case .failed(let node):
            if let node {
                underWay[node] = nil
                due[node] = now + Self.retry
            } else {
                allUnderWay = nil
                for node in awaited { due[node] = now + Self.retry }
            }
        case .deadlineReached:
            verdicts = verdicts.filter { $0.value > now }
            underWay = underWay.filter { $0.value > now }
            if let until = allUnderWay, until <= now { allUnderWay = nil }
        }
        var actions: [Action] = silent == before ? [] : [.silent(silent)]
        readDue(now, &actions)
        return actions
    }

    /// Takes in how a Lease is.
    private mutating func see(
        _ node: String, _ record: LeaseRecord?, _ sentAt: Instant, _ now: Instant
    ) {
        var sight = sights[node] ?? Sight(record: record, since: now)
        if sight.record != record {
            if let record, let known = sight.record, record.isOlder(than: known) { return }
            // A Lease that is deleted is waited out as long as it would have lasted.
            sight = Sight(record: record, since: now)
        }
        sights[node] = sight
        due[node] = nil
        guard sentAt >= sessionBegan else { return }
        let ends = sight.since + (record?.duration ?? duration)
        if session != nil, record?.isReleased == true || sentAt >= ends {
            verdicts[node] =
                now + (record == nil ? Self.absenceLasts : Self.verdictLasts)
        } else {
            verdicts[node] = nil
            due[node] = max(now, min(ends, now + duration / 4))
        }
    }

    private mutating func forget() {
        guard sights.count > Self.sightLimit + awaited.count else { return }
        sights = sights.filter { awaited.contains($0.key) || verdicts[$0.key] != nil }
    }

    /// Sends what is due: at once for nodes that are awaited and of which nothing is under way.
    private mutating func readDue(_ now: Instant, _ actions: inout [Action]) {
        guard session != nil, allUnderWay == nil else { return }
        let nodes = awaited.filter { isToBeRead($0) && (due[$0] ?? now) <= now }
        for node in nodes { due[node] = nil }
        if nodes.count > Self.readsAtOnce {
            allUnderWay = now + Self.readLasts
            actions.append(.readAll)
        } else {
            for node in nodes.sorted() {
                underWay[node] = now + Self.readLasts
                actions.append(.read(node))
            }
        }
    }
}
