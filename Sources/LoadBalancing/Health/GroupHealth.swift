import NetworkTypes

/// Who is out among the endpoints that one Service has in one family.
///
/// ```
///                     all were asked once, not all are down
///            starting ──────────────────────────────────► judged ◄──────────────┐
///               │                                            │    each that is down
///               │ all were asked once,      all are down     │    was asked again
///               │ all are down                               │    `rise` times
///               │                   ┌────────────────────────┘                  │
///               │                   ▼           one lives                       │
///               └─────────────────► open ─────────────────────────────────► closing
///                                   ▲            none lives                     │
///                                   └───────────────────────────────────────────┘
/// ```
///
/// Only in `judged` is anybody out. What all have in common, the question or the way of this node,
/// fails them all at once and lets them recover one by one: whoever was first to be asked again
/// would have to carry all the traffic alone, if the others went out for that.
///
/// What ends `open` is one that has proved to live: one that was not asked yet may fail as the
/// others do.
struct GroupHealth: Equatable, Sendable {
    typealias Target = EndpointHealth.Target

    enum Stage: Hashable, Sendable {
        case starting
        case judged
        case open
        case closing
    }

    /// Whether who is down is out whatever the others are.
    var isStrict: Bool
    /// Who belongs to it.
    var members: Set<Target>
    private(set) var stage = Stage.starting
    private var living: Set<Target> = []
    private var down: Set<Target> = []
    /// Whose question of which number `starting` and `closing` wait for.
    private var awaited: [Target: UInt64]

    init(_ members: Set<Target>, isStrict: Bool) {
        self.members = members
        self.isStrict = isStrict
        awaited = Dictionary(uniqueKeysWithValues: members.map { ($0, 1) })
    }

    var excluded: Set<IPAddress> {
        isStrict || stage == .judged ? Set(down.map(\.address)) : []
    }

    var isFailingOpen: Bool { !isStrict && (stage == .open || stage == .closing) }

    func isDown(_ target: Target) -> Bool { down.contains(target) }

    /// Takes in how a member stands after an answer; without a probe it is a member no more.
    mutating func note(_ target: Target, _ probe: EndpointProbe?) {
        living.remove(target)
        down.remove(target)
        switch probe?.state {
        case .up?: living.insert(target)
        case .down?: down.insert(target)
        case .unproven?, nil: break
        }
        guard let attempt = awaited[target] else { return }
        if living.contains(target) || probe.map({ $0.endedAttempts >= attempt }) ?? true {
            awaited[target] = nil
        }
    }

    /// Goes on to the stage that follows from what was noted.
    mutating func settle(_ probes: [Target: EndpointProbe]) {
        let isWithoutHope = down.count == members.count && !down.isEmpty
        switch stage {
        case .starting:
            if awaited.isEmpty { stage = isWithoutHope ? .open : .judged }
        case .judged:
            if isWithoutHope { stage = .open }
        case .open:
            if down.isEmpty { stage = .judged }
            if down.isEmpty || living.isEmpty { return }
            for target in down {
                guard let probe = probes[target] else { continue }
                // A question that is under way was asked before.
                awaited[target] = probe.begunAttempts + UInt64(probe.settings.rise)
            }
            stage = .closing
        case .closing:
            if living.isEmpty {
                awaited = [:]
                stage = down.isEmpty ? .judged : .open
            } else if awaited.isEmpty {
                stage = .judged
            }
        }
    }
}
