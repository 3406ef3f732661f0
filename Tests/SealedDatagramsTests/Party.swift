import NetworkTypes

@testable import SealedDatagrams

/// One end of an exchange, with everything it was given.
final class Party {
    var channel: SealedChannel
    let node: UInt64
    let address: SocketAddress
    private(set) var heard: [[UInt8]] = []
    private(set) var last: SealedChannel.Opened?

    init(_ node: UInt64, keys: KeyRing = Party.ring("a"), seed: UInt64, host: UInt32? = nil) {
        self.node = node
        address = SocketAddress(
            IPAddress(ipv4: 0xc000_0200 + (host ?? UInt32(node))), port: 7481)
        var generator = Sequence(state: seed)
        channel = SealedChannel(node: node, keys: keys, using: &generator)
    }

    /// A ring of keys that each consist of one letter.
    static func ring(_ letters: String) -> KeyRing {
        let lines = letters.utf8.map {
            GossipKey(bytes: [UInt8](repeating: $0, count: 32)).base64 + "\n"
        }
        // The text is ours and right.
        return (try? KeyRing(text: Array(lines.joined().utf8), path: "test")) ?? .none
    }

    func seal(_ payload: [UInt8], to other: Party) -> [UInt8] {
        channel.seal(payload, to: other.address) ?? []
    }

    func didSend(_ quoted: [UInt8], to other: Party) -> Bool {
        channel.didSend(quoted, to: other.address)
    }

    func takeNewTroubles() -> [SealedTrouble] { channel.takeNewTroubles() }

    /// Opens a datagram; what has to go back is returned.
    @discardableResult
    func open(_ datagram: [UInt8], from other: Party, at milliseconds: Int64 = 0) -> [UInt8]? {
        let now = Instant(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
        let opened = channel.open(datagram.span, from: other.address, at: now)
        last = opened
        switch opened {
        case .content(other.node, let bytes): heard.append(bytes)
        case .reply(let answer), .resend(let answer, _): return answer
        case .content, .settled, .dropped: break
        }
        return nil
    }

    /// Sends a payload and carries what follows to and fro until nothing does. Returns how many
    /// datagrams went.
    @discardableResult
    func send(_ payload: [UInt8], to other: Party, at milliseconds: Int64 = 0) -> Int {
        var datagram: [UInt8]? = seal(payload, to: other)
        var (from, to) = (self, other)
        var count = 0
        while let moving = datagram, count < 10 {
            count += 1
            datagram = to.open(moving, from: from, at: milliseconds)
            (from, to) = (to, from)
        }
        return count
    }

    /// The random numbers of a test: SplitMix64.
    private struct Sequence: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }
}
