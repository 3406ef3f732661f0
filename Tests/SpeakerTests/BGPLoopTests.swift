import BFD
import BGP
import Kubernetes
import NetworkTypes
import Testing

@testable import LinuxNetwork
@testable import Speaker

/// The loop between two turns, without its thread: what it keeps of peers, paths and ports.
@Suite("What the BGP thread keeps", .serialized) struct BGPLoopTests {
    private let now = MonotonicClock.now()

    private func loop(_ listening: BGPSpeaker.Listening = .init(port: 0)) throws -> BGPLoop {
        BGPLoop(
            mailbox: try Mailbox(empty: BGPMail()), listening: listening,
            outlets: .init(watch: { _ in }, tell: { _ in }))
    }

    private func plan(at place: PeerTransport.Place, port: UInt16 = 17_920) -> BGPPeerPlan {
        var transport = PeerTransport(place: place)
        transport.port = port
        return BGPPeerPlan(
            session: PeerSettings(localAS: 64_500, remoteAS: .number(64_501), routerID: 1),
            transport: transport,
            bfd: BFDProfile(metadata: ObjectMeta(name: ObjectName("fast"))))
    }

    @Test("a peer that shares a path which is up is told so, and so notices when it goes down")
    func sharedPath() throws {
        let loop = try loop()
        let place = PeerTransport.Place.address(IPAddress(ipv4: 0x7f00_0001))
        loop.take(["one": plan(at: place)], at: now)
        let path = try #require(loop.wishes.keys.first)
        loop.take(.up, of: path, at: now)
        // Renamed: the wish stays what it was, so BFD has no reason to say anything again.
        loop.take(["other": plan(at: place)], at: now)
        #expect(loop.runners["other"]?.machine.status.path == .up)
        loop.take(.down, of: path, at: now)
        #expect(loop.runners["other"]?.machine.status.state == .idle)
        #expect(loop.runners["other"]?.connections.isEmpty == true)
    }

    @Test("what BFD said is forgotten with the profile, and with the address")
    func forgottenPath() throws {
        let loop = try loop()
        let place = PeerTransport.Place.address(IPAddress(ipv4: 0x7f00_0001))
        loop.take(["one": plan(at: place)], at: now)
        let path = try #require(loop.wishes.keys.first)
        loop.take(.up, of: path, at: now)
        loop.take(.down, of: path, at: now)
        #expect(loop.runners["one"]?.machine.status.state == .idle)
        var plan = plan(at: place)
        plan.bfd = nil
        loop.take(["one": plan], at: now)
        #expect(loop.runners["one"]?.machine.status.path == .unknown)
        #expect(loop.runners["one"]?.machine.status.state != .idle)
    }

    @Test("a peer that comes to an interface which another had knows the router there")
    func renamedUnnumbered() throws {
        let loop = try loop()
        let link = Link(
            index: 1, name: "lo", macAddress: nil, hardwareType: 1, flags: [.up, .lowerUp],
            kind: nil, master: nil)
        loop.take(LinkTable([link]), at: now)
        let router = try #require(IPAddress("fe80::9"))
        loop.take(["one": plan(at: .interface("lo"))], at: now)
        #expect(loop.runners["one"]?.hindrance?.contains("no router is heard") == true)
        loop.neighbors["lo"]?.take(
            .advertisement(RouterAdvertisement(linkAddress: nil)), from: router, at: now)
        #expect(loop.runners["one"]?.remote == router)

        loop.take(["other": plan(at: .interface("lo"))], at: now)
        #expect(loop.runners["other"]?.remote == router)
        #expect(loop.runners["other"]?.machine.isRunning == true)

        loop.take([:], at: now)
        #expect(loop.neighbors.isEmpty)
        #expect(loop.watched.isEmpty, "nothing is kept of an interface that nobody peers on")
    }

    @Test("another router on the interface is tried soon, however long the last one failed")
    func otherRouter() throws {
        let loop = try loop()
        let link = Link(
            index: 1, name: "lo", macAddress: nil, hardwareType: 1, flags: [.up, .lowerUp],
            kind: nil, master: nil)
        loop.take(LinkTable([link]), at: now)
        loop.take(["one": plan(at: .interface("lo"))], at: now)
        let advertisement = RouterMessage.advertisement(RouterAdvertisement(linkAddress: nil))
        let first = try #require(IPAddress("fe80::9"))
        let second = try #require(IPAddress("fe80::a"))
        loop.neighbors["lo"]?.take(advertisement, from: first, at: now)
        let runner = try #require(loop.runners["one"])
        for minute in 1...10 {
            loop.handle(.deadlineReached, runner, at: now + .seconds(60 * minute))
        }
        let later = now + .seconds(660)
        loop.neighbors["lo"]?.take(advertisement, from: second, at: later)
        #expect(runner.remote == second)
        let next = try #require(runner.machine.nextDeadline)
        #expect(next <= later + .seconds(1))
    }

    @Test("of two ports the one that was taken is tried again, beside the one that is open")
    func onePortTaken() throws {
        let any = IPAddress.unspecifiedIPv4
        var other: StreamListener? = try StreamListener(SocketAddress(any, port: 17_921))
        let loop = try loop(.init(port: 17_921, isAlways: true))
        loop.listen(at: now)
        #expect(!loop.listeners.values.contains { $0.local.address == any })
        #expect(loop.listeningTrouble?.contains("17921") == true)
        #expect(loop.listenAt == now + BGPLoop.retryInterval)
        other = nil
        #expect(other == nil)
        loop.listen(at: now)
        #expect(loop.listeners.values.contains { $0.local.address == any })
        #expect(loop.listeningTrouble == nil)
        #expect(loop.listenAt == nil)
    }

    @Test("a session that is about to end is told nothing new")
    func farewell() throws {
        let prefix = try #require(Prefix("198.51.100.1/32"))
        let runner = PeerRunner(
            name: "one", plan: plan(at: .interface("lo")), seed: 1)
        runner.farewell = now
        runner.change([prefix: Route()])
        runner.mark(true)
        #expect(runner.rib.counts.ipv4.wanted == 0)
    }
}
