import Kubernetes
import NetworkTypes
import Testing

@Suite struct FenceKeeperTests {
    var start: Instant { Instant(nanoseconds: 1_000_000_000) }

    func started() -> FenceKeeper {
        var keeper = FenceKeeper(duration: .seconds(10))
        #expect(keeper.handle(.started, at: start) == [.renew])
        return keeper
    }

    @Test("a node may answer until nine of the ten seconds after it sent the renewal")
    func bound() {
        var keeper = started()
        let actions = keeper.handle(.renewed(sentAt: start), at: start + .seconds(2))
        #expect(actions == [.begin(session: 1, until: start + .seconds(9))])
        #expect(keeper.session == 1)
    }

    @Test("the Lease is renewed at a third, and the session goes on")
    func renewal() throws {
        var keeper = started()
        _ = keeper.handle(.renewed(sentAt: start), at: start)
        let due = try #require(keeper.nextDeadline)
        #expect(due - start < .milliseconds(3_334) && due - start > .milliseconds(3_333))
        #expect(keeper.handle(.deadlineReached, at: due) == [.renew])
        #expect(
            keeper.handle(.renewed(sentAt: due), at: due) == [.extend(until: due + .seconds(9))])
        #expect(keeper.session == 1)
    }

    @Test("a renewal whose answer comes after the bound begins a new session")
    func lateAnswer() {
        var keeper = started()
        _ = keeper.handle(.renewed(sentAt: start), at: start)
        _ = keeper.handle(.deadlineReached, at: start + .seconds(5))
        let actions = keeper.handle(
            .renewed(sentAt: start + .seconds(5)), at: start + .seconds(9))
        #expect(actions == [.lapsed, .begin(session: 2, until: start + .seconds(14))])
    }

    @Test("an answer that comes too late to be of use gives nothing")
    func uselessAnswer() {
        var keeper = started()
        #expect(keeper.handle(.renewed(sentAt: start), at: start + .seconds(9)) == [])
        #expect(keeper.session == nil)
    }

    @Test("without renewals the node falls silent at the bound, and tries on")
    func lapse() throws {
        var keeper = started()
        _ = keeper.handle(.renewed(sentAt: start), at: start)
        var now = start
        var attempts = 0
        var lapsedAt: Instant?
        while now < start + .seconds(60) {
            now = try #require(keeper.nextDeadline)
            for action in keeper.handle(.deadlineReached, at: now) {
                if action == .lapsed { lapsedAt = now }
                if action == .renew {
                    attempts += 1
                    _ = keeper.handle(.failed, at: now)
                }
            }
        }
        #expect(lapsedAt == start + .seconds(9))
        #expect((10...20).contains(attempts), "\(attempts) in a minute")
        #expect(
            keeper.handle(.renewed(sentAt: now), at: now)
                == [.begin(session: 2, until: now + .seconds(9))])
    }

    @Test("a renewal without any answer is given up after half the Lease")
    func unanswered() throws {
        var keeper = started()
        let due = try #require(keeper.nextDeadline)
        #expect(due == start + .seconds(5))
        _ = keeper.handle(.deadlineReached, at: due)
        #expect(keeper.handle(.deadlineReached, at: due + .milliseconds(500)) == [.renew])
    }
}

@Suite struct FenceWatchTests {
    var start: Instant { Instant(nanoseconds: 1_000_000_000) }

    func lease(_ version: String, holder: String = "b") -> LeaseRecord {
        LeaseRecord(holder: holder, durationSeconds: 10, resourceVersion: version)
    }

    func watching() -> FenceWatch {
        var watch = FenceWatch(duration: .seconds(10))
        #expect(watch.handle(.awaited(["b"]), at: start) == [], "not before our Lease is fresh")
        #expect(watch.handle(.sessionChanged(1), at: start) == [.read("b")])
        return watch
    }

    /// Reads whenever it is asked to, until `end`; the answer is the same each time.
    func read(
        _ watch: inout FenceWatch, _ record: LeaseRecord?, until end: Instant
    ) -> (silentAt: Instant?, reads: Int) {
        var now = start
        var reads = 1
        var actions = watch.handle(.read("b", record, sentAt: now), at: now)
        while !actions.contains(.silent(["b"])) {
            guard let due = watch.nextDeadline, due <= end else { return (nil, reads) }
            now = max(now, due)
            actions = watch.handle(.deadlineReached, at: now)
            guard actions == [.read("b")] else { continue }
            reads += 1
            actions = watch.handle(.read("b", record, sentAt: now), at: now)
        }
        return (now, reads)
    }

