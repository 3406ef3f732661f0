import Layer2
import NetworkTypes
import Testing

@Suite("Taking over")
struct TakeoverTests {
    private let settings = AnnouncementSettings(start: .afterCheck, reannounceInterval: nil)

    private func fresh(peers: Set<MACAddress> = [Cast.peer]) -> Announcer {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged(peers), at: .milliseconds(0))
        return announcer
    }

    private func checking(_ address: IPAddress, settings: AnnouncementSettings? = nil) -> Announcer
    {
        var announcer = fresh()
        _ = announcer.handle(
            .addressAdded(address, settings ?? self.settings), at: .milliseconds(0))
        return announcer
    }

    @Test(
        "Two probes 5 ms apart, and 5 ms after the last the address is ours and announced",
        arguments: Cast.families)
    func check(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        let probe = try Fixture(family == .ipv4 ? "arp-own-probe" : "ns-own-probe").bytes
        var announcer = fresh()
        let first = announcer.handle(.addressAdded(address, settings), at: .milliseconds(0))
        #expect(first.frames == [probe])
        #expect(announcer.nextDeadline == .milliseconds(5))
        #expect(announcer.handle(.deadlineReached, at: .milliseconds(5)) == [.send(probe)])
        #expect(announcer.nextDeadline == .milliseconds(10))
        #expect(announcer.take(Frames.question(address), at: .milliseconds(9)).isEmpty)
        let last = announcer.handle(.deadlineReached, at: .milliseconds(10))
        #expect(last.others == [.answering(address)])
        #expect(last.frames.compactMap(Frames.claimed).map(\.address).contains(address))
        #expect(announcer.answers(to: Frames.question(address), at: .milliseconds(10)).count == 1)
    }

    @Test(
        "A speaker that answers keeps the address: nobody moves, and it is reported",
        arguments: Cast.families)
    func held(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = checking(address)
        let actions = announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(1))
        #expect(actions == [.heldByPeer(address, Cast.peer)])
        #expect(announcer.take(Frames.question(address), at: .milliseconds(20)).isEmpty)
        guard case .held(let retry) = announcer.state(of: address) else {
            Issue.record("not held")
            return
        }
        #expect(retry - .milliseconds(1) >= .milliseconds(250))
        #expect(retry - .milliseconds(1) <= .milliseconds(313))
    }

    @Test(
        "While it answers it is asked ever less often, at most every 5 s; each check reports once",
        arguments: Cast.families)
    func backoff(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = checking(address)
        var now = Instant.milliseconds(0)
        var waits: [Duration] = []
        var reports: [Instant] = []
        for _ in 0..<10 {
            let actions = announcer.take(Frames.claim(address, by: Cast.peer), at: now)
            if actions.contains(.heldByPeer(address, Cast.peer)) { reports.append(now) }
            let retry = try #require(announcer.nextDeadline)
            waits.append(retry - now)
            now = retry
            #expect(announcer.handle(.deadlineReached, at: now).frames.count == 1)
            #expect(announcer.state(of: address) == .checking(sent: 1))
        }
        #expect(waits.prefix(5).enumerated().allSatisfy { $1 >= .milliseconds(250 << $0) })
        #expect(waits.allSatisfy { $0 <= .seconds(5) })
        #expect(waits.suffix(3).allSatisfy { $0 >= .seconds(4) })
        #expect(reports.count == 10)
    }

    @Test(
        "What another interface found held is not taken here, until it is released there",
        arguments: Cast.families)
    func heldElsewhere(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = checking(address)
        announcer.heldElsewhere = [address]
        for _ in 0..<20 {
            let due = try #require(announcer.nextDeadline)
            let actions = announcer.handle(.deadlineReached, at: due)
            #expect(!actions.contains(.answering(address)))
        }
        announcer.heldElsewhere = []
        var isAnswering = false
        for _ in 0..<4 where !isAnswering {
            let due = try #require(announcer.nextDeadline)
            isAnswering = announcer.handle(.deadlineReached, at: due).contains(.answering(address))
        }
        #expect(isAnswering)
    }

    @Test(
        "When the speaker that answered falls silent the next check takes the address",
        arguments: Cast.families)
    func heldNoMore(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = checking(address)
        _ = announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(1))
        let done = announcer.run(until: .milliseconds(600))
        let began = done.first { $0.action == .answering(address) }?.at
        let asked = done.first { ![$0.action].frames.isEmpty }?.at
        // Three questions 50 ms apart: whoever answered before may only be slow.
        #expect(try #require(began) - (try #require(asked)) == .milliseconds(150))
        #expect(announcer.state(of: address)?.isAnswering == true)
    }

    @Test("A stranger who answers is a conflict, as before a first use", arguments: Cast.families)
    func stranger(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = checking(address)
        let actions = announcer.take(
            Frames.claim(address, by: Cast.stranger), at: .milliseconds(1))
        let conflict = Announcer.Conflict(
            address: address, offender: Cast.stranger, phase: .beforeUse)
        #expect(actions == [.conflict(conflict)])
        #expect(announcer.run(until: .milliseconds(9_999)).isEmpty)
    }

    @Test("A stranger's probe does not stop a takeover, and is then answered")
    func strangersProbe() {
        let address = Cast.address(.ipv4)
        var announcer = checking(address)
        let probe = Frames.probe(address, by: Cast.stranger)
        #expect(announcer.take(probe, at: .milliseconds(1)).isEmpty)
        _ = announcer.run(until: .milliseconds(10))
        #expect(announcer.answers(to: probe, at: .milliseconds(11)).count == 1)
    }

    @Test(
        "Two speakers that take the same address over in the same moment never both answer",
        arguments: Cast.families)
    func twoTakers(family: IPAddress.Family) {
        let address = Cast.address(family)
        for delay in 0...40 {
            for order in [[0, 1], [1, 0]] {
                var wire = Wire([Cast.speaker, Cast.peer], knowEachOther: true)
                wire.handle(.addressAdded(address, settings), by: order[0])
                wire.run(until: Instant.milliseconds(0) + .microseconds(delay * 500))
                wire.handle(.addressAdded(address, settings), by: order[1])
                var most = 0
                wire.run(until: .milliseconds(2000)) {
                    most = max(most, $0.answering(address).count)
                }
                #expect(most == 1, "\(delay) × 0.5 ms, \(order)")
            }
        }
    }

    @Test(
        "A hand-over puts an address into use at once that is being checked, held or probed for",
        arguments: Cast.families)
    func handOver(family: IPAddress.Family) {
        let address = Cast.address(family)
        let atOnce = AnnouncementSettings(start: .atOnce, reannounceInterval: nil)
        var held = checking(address)
        _ = held.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(1))
        var probing = fresh()
        _ = probing.handle(
            .addressAdded(address, AnnouncementSettings(start: .afterProbing)),
            at: .milliseconds(0))
        for original in [checking(address), held, probing] {
            var announcer = original
            let actions = announcer.handle(.addressAdded(address, atOnce), at: .milliseconds(2))
            #expect(actions.others == [.answering(address)])
            #expect(!actions.frames.isEmpty)
            #expect(announcer.answers(to: Frames.question(address)).count == 1)
        }
    }

    @Test("How an address in use would have to start changes nothing about it")
    func inUse() {
        let address = Cast.address(.ipv4)
        for start: AnnouncementSettings.Start in [.afterCheck, .afterProbing, .atOnce] {
            var announcer = Announcer.settled([address])
            let changed = AnnouncementSettings(start: start, reannounceInterval: nil)
            #expect(announcer.handle(.addressAdded(address, changed), at: .afterBurst).isEmpty)
            #expect(announcer.state(of: address) == .active)
        }
    }

    @Test("An address announced again goes through the whole opening burst, others do not")
    func reannounce() {
        let address = Cast.address(.ipv6)
        var announcer = Announcer.settled([address, Cast.address(.ipv6, 0x11)])
        let first = announcer.handle(.reannounce(address), at: .afterBurst)
        #expect(first.frames.compactMap(Frames.claimed).map(\.address) == [address])
        let later = announcer.run(until: .milliseconds(20_000))
        #expect(
            later.map { $0.at - .afterBurst }
                == [.milliseconds(100), .milliseconds(500), .milliseconds(1600)])
        let foreign = Cast.address(.ipv6, 0x99)
        #expect(announcer.handle(.reannounce(foreign), at: .milliseconds(20_000)).isEmpty)
    }

    @Test(
        "Of 500 taken over: first answer after 10 ms, last within 150, last announced within 220",
        arguments: Cast.families)
    func manyAddresses(family: IPAddress.Family) throws {
        var announcer = fresh()
        var done: [(at: Instant, action: Announcer.Action)] = []
        let addresses = (0..<500).map { Cast.address(family, 0x1000 + UInt32($0)) }
        for address in addresses {
            done += announcer.handle(.addressAdded(address, settings), at: .milliseconds(0))
                .map { (.milliseconds(0), $0) }
        }
        done += announcer.run(until: .milliseconds(1000))
        let answered = done.compactMap { at, action in
            if case .answering = action { at } else { nil }
        }
        #expect(answered.count == 500)
        #expect(answered.first == .milliseconds(10))
        #expect(try #require(answered.last) <= .milliseconds(150))
        var announced: [IPAddress: Instant] = [:]
        for (at, action) in done {
            guard let claim = [action].frames.first.flatMap(Frames.claimed) else { continue }
            announced[claim.address] = announced[claim.address] ?? at
        }
        #expect(announced.count == 500)
        #expect(try #require(announced.values.max()) <= .milliseconds(220))
        // Nobody waits for the last check: by half of the time a quarter is announced.
        #expect(announced.values.count { $0 <= .milliseconds(105) } >= 125)
        let frames = done.filter { ![$0.action].frames.isEmpty }
        for (earlier, later) in zip(frames, frames.dropFirst(200)) {
            #expect(later.at - earlier.at >= .milliseconds(20))
        }
    }

    @Test(
        "The old owner's node is asked for once for all its addresses, and the result is reported",
        arguments: Cast.families, [true, false])
    func formerOwner(family: IPAddress.Family, isAlive: Bool) {
        let owner = Cast.address(family, 0x55)
        var settings = settings
        settings.formerOwner = owner
        var announcer = fresh()
        var actions: [Announcer.Action] = []
        for number in UInt32(1)...20 {
            actions += announcer.handle(
                .addressAdded(Cast.address(family, 0x1000 + number), settings),
                at: .milliseconds(0))
        }
        let questions = actions.frames.filter { asked(in: $0) == owner }
        #expect(questions.count == 1)
        if isAlive {
            let answer = Frames.claim(owner, by: Cast.peer, to: Cast.speaker)
            #expect(announcer.take(answer, at: .milliseconds(1)).isEmpty)
        }
        let later = announcer.run(until: .milliseconds(90))
        let results = later.filter { $0.action == .formerOwnerAnswers(owner, isAlive) }
        #expect(results.map(\.at) == [.milliseconds(10)])
        #expect(!later.map(\.action).contains(.formerOwnerAnswers(owner, !isAlive)))
        #expect(!later.map(\.action).frames.contains { asked(in: $0) == owner })
        // Later it is another question.
        _ = announcer.run(until: .milliseconds(110))
        let again = announcer.handle(
            .addressAdded(Cast.address(family, 0x2000), settings), at: .milliseconds(110))
        #expect(again.frames.count { asked(in: $0) == owner } == 1)
    }

    private func asked(in frame: [UInt8]) -> IPAddress? {
        Frames.arp(frame)?.targetAddress ?? Frames.solicitation(frame)?.target
    }
}
