import Layer2
import NetworkTypes
import Testing

@Suite("Two announcers on one wire")
struct PairTests {
    private let probeFirst = AnnouncementSettings(start: .afterProbing, reannounceInterval: nil)

    @Test(
        "Peers who want an address together never both answer, whoever asks first",
        arguments: Cast.families)
    func together(family: IPAddress.Family) {
        let address = Cast.address(family)
        for delay in stride(from: 0, through: 200, by: 10) {
            for order in [[0, 1], [1, 0]] {
                var wire = Wire([Cast.speaker, Cast.peer], knowEachOther: true)
                wire.handle(.addressAdded(address, probeFirst), by: order[0])
                wire.run(until: .milliseconds(delay))
                wire.handle(.addressAdded(address, probeFirst), by: order[1])
                var most = 0
                wire.run(until: .milliseconds(5000)) {
                    most = max(most, $0.answering(address).count)
                }
                #expect(most == 1, "\(delay) ms, \(order)")
            }
        }
    }

    @Test(
        "A hand-over between peers: never two, and the new owner answers within 1.2 s",
        arguments: Cast.families)
    func handOver(family: IPAddress.Family) {
        let address = Cast.address(family)
        var wire = Wire([Cast.speaker, Cast.peer], knowEachOther: true)
        wire.handle(.addressAdded(address, probeFirst), by: 0)
        wire.run(until: .milliseconds(1000))
        #expect(wire.answering(address) == [0])
        wire.handle(.addressAdded(address, probeFirst), by: 1)
        wire.run(until: .milliseconds(3000)) { #expect($0.answering(address) == [0]) }
        wire.handle(.addressRemoved(address), by: 0)
        wire.run(until: .milliseconds(4200))
        #expect(wire.answering(address) == [1])
        #expect(!wire.actions.contains { if case .conflict = $0.action { true } else { false } })
    }

    @Test(
        "Strangers: the second finds the address taken and the first keeps it, undisturbed",
        arguments: Cast.families)
    func strangers(family: IPAddress.Family) {
        let address = Cast.address(family)
        var wire = Wire([Cast.speaker, Cast.stranger], knowEachOther: false)
        wire.handle(.addressAdded(address, probeFirst), by: 0)
        wire.run(until: .milliseconds(1000))
        wire.handle(.addressAdded(address, probeFirst), by: 1)
        wire.run(until: .milliseconds(300_000)) { #expect($0.answering(address) == [0]) }
        let conflicts = wire.actions.filter {
            if case .conflict = $0.action { true } else { false }
        }
        #expect(conflicts.count >= 4 && conflicts.count <= 8)
        #expect(conflicts.allSatisfy { $0.station == 1 })
    }

    @Test(
        "Strangers who both insist do not fight: one defence each in 10 s at most",
        arguments: Cast.families)
    func bothInsist(family: IPAddress.Family) {
        let address = Cast.address(family)
        let atOnce = AnnouncementSettings(start: .atOnce, reannounceInterval: .seconds(1))
        var wire = Wire([Cast.speaker, Cast.stranger], knowEachOther: false)
        wire.handle(.addressAdded(address, atOnce), by: 0)
        wire.handle(.addressAdded(address, atOnce), by: 1)
        wire.run(until: .milliseconds(60_000))
        let perStation = family == .ipv4 ? 2 : 1
        for station in 0...1 {
            let frames = wire.actions.filter {
                if case .send = $0.action { $0.station == station } else { false }
            }
            // The burst, one repeat a second, one defence in ten.
            #expect(frames.count <= (4 + 60 + 7) * perStation)
        }
    }

    @Test(
        "With 30 % loss the use of a taken address is noticed within five seconds",
        arguments: Cast.families)
    func loss(family: IPAddress.Family) {
        let address = Cast.address(family)
        for seed in UInt64(1)...50 {
            var wire = Wire([Cast.speaker, Cast.stranger], knowEachOther: false, seed: seed)
            wire.handle(.addressAdded(address, probeFirst), by: 0)
            wire.run(until: .milliseconds(5000))
            wire.lossPerMille = 300
            wire.handle(.addressAdded(address, probeFirst), by: 1)
            wire.run(until: .milliseconds(10_000))
            let noticed = wire.actions.contains {
                if case .conflict = $0.action { true } else { false }
            }
            #expect(noticed, "seed \(seed)")
        }
    }
}
