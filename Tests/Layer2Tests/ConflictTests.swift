import Layer2
import NetworkTypes
import Testing

@Suite("Conflicts")
struct ConflictTests {
    private func probing(
        _ address: IPAddress, peers: Set<MACAddress> = []
    ) -> (announcer: Announcer, first: [Announcer.Action]) {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged(peers), at: .milliseconds(0))
        let settings = AnnouncementSettings(start: .afterProbing, reannounceInterval: nil)
        let first = announcer.handle(.addressAdded(address, settings), at: .milliseconds(0))
        return (announcer, first)
    }

    @Test(
        "Before first use three probes go out 50 ms apart, then the address is answered",
        arguments: Cast.families)
    func probes(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var (announcer, first) = probing(address)
        let probe = try Fixture(family == .ipv4 ? "arp-own-probe" : "ns-own-probe").bytes
        #expect(first.frames == [probe])
        #expect(announcer.take(Frames.question(address), at: .milliseconds(20)).isEmpty)
        #expect(announcer.drops[.notInUse] == 1)
        #expect(announcer.handle(.deadlineReached, at: .milliseconds(50)) == [.send(probe)])
        #expect(announcer.handle(.deadlineReached, at: .milliseconds(100)) == [.send(probe)])
        #expect(announcer.nextDeadline == .milliseconds(150))
        let last = announcer.handle(.deadlineReached, at: .milliseconds(150))
        #expect(last.others == [.answering(address)])
        #expect(!last.frames.isEmpty)
        #expect(announcer.answers(to: Frames.question(address), at: .milliseconds(151)).count == 1)
    }

    @Test(
        "Who answers the probe keeps the address: reported, not announced, not answered",
        arguments: Cast.families)
    func taken(family: IPAddress.Family) {
        let address = Cast.address(family)
        var (announcer, _) = probing(address)
        let conflict = Announcer.Conflict(
            address: address, offender: Cast.stranger, phase: .beforeUse)
        let actions = announcer.take(
            Frames.claim(address, by: Cast.stranger), at: .milliseconds(1))
        #expect(actions == [.conflict(conflict)])
        #expect(announcer.run(until: .milliseconds(9_999)).isEmpty)
        #expect(announcer.take(Frames.question(address)).isEmpty)
    }

    @Test(
        "A stranger who probes for the same address at the same time is a conflict",
        arguments: Cast.families)
    func simultaneousProbe(family: IPAddress.Family) {
        let address = Cast.address(family)
        var (announcer, _) = probing(address)
        let actions = announcer.take(
            Frames.probe(address, by: Cast.stranger), at: .milliseconds(1))
        let conflict = Announcer.Conflict(
            address: address, offender: Cast.stranger, phase: .beforeUse)
        #expect(actions == [.conflict(conflict)])
    }

    @Test(
        "After a conflict the address is tried again after 10 s, then ever later, at most 75 s",
        arguments: Cast.families)
    func retries(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var (announcer, _) = probing(address)
        var now = Instant.milliseconds(0)
        var waits: [Duration] = []
        for _ in 0..<6 {
            _ = announcer.take(Frames.claim(address, by: Cast.stranger), at: now)
            let retry = try #require(announcer.nextDeadline)
            waits.append(retry - now)
            now = retry
            #expect(announcer.handle(.deadlineReached, at: now).frames.count == 1)
        }
        for (wait, seconds) in zip(waits, [10, 20, 40, 60, 60, 60]) {
            #expect(wait >= .seconds(seconds) && wait <= .seconds(seconds) * 5 / 4)
        }
        let after = announcer.run(until: now + .seconds(1)).map(\.action)
        #expect(after.others == [.answering(address)])
        #expect(announcer.answers(to: Frames.question(address), at: now + .seconds(1)).count == 1)
    }

    @Test("Turning detection off takes a conflicted address into use", arguments: Cast.families)
    func detectionTurnedOff(family: IPAddress.Family) {
        let address = Cast.address(family)
        var (announcer, _) = probing(address)
        _ = announcer.take(Frames.claim(address, by: Cast.stranger), at: .milliseconds(1))
        let settings = AnnouncementSettings(start: .atOnce, reannounceInterval: nil)
        let actions = announcer.handle(.addressAdded(address, settings), at: .milliseconds(2))
        #expect(actions.others == [.answering(address)])
        #expect(!actions.frames.isEmpty)
        let answers = announcer.answers(to: Frames.question(address), at: .milliseconds(3))
        #expect(answers.count == 1)
    }

    @Test(
        "While a stranger has the address his frames are no further reports",
        arguments: Cast.families)
    func quietWhileConflicted(family: IPAddress.Family) {
        let address = Cast.address(family)
        var (announcer, _) = probing(address)
        _ = announcer.take(Frames.claim(address, by: Cast.stranger), at: .milliseconds(1))
        let retry = announcer.nextDeadline
        for _ in 0..<100 {
            #expect(
                announcer.take(
                    Frames.claim(address, by: Cast.stranger), at: .milliseconds(2)
                ).isEmpty)
        }
        #expect(announcer.nextDeadline == retry)
    }

    @Test("A claim to an address in use is reported and defended at once", arguments: Cast.families)
    func defended(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        let actions = announcer.take(Frames.claim(address, by: Cast.stranger))
        let conflict = Announcer.Conflict(address: address, offender: Cast.stranger, phase: .inUse)
        #expect(actions.others == [.conflict(conflict)])
        #expect(!actions.frames.isEmpty)
        #expect(
            actions.frames.allSatisfy { frame in
                Frames.claimed(in: frame).map { $0 == (address, Cast.speaker) } ?? false
            })
        #expect(announcer.answers(to: Frames.question(address)).count == 1)
    }

    @Test(
        "Against a flood of claims there is one defence in 10 s and one report a second",
        arguments: Cast.families)
    func flood(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        var defences: [Instant] = []
        var reports = 0
        for step in 0..<60_000 {
            let now = Instant.milliseconds(10_000 + step)
            let actions =
                announcer.take(Frames.claim(address, by: Cast.stranger), at: now)
                + announcer.run(until: now).map(\.action)
            if !actions.frames.isEmpty { defences.append(now) }
            reports += actions.others.count
        }
        #expect(defences.count == 6)
        #expect(zip(defences, defences.dropFirst()).allSatisfy { $1 - $0 >= .seconds(10) })
        #expect(reports == 60)
        #expect(announcer.counters(of: address)?.claimsReceived == 60_000)
        #expect(announcer.state(of: address)?.isAnswering == true)
    }

    @Test(
        "A host that already asks with the address we probe for is a conflict",
        arguments: Cast.families)
    func takenByAsker(family: IPAddress.Family) {
        let address = Cast.address(family)
        var (announcer, _) = probing(address)
        let actions = announcer.take(
            Frames.question(
                Cast.clientAddress(family), asker: address, hardware: Cast.stranger),
            at: .milliseconds(1))
        let conflict = Announcer.Conflict(
            address: address, offender: Cast.stranger, phase: .beforeUse)
        #expect(actions == [.conflict(conflict)])
    }

    @Test("A gratuitous request by a stranger is a claim, not a question")
    func gratuitousRequest() {
        let address = Cast.address(.ipv4)
        var announcer = Announcer.settled([address])
        let frame = Frames.question(address, asker: address, hardware: Cast.stranger)
        let actions = announcer.take(frame)
        #expect(actions.others.count == 1)
        #expect(!actions.frames.contains { Frames.destination($0) == Cast.stranger })
    }

    @Test(
        "A probe by another host for an address in use is answered: that defends it",
        arguments: Cast.families)
    func probeAnswered(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        let actions = announcer.take(Frames.probe(address, by: Cast.stranger))
        #expect(actions.others.isEmpty)
        #expect(actions.frames.count == 1)
        let claim = try #require(actions.frames.first.flatMap(Frames.claimed))
        #expect(claim == (address, Cast.speaker))
    }

    @Test(
        "Our own link-layer address in someone else's frame is no conflict",
        arguments: Cast.families)
    func ownHardware(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        var frame = Frames.claim(address, by: Cast.speaker)
        frame.replaceSubrange(6..<12, with: Cast.stranger.bytes)
        #expect(announcer.take(frame).isEmpty)
        #expect(announcer.drops[.ownFrame] == 1)
    }
}

