import Layer2
import LinuxNetwork
import LoadBalancing
import Membership
import NetworkTypes
import SealedDatagrams
import Synchronization
import TestNetwork
import Testing

@testable import Speaker

/// One node's threads, put together as a speaker does it: gossip, tenure and an interface.
private final class WiredSpeaker: Sendable {
    let name: String
    let station: MACAddress
    let tenure: TenureSpeaker
    let layer2: Layer2Speaker
    let membership: MembershipSpeaker
    let events = Told<Layer2Event.Kind>()
    private let permit = AnsweringPermit()

    init(
        _ name: String, on interface: String, station: MACAddress, at place: SocketAddress,
        join: [SocketAddress], keys: MembershipSpeaker.KeySource
    ) throws {
        self.name = name
        self.station = station
        let (tenure, events) = (try TenureSpeaker(node: name), events)
        self.tenure = tenure
        layer2 = Layer2Speaker(
            interfaces: [interface], permit: permit,
            observer: { event in
                events.note(event.kind)
                tenure.note(event)
            })
        membership = try MembershipSpeaker(
            settings: .init(
                node: name, address: place.address, port: place.port, join: join, keys: keys))
    }

    func start(_ facts: Tenure.Facts, stations: [MACAddress: String]) throws {
        let membership = membership
        try tenure.start(
            gossips: true, layer2: layer2, permit: permit,
            claim: { membership.spread(claims: $0) })
        try membership.start(permit: permit, layer2: layer2, tenure: tenure)
        layer2.update(peers: Set(stations.keys))
        tenure.post {
            $0.facts = facts
            $0.stations = stations
        }
        membership.update(seeds: [])
        membership.introduce([:])
    }

    func phase(of address: IPAddress) -> Tenure.Phase? { tenure.report.tenure.phase(of: address) }

    /// Everything ends at once, as when the process is killed.
    func stop() {
        membership.stop()
        tenure.stop()
        layer2.stop()
    }
}

/// Two nodes that gossip, each on its own interface of one LAN, and a client on `far0`.
private struct WiredPair: Sendable {
    let address = TenureLoopBench.address
    let speakers: [WiredSpeaker]

    static func run(_ body: @escaping @Sendable (WiredPair) throws -> Void) async throws {
        let scratch = try ScratchFolder()
        let keys = MembershipSpeaker.KeySource.file(
            path: try scratch.keys("gossip.keys"), isMadeIfMissing: false)
        try await Namespace.run {
            try Namespace.shell(
                """
                sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
                ip link set lo up
                ip link add br0 type bridge mcast_snooping 0; ip link set br0 up
                ip link add eth0 address 52:54:00:00:00:01 type veth peer name port0
                ip link add eth1 address 52:54:00:00:00:02 type veth peer name port1
                ip link add far0 type veth peer name port2
                for number in 0 1 2; do
                  ip link set port$number master br0 up
                done
                ip link set eth0 up; ip link set eth1 up; ip link set far0 up
                """)
            let loopback = IPAddress(family: .ipv4, bits: 0x7f00_0001)
            let places = [7_481, 7_482].map { SocketAddress(loopback, port: $0) }
            let speakers = try (0..<2).map { index in
                try WiredSpeaker(
                    "n\(index + 1)", on: "eth\(index)",
                    station: MACAddress(bits: 0x5254_0000_0001 + UInt64(index)),
                    at: places[index], join: [places[1 - index]], keys: keys)
            }
            let monitor = try LinkMonitor()
            defer {
                monitor.stop()
                speakers.forEach { $0.stop() }
            }
            try monitor.start(
                failed: { Issue.record($0) },
                deliver: { table in speakers.forEach { $0.layer2.update(links: table) } })
            let stations = Dictionary(
                speakers.map { ($0.station, $0.name) }, uniquingKeysWith: { $1 })
            let facts = TenureLoopBench.facts { $0.nodes["n3"] = nil }
            for speaker in speakers { try speaker.start(facts, stations: stations) }
            try body(WiredPair(speakers: speakers))
        }
    }

