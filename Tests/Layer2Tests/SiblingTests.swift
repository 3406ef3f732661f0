import Layer2
import NetworkTypes
import Testing

/// Two interfaces of one node on one LAN: stations 0 (the lower link-layer address) and 1.
@Suite("Two interfaces of one node on one LAN")
struct SiblingTests {
    private static let starts: [AnnouncementSettings.Start] = [.atOnce, .afterCheck, .afterProbing]

    private func wire() -> Wire {
        var wire = Wire([Cast.speaker, Cast.peer], knowEachOther: true)
        wire.handle(.siblingsChanged([Cast.peer]), by: 0)
        wire.handle(.siblingsChanged([Cast.speaker]), by: 1)
        return wire
    }

    @Test(
        "However an address comes to the node, one of its interfaces answers in the end",
        arguments: starts, Cast.families)
    func one(start: AnnouncementSettings.Start, family: IPAddress.Family) {
        let address = Cast.address(family)
        let settings = AnnouncementSettings(start: start, reannounceInterval: nil)
        for order in [[0, 1], [1, 0]] {
            var wire = wire()
            for station in order { wire.handle(.addressAdded(address, settings), by: station) }
            wire.run(until: .milliseconds(1_000))
            #expect(wire.answering(address) == [0])
            wire.run(until: .milliseconds(60_000)) { #expect($0.answering(address) == [0]) }
            let reports = wire.reports(of: 0) + wire.reports(of: 1)
            #expect(
                reports.allSatisfy {
                    [.answering(address), .standingBy(address), .peerAnnounces(address, Cast.peer)]
                        .contains($0) || isGroup($0)
                })
        }
    }

    private func isGroup(_ action: Announcer.Action) -> Bool {
        if case .joinGroup = action { true } else { false }
    }

    @Test("Both in use for a moment: a thousandth of a second later only one is")
    func atOnce() {
        let address = Cast.address(.ipv4)
        let settings = AnnouncementSettings(start: .atOnce)
        var wire = wire()
        wire.handle(.addressAdded(address, settings), by: 0)
        wire.handle(.addressAdded(address, settings), by: 1)
        wire.run(until: .milliseconds(1))
        #expect(wire.answering(address) == [0])
        #expect(wire.reports(of: 1).contains(.standingBy(address)))
    }

    @Test("When the interface that answers is gone the other one answers within 20 ms")
    func gone() {
        let address = Cast.address(.ipv4)
        let settings = AnnouncementSettings(start: .atOnce)
        var wire = wire()
        for station in 0...1 { wire.handle(.addressAdded(address, settings), by: station) }
        wire.run(until: .milliseconds(10_000))
        wire.cutOff = [0]
        wire.handle(.siblingsChanged([]), by: 1)
        wire.run(until: .milliseconds(10_020))
        #expect(wire.answering(address).contains(1))
    }

    @Test("When only the address is taken from it, the other one answers within 6 s")
    func removed() {
        let address = Cast.address(.ipv4)
        let settings = AnnouncementSettings(start: .atOnce)
        var wire = wire()
        for station in 0...1 { wire.handle(.addressAdded(address, settings), by: station) }
        wire.run(until: .milliseconds(100_000))
        wire.handle(.addressRemoved(address), by: 0)
        wire.run(until: .milliseconds(106_000))
        #expect(wire.answering(address) == [1])
    }

    @Test("The interface that comes back first is in use, and the other learns of it")
    func back() {
        let address = Cast.address(.ipv6)
        let settings = AnnouncementSettings(start: .atOnce)
        var wire = wire()
        for station in 0...1 { wire.handle(.addressAdded(address, settings), by: station) }
        wire.run(until: .milliseconds(10_000))
        wire.cutOff = [0]
        wire.handle(.siblingsChanged([]), by: 1)
        wire.run(until: .milliseconds(20_000))
        wire.cutOff = []
        wire.handle(.siblingsChanged([Cast.speaker]), by: 1)
        wire.handle(.linkRestored, by: 0)
        wire.run(until: .milliseconds(20_002))
        #expect(wire.answering(address) == [0])
    }
}