@Suite("Peers")
struct PeerTests {
    private let settings = AnnouncementSettings(start: .afterProbing, reannounceInterval: nil)

    @Test(
        "A peer's announcement of our address is reported as such and not fought",
        arguments: Cast.families)
    func inUse(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address], peers: [Cast.peer])
        let actions = announcer.take(Frames.claim(address, by: Cast.peer))
        #expect(actions == [.peerAnnounces(address, Cast.peer)])
        #expect(announcer.take(Frames.claim(address, by: Cast.peer)).isEmpty)
        #expect(announcer.nextDeadline == nil)
    }

    @Test(
        "While a peer still answers for an address it is not used, and then it is, soon",
        arguments: Cast.families)
    func handOver(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(0))
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(0))
        var reports: [Announcer.Action] = []
        var now = Instant.milliseconds(1)
        while now < .milliseconds(3000) {
            reports += announcer.take(Frames.claim(address, by: Cast.peer), at: now)
            now = try #require(announcer.nextDeadline)
            #expect(announcer.handle(.deadlineReached, at: now).frames.count == 1)
        }
        #expect(Set(reports.map { $0 == .peerAnnounces(address, Cast.peer) }) == [true])
        #expect(announcer.state(of: address)?.isAnswering == false)
        _ = announcer.run(until: now + .milliseconds(150))
        #expect(announcer.state(of: address)?.isAnswering == true)
    }

    @Test(
        "Many frames of a peer in one round make it wait no longer than one does",
        arguments: Cast.families)
    func manyFrames(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(0))
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(0))
        for step in 1...50 {
            _ = announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(step))
        }
        #expect(announcer.nextDeadline == .milliseconds(101))
    }

    @Test("A peer's probe is answered as any other while the address is ours")
    func probeByPeer() {
        let address = Cast.address(.ipv4)
        var announcer = Announcer.settled([address], peers: [Cast.peer])
        let actions = announcer.take(Frames.probe(address, by: Cast.peer))
        #expect(actions.others.isEmpty)
        #expect(actions.frames.count == 1)
    }
}
