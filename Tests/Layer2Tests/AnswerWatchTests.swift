import Layer2
import NetworkTypes
import Testing

@Suite("The watch over addresses of others")
struct AnswerWatchTests {
    /// A watch and the LAN it asks on: who answers for which address.
    private struct Lab {
        var watch = AnswerWatch(macAddress: Cast.speaker)
        var answerers: [IPAddress: [MACAddress]] = [:]
        var isAnyoneHeard = true
        var now = Instant.milliseconds(0)
        var questions: [(at: Instant, address: IPAddress)] = []
        var findings: [(at: Instant, address: IPAddress, verdict: AnswerWatch.Verdict)] = []
        var signsWanted = 0

        mutating func handle(_ event: AnswerWatch.Event) {
            var answers: [[UInt8]] = []
            for action in watch.handle(event, at: now) {
                switch action {
                case .send(let frame):
                    let target =
                        Frames.arp(frame)?.targetAddress ?? Frames.solicitation(frame)?.target
                    guard let target else { continue }
                    questions.append((now, target))
                    for station in answerers[target] ?? [] {
                        answers.append(Frames.claim(target, by: station, to: Cast.speaker))
                    }
                case .seekSignOfLife:
                    signsWanted += 1
                    if isAnyoneHeard { watch.lastAnswered = now + .milliseconds(1) }
                case .found(let address, let verdict):
                    findings.append((now, address, verdict))
                }
            }
            for answer in answers { watch.receive(answer.span, at: now + .milliseconds(1)) }
        }

        mutating func run(until end: Instant) {
            while let next = watch.nextDeadline, next <= end {
                now = max(now, next)
                handle(.deadlineReached)
            }
            now = end
        }

        func verdicts(on address: IPAddress) -> [AnswerWatch.Verdict] {
            findings.filter { $0.address == address }.map(\.verdict)
        }
    }

    private func lab(
        _ address: IPAddress, answeredBy stations: [MACAddress] = [Cast.peer],
        owner: Set<MACAddress> = [Cast.peer]
    ) -> Lab {
        var lab = Lab()
        lab.answerers[address] = stations
        lab.handle(.addressesChanged([address: owner]))
        return lab
    }

    @Test(
        "An address that its owner answers for is asked for once in 30 s, and nothing is said",
        arguments: Cast.families)
    func fine(family: IPAddress.Family) {
        var lab = lab(Cast.address(family))
        lab.run(until: .milliseconds(600_000))
        #expect(lab.questions.count == 19 || lab.questions.count == 20)
        #expect(lab.findings.isEmpty)
        #expect(!lab.watch.isCollecting)
    }

    @Test("The question is a probe to everybody, which claims nothing", arguments: Cast.families)
    func probe(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var watch = AnswerWatch(macAddress: Cast.speaker)
        _ = watch.handle(.addressesChanged([address: []]), at: .milliseconds(0))
        let actions = watch.handle(.doubted(address), at: .milliseconds(1))
        let probe = try Fixture(family == .ipv4 ? "arp-own-probe" : "ns-own-probe").bytes
        #expect(actions == [.send(probe)])
    }

    @Test(
        "Sixteen rounds without an answer, 200 ms apart, are a verdict; an answer ends it",
        arguments: Cast.families)
    func unanswered(family: IPAddress.Family) throws {
        let address = Cast.address(family)
        var lab = lab(address)
        lab.run(until: .milliseconds(100_000))
        lab.answerers[address] = []
        let asked = lab.questions.count
        lab.run(until: .milliseconds(140_000))
        let times = lab.questions.dropFirst(asked).map(\.at)
        #expect(times.count > 16)
        #expect(times[times.startIndex + 1] - times[times.startIndex] == .milliseconds(200))
        #expect(times[times.startIndex + 15] - times[times.startIndex] == .milliseconds(3_000))
        #expect(lab.verdicts(on: address) == [.unanswered])
        let found = try #require(lab.findings.first)
        #expect(found.at - times[times.startIndex] == .milliseconds(3_060))
        #expect(lab.watch.findings == [address: .unanswered])
        lab.answerers[address] = [Cast.peer]
        lab.run(until: .milliseconds(150_000))
        #expect(lab.verdicts(on: address) == [.unanswered, .fine])
        #expect(lab.watch.findings.isEmpty)
    }

