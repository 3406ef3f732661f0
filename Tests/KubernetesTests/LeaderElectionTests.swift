import Kubernetes
import NetworkTypes
import Testing

/// One machine, told by hand what the server says.
struct ElectionBench {
    var machine: LeaderElection
    var now = Instant(nanoseconds: 0)

    init(_ identity: String = "me") { machine = LeaderElection(identity: identity) }

    mutating func tell(
        _ event: LeaderElection.Event, after wait: Duration = .zero
    ) -> [LeaderElection.Action] {
        now = now + wait
        return machine.handle(event, at: now)
    }

    /// Goes to the next deadline.
    mutating func sleep() -> [LeaderElection.Action] {
        if let due = machine.nextDeadline { now = max(now, due) }
        return machine.handle(.deadlineReached, at: now)
    }

    func held(_ version: String, by holder: String = "me") -> LeaseRecord {
        LeaseRecord(holder: holder, durationSeconds: 15, resourceVersion: version)
    }

    /// Becomes the leader.
    mutating func lead() {
        _ = tell(.started)
        _ = tell(.observed(nil))
        _ = tell(.renewed(held("1"), sentAt: now))
    }
}

@Suite struct LeaderElectionTests {
    @Test("where there is no Lease, it is created, and its creator leads for ten seconds")
    func first() {
        var bench = ElectionBench()
        #expect(bench.tell(.started) == [.read])
        #expect(
            bench.tell(.observed(nil))
                == [.create(LeaseRecord(holder: "me", durationSeconds: 15))])
        let sent = bench.now
        let actions = bench.tell(
            .renewed(bench.held("1"), sentAt: sent), after: .milliseconds(300))
        #expect(actions == [.lead(until: sent + .seconds(10))])
        #expect(bench.machine.freshUntil == sent + .seconds(10))
        #expect(bench.machine.leader == "me")
    }

    @Test("a leader renews every two seconds, on the version that it wrote last")
    func renewal() {
        var bench = ElectionBench()
        bench.lead()
        let began = bench.now
        var renewed = bench.held("1")
        #expect(bench.sleep() == [.update(renewed.unversioned(as: "1"))])
        #expect(bench.now == began + .seconds(2))
        renewed.resourceVersion = "2"
        #expect(
            bench.tell(.renewed(renewed, sentAt: bench.now))
                == [.lead(until: began + .seconds(12))])
    }

    @Test("a Lease of another is left alone for its duration after it was last seen to change")
    func patience() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        #expect(bench.tell(.observed(bench.held("5", by: "other"))) == [])
        let seen = bench.now
        #expect(bench.machine.leader == "other")
        while bench.now < seen + .seconds(14) {
            #expect(bench.sleep() == [.read])
            #expect(bench.tell(.observed(bench.held("5", by: "other"))) == [])
        }
        let taken = bench.sleep()
        #expect(bench.now == seen + .seconds(15))
        guard case .update(let record) = taken.first else {
            Issue.record("not taken: \(taken)")
            return
        }
        #expect(record.holder == "me")
        #expect(record.transitions == 1)
        #expect(record.resourceVersion == "5", "fails if the holder renewed meanwhile")
    }

    @Test("a change of whatever kind begins the wait anew")
    func signOfLife() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(bench.held("5", by: "other")))
        _ = bench.tell(.observed(bench.held("6", by: "other")), after: .seconds(14))
        #expect(bench.tell(.deadlineReached, after: .seconds(14)) == [.read])
        _ = bench.tell(.observed(bench.held("6", by: "other")))
        guard case .update = bench.tell(.deadlineReached, after: .seconds(1)).first else {
            Issue.record("not taken")
            return
        }
    }

    @Test("a released Lease is taken at once")
    func released() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(bench.held("5", by: "other")))
        let actions = bench.tell(.observed(bench.held("6", by: "")), after: .milliseconds(100))
        guard case .update = actions.first else {
            Issue.record("not taken: \(actions)")
            return
        }
    }

    @Test("a leader whose renewals fail stops ten seconds after it sent the last good one")
    func notRenewed() {
        var bench = ElectionBench()
        bench.lead()
        let began = bench.now
        var said: [LeaderElection.Action] = []
        while bench.machine.isLeading, bench.now < began + .seconds(60) {
            said = bench.sleep()
            if case .update = said.first { said = bench.tell(.failed(.transport("no route"))) }
        }
        #expect(said.first == .stepDown(.notRenewed(.transport("no route"))))
        #expect(bench.now == began + .seconds(10))
        #expect(bench.machine.freshUntil == nil)
    }

    @Test("a process that slept stops before it looks at anything else")
    func slept() {
        var bench = ElectionBench()
        bench.lead()
        let actions = bench.tell(.observed(bench.held("9", by: "other")), after: .seconds(60))
        #expect(actions == [.stepDown(.notRenewed(nil))])
        #expect(bench.machine.leader == "other")
    }

    @Test("a leader that finds another in its place stops")
    func lost() {
        var bench = ElectionBench()
        bench.lead()
        #expect(
            bench.tell(.observed(bench.held("9", by: "other"))) == [.stepDown(.lost(to: "other"))])
    }

    @Test("news that is older than what is known changes nothing")
    func stale() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(bench.held("7", by: "")))
        _ = bench.tell(.renewed(bench.held("8"), sentAt: bench.now))
        #expect(bench.tell(.observed(bench.held("6", by: "other"))) == [])
        #expect(bench.machine.isLeading)
    }

    @Test("a Lease deleted under a leader is waited out by those who saw it")
    func deleted() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(bench.held("5", by: "other")))
        #expect(bench.tell(.observed(nil), after: .seconds(1)) == [])
        var actions: [LeaderElection.Action] = []
        while bench.now < Instant(nanoseconds: 0) + .seconds(15) {
            actions = bench.sleep()
            if actions == [.read] { actions = bench.tell(.observed(nil)) }
        }
        guard case .create = actions.first else {
            Issue.record("not created: \(actions)")
            return
        }
    }

    @Test("a Lease that a watch says is deleted is not taken while its holder may write")
    func deletedByWatch() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(bench.held("5", by: "other")))
        let seen = bench.now
        #expect(bench.tell(.deleted(bench.held("9", by: "other")), after: .seconds(1)) == [])
        while bench.now < seen + .seconds(15) {
            let actions = bench.sleep()
            guard actions == [.read] else {
                guard case .create = actions.first else {
                    Issue.record("\(actions)")
                    return
                }
                break
            }
            #expect(bench.tell(.observed(nil)) == [])
        }
        #expect(bench.now == seen + .seconds(15))
    }

    @Test("one who hears of a Lease only by its end waits as long as it would have lasted")
    func deletedUnseen() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        #expect(bench.tell(.deleted(bench.held("9", by: "other"))) == [])
        #expect(bench.tell(.observed(nil), after: .milliseconds(5)) == [])
    }

    @Test("a leader whose Lease is deleted stops, and makes it again at once")
    func deletedOwn() {
        var bench = ElectionBench()
        bench.lead()
        #expect(
            bench.tell(.deleted(bench.held("2"))) == [
                .stepDown(.taken), .create(LeaseRecord(holder: "me", durationSeconds: 15)),
            ])
        _ = bench.tell(.renewed(bench.held("4"), sentAt: bench.now))
        #expect(bench.tell(.deleted(bench.held("2"))) == [], "the one before")
        #expect(bench.machine.isLeading)
    }

    @Test("an answer counts from when its request was sent, however late it comes")
    func lateAnswer() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(nil))
        let sent = bench.now
        // Given up after four seconds, and another attempt is under way when it comes.
        _ = bench.tell(.deadlineReached, after: .seconds(4))
        let actions = bench.tell(.renewed(bench.held("1"), sentAt: sent), after: .seconds(1))
        #expect(actions == [.lead(until: sent + .seconds(10))])
    }

    @Test("a conflict is looked into at once, a second one after a second")
    func conflicts() {
        var bench = ElectionBench()
        let conflict = LeaderElection.Event.failed(
            .status(APIStatus(code: 409, reason: "Conflict", message: "")))
        _ = bench.tell(.started)
        _ = bench.tell(.observed(nil))
        #expect(bench.tell(conflict) == [.read])
        guard case .update = bench.tell(.observed(bench.held("3", by: ""))).first else {
            Issue.record("not tried")
            return
        }
        #expect(bench.tell(conflict) == [])
        #expect(bench.machine.nextDeadline == bench.now + .seconds(1))
    }

    @Test("a leader that resigns stops, releases the Lease, and is done")
    func resigning() {
        var bench = ElectionBench()
        bench.lead()
        let actions = bench.tell(.resigned)
        #expect(actions.first == .stepDown(.resigned))
        guard case .update(let record)? = actions.last else {
            Issue.record("not released: \(actions)")
            return
        }
        #expect(record.isReleased)
        #expect(record.durationSeconds == 1)
        #expect(bench.machine.freshUntil == nil)
        #expect(bench.tell(.renewed(bench.held("2", by: ""), sentAt: bench.now)) == [])
        #expect(bench.machine.isEnded)
        #expect(bench.machine.nextDeadline == nil)
    }

    @Test("a renewal under way when a leader resigns is waited for, and released then")
    func resigningLate() {
        var bench = ElectionBench()
        bench.lead()
        _ = bench.sleep()
        let sent = bench.now
        #expect(bench.tell(.resigned) == [.stepDown(.resigned)])
        let actions = bench.tell(.renewed(bench.held("2"), sentAt: sent))
        guard case .update(let record) = actions.first else {
            Issue.record("not released: \(actions)")
            return
        }
        #expect(record.resourceVersion == "2")
        #expect(record.isReleased)
    }

    @Test("one who waits and resigns is done at once")
    func resigningPassive() {
        var bench = ElectionBench()
        _ = bench.tell(.started)
        _ = bench.tell(.observed(bench.held("5", by: "other")))
        #expect(bench.tell(.resigned) == [])
        #expect(bench.machine.isEnded)
    }
}

extension LeaseRecord {
    fileprivate func unversioned(as version: String) -> LeaseRecord {
        var record = self
        record.resourceVersion = version
        return record
    }
}
