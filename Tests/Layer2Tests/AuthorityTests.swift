import Layer2
import NetworkTypes
import Testing

@Suite("Authority")
struct AuthorityTests {
    @Test("From the instant of the authority on no question is answered", arguments: Cast.families)
    func answers(family: IPAddress.Family) {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address])
        announcer.authority = .milliseconds(20_000)
        let question = Frames.question(address)
        #expect(announcer.answers(to: question, at: .milliseconds(19_999)).count == 1)
        #expect(announcer.take(question, at: .milliseconds(20_000)).isEmpty)
        #expect(announcer.drops[.unauthorized] == 1)
        announcer.authority = .milliseconds(30_000)
        #expect(announcer.answers(to: question, at: .milliseconds(20_001)).count == 1)
    }

    @Test("No probe is answered without authority either, and no claim is fought")
    func otherFrames() {
        let address = Cast.address(.ipv4)
        var announcer = Announcer.settled([address])
        announcer.authority = .milliseconds(9_000)
        #expect(announcer.take(Frames.probe(address, by: Cast.stranger)).isEmpty)
        #expect(announcer.take(Frames.claim(address, by: Cast.stranger)).frames.isEmpty)
        let other = Frames.question(address, asker: address, hardware: Cast.stranger)
        #expect(announcer.take(other).frames.isEmpty)
    }

    @Test("What is due without authority waits, asks for no wake-up, and is done when it is back")
    func unasked() {
        let address = Cast.address(.ipv6)
        var announcer = Announcer.settled([address], reannounceInterval: .seconds(60))
        announcer.authority = .milliseconds(9_000)
        #expect(announcer.handle(.deadlineReached, at: .milliseconds(80_000)).isEmpty)
        #expect(announcer.nextDeadline == nil)
        let back = announcer.handle(
            .authorityChanged(.milliseconds(90_000)), at: .milliseconds(80_001))
        #expect(back.frames.compactMap(Frames.claimed).map(\.address) == [address])
        #expect(announcer.nextDeadline == .milliseconds(140_001))
    }

    @Test("Authority that is only set wakes what waited too")
    func setting() {
        var announcer = Announcer.settled(
            [Cast.address(.ipv6)], reannounceInterval: .seconds(60))
        announcer.authority = .milliseconds(9_000)
        _ = announcer.handle(.deadlineReached, at: .milliseconds(80_000))
        announcer.authority = .milliseconds(90_000)
        #expect(announcer.nextDeadline.map { $0 <= .milliseconds(80_000) } == true)
    }

    @Test(
        "An address added without authority is in use, and said to be, only when there is one",
        arguments: [
            AnnouncementSettings.Start.atOnce, .afterCheck, .afterProbing,
        ])
    func added(start: AnnouncementSettings.Start) {
        let address = Cast.address(.ipv4)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        announcer.authority = .milliseconds(0)
        let settings = AnnouncementSettings(start: start, reannounceInterval: nil)
        #expect(announcer.handle(.addressAdded(address, settings), at: .milliseconds(5)).isEmpty)
        #expect(announcer.take(Frames.question(address), at: .milliseconds(6)).isEmpty)
        #expect(announcer.state(of: address)?.isAnswering == false)
        #expect(announcer.nextDeadline == nil)
        var done = announcer.handle(
            .authorityChanged(.milliseconds(9_000)), at: .milliseconds(500))
        if start == .atOnce { #expect(done.others == [.answering(address)]) }
        done += announcer.run(until: .milliseconds(700)).map(\.action)
        #expect(done.contains(.answering(address)))
        #expect(announcer.answers(to: Frames.question(address), at: .milliseconds(701)).count == 1)
    }

    @Test("An address that waits for authority is left alone by claims of the owner before")
    func claimMeanwhile() {
        let address = Cast.address(.ipv4)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        _ = announcer.handle(.peersChanged([Cast.peer]), at: .milliseconds(0))
        announcer.authority = .milliseconds(0)
        let settings = AnnouncementSettings(start: .atOnce)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(5))
        #expect(announcer.take(Frames.claim(address, by: Cast.peer), at: .milliseconds(6)).isEmpty)
        let back = announcer.handle(
            .authorityChanged(.milliseconds(50)), at: .milliseconds(7))
        #expect(back.others == [.answering(address)])
    }

    @Test("A link that comes up meanwhile does not make a hand-over ask first")
    func linkMeanwhile() {
        let address = Cast.address(.ipv4)
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        announcer.authority = .milliseconds(0)
        let settings = AnnouncementSettings(start: .atOnce)
        _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(5))
        _ = announcer.handle(.linkRestored, at: .milliseconds(6))
        let back = announcer.handle(.authorityChanged(.milliseconds(50)), at: .milliseconds(7))
        #expect(back.others == [.answering(address)])
    }
}
