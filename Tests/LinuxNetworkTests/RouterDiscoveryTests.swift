import NetworkTypes
import Testing

@testable import LinuxNetwork

@Suite struct RouterDiscoveryTests {
    private static let one = IPAddress(
        family: .ipv6, bits: 0xfe80_0000_0000_0000_0000_0000_0000_0001)
    private static let two = IPAddress(
        family: .ipv6, bits: 0xfe80_0000_0000_0000_0000_0000_0000_0002)
    private static let advertisement = RouterMessage.advertisement(.init(lifetime: 0))
    private static let start = Instant(nanoseconds: 0)

    /// What is sent until a moment, with the seconds at which it is.
    private static func run(
        _ discovery: inout RouterDiscovery, until end: Duration
    ) -> [(seconds: Double, action: RouterDiscovery.Action)] {
        var sent: [(Double, RouterDiscovery.Action)] = []
        while discovery.nextDeadline <= start + end {
            let now = discovery.nextDeadline
            let actions = discovery.handle(.deadlineReached, at: now)
            #expect(discovery.nextDeadline > now, "a deadline that does not pass")
            sent += actions.map { (Double(now.nanoseconds) / 1e9, $0) }
        }
        return sent
    }

    private static func times(
        _ sent: [(seconds: Double, action: RouterDiscovery.Action)], _ message: RouterMessage
    ) -> [Double] {
        sent.filter { $0.action == .send(message) }.map(\.seconds)
    }

    @Test("it asks three times, 4 s apart, and advertises every 7.5 to 10 s from the start")
    func beginning() {
        for seed in 0..<50 as Range<UInt64> {
            var discovery = RouterDiscovery(linkAddress: nil, seed: seed, at: Self.start)
            let sent = Self.run(&discovery, until: .seconds(200))
            #expect(Self.times(sent, .solicitation(nil)) == [0, 4, 8])
            let told = Self.times(sent, Self.advertisement)
            #expect(told.first == 0)
            let gaps = zip(told, told.dropFirst()).map { $1 - $0 }
            #expect(gaps.allSatisfy { (7.5...10).contains($0) })
            #expect(Set(gaps).count > 10)
        }
    }

    @Test("the first neighbour heard is found once, and asking ends")
    func found() {
        var discovery = RouterDiscovery(linkAddress: nil, seed: 1, at: Self.start)
        _ = discovery.handle(.deadlineReached, at: Self.start)
        let soon = Self.start + .seconds(1)
        #expect(
            discovery.handle(.received(Self.advertisement, from: Self.one), at: soon)
                == [.found(Self.one)])
        #expect(discovery.handle(.received(Self.advertisement, from: Self.one), at: soon) == [])
        #expect(discovery.neighbor == Self.one && discovery.lastHeard == soon)
        let sent = Self.run(&discovery, until: .seconds(60))
        #expect(Self.times(sent, .solicitation(nil)) == [])
    }

    @Test("a second sender waits until the first is silent for 30 s, or has failed")
    func bystander() {
        var discovery = RouterDiscovery(linkAddress: nil, seed: 1, at: Self.start)
        func hear(_ source: IPAddress, _ seconds: Int) -> [RouterDiscovery.Action] {
            discovery.handle(
                .received(Self.advertisement, from: source), at: Self.start + .seconds(seconds))
        }
        #expect(hear(Self.one, 0) == [.found(Self.one)])
        #expect(hear(Self.two, 5) == [])
        #expect(discovery.bystander == Self.two)
        #expect(hear(Self.one, 10) == [])
        #expect(hear(Self.two, 39) == [])
        #expect(hear(Self.two, 40) == [.found(Self.two)])
        #expect(discovery.bystander == nil)
        #expect(discovery.handle(.neighborFailed, at: Self.start + .seconds(41)) == [])
        #expect(hear(Self.one, 42) == [.found(Self.one)])
    }

    @Test("a neighbour that failed and is heard again stays, without being found anew")
    func recovered() {
        var discovery = RouterDiscovery(linkAddress: nil, seed: 1, at: Self.start)
        _ = discovery.handle(.received(Self.advertisement, from: Self.one), at: Self.start)
        _ = discovery.handle(.neighborFailed, at: Self.start)
        #expect(
            discovery.handle(.received(Self.advertisement, from: Self.one), at: Self.start) == [])
        #expect(
            discovery.handle(
                .received(Self.advertisement, from: Self.two), at: Self.start + .seconds(1)) == [])
        #expect(discovery.neighbor == Self.one)
    }

    @Test("after a failure it asks again, however often it is told not sooner than every 4 s")
    func askingAgain() {
        var discovery = RouterDiscovery(linkAddress: nil, seed: 1, at: Self.start)
        _ = discovery.handle(.deadlineReached, at: Self.start)
        _ = discovery.handle(.received(Self.advertisement, from: Self.one), at: Self.start)
        var asked: [Double] = []
        for second in 1..<20 {
            let now = Self.start + .seconds(second)
            _ = discovery.handle(.neighborFailed, at: now)
            let sent = Self.run(&discovery, until: .seconds(second))
            asked += Self.times(sent, .solicitation(nil))
        }
        #expect(asked == [4, 8, 12, 16])
    }

    @Test("a question is answered within half a second, but never 3 s after the last answer")
    func answers() {
        for seed in 0..<50 as Range<UInt64> {
            var discovery = RouterDiscovery(linkAddress: nil, seed: seed, at: Self.start)
            _ = Self.run(&discovery, until: .seconds(5))
            let now = Self.start + .seconds(5)
            for _ in 0..<100 {
                #expect(
                    discovery.handle(.received(.solicitation(nil), from: Self.two), at: now) == [])
            }
            let answered = Self.times(
                Self.run(&discovery, until: .milliseconds(5_500)), Self.advertisement)
            #expect(answered.count == 1)
            for tenth in 56..<120 {
                _ = discovery.handle(
                    .received(.solicitation(nil), from: Self.two),
                    at: Self.start + .milliseconds(tenth * 100))
            }
            let more = Self.times(Self.run(&discovery, until: .seconds(12)), Self.advertisement)
            let all = answered + more
            #expect(zip(all, all.dropFirst()).allSatisfy { $1 - $0 > 2.999_999 })
        }
    }
}