    @Test("Up to fifteen lost answers are no verdict")
    func loss() {
        let address = Cast.address(.ipv4)
        for lost in 1...15 {
            var lab = lab(address, answeredBy: [])
            lab.handle(.doubted(address))
            lab.run(until: .milliseconds(200 * (lost - 1) + 100))
            lab.answerers[address] = [Cast.peer]
            lab.run(until: .milliseconds(100_000))
            #expect(lab.findings.isEmpty)
        }
    }

    @Test("Who hears nobody at all says nothing about others, and looks for a sign of life")
    func deaf() {
        let address = Cast.address(.ipv4)
        var lab = lab(address, answeredBy: [])
        lab.isAnyoneHeard = false
        lab.run(until: .milliseconds(200_000))
        #expect(lab.findings.isEmpty)
        #expect(lab.signsWanted > 3)
        #expect(lab.questions.count < 50)
        lab.isAnyoneHeard = true
        lab.run(until: .milliseconds(220_000))
        #expect(lab.verdicts(on: address) == [.unanswered])
    }

    @Test(
        "Two stations that answer twice in a row are named; once they are one, that is said too",
        arguments: Cast.families)
    func two(family: IPAddress.Family) {
        let address = Cast.address(family)
        var lab = lab(address, answeredBy: [Cast.stranger, Cast.peer])
        lab.run(until: .milliseconds(100_000))
        #expect(lab.verdicts(on: address) == [.answeredBy([Cast.peer, Cast.stranger])])
        lab.answerers[address] = [Cast.peer]
        lab.run(until: .milliseconds(110_000))
        #expect(lab.verdicts(on: address).last == .fine)
    }

    @Test("Two answers in a single round, as while an address changes hands, are no verdict")
    func passing() {
        let address = Cast.address(.ipv4)
        var lab = lab(address, answeredBy: [Cast.stranger, Cast.peer])
        lab.handle(.doubted(address))
        lab.answerers[address] = [Cast.peer]
        lab.run(until: .milliseconds(100_000))
        #expect(lab.findings.isEmpty)
    }

    @Test("An owner that answers from two interfaces is one; somebody in its place is not")
    func owner() {
        let address = Cast.address(.ipv4), second = MACAddress(bits: 0x0200_5e10_0003)
        var twofold = lab(
            address, answeredBy: [Cast.peer, second], owner: [Cast.peer, second])
        twofold.run(until: .milliseconds(100_000))
        #expect(twofold.findings.isEmpty)
        var impostor = lab(address, answeredBy: [Cast.stranger])
        impostor.run(until: .milliseconds(100_000))
        #expect(impostor.verdicts(on: address) == [.answeredBy([Cast.stranger])])
        var unknown = lab(address, answeredBy: [Cast.stranger], owner: [])
        unknown.run(until: .milliseconds(100_000))
        #expect(unknown.findings.isEmpty)
    }

    @Test("A new owner is left in peace for two seconds, and old misses do not count against it")
    func newOwner() {
        let address = Cast.address(.ipv4)
        var lab = lab(address, answeredBy: [])
        lab.handle(.doubted(address))
        lab.run(until: .milliseconds(300))
        lab.handle(.addressesChanged([address: [Cast.stranger]]))
        let asked = lab.questions.count
        lab.run(until: .milliseconds(2_299))
        #expect(lab.questions.count == asked)
        lab.answerers[address] = [Cast.stranger]
        lab.run(until: .milliseconds(100_000))
        #expect(lab.findings.isEmpty)
    }

