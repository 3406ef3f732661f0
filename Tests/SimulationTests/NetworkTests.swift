import Layer2
import NetworkTypes
import Simulation
import Testing

@Suite("The fixture: schedule and clocks")
struct ScheduleTests {
    @Test("Things happen in order of time, and of equal times in the order of scheduling")
    func order() {
        var random = SeededRandom(seed: 3)
        var schedule = Schedule<Int>()
        var expected: [(time: Int64, number: Int)] = []
        for number in 0..<2_000 {
            let time = Int64(random.below(300))
            schedule.add(number, at: Instant(nanoseconds: time))
            expected.append((time, number))
        }
        expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
        var happened: [Int] = []
        while let next = schedule.pop(until: Instant(nanoseconds: 299)) {
            happened.append(next.happening)
        }
        #expect(happened == expected.map(\.number))
        #expect(schedule.count == 0)
    }

    @Test("Nothing later than the limit happens")
    func limit() {
        var schedule = Schedule<String>()
        schedule.add("later", at: Instant(nanoseconds: 11))
        #expect(schedule.pop(until: Instant(nanoseconds: 10)) == nil)
        #expect(schedule.next == Instant(nanoseconds: 11))
        #expect(schedule.pop(until: Instant(nanoseconds: 11))?.happening == "later")
    }

    @Test("A node's clock reaches a deadline at the first instant at which it shows it")
    func clocks() throws {
        for partsPerMillion: Int64 in [-100, -1, 0, 7, 100] {
            let clock = NodeClock(start: 5_000_000_000, partsPerMillion: partsPerMillion)
            for nanoseconds: Int64 in [0, 1, 999_999_999, 60_000_000_001] {
                let deadline = clock.local(Instant(nanoseconds: nanoseconds)) + .nanoseconds(1)
                let world = try #require(clock.world(deadline))
                #expect(clock.local(world) >= deadline)
                #expect(clock.local(world - .nanoseconds(1)) < deadline)
            }
        }
        #expect(NodeClock().world(Instant(nanoseconds: .max)) == nil)
    }

    @Test("Equal seeds give equal numbers, others do not")
    func seeds() {
        var first = SeededRandom(seed: 1)
        var second = SeededRandom(seed: 1)
        var third = SeededRandom(seed: 2)
        let numbers = (0..<8).map { _ in first.next() }
        #expect(numbers == (0..<8).map { _ in second.next() })
        #expect(numbers != (0..<8).map { _ in third.next() })
    }
}

@Suite("The fixture: what reaches whom")
struct MediumTests {
    @Test("A cut in one direction leaves the other open")
    func oneWay() {
        var medium = Medium()
        medium.cut(from: 0, to: 1)
        #expect(!medium.isOpen(from: 0, to: 1))
        #expect(medium.isOpen(from: 1, to: 0))
        #expect(!medium.connects(0, 1))
        medium.heal()
        #expect(medium.connects(0, 1))
    }

    @Test("Parts hear themselves and nobody else")
    func parts() {
        var medium = Medium()
        medium.divide([[0, 1], [2], [3, 4]])
        #expect(medium.connects(0, 1) && medium.connects(3, 4))
        for (left, right) in [(0, 2), (1, 3), (2, 4)] { #expect(!medium.connects(left, right)) }
    }

    @Test("A mute station hears, a deaf one is heard")
    func muteAndDeaf() {
        var medium = Medium()
        medium.mute(0)
        medium.deafen(1)
        #expect(!medium.isOpen(from: 0, to: 2) && medium.isOpen(from: 2, to: 0))
        #expect(medium.isOpen(from: 1, to: 2) && !medium.isOpen(from: 2, to: 1))
    }

    @Test("As much is lost as is asked for")
    func loss() {
        var random = SeededRandom(seed: 9)
        var medium = Medium()
        medium.quality.lossPerMille = 300
        let lost = (0..<10_000).count { _ in medium.loses(from: 0, to: 1, &random) }
        #expect((2_800...3_200).contains(lost))
    }

    @Test("Nothing overtakes anything unless it is told to")
    func reordering() {
        var random = SeededRandom(seed: 4)
        var medium = Medium()
        func overtakings() -> Int {
            var latest = Instant(nanoseconds: 0)
            var count = 0
            for number in 0..<1_000 {
                let sent = Instant(nanoseconds: Int64(number) * 10_000)
                let arrival = medium.arrivals(from: 3, to: 5, at: sent, &random).first
                if arrival < latest { count += 1 }
                latest = max(latest, arrival)
            }
            return count
        }
        #expect(overtakings() == 0)
        medium.quality.reorderPerMille = 200
        #expect(overtakings() > 100)
    }
}

@Suite("The fixture: gossip")
struct GossipTests {
    @Test("First contact costs a round trip more, also after either side has started again")
    func firstContact() throws {
        var random = SeededRandom(seed: 1)
        var gossip = VirtualGossip()
        var times: [Duration] = []
        for (mine, yours) in [(1, 1), (1, 1), (2, 1), (2, 1), (2, 2), (2, 2)] as [(UInt32, UInt32)]
        {
            let sent = Instant(nanoseconds: 0)
            let arrival = try #require(
                gossip.send(
                    byteCount: 60, from: 0, boot: mine, to: 1, boot: yours, at: sent, &random))
            times.append(arrival.first - sent)
        }
        let usual = times[1]
        #expect(times == [usual * 3, usual, usual * 3, usual, usual * 3, usual])
        #expect(gossip.counters.datagrams == 6 && gossip.counters.bytes == 360)
    }

    @Test("There is no first contact while only one direction works, but old acquaintance goes on")
    func oneWay() {
        var random = SeededRandom(seed: 1)
        var gossip = VirtualGossip()
        func reaches(_ receiver: Int) -> Bool {
            gossip.send(
                byteCount: 60, from: 0, boot: 1, to: receiver, boot: 1,
                at: Instant(nanoseconds: 0), &random) != nil
        }
        #expect(reaches(1))
        gossip.medium.deafen(0)
        #expect(reaches(1))
        #expect(!reaches(2))
    }
}
