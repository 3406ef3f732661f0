import BFD
import Glibc
import LinuxNetwork
import NetworkTypes
import TestNetwork
import Testing

@testable import Speaker

@Suite(
    "BFD between two speakers, over a real cable",
    .enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct BFDSpeakerTests {
    /// Paths of both ends towards each other.
    private static func paths(_ index: Int, isMultihop: Bool = false) -> (BFDPath, BFDPath) {
        (
            BFDPath(
                remote: BFDPair.far[index], local: isMultihop ? BFDPair.near[index] : nil,
                interface: isMultihop ? nil : "eth0", isMultihop: isMultihop),
            BFDPath(
                remote: BFDPair.near[index], local: isMultihop ? BFDPair.far[index] : nil,
                isMultihop: isMultihop)
        )
    }

    private static func areUp(_ near: BFDPair.End, _ far: BFDPair.End, _ index: Int) -> Bool {
        near.eventually {
            near.session(BFDPair.far[index])?.status.state == .up
                && far.session(BFDPair.near[index])?.status.state == .up
        }
    }

    @Test("both ends come up and go by the slower of what each wants", arguments: [0, 1])
    func up(index: Int) async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(index)
            near.speaker.apply([there: BFDPair.wish(milliseconds: 20)])
            var slow = BFDPair.wish(milliseconds: 40)
            slow.detectMultiplier = 5
            far.speaker.apply([back: slow])
            #expect(Self.areUp(near, far, index))
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.detectionTime == .milliseconds(200)
                })
            let session = try #require(near.session(there.remote))
            #expect(session.status.transmitInterval == .milliseconds(40))
            #expect(session.status.remote?.detectMultiplier == 5)
            #expect(session.trouble == nil)
            #expect(BFDTransmitSocket.ports.contains(session.sourcePort))
            #expect(near.told(there) == [.up])
        }
    }

    @Test("over link-local addresses the interface says which link is meant")
    func linkLocal() async throws {
        try await BFDPair.run { near, far in
            func address(_ end: BFDPair.End) throws -> IPAddress {
                var found: IPAddress?
                // A tentative address is none to send from.
                _ = try end.eventually {
                    let text = try end.shell("ip -6 -o addr show dev eth0 scope link -tentative")
                    let words = text.split(whereSeparator: { " /".contains($0) })
                    found = words.firstIndex(of: "inet6").flatMap { IPAddress(words[$0 + 1]) }
                    return found != nil
                }
                return try #require(found)
            }
            let (here, there) = (try address(near), try address(far))
            let wish = BFDPair.wish()
            let path = BFDPath(remote: there, interface: "eth0")
            near.speaker.apply([path: wish])
            far.speaker.apply([BFDPath(remote: here, interface: "eth0"): wish])
            #expect(near.eventually { near.told(path) == [.up] })
        }
    }

    @Test(
        "a peer that falls silent is down after the agreed time, and not much later",
        arguments: [0, 1])
    func silence(index: Int) async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(index)
            near.speaker.apply([there: BFDPair.wish(milliseconds: 50)])
            far.speaker.apply([back: BFDPair.wish(milliseconds: 50)])
            #expect(Self.areUp(near, far, index))
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.detectionTime == .milliseconds(150)
                })
            try far.shell(
                "nft add table inet cut && "
                    + "nft add chain inet cut out "
                    + "\\{ type filter hook output priority 0\\; policy drop\\; \\}")
            #expect(near.eventually { near.told(there) == [.up, .down] })
            #expect(near.eventually { near.session(there.remote)?.status.state == .down })
            let status = try #require(near.session(there.remote)?.status)
            #expect(status.diagnostic == .controlDetectionTimeExpired)
            let silence = status.since - (try #require(status.lastReceived))
            #expect(silence >= .milliseconds(150))
            // Generous, because the machine may be busy with other tests.
            #expect(silence <= .milliseconds(450))
            // The far end, which still hears us, is told.
            #expect(
                far.eventually {
                    far.session(back.remote)?.status.diagnostic == .neighborSignaledSessionDown
                })
        }
    }

    @Test("an end that stops says AdminDown, which is no failure of the path")
    func stop() async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(0)
            near.speaker.apply([there: BFDPair.wish()])
            far.speaker.apply([back: BFDPair.wish()])
            #expect(Self.areUp(near, far, 0))
            far.speaker.stop()
            #expect(near.eventually { near.told(there) == [.up, .unknown] })
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.diagnostic == .neighborSignaledSessionDown
                })
        }
    }

    @Test("a session that nobody wishes for says so, goes, and can come again")
    func farewell() async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(0)
            near.speaker.apply([there: BFDPair.wish()])
            far.speaker.apply([back: BFDPair.wish()])
            #expect(Self.areUp(near, far, 0))
            near.speaker.apply([:])
            #expect(near.eventually { near.speaker.report.sessions.isEmpty })
            #expect(far.eventually { far.told(back) == [.up, .unknown] })
            // Nobody is told of a path that nobody asked for.
            #expect(near.told(there) == [.up])
            near.speaker.apply([there: BFDPair.wish()])
            #expect(Self.areUp(near, far, 0))
            #expect(far.told(back) == [.up, .unknown, .up])
        }
    }

    @Test("other timers take effect while the session stays up")
    func newTimers() async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(1)
            near.speaker.apply([there: BFDPair.wish(milliseconds: 20)])
            far.speaker.apply([back: BFDPair.wish(milliseconds: 20)])
            #expect(Self.areUp(near, far, 1))
            let port = near.session(there.remote)?.sourcePort
            for milliseconds in [100, 30] {
                near.speaker.apply([there: BFDPair.wish(milliseconds: milliseconds)])
                let agreed = Duration.milliseconds(milliseconds)
                #expect(
                    far.eventually {
                        far.session(back.remote)?.status.receiveInterval == agreed
                            && near.session(there.remote)?.status.receiveInterval == agreed
                            && near.session(there.remote)?.status.isPolling == false
                    })
            }
            #expect(near.told(there) == [.up])
            #expect(far.told(back) == [.up])
            #expect(near.session(there.remote)?.sourcePort == port)
        }
    }

    @Test(
        "every method of authentication lets the peer in and nobody else",
        arguments: BFDAuthentication.Method.allCases)
    func authentication(method: BFDAuthentication.Method) async throws {
        try await BFDPair.run { near, far in
            func wish(_ secret: String) throws -> BFDWish {
                var wish = BFDPair.wish()
                let key = BFDAuthentication.Key(id: 7, secret: Array(secret.utf8))
                let authentication = BFDAuthentication(method: method, key: key)
                #expect(authentication != nil)
                wish.authentication = authentication
                return wish
            }
            let (there, back) = Self.paths(0)
            near.speaker.apply([there: try wish("one secret")])
            far.speaker.apply([back: try wish("another one")])
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.counters.discards[.authenticationDigest] ?? 0
                        > 0
                        || near.session(there.remote)?.status.counters
                            .discards[.authenticationLength] ?? 0 > 0
                })
            #expect(near.told(there).isEmpty)
            far.speaker.apply([back: try wish("one secret")])
            #expect(near.eventually { near.told(there) == [.up] })
        }
    }

    @Test("a passive end waits for the other, also over several hops")
    func passiveMultihop() async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(0, isMultihop: true)
            var passive = BFDPair.wish()
            passive.isPassive = true
            near.speaker.apply([there: passive])
            #expect(near.eventually { near.session(there.remote) != nil })
            far.speaker.apply([back: BFDPair.wish()])
            #expect(near.eventually { near.told(there) == [.up] })
        }
    }

    @Test("a port that another daemon has is told, and everything else goes on")
    func portTaken() async throws {
        try await BFDPair.run { near, far in
            let any = IPAddress(family: .ipv4, bits: 0)
            var daemon: DatagramSocket? = try DatagramSocket(SocketAddress(any, port: 3784))
            #expect(daemon?.local.port == 3784)
            let paths = [0, 1].map { Self.paths($0) }
            let wish = BFDPair.wish()
            near.speaker.apply(Dictionary(uniqueKeysWithValues: paths.map { ($0.0, wish) }))
            far.speaker.apply(Dictionary(uniqueKeysWithValues: paths.map { ($0.1, wish) }))
            #expect(Self.areUp(near, far, 1))
            let trouble = near.session(BFDPair.far[0])?.trouble
            #expect(trouble?.contains("another BFD daemon") == true)
            #expect(near.speaker.report.troubles.count == 1)
            // Without ears it does not speak: the far end would answer the other daemon.
            #expect(far.session(BFDPair.near[0])?.status.remote == nil)
            daemon = nil
            #expect(Self.areUp(near, far, 0))
            #expect(near.speaker.report.troubles.isEmpty)
        }
    }

    @Test("a session comes back on an interface that was made anew")
    func newInterface() async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(0)
            near.speaker.apply([there: BFDPair.wish()])
            far.speaker.apply([back: BFDPair.wish()])
            #expect(Self.areUp(near, far, 0))
            try near.shell("ip link del eth0")
            #expect(near.eventually { near.told(there) == [.up, .down] })
            let network = far.enter.split(separator: "=").last ?? ""
            try near.shell("ip link add eth0 type veth peer name far0")
            try near.shell("ip link set far0 netns \(network) name eth0")
            for (end, number) in [(near, 1), (far, 2)] {
                try end.shell("ip addr add 192.0.2.\(number)/24 dev eth0; ip link set eth0 up")
            }
            #expect(near.eventually { near.told(there) == [.up, .down, .up] })
        }
    }

    @Test(
        "echo packets come back through the peer, and their loss takes the session down",
        arguments: [0, 1])
    func echo(index: Int) async throws {
        try await BFDPair.run { near, far in
            let (there, back) = Self.paths(index)
            var echoing = BFDPair.wish(milliseconds: 50)
            echoing.echoInterval = .milliseconds(20)
            near.speaker.apply([there: echoing])
            far.speaker.apply([back: echoing])
            #expect(Self.areUp(near, far, index))
            let isOffered = index == 0
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.echo == (isOffered ? .active : .off)
                })
            guard isOffered else { return }
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.counters.echoesReturned ?? 0 > 10
                })
            try far.shell("echo 0 > /proc/sys/net/ipv4/conf/all/forwarding")
            #expect(
                near.eventually {
                    near.session(there.remote)?.status.diagnostic == .echoFunctionFailed
                })
            #expect(near.told(there).starts(with: [.up, .down]))
        }
    }

    @Test("what belongs to no session is counted and answered by nothing")
    func strangers() async throws {
        try await BFDPair.run { near, _ in
            let (there, _) = Self.paths(0)
            near.speaker.apply([there: BFDPair.wish()])
            #expect(near.eventually { near.session(there.remote) != nil })
            let garbage = try DatagramSocket(
                SocketAddress(BFDPair.near[0], port: 0))
            garbage.enqueue([0x20, 0x40].span, to: SocketAddress(BFDPair.near[0], port: 3784))
            garbage.enqueue([0xff].span, to: SocketAddress(BFDPair.near[0], port: 3784))
            #expect(garbage.flush().isEmpty)
            #expect(
                near.eventually {
                    near.speaker.report.discards[.version] == 1
                        && near.speaker.report.discards[.lengthBeyondPayload] == 1
                })
            #expect(near.told(there).isEmpty)
        }
    }
}