    @Test("a Lease that does not change for its duration makes its node silent")
    func unchanged() {
        var watch = watching()
        let result = read(&watch, lease("4"), until: start + .seconds(60))
        #expect(result.silentAt == start + .seconds(10))
        #expect(result.reads <= 6)
    }

    @Test("a Lease that is renewed keeps its node from being silent")
    func renewed() {
        var watch = watching()
        var now = start
        for version in 1...100 {
            let actions = watch.handle(
                .read("b", lease("\(version)"), sentAt: now), at: now + .milliseconds(5))
            #expect(actions == [])
            now = now + .seconds(3)
            #expect(watch.handle(.deadlineReached, at: now) == [.read("b")])
        }
        #expect(watch.silent.isEmpty)
    }

    @Test("what counts is when the read was sent, and not when its answer came")
    func slowRead() {
        var watch = watching()
        _ = watch.handle(.read("b", lease("4"), sentAt: start), at: start)
        _ = watch.handle(.deadlineReached, at: start + .seconds(8))
        #expect(
            watch.handle(
                .read("b", lease("4"), sentAt: start + .seconds(8)), at: start + .seconds(12))
                == [.read("b")], "it may have been renewed after the read")
    }

    @Test("a released Lease makes its node silent at once")
    func released() {
        var watch = watching()
        #expect(
            watch.handle(.read("b", lease("4", holder: ""), sentAt: start), at: start)
                == [.silent(["b"])])
    }

    @Test("a node without a Lease is silent after the usual duration")
    func absent() {
        var watch = watching()
        #expect(read(&watch, nil, until: start + .seconds(60)).silentAt == start + .seconds(10))
    }

    @Test("a Lease that is deleted is waited out anew")
    func deleted() {
        var watch = watching()
        _ = watch.handle(.read("b", lease("4"), sentAt: start), at: start)
        let later = start + .seconds(9)
        _ = watch.handle(.deadlineReached, at: later)
        #expect(watch.handle(.read("b", nil, sentAt: later), at: later) == [])
        _ = watch.handle(.deadlineReached, at: later + .seconds(9))
        #expect(watch.silent.isEmpty)
    }

    @Test("what was found before our own Lease lapsed counts for nothing after it")
    func sessions() {
        var watch = watching()
        _ = read(&watch, lease("4"), until: start + .seconds(60))
        #expect(watch.silent == ["b"])
        let later = start + .seconds(11)
        #expect(watch.handle(.sessionChanged(nil), at: later) == [.silent([])])
        #expect(
            watch.handle(.sessionChanged(2), at: later + .seconds(1)) == [.read("b")])
        #expect(
            watch.handle(.read("b", lease("4"), sentAt: later), at: later + .seconds(2))
                == [.read("b")], "sent in the session before")
        #expect(
            watch.handle(
                .read("b", lease("4"), sentAt: later + .seconds(2)), at: later + .seconds(2))
                == [.silent(["b"])])
    }

    @Test("a verdict is old after five seconds, and confirmed by one read")
    func age() {
        var watch = watching()
        _ = read(&watch, lease("4"), until: start + .seconds(60))
        let later = start + .seconds(15)
        #expect(watch.handle(.deadlineReached, at: later) == [.silent([]), .read("b")])
        #expect(
            watch.handle(.read("b", lease("4"), sentAt: later), at: later) == [.silent(["b"])])
    }

    @Test("nothing is read of nodes that nobody waits for")
    func atRest() {
        var watch = watching()
        _ = watch.handle(.read("b", lease("4"), sentAt: start), at: start)
        #expect(watch.handle(.awaited([]), at: start + .seconds(1)) == [])
        #expect(watch.nextDeadline == nil)
    }

    @Test("many Leases are read with one request")
    func many() {
        var watch = FenceWatch()
        _ = watch.handle(.sessionChanged(1), at: start)
        let nodes = Set((1...1_000).map { "n\($0)" })
        #expect(watch.handle(.awaited(nodes), at: start) == [.readAll])
        #expect(watch.handle(.readAll([:], sentAt: start), at: start) == [])
        let later = start + .seconds(10)
        _ = watch.handle(.deadlineReached, at: start + .milliseconds(2_500))
        _ = watch.handle(.readAll([:], sentAt: later), at: later)
        #expect(watch.silent == nodes)
    }

    @Test("a read that fails is tried again after a second")
    func failure() {
        var watch = watching()
        #expect(watch.handle(.failed("b"), at: start) == [])
        #expect(watch.nextDeadline == start + .seconds(1))
        #expect(watch.handle(.deadlineReached, at: start + .seconds(1)) == [.read("b")])
    }
}
