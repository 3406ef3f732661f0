import Layer2
import NetworkTypes
import Testing

@Suite("Answers")
struct AnswerTests {
    @Test("A question to everybody is answered once, to the asker alone", arguments: Cast.families)
    func broadcast(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        let answers = announcer.answers(to: Frames.question(address))
        #expect(answers.count == 1)
        let answer = try #require(answers.first)
        #expect(Frames.destination(answer) == Cast.client)
        let claim = try #require(Frames.claimed(in: answer))
        #expect(claim == (address, Cast.speaker))
    }

    @Test("A question to us alone is answered too", arguments: Cast.families)
    func unicast(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        let answers = announcer.answers(to: Frames.question(address, to: Cast.speaker))
        #expect(answers.count == 1)
        #expect(answers.first.flatMap(Frames.destination) == Cast.client)
    }

    @Test(
        "A question that a bridge floods to us but sent to another station is not answered",
        arguments: Cast.families)
    func otherStation(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        #expect(announcer.take(Frames.question(address, to: Cast.stranger)).isEmpty)
        #expect(announcer.drops[.otherStation] == 1)
    }

    @Test(
        "The answers to the recorded questions are the recorded answers, byte for byte",
        arguments: [
            ("arp-request-broadcast", "arp-reply"), ("arp-request-unicast", "arp-reply"),
            ("arp-request-priority-tag", "arp-reply"), ("arp-probe", "arp-reply-to-probe"),
            ("ns-multicast", "na-solicited"), ("ns-unicast", "na-solicited"),
            ("ns-without-option", "na-solicited"), ("ns-priority-tag", "na-solicited"),
            ("ns-probe", "na-announcement"), ("ns-probe-nonce", "na-announcement"),
        ])
    func recorded(question: String, answer: String) throws {
        var announcer = Announcer.settled(Cast.families.map { Cast.address($0) })
        let answers = announcer.answers(to: try Fixture(question).bytes)
        #expect(answers == [try Fixture(answer).bytes])
    }

    @Test("Replies and advertisements are never answered", arguments: Cast.families)
    func replies(family: IPAddress.Family) {
        var announcer = Announcer.settled([Cast.address(family)])
        let claim = Frames.claim(Cast.clientAddress(family), by: Cast.client)
        #expect(announcer.take(claim).isEmpty)
        #expect(announcer.drops[.foreignAnswer] == 1)
    }

    @Test("Questions for foreign addresses are never answered", arguments: Cast.families)
    func foreign(family: IPAddress.Family) {
        var announcer = Announcer.settled([Cast.address(family)])
        #expect(announcer.take(Frames.question(Cast.address(family, 0x11))).isEmpty)
        #expect(announcer.drops[.foreignAddress] == 1)
    }

    @Test(
        "Frames that we sent ourselves lead to nothing",
        arguments: [
            "arp-own-probe", "arp-announcement-request", "arp-announcement-reply", "ns-own-probe",
            "na-announcement",
        ])
    func ownFrames(name: String) throws {
        var announcer = Announcer.settled(Cast.families.map { Cast.address($0) })
        #expect(announcer.take(try Fixture(name).bytes).isEmpty)
        #expect(announcer.drops[.ownFrame] == 1)
    }

    @Test("A question is answered to its ARP sender, even through a station that forwards it")
    func senderBehindProxy() throws {
        let address = Cast.address(.ipv4)
        var announcer = Announcer.settled([address])
        var frame = Frames.question(address)
        frame.replaceSubrange(6..<12, with: Cast.stranger.bytes)
        let answer = try #require(announcer.answers(to: frame).first)
        #expect(Frames.destination(answer) == Cast.client)
        #expect(Frames.arp(answer)?.targetHardware == Cast.client)
    }

    @Test("A removed address is not answered any more", arguments: Cast.families)
    func removed(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address], reannounceInterval: .seconds(60))
        #expect(announcer.handle(.addressRemoved(address), at: .afterBurst).frames.isEmpty)
        #expect(announcer.take(Frames.question(address)).isEmpty)
        #expect(announcer.nextDeadline == nil)
        #expect(announcer.state(of: address) == nil)
    }

    @Test("Each address counts its questions, answers and announcements", arguments: Cast.families)
    func counters(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address, Cast.address(family, 0x11)])
        for _ in 0..<3 { _ = announcer.take(Frames.question(address)) }
        let counters = try #require(announcer.counters(of: address))
        #expect(counters.requestsReceived == 3)
        #expect(counters.responsesSent == 3)
        #expect(counters.gratuitousSent == (family == .ipv4 ? 8 : 4))
        #expect(announcer.counters(of: Cast.address(family, 0x11))?.requestsReceived == 0)
        #expect(announcer.counters(of: Cast.address(family, 0x12)) == nil)
    }

    @Test(
        "A backend that holds one of our addresses and asks with it for another gets its answer",
        arguments: Cast.families)
    func askedWithOurAddress(family: IPAddress.Family) throws {
        let held = Cast.address(family), wanted = Cast.address(family, 0x11)
        var announcer = Announcer.settled([held, wanted])
        let actions = announcer.take(
            Frames.question(wanted, asker: held, hardware: Cast.stranger))
        let conflict = Announcer.Conflict(address: held, offender: Cast.stranger, phase: .inUse)
        #expect(actions.others == [.conflict(conflict)])
        let answers = actions.frames.filter { Frames.destination($0) == Cast.stranger }
        #expect(answers.count == 1)
        #expect(answers.first.flatMap(Frames.claimed)?.address == wanted)
    }
}