    @Test("Without authority, isolated, or with the link away nothing is asked and nothing counts")
    func resting() {
        let address = Cast.address(.ipv4)
        var lab = lab(address, answeredBy: [])
        lab.handle(.doubted(address))
        lab.handle(.pauseChanged(true))
        #expect(lab.watch.nextDeadline == nil)
        lab.run(until: .milliseconds(100_000))
        #expect(lab.questions.count == 1)
        lab.handle(.pauseChanged(false))
        lab.watch.authority = .milliseconds(100_100)
        lab.run(until: .milliseconds(200_000))
        #expect(lab.watch.nextDeadline == nil)
        #expect(lab.findings.isEmpty)
        #expect(lab.questions.count <= 3)
        lab.answerers[address] = [Cast.peer]
        lab.watch.authority = .milliseconds(900_000)
        lab.run(until: .milliseconds(300_000))
        #expect(lab.findings.isEmpty)
        #expect(lab.questions.count > 3)
    }

    @Test("10,000 addresses are asked for in turn, never more than 100 in a second")
    func bounded() {
        var lab = Lab()
        var addresses: [IPAddress: Set<MACAddress>] = [:]
        for number in UInt32(0)..<10_000 {
            let address = Cast.address(.ipv4, 0x1000 + number)
            addresses[address] = [Cast.peer]
            lab.answerers[address] = [Cast.peer]
        }
        lab.handle(.addressesChanged(addresses))
        lab.run(until: .milliseconds(120_000))
        for (earlier, later) in zip(lab.questions, lab.questions.dropFirst(100)) {
            #expect(later.at - earlier.at >= .seconds(1))
        }
        #expect(Set(lab.questions.map(\.address)).count == 10_000)
        #expect(lab.findings.isEmpty)
    }

    @Test("What is no longer watched is not asked for, and its open round ends")
    func removed() {
        let address = Cast.address(.ipv4)
        var lab = lab(address, answeredBy: [])
        lab.handle(.doubted(address))
        #expect(lab.watch.isCollecting)
        lab.handle(.addressesChanged([:]))
        #expect(!lab.watch.isCollecting)
        #expect(lab.watch.nextDeadline == nil)
        #expect(lab.watch.count == 0)
    }

    @Test("More addresses than it holds: the rest is not watched")
    func full() {
        var watch = AnswerWatch(macAddress: Cast.speaker)
        let count = AnswerWatch.maximumAddresses + 10
        let addresses = Dictionary(
            uniqueKeysWithValues: (0..<count).map {
                (Cast.address(.ipv6, 0x1000 + UInt32($0)), Set<MACAddress>())
            })
        _ = watch.handle(.addressesChanged(addresses), at: .milliseconds(0))
        #expect(watch.count == AnswerWatch.maximumAddresses)
    }

    @Test("Damaged answers are ignored", arguments: try Fixture.all())
    func damaged(fixture: Fixture) {
        let addresses = Dictionary(
            uniqueKeysWithValues: Cast.families.map { (Cast.address($0), Set([Cast.peer])) })
        var watch = AnswerWatch(macAddress: Cast.client)
        _ = watch.handle(.addressesChanged(addresses), at: .milliseconds(0))
        for address in addresses.keys {
            _ = watch.handle(.doubted(address), at: .milliseconds(100))
            _ = watch.handle(.deadlineReached, at: .milliseconds(150))
        }
        let asking = watch
        #expect(watch.isCollecting)
        for length in 0..<min(fixture.bytes.count, 42) {
            let cut = Array(fixture.bytes.prefix(length))
            watch.receive(cut.span, at: .milliseconds(151))
        }
        #expect(watch == asking)
        for offset in fixture.bytes.indices {
            for change in UInt8(1)...255 {
                var frame = fixture.bytes
                frame[offset] ^= change
                watch.receive(frame.span, at: .milliseconds(151))
            }
        }
        #expect(watch.count == 2)
    }
}
