import Kubernetes
import NetworkTypes
import Testing

/// Several candidates and one server, on clocks that differ in reading and in rate, with answers
/// that are slow or lost and processes that sleep. Each run follows from its seed.
struct ElectionRace {
    struct Candidate {
        var machine: LeaderElection
        var offset: Duration
        /// How fast the clock runs, in thousandths.
        var rate: Int64
        var sleepsUntil = Duration.zero
        var leads: [(from: Duration, until: Duration)] = []
        var inbox: [(at: Duration, event: LeaderElection.Event)] = []
    }

    var random: SystemSeed
    var now = Duration.zero
    var candidates: [Candidate]
    var stored: LeaseRecord?
    var version = 0
    var writes: [(at: Duration, from: Int, action: LeaderElection.Action, sentAt: Instant)] = []
    var leaders: [(candidate: Int, from: Duration, until: Duration)] = []
    var isServerAway = false

    init(seed: UInt64, count: Int) {
        var random = SystemSeed(state: seed)
        candidates = (0..<count).map { index in
            Candidate(
                machine: LeaderElection(identity: "c\(index)"),
                offset: .seconds(Int64.random(in: 0...1_000_000, using: &random)),
                rate: Int64.random(in: 980...1020, using: &random))
        }
        self.random = random
    }

    func local(_ index: Int) -> Instant {
        Instant(nanoseconds: 0) + candidates[index].offset
            + now * Int(candidates[index].rate) / 1000
    }

    /// The real time at which a candidate's clock shows an instant.
    func real(_ instant: Instant, of index: Int) -> Duration {
        (instant - (Instant(nanoseconds: 0) + candidates[index].offset)) * 1000
            / Int(candidates[index].rate)
    }

    mutating func tell(_ index: Int, _ event: LeaderElection.Event) {
        let sentAt = local(index)
        for action in candidates[index].machine.handle(event, at: sentAt) {
            switch action {
            case .lead(let until):
                leaders.append((index, now, real(until, of: index)))
            case .stepDown:
                // What it might have written until the bound, it does not.
                if let last = leaders.lastIndex(where: { $0.candidate == index }) {
                    leaders[last].until = min(leaders[last].until, now)
                }
            case .read, .create, .update:
                if chance(5) { continue }
                writes.append((now + delay(), index, action, sentAt))
            }
        }
    }

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    mutating func delay() -> Duration {
        .milliseconds(
            chance(4)
                ? Int.random(in: 100...9_000, using: &random)
                : Int.random(in: 1...40, using: &random))
    }

    mutating func serve() {
        let due = writes.filter { $0.at <= now }
        writes.removeAll { $0.at <= now }
        for write in due {
            let event = answer(write.action, sentAt: write.sentAt)
            if isServerAway || chance(5) { continue }
            let at = now + delay()
            candidates[write.from].inbox.append((at, event))
        }
    }

    mutating func answer(
        _ action: LeaderElection.Action, sentAt: Instant
    ) -> LeaderElection.Event {
        if isServerAway { return .failed(.transport("away")) }
        let conflict = LeaderElection.Event.failed(
            .status(APIStatus(code: 409, reason: "Conflict", message: "")))
        switch action {
        case .create(let record):
            guard stored == nil else { return conflict }
            return store(record, sentAt)
        case .update(let record):
            guard record.resourceVersion == stored?.resourceVersion else { return conflict }
            return store(record, sentAt)
        default: return .observed(stored)
        }
    }

    mutating func store(_ record: LeaseRecord, _ sentAt: Instant) -> LeaderElection.Event {
        version += 1
        var record = record
        record.resourceVersion = "\(version)"
        stored = record
        return .renewed(record, sentAt: sentAt)
    }

    mutating func run(_ length: Duration) {
        let end = now + length
        for index in candidates.indices where now == .zero { tell(index, .started) }
        while now < end {
            now += .milliseconds(5)
            serve()
            if Int.random(in: 0..<4_000, using: &random) == 0 { isServerAway.toggle() }
            for index in candidates.indices where candidates[index].sleepsUntil <= now {
                if Int.random(in: 0..<4_000, using: &random) == 0 {
                    let length = Int.random(in: 100...30_000, using: &random)
                    candidates[index].sleepsUntil = now + .milliseconds(length)
                    continue
                }
                let due = candidates[index].inbox.filter { $0.at <= now }
                candidates[index].inbox.removeAll { $0.at <= now }
                for (_, event) in due { tell(index, event) }
                if let deadline = candidates[index].machine.nextDeadline,
                    deadline <= local(index)
                {
                    tell(index, .deadlineReached)
                }
            }
        }
    }

    /// Two that may write at the same time.
    var overlap: String? {
        let sorted = leaders.sorted { $0.from < $1.from }
        for (place, one) in sorted.enumerated() {
            for other in sorted[(place + 1)...] {
                if other.from >= one.until { continue }
                if one.candidate != other.candidate { return "\(one) and \(other)" }
            }
        }
        return nil
    }
}

/// SplitMix64.
struct SystemSeed: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

@Suite struct LeaderElectionRaceTests {
    @Test("no two candidates may write at the same time, whatever is slow, lost, asleep or skewed")
    func neverTwo() {
        var terms = 0
        for seed in UInt64(0)..<24 {
            var race = ElectionRace(seed: seed, count: seed.isMultiple(of: 2) ? 2 : 3)
            race.run(.seconds(180))
            #expect(race.overlap == nil, "seed \(seed): \(race.overlap ?? "")")
            terms += race.leaders.count
        }
        #expect(terms > 500, "somebody leads most of the time")
    }

    @Test("when all is well again, somebody leads within the Lease's duration and a bit")
    func somebodyLeads() {
        for seed in UInt64(100)..<112 {
            var race = ElectionRace(seed: seed, count: 2)
            race.run(.seconds(60))
            race.isServerAway = false
            for index in race.candidates.indices { race.candidates[index].sleepsUntil = race.now }
            let began = race.now
            var isLed = false
            while !isLed, race.now < began + .seconds(60) {
                race.run(.milliseconds(100))
                race.isServerAway = false
                isLed = race.candidates.indices.contains { index in
                    guard let until = race.candidates[index].machine.freshUntil else {
                        return false
                    }
                    return until > race.local(index)
                }
            }
            #expect(race.now - began < .seconds(45), "seed \(seed)")
        }
    }
}
