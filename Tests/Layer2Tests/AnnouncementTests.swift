import Layer2
import NetworkTypes
import Testing

@Suite("Announcements")
struct AnnouncementTests {
    private let atOnce = AnnouncementSettings(start: .atOnce, reannounceInterval: nil)

    private func fresh() -> Announcer {
        Announcer(interface: "eth0", macAddress: Cast.speaker)
    }

    @Test("An IPv4 address is announced as request and as reply, to everybody")
    func bothForms() throws {
        var announcer = fresh()
        let actions = announcer.handle(
            .addressAdded(Cast.address(.ipv4), atOnce), at: .milliseconds(0))
        #expect(
            actions.frames == [
                try Fixture("arp-announcement-request").bytes,
                try Fixture("arp-announcement-reply").bytes,
            ])
    }

    @Test("An IPv6 address is announced to all nodes with the override flag, not as solicited")
    func unsolicited() throws {
        var announcer = fresh()
        let actions = announcer.handle(
            .addressAdded(Cast.address(.ipv6), atOnce), at: .milliseconds(0))
        #expect(actions.frames == [try Fixture("na-announcement").bytes])
    }

    @Test(
        "The burst goes out at 0, 0.1, 0.5 and 1.6 s, then there is quiet", arguments: Cast.families
    )
    func burst(family: IPAddress.Family) {
        var announcer = fresh()
        let address = Cast.address(family)
        let first = announcer.handle(.addressAdded(address, atOnce), at: .milliseconds(0))
        #expect(!first.frames.isEmpty)
        let later = announcer.run(until: .milliseconds(100_000))
        #expect(
            Set(later.map(\.at))
                == [100, 500, 1600].reduce(into: []) {
                    $0.insert(.milliseconds($1))
                })
        #expect(announcer.state(of: address) == .active)
        #expect(announcer.nextDeadline == nil)
    }

    @Test("An address in use is announced again every interval", arguments: Cast.families)
    func interval(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var announcer = Announcer.settled([address], reannounceInterval: .seconds(60))
        let times = announcer.run(until: .milliseconds(600_000)).map(\.at)
        let distinct = Array(Set(times)).sorted()
        #expect(distinct.count == 10 || distinct.count == 9)
        for (earlier, later) in zip(distinct, distinct.dropFirst()) {
            #expect(later - earlier == .seconds(60))
        }
    }

    @Test("Announcements that repeat are spread: 10,000 addresses never send 40 frames in 10 ms")
    func spread() throws {
        var announcer = fresh()
        for number in UInt32(1)...10_000 {
            _ = announcer.handle(
                .addressAdded(
                    Cast.address(.ipv6, 0x1000 + number),
                    AnnouncementSettings(start: .atOnce, reannounceInterval: .seconds(60))),
                at: .milliseconds(0))
        }
        _ = announcer.run(until: .milliseconds(63_000))
        let repeats = announcer.run(until: .milliseconds(123_000))
        #expect(repeats.count == 10_000)
        var perSlice: [Int64: Int] = [:]
        for (at, _) in repeats { perSlice[at.nanoseconds / 10_000_000, default: 0] += 1 }
        #expect(perSlice.values.max() ?? 0 < 40)
    }

    @Test("Unasked frames stay within 200 in 20 ms, and all addresses are announced in the end")
    func pacing() throws {
        var announcer = fresh()
        var sent: [(at: Instant, action: Announcer.Action)] = []
        for number in UInt32(1)...3000 {
            let address = Cast.address(.ipv4, number + 0x1000)
            sent += announcer.handle(.addressAdded(address, atOnce), at: .milliseconds(0))
                .map { (.milliseconds(0), $0) }
        }
        sent += announcer.run(until: .milliseconds(60_000))
        let frames = sent.flatMap { at, action in [action].frames.map { (at, $0) } }
        #expect(frames.count == 3000 * 4 * 2)
        for start in stride(from: 0, to: frames.count - 201, by: 1) {
            #expect(frames[start + 200].0 - frames[start].0 >= .milliseconds(20))
        }
        #expect(announcer.addresses.allSatisfy { announcer.state(of: $0) == .active })
    }

    @Test(
        "An address is answered from the moment it is added, before its announcement has its turn")
    func answersBeforeAnnouncing() {
        var announcer = fresh()
        for number in UInt32(1)...300 {
            _ = announcer.handle(
                .addressAdded(Cast.address(.ipv4, number + 0x1000), atOnce), at: .milliseconds(0))
        }
        let last = Cast.address(.ipv4, 0x1000 + 300)
        #expect(announcer.counters(of: last)?.gratuitousSent == 0)
        #expect(announcer.answers(to: Frames.question(last), at: .milliseconds(1)).count == 1)
    }

    @Test(
        "After a link comes back or the MAC changes everything is announced anew",
        arguments: [Announcer.Event.linkRestored, .macAddressChanged(Cast.peer)])
    func startOver(event: Announcer.Event) {
        let addresses = Cast.families.map { Cast.address($0) }
        var announcer = Announcer.settled(addresses)
        let frames = announcer.handle(event, at: .afterBurst).frames
        let claims = frames.compactMap { Frames.claimed(in: $0) }
        #expect(Set(claims.map(\.address)) == Set(addresses))
        #expect(Set(claims.map(\.hardware)) == [announcer.macAddress])
        #expect(addresses.allSatisfy { announcer.state(of: $0) == .announcing(sent: 1) })
        #expect(announcer.answers(to: Frames.question(addresses[0])).count == 1)
    }

    @Test("An address added among others that wait for later is announced at once")
    func addedAmongOthers() {
        let waiting = (1...20).map { Cast.address(.ipv6, 0x1000 + $0) }
        var announcer = Announcer.settled(waiting, reannounceInterval: .seconds(60))
        let address = Cast.address(.ipv6)
        let actions = announcer.handle(.addressAdded(address, atOnce), at: .afterBurst)
        #expect(actions.frames.count == 1)
        #expect(actions.frames.first.flatMap(Frames.claimed)?.address == address)
        #expect(announcer.nextDeadline == .afterBurst + .milliseconds(100))
    }

    @Test("A long pause of the process sends no backlog of announcements")
    func pause() {
        var announcer = Announcer.settled(
            [Cast.address(.ipv6)], reannounceInterval: .seconds(60))
        #expect(announcer.handle(.deadlineReached, at: .milliseconds(3_600_000)).frames.count == 1)
        #expect(announcer.nextDeadline == .milliseconds(3_660_000))
    }

    @Test("A deadline that is handled too early does nothing")
    func early() {
        var announcer = Announcer.settled(
            [Cast.address(.ipv4)], reannounceInterval: .seconds(60))
        let before = announcer
        #expect(announcer.handle(.deadlineReached, at: .afterBurst).isEmpty)
        #expect(announcer == before)
    }

    @Test("Turning repeated announcements on and off takes effect for an address in use")
    func settingsChange() {
        let address = Cast.address(.ipv4)
        var announcer = Announcer.settled([address])
        #expect(announcer.nextDeadline == nil)
        var settings = AnnouncementSettings(start: .afterProbing, reannounceInterval: .seconds(10))
        #expect(announcer.handle(.addressAdded(address, settings), at: .afterBurst).isEmpty)
        #expect(announcer.nextDeadline.map { $0 - .afterBurst <= .seconds(10) } == true)
        #expect(announcer.state(of: address) == .active)
        settings.reannounceInterval = nil
        #expect(announcer.handle(.addressAdded(address, settings), at: .afterBurst).isEmpty)
        #expect(announcer.nextDeadline == nil)
    }

    @Test("Each of many addresses keeps its own interval while others come and go")
    func manyIntervals() {
        var announcer = fresh()
        var random = SplitMix(state: 20_260_101)
        var intervals: [IPAddress: Int] = [:]
        for number in UInt32(1)...500 {
            let seconds = 5 + Int(random.next() % 50)
            let address = Cast.address(.ipv6, 0x1000 + number)
            intervals[address] = seconds
            let settings = AnnouncementSettings(
                start: .atOnce, reannounceInterval: .seconds(seconds))
            _ = announcer.handle(.addressAdded(address, settings), at: .milliseconds(0))
        }
        _ = announcer.run(until: .milliseconds(60_000))
        for address in intervals.keys.sorted() where random.next() % 3 == 0 {
            _ = announcer.handle(.addressRemoved(address), at: .milliseconds(60_000))
            intervals[address] = nil
        }
        var last: [IPAddress: Instant] = [:]
        var wrong = 0
        for (at, action) in announcer.run(until: .milliseconds(300_000)) {
            guard let address = [action].frames.first.flatMap(Frames.claimed)?.address,
                let seconds = intervals[address]
            else { wrong += 1; continue }
            if let before = last[address], at - before != .seconds(seconds) { wrong += 1 }
            last[address] = at
        }
        #expect(wrong == 0)
        #expect(Set(last.keys) == Set(intervals.keys))
    }
}

/// A small generator with a seed in sight, so that a failure is an exact replay.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