    /// Who holds the address, and who does not, once that is clear to both.
    func settled() throws -> (owner: WiredSpeaker, other: WiredSpeaker) {
        var owner: WiredSpeaker?
        let isSettled = Namespace.eventually(within: .seconds(20)) {
            owner = speakers.first { $0.phase(of: address) == .holding }
            let others = speakers.filter { $0.name != owner?.name }
            return owner != nil
                && others.allSatisfy {
                    $0.phase(of: address) == nil
                        && $0.tenure.report.ownership?.owner(of: address) == owner?.name
                }
        }
        #expect(isSettled)
        let found = try #require(owner)
        return (found, try #require(speakers.first { $0.name != found.name }))
    }

    func isAnswered(by speaker: WiredSpeaker) throws -> Bool {
        try Namespace.eventually(within: .seconds(20)) {
            try Layer2SpeakerTests.ask(address, on: "far0")?.1 == speaker.station
        }
    }
}

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct HandOverTests {
    @Test("one that stops answers until the other does, and is silent then")
    func handOver() async throws {
        try await WiredPair.run { pair in
            let (owner, other) = try pair.settled()
            #expect(try pair.isAnswered(by: owner))
            // As a speaker does it: the others are told, and their facts say so.
            owner.membership.spread(.drain)
            #expect(
                Namespace.eventually(within: .seconds(20)) {
                    other.membership.members[owner.name]?.isDraining == true
                })
            let facts = TenureLoopBench.facts {
                $0.nodes["n3"] = nil
                $0.nodes[owner.name]?.isDraining = true
            }
            other.tenure.post { $0.facts = facts }
            owner.tenure.post { $0.isStopping = true }
            let isOver = Namespace.eventually(within: .seconds(20)) {
                let isOver = owner.tenure.report.hasHandedOverAll
                // Silent here, so the other must have begun before.
                if owner.phase(of: pair.address) == nil {
                    #expect(other.events.contains { $0 == .answering(pair.address) })
                }
                return isOver
            }
            #expect(isOver)
            #expect(owner.phase(of: pair.address) == nil)
            #expect(try pair.isAnswered(by: other))
            #expect(other.tenure.report.moveCounts["handover"] == 1)
            let epochs = [owner, other].map { $0.tenure.report.claims[pair.address] }
            #expect(epochs[0] == nil)
            #expect(epochs[1] ?? 0 > 1)
        }
    }

    @Test("the address of one that is killed is taken over, above its claim")
    func killed() async throws {
        try await WiredPair.run { pair in
            let (owner, other) = try pair.settled()
            let epoch = try #require(owner.tenure.report.claims[pair.address])
            owner.stop()
            #expect(try pair.isAnswered(by: other))
            #expect(
                Namespace.eventually {
                    other.tenure.report.claims[pair.address] == epoch + 1
                })
            #expect(other.tenure.report.moveCounts["takeover"] == 1)
            #expect(
                other.membership.members[owner.name]?.cause == .processGone)
        }
    }

    @Test("an address that is moved by hand is answered by the other, and the first one stops")
    func moved() async throws {
        try await WiredPair.run { pair in
            let (owner, other) = try pair.settled()
            // Again until it is so, as operators' commands do: an election may be under way.
            let isMoved = Namespace.eventually(within: .seconds(20)) {
                other.tenure.post { $0.moves = [pair.address: 1] }
                return other.phase(of: pair.address) == .holding
            }
            #expect(isMoved)
            #expect(try pair.isAnswered(by: other))
            #expect(
                Namespace.eventually(within: .seconds(20)) {
                    owner.phase(of: pair.address) == nil
                })
            #expect(other.tenure.report.moveCounts["byHand"] == 1)
            // And it stays there.
            let (holder, _) = try pair.settled()
            #expect(holder.name == other.name)
        }
    }
}
