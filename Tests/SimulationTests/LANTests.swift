import Layer2
import NetworkTypes
import Simulation
import Testing

@Suite("The fixture: the LAN")
struct LANTests {
    private let stations = (0..<3).map { MACAddress(bits: 0x0200_5e10_0000 + UInt64($0)) }
    private let client = IPAddress(ipv4: 0xc000_0263)
    private let service = IPAddress(ipv4: 0xc000_020a)
    private let start = Instant(nanoseconds: 0)

    private func question(by station: Int, to other: Int? = nil) -> [UInt8] {
        NeighborFrame.question(
            for: service, by: client, at: stations[station], to: other.map { stations[$0] })
    }

    @Test("A frame for a station that the switch does not know goes everywhere")
    func flooding() {
        var random = SeededRandom(seed: 1)
        var lan = VirtualLAN()
        let sent = lan.send(question(by: 0, to: 1), from: 0, at: start, &random)
        #expect(sent.map(\.to) == [nil])
        #expect(sent.allSatisfy { $0.from == 0 && $0.arrives > start })
    }

    @Test("A frame for a station that has spoken goes to its port alone")
    func learning() {
        var random = SeededRandom(seed: 1)
        var lan = VirtualLAN()
        _ = lan.send(question(by: 1), from: 1, at: start, &random)
        #expect(lan.port(of: stations[1], at: start) == 1)
        #expect(lan.send(question(by: 0, to: 1), from: 0, at: start, &random).map(\.to) == [1])
    }

    @Test("A station that has moved is missed until it speaks, or the switch forgets")
    func staleTable() {
        var random = SeededRandom(seed: 1)
        var lan = VirtualLAN()
        _ = lan.send(question(by: 1), from: 1, at: start, &random)
        // It is plugged in elsewhere and says nothing.
        #expect(lan.send(question(by: 0, to: 1), from: 0, at: start, &random).map(\.to) == [1])
        _ = lan.send(question(by: 1), from: 2, at: start, &random)
        #expect(lan.send(question(by: 0, to: 1), from: 0, at: start, &random).map(\.to) == [2])
        let later = start + VirtualLAN.memory
        #expect(lan.send(question(by: 0, to: 1), from: 0, at: later, &random).map(\.to) == [nil])
    }

    @Test("What is no Ethernet frame goes nowhere")
    func runts() {
        var random = SeededRandom(seed: 1)
        var lan = VirtualLAN()
        #expect(lan.send([1, 2, 3], from: 0, at: start, &random).isEmpty)
    }

    @Test("A doubled frame arrives twice")
    func doubling() {
        var random = SeededRandom(seed: 1)
        var lan = VirtualLAN()
        lan.medium.quality.duplicatePerMille = 1000
        #expect(lan.send(question(by: 0), from: 0, at: start, &random).count == 2)
    }
}

@Suite("The fixture: hosts that use addresses")
struct ClientTests {
    static let services = [
        IPAddress(ipv4: 0xc000_020a), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 10),
    ]
    private let hardware = MACAddress(bits: 0x0200_5e20_0001)
    private let owners = (0..<2).map { MACAddress(bits: 0x0200_5e10_0000 + UInt64($0)) }
    private let start = Instant(nanoseconds: 0)

    private func client(of service: IPAddress) -> VirtualClient {
        VirtualClient(
            port: 9, hardware: hardware,
            own: [
                IPAddress(ipv4: 0xc000_0263),
                IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 99),
            ], addresses: [service], interval: .milliseconds(10), start: start)
    }

    /// What an owner of the address would answer to the frame, as every host reads it.
    private func answer(
        to frame: [UInt8], for service: IPAddress, by owner: Int
    ) throws -> NeighborFrame {
        let question = try #require(NeighborFrame(frame))
        #expect(question.asked == service)
        let frame = NeighborFrame.answer(to: question, by: service, at: owners[owner])
        return try #require(NeighborFrame(frame))
    }

    /// What a real announcer sends unasked.
    private func announcement(of service: IPAddress, by owner: Int) throws -> NeighborFrame {
        var announcer = Announcer(interface: "eth0", macAddress: owners[owner])
        let actions = announcer.handle(
            .addressAdded(service, AnnouncementSettings(start: .atOnce)), at: start)
        let frames = actions.compactMap { action -> NeighborFrame? in
            if case .send(let frame) = action { NeighborFrame(frame) } else { nil }
        }
        return try #require(frames.first { $0.asked == nil && $0.isGratuitous })
    }

    @Test("A host learns from an answer where an address is", arguments: services)
    func learns(service: IPAddress) throws {
        var client = client(of: service)
        let frames = client.ask(at: start)
        #expect(frames.count == 1)
        let heard = client.receive(
            try answer(to: frames[0], for: service, by: 0), at: start + .milliseconds(1))
        #expect(heard.answer?.hardware == owners[0] && heard.answer?.isGratuitous == false)
        #expect(client.cache[service]?.hardware == owners[0])
        #expect(client.nextDeadline == start + .milliseconds(10))
    }

    @Test("An announcement moves an entry and makes none", arguments: services)
    func gratuitous(service: IPAddress) throws {
        var client = client(of: service)
        let announcement = try announcement(of: service, by: 1)
        #expect(client.receive(announcement, at: start).answer?.isGratuitous == true)
        #expect(client.cache[service] == nil)
        let question = client.ask(at: start)[0]
        _ = client.receive(try answer(to: question, for: service, by: 0), at: start)
        _ = client.receive(announcement, at: start + .milliseconds(5))
        let entry = try #require(client.cache[service])
        #expect(entry.hardware == owners[1] && entry.moves == 1)
    }

    @Test(
        "An old entry is asked for directly, three times, and then forgotten", arguments: services)
    func verification(service: IPAddress) throws {
        var client = client(of: service)
        _ = client.receive(
            try answer(to: client.ask(at: start)[0], for: service, by: 0), at: start)
        var direct = 0
        var now = start
        while client.cache[service] != nil, now < start + .seconds(60) {
            now = now + .milliseconds(10)
            for frame in client.ask(at: now) where !(frame[0] & 1 == 1) { direct += 1 }
        }
        #expect(direct == 3)
        #expect(now - start > .seconds(15) && now - start < .seconds(20))
    }

    @Test("A host answers for itself", arguments: [0, 1])
    func answersForItself(family: Int) throws {
        var client = client(of: Self.services[family])
        let own =
            IPAddress.Family.allCases[family] == .ipv4
            ? IPAddress(ipv4: 0xc000_0263) : IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 99)
        let question = try #require(
            NeighborFrame(
                NeighborFrame.question(for: own, by: Self.services[family], at: owners[0])))
        let reply = try #require(client.receive(question, at: start).reply)
        let answer = try #require(NeighborFrame(reply))
        #expect(answer.claimed == own && answer.hardware == hardware)
    }
}
