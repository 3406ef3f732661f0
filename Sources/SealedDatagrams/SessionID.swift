/// Sixteen random bytes that a sender draws at its start: they separate its keys and counters from
/// those of every other sender and of every other start.
struct SessionID: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        low = generator.next()
    }

    /// The bytes in network order.
    var bytes: [UInt8] { high.networkBytes + low.networkBytes }
}

extension UInt64 {
    /// The eight bytes in network order.
    var networkBytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: self >> UInt64(56 - 8 * $0)) }
    }

    /// The integer that the first eight bytes of a sequence make in network order.
    init(networkBytes: some Sequence<UInt8>) {
        self = networkBytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
