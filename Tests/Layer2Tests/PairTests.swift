import Layer2
import NetworkTypes
import Testing

/// Two announcers on one wire with one virtual clock; a frame takes 100 µs and can be lost.
private struct Wire {
    var stations: [Announcer]
    var now = Instant.milliseconds(0)
    var actions: [(at: Instant, station: Int, action: Announcer.Action)] = []
    var lossPerMille: UInt64 = 0
    private var inFlight: [(arrives: Instant, sender: Int, frame: [UInt8])] = []
    private var random: SplitMix

    init(_ macs: [MACAddress], knowEachOther: Bool, seed: UInt64 = 1) {
        stations = macs.map { Announcer(interface: "eth0", macAddress: $0) }
        random = SplitMix(state: seed)
        guard knowEachOther else { return }
        for index in stations.indices {
            handle(.peersChanged(Set(macs.filter { $0 != macs[index] })), by: index)
        }
    }

    mutating func handle(_ event: Announcer.Event, by station: Int) {
        for action in stations[station].handle(event, at: now) {
            actions.append((now, station, action))
            if case .send(let frame) = action {
                inFlight.append((now + .microseconds(100), station, frame))
            }
        }
    }

    /// Goes on to the next arrival or deadline until `end`.
    mutating func run(until end: Instant, check: (Wire) -> Void = { _ in }) {
        while true {
            let wakeUps = stations.compactMap(\.nextDeadline) + inFlight.prefix(1).map(\.arrives)
            guard let next = wakeUps.min(), next <= end else { break }
            now = max(now, next)
            if let first = inFlight.first, first.arrives <= now {
                inFlight.removeFirst()
                for station in stations.indices where station != first.sender {
                    if random.next() % 1000 < lossPerMille { continue }
                    handle(.frameReceived(first.frame), by: station)
                }
            } else {
                for station in stations.indices { handle(.deadlineReached, by: station) }
            }
            check(self)
        }
        now = end
    }

    func answering(_ address: IPAddress) -> [Int] {
        stations.indices.filter { stations[$0].state(of: address)?.isAnswering == true }
    }
}

@Suite("Two announcers on one wire")
struct PairTests {
    private let probeFirst = AnnouncementSettings(probeFirst: true, reannounceInterval: nil)

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
        let atOnce = AnnouncementSettings(probeFirst: false, reannounceInterval: .seconds(1))
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
