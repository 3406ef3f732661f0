import NetworkTypes

@testable import SealedDatagrams

/// Feeds arbitrary bytes to what opens sealed datagrams, behind a seal that always holds. The first
/// byte chooses: `K`, the rest is a key file; else steps of two channels, one in the clear and one
/// not. A step is a byte that says what, one of time, one of place and one of length; then as many
/// bytes: a datagram as it is, or changes to one that the other channel sends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSealed(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    if choice == UInt8(ascii: "K") {
        readKeys(Array(input[1...]))
    } else {
        var exchange = Exchange(keys: choice % 2 == 0 ? ring : .none)
        exchange.play(input[1...])
    }
    return 0
}

private let ring = parse(Array(KeyRing.generate().utf8)) ?? .none

private func parse(_ text: [UInt8]) -> KeyRing? {
    do { return try KeyRing(text: text, path: "fuzz") } catch { return nil }
}

private func readKeys(_ text: [UInt8]) {
    guard let ring = parse(text) else { return }
    precondition(ring.isSealing, "a ring without a key")
    let again = parse(Array(ring.keys.map { $0.base64 + "\n" }.joined().utf8))
    precondition(again == ring, "what was read is written as another ring")
}

private struct Counting: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return state
    }
}

private struct Exchange: ~Copyable {
    private var here: SealedChannel
    private var there: SealedChannel
    private var now = Instant(nanoseconds: 0)

    init(keys: KeyRing) {
        var generator = Counting(state: 1)
        here = SealedChannel(node: 1, keys: keys, using: &generator)
        there = SealedChannel(node: 2, keys: keys, using: &generator)
    }

    mutating func play(_ input: ArraySlice<UInt8>) {
        var rest = input
        while rest.count >= 4 {
            let step = Array(rest.prefix(4))
            rest = rest.dropFirst(4)
            let bytes = Array(rest.prefix(Int(step[3])))
            rest = rest.dropFirst(bytes.count)
            now = now + .milliseconds(Int(step[1]))
            let place = SocketAddress(IPAddress(ipv4: 0xc000_0200 + UInt32(step[2])), port: 7481)
            take(step[0] % 2 == 0 ? bytes : change(bytes, to: place), from: place)
        }
    }

    /// What the other channel sends, changed at the places that the bytes name.
    private mutating func change(_ bytes: [UInt8], to place: SocketAddress) -> [UInt8] {
        var datagram = there.seal([1, 2, 3], to: place) ?? []
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            datagram[Int(bytes[index]) % datagram.count] ^= bytes[index + 1]
        }
        return datagram
    }

    private mutating func take(_ first: [UInt8], from place: SocketAddress) {
        var datagram = first
        for turn in 0..<6 {
            let opened =
                turn % 2 == 0
                ? here.open(datagram.span, from: place, at: now)
                : there.open(datagram.span, from: place, at: now)
            switch opened {
            case .reply(let answer), .resend(let answer, _): datagram = answer
            case .content(_, let content):
                precondition(content.count < datagram.count, "more came out than went in")
                return
            case .settled, .dropped: return
            }
            precondition(datagram.count <= SealedChannel.maximumDatagram, "too long to send")
        }
        preconditionFailure("two channels that never stop answering each other")
    }
}
