import BFD
import NetworkTypes
import Testing

@Suite("Anything in any order")
struct ChaosTests {
    /// A sequence of numbers that a seed determines.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state ^ state >> 29) &* 0x9e37_79b9_7f4a_7c15
        }
    }

    private static func settings(_ dice: inout Dice, isSigned: Bool) -> BFDSession.Settings {
        var settings = BFDSession.Settings.every(
            [10, 50, 300, 1_000].randomElement(using: &dice) ?? 50,
            times: UInt8.random(in: 2...5, using: &dice))
        settings.requiredMinReceive = [10_000, 300_000].randomElement(using: &dice) ?? 10_000
        if Bool.random(using: &dice) {
            settings.echo = .init(transmitInterval: 50_000, requiredMinReceive: 50_000)
        }
        if isSigned {
            settings.authentication = BFDAuthentication(
                method: .meticulousKeyedSHA1, key: .init(id: 1, secret: [1, 2, 3]))
        }
        return settings
    }

    @Test(
        "After loss, restarts, changes, pauses and commands, a quiet link brings both ends up",
        arguments: 1...40)
    func convergence(seed: Int) {
        var dice = Dice(state: UInt64(seed))
        let isSigned = seed % 4 == 0
        var pair = Pair(
            Self.settings(&dice, isSigned: isSigned), Self.settings(&dice, isSigned: isSigned),
            seed: UInt64(seed))
        for round in 0..<40 {
            let end = Int.random(in: 0...1, using: &dice)
            switch Int.random(in: 0..<8, using: &dice) {
            case 0: pair.tell(end, .disable)
            case 1: pair.tell(end, .enable)
            case 2: pair.restart(end, discriminator: UInt32(100 + round))
            case 3:
                let settings = Self.settings(&dice, isSigned: isSigned)
                pair.tell(end, .settingsChanged(settings))
            case 4: pair.suspend(end, for: .milliseconds(Int.random(in: 1...800, using: &dice)))
            case 5: pair.echoes[end].toggle()
            case 6:
                let limit = Int.random(in: 0...10, using: &dice)
                pair.loses = { end, number in
                    (number &* 2_654_435_761 &+ end) >> 8 % 10 < limit
                }
            default: pair.loses = { _, _ in false }
            }
            pair.run(for: .milliseconds(Int.random(in: 1...1_500, using: &dice)))
        }
        pair.loses = { _, _ in false }
        pair.echoes = [true, true]
        for end in 0...1 { pair.tell(end, .enable) }
        pair.run(for: .seconds(30))
        #expect(pair.states == [.up, .up])
        #expect(pair.ends.map(\.reachability) == [.up, .up])
        for end in pair.ends {
            #expect(!end.status.isPolling)
            #expect(
                (end.status.echo == .active)
                    == (end.settings.echo?.transmitInterval != nil
                        && end.status.remote?.requiredMinEchoReceive != 0))
        }
        // Each end expects what the other does.
        for (one, other) in [(pair.ends[0], pair.ends[1]), (pair.ends[1], pair.ends[0])] {
            #expect(one.status.transmitInterval == other.status.receiveInterval)
        }
    }

    @Test("What an end says of its state is always what the other hears of it", arguments: 1...5)
    func truth(seed: Int) {
        var pair = Pair.up(seed: UInt64(seed))
        pair.run(for: .seconds(5))
        for end in 0...1 {
            for (_, packet) in pair.packets(of: end) {
                #expect(packet.myDiscriminator == pair.ends[end].discriminator)
                #expect(packet.yourDiscriminator == pair.ends[1 - end].discriminator)
                #expect(packet.state == .up)
                #expect(!(packet.isPoll && packet.isFinal))
                #expect(!packet.isDemand)
            }
        }
    }
}
