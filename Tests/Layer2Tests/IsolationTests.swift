import Layer2
import NetworkTypes
import Testing

@Suite("Isolation")
struct IsolationTests {
    private let settings = AnnouncementSettings(start: .afterCheck, reannounceInterval: nil)

    /// Isolated since 100 ms, with an address of its own, after hearing a client at 50 ms.
    private func isolated(
        _ family: IPAddress.Family, isAlonePlausible: Bool = false
    ) -> Announcer {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.ownAddressesChanged([own(family)]), at: .milliseconds(0))
        let chatter = Frames.claim(Cast.clientAddress(family), by: Cast.client)
        _ = announcer.take(chatter, at: .milliseconds(50))
        _ = announcer.handle(
            .isolationChanged(since: .milliseconds(100), isAlonePlausible: isAlonePlausible),
            at: .milliseconds(100))
        return announcer
    }

    private func own(_ family: IPAddress.Family) -> IPAddress { Cast.address(family, 0x21) }

    /// Questions for others than our addresses, with who was asked and on whose behalf.
    private func questions(
        _ actions: [Announcer.Action]
    ) -> [(target: IPAddress, asker: IPAddress, to: MACAddress)] {
        actions.frames.compactMap { frame in
            guard let destination = Frames.destination(frame) else { return nil }
            if let packet = Frames.arp(frame), packet.operation == .request {
                return (packet.targetAddress, packet.senderAddress, destination)
            }
            return Frames.solicitation(frame).map { ($0.target, $0.source, destination) }
        }
    }

    @Test(
        "A node that hears nobody at all takes nothing over, and says so once",
        arguments: Cast.families)
    func deaf(family: IPAddress.Family) {
        var announcer = isolated(family)
        let addresses = [Cast.address(family), Cast.address(family, 0x11)]
        for address in addresses {
            _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        }
        let done = announcer.run(until: .milliseconds(60_000)).map(\.action)
        #expect(done.others == [.waitingToHear(addresses[0])])
        for address in addresses {
            #expect(announcer.state(of: address) == .waitingToHear)
            #expect(announcer.take(Frames.question(address, hardware: Cast.speaker)).isEmpty)
        }
    }

    @Test(
        "At the start of the check those who were heard before are asked, from our own address",
        arguments: Cast.families)
    func witness(family: IPAddress.Family) throws {
        var announcer = isolated(family)
        let actions = announcer.handle(
            .addressAdded(Cast.address(family), settings), at: .milliseconds(200))
        let question = try #require(
            questions(actions).first { $0.target == Cast.clientAddress(family) })
        #expect(question.asker == own(family))
        #expect(question.to == Cast.client)
    }

    @Test(
        "The answer is proof: the takeover takes no longer than any, and the answer does no more",
        arguments: Cast.families)
    func proof(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = isolated(family)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        let answer = Frames.claim(
            Cast.clientAddress(family), by: Cast.client, to: Cast.speaker)
        #expect(announcer.take(answer, at: .milliseconds(201)).isEmpty)
        #expect(announcer.lastHeard == .milliseconds(201))
        let done = announcer.run(until: .milliseconds(210))
        #expect(done.first { $0.action == .answering(address) }?.at == .milliseconds(210))
    }

    @Test(
        "Who is heard only later sets off a new check: the first one was heard by nobody",
        arguments: Cast.families)
    func lateProof(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = isolated(family)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        _ = announcer.run(until: .milliseconds(5_000))
        let foreign = Frames.question(Cast.address(family, 0x77))
        #expect(announcer.take(foreign, at: .milliseconds(5_001)).isEmpty)
        let done = announcer.run(until: .milliseconds(5_011))
        #expect(done.map(\.action).frames.count >= 2)
        #expect(done.first { $0.action == .answering(address) }?.at == .milliseconds(5_011))
    }

    @Test(
        "After a pause, what was in use is checked first while no other node is heard",
        arguments: Cast.families)
    func pauseWhileIsolated(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(0))
        _ = announcer.handle(
            .addressAdded(address, AnnouncementSettings(start: .atOnce)), at: .milliseconds(0))
        #expect(announcer.state(of: address)?.isAnswering == true)
        #expect(announcer.handle(.authorityRestored, at: .milliseconds(500)).isEmpty)
        #expect(announcer.state(of: address)?.isAnswering == true)
        let isolation = Announcer.Event.isolationChanged(
            since: .milliseconds(900), isAlonePlausible: false)
        _ = announcer.handle(isolation, at: .milliseconds(900))
        let questions = announcer.handle(.authorityRestored, at: .milliseconds(1_000))
        #expect(!questions.frames.isEmpty)
        #expect(announcer.state(of: address)?.isAnswering == false)
        let actions = announcer.take(
            Frames.claim(address, by: Cast.peer), at: .milliseconds(1_001))
        #expect(actions == [.heldByPeer(address, Cast.peer)])
        #expect(announcer.state(of: address)?.isAnswering == false)
    }

    @Test(
        "With the cable back in, what was in use is checked before it is answered for",
        arguments: Cast.families)
    func linkBackWhileIsolated(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(0))
        _ = announcer.handle(
            .addressAdded(address, AnnouncementSettings(start: .atOnce)), at: .milliseconds(0))
        _ = announcer.handle(
            .isolationChanged(since: .milliseconds(900), isAlonePlausible: true),
            at: .milliseconds(900))
        let actions = announcer.handle(.linkRestored, at: .milliseconds(5_000))
        #expect(!actions.frames.isEmpty)
        #expect(announcer.state(of: address)?.isAnswering == false)
        #expect(announcer.answers(to: Frames.question(address)).isEmpty)
        let held = announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(5_001))
        #expect(held == [.heldByPeer(address, Cast.peer)])
    }

    @Test("Who was taken for a stranger and turns out to be a speaker is asked again at once")
    func strangerIsPeer() {
        let address = Cast.address(.ipv4)
        var announcer = isolated(.ipv4)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        _ = announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(202))
        guard case .conflicted? = announcer.state(of: address) else {
            Issue.record("no conflict: \(String(describing: announcer.state(of: address)))")
            return
        }
        let asked = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(300))
        #expect(!asked.frames.isEmpty)
        let held = announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(301))
        #expect(held == [.heldByPeer(address, Cast.peer)])
    }

    @Test(
        "An isolated speaker that starts again asks before it resumes what it had",
        arguments: Cast.families)
    func restartWhileIsolated(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        announcer.authority = Instant.milliseconds(0)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(0))
        _ = announcer.handle(
            .addressAdded(address, AnnouncementSettings(start: .atOnce)), at: .milliseconds(10))
        let isolation = Announcer.Event.isolationChanged(
            since: .milliseconds(20), isAlonePlausible: false)
        _ = announcer.handle(isolation, at: .milliseconds(250))
        announcer.authority = Instant(nanoseconds: .max)
        var actions = announcer.handle(.authorityRestored, at: .milliseconds(251))
        actions += announcer.handle(.deadlineReached, at: .milliseconds(252))
        #expect(!actions.contains(.answering(address)))
        #expect(!actions.frames.isEmpty)
        let claimed = announcer.take(
            Frames.claim(address, by: Cast.peer), at: .milliseconds(253))
        #expect(claimed == [.heldByPeer(address, Cast.peer)])
    }

    @Test("A cut LAN that heals while an address waits: the owner who answers keeps it")
    func healed() {
        let address = Cast.address(.ipv4)
        var announcer = isolated(.ipv4)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(150))
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        _ = announcer.run(until: .milliseconds(5_000))
        let actions = announcer.take(
            Frames.claim(address, by: Cast.peer), at: .milliseconds(5_001))
        #expect(actions == [.heldByPeer(address, Cast.peer)])
        #expect(announcer.state(of: address)?.isAnswering == false)
    }

    @Test(
        "Questions go on every 100 ms for 2 s, then every second, at most 8 at a time",
        arguments: Cast.families)
    func rate(family: IPAddress.Family) {
        var announcer = isolated(family)
        let companions = (0..<30).map { Cast.address(family, 0x4000 + UInt32($0)) }
        _ = announcer.handle(.companionsChanged(companions), at: .milliseconds(150))
        let address = Cast.address(family)
        var done = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
            .map { (at: Instant.milliseconds(200), action: $0) }
        done += announcer.run(until: .milliseconds(10_200))
        var rounds: [Instant: Int] = [:]
        for (at, action) in done {
            for question in questions([action]) where question.target != address {
                rounds[at, default: 0] += 1
            }
        }
        #expect(rounds.values.allSatisfy { $0 <= 8 })
        #expect(rounds.values.allSatisfy { $0 > 1 })
        let times = rounds.keys.sorted()
        #expect(times.count { $0 < .milliseconds(2_200) } == 20)
        #expect(times.count { $0 >= .milliseconds(2_200) } <= 9)
        #expect(times.last.map { $0 > .milliseconds(9_000) } == true)
    }

    @Test("A node that knows at most one other goes on alone after a second")
    func alone() throws {
        let address = Cast.address(.ipv4)
        var announcer = isolated(.ipv4, isAlonePlausible: true)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        let done = announcer.run(until: .milliseconds(3_000))
        let taken = try #require(done.first { $0.action == .answering(address) })
        #expect(taken.at >= .milliseconds(1_200) && taken.at <= .milliseconds(1_300))
    }

    @Test("Frames of this node's other interfaces prove nothing")
    func siblings() {
        let address = Cast.address(.ipv4)
        var announcer = isolated(.ipv4)
        _ = announcer.handle(.siblingsChanged([Cast.peer]), at: .milliseconds(150))
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        let frame = Frames.claim(Cast.address(.ipv4, 0x22), by: Cast.peer)
        _ = announcer.take(frame, at: .milliseconds(201))
        _ = announcer.run(until: .milliseconds(300))
        #expect(announcer.state(of: address) == .waitingToHear)
    }

    @Test("Hand-overs and what is in use already do not wait; a first use waits to hear somebody")
    func others() {
        var announcer = Announcer.settled([Cast.address(.ipv4)])
        _ = announcer.handle(
            .isolationChanged(since: .afterBurst, isAlonePlausible: false), at: .afterBurst)
        #expect(announcer.answers(to: Frames.question(Cast.address(.ipv4))).count == 1)
        for (start, waits) in [
            (AnnouncementSettings.Start.atOnce, false), (.afterProbing, true),
        ] {
            var announcer = isolated(.ipv4)
            let address = Cast.address(.ipv4)
            let settings = AnnouncementSettings(start: start, reannounceInterval: nil)
            _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
            _ = announcer.run(until: .milliseconds(400))
            #expect(announcer.state(of: address)?.isAnswering == !waits)
        }
    }

    @Test("While isolated nothing is announced again and again; afterwards it is")
    func reannouncements() {
        let address = Cast.address(.ipv6)
        var announcer = Announcer.settled([address], reannounceInterval: .seconds(60))
        let event = Announcer.Event.isolationChanged(since: .afterBurst, isAlonePlausible: true)
        #expect(announcer.handle(event, at: .afterBurst).isEmpty)
        #expect(announcer.run(until: .milliseconds(1_000_000)).isEmpty)
        #expect(announcer.nextDeadline == nil)
        _ = announcer.handle(
            .isolationChanged(since: nil, isAlonePlausible: true), at: .milliseconds(1_000_000))
        #expect(announcer.run(until: .milliseconds(1_130_000)).count >= 1)
    }

    @Test("When other nodes are heard again by another path, what waited is checked and taken")
    func over() {
        let address = Cast.address(.ipv4)
        var announcer = isolated(.ipv4)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(200))
        _ = announcer.run(until: .milliseconds(1_000))
        _ = announcer.handle(
            .isolationChanged(since: nil, isAlonePlausible: false), at: .milliseconds(1_000))
        let done = announcer.run(until: .milliseconds(1_010))
        #expect(done.map(\.action).contains(.answering(address)))
    }

    @Test("Of the stations that were heard the last eight are remembered, once each")
    func bounded() {
        var announcer = isolated(.ipv4)
        for number in UInt32(1)...200 {
            let chatter = Frames.claim(
                Cast.address(.ipv4, 0x3000 + number % 50),
                by: MACAddress(bits: 0x0200_5e10_1000 + UInt64(number % 50)))
            _ = announcer.take(chatter, at: .milliseconds(200 + 20 * Int(number)))
        }
        _ = announcer.handle(
            .isolationChanged(since: .milliseconds(5_000), isAlonePlausible: false),
            at: .milliseconds(5_000))
        let actions = announcer.handle(
            .addressAdded(Cast.address(.ipv4), settings), at: .milliseconds(5_000))
        let asked = questions(actions).filter { $0.target != Cast.address(.ipv4) }
        #expect(asked.count == 4)
        #expect(Set(asked.map(\.to)).count == 4)
    }
}
