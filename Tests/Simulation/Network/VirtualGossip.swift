import NetworkTypes

/// Datagrams between the nodes, with faults of their own: gossip may be cut while the LAN works,
/// and the other way round.
///
/// The seal of real datagrams shows in one way: the first datagram between two boots is not taken
/// in before the receiver's challenge has come back, which costs one round trip and is impossible
/// while only one direction works.
package struct VirtualGossip: Sendable {
    /// The paths between nodes.
    package var medium = Medium()

    /// What was carried since the start, in payload bytes.
    package struct Counters: Hashable, Sendable {
        /// Datagrams sent.
        package var datagrams: UInt64 = 0
        /// Their bytes, without any header below the payload.
        package var bytes: UInt64 = 0
        /// The largest.
        package var largest = 0
        /// Datagrams that were lost or cut off.
        package var lost: UInt64 = 0
    }

    /// What was carried.
    package private(set) var counters = Counters()
    /// The boots of which a receiver has taken in something, by pair of nodes.
    private var acquainted: [UInt64: UInt64] = [:]

    /// Nothing sent yet.
    package init() {}

    /// Sends a datagram. `nil` when it is lost on the way.
    package mutating func send(
        byteCount: Int, from sender: Int, boot senderBoot: UInt32, to receiver: Int,
        boot receiverBoot: UInt32, at now: Instant, _ random: inout SeededRandom
    ) -> (first: Instant, second: Instant?)? {
        counters.datagrams += 1
        counters.bytes += UInt64(byteCount)
        counters.largest = max(counters.largest, byteCount)
        if medium.loses(from: sender, to: receiver, &random) {
            counters.lost += 1
            return nil
        }
        var arrivals = medium.arrivals(from: sender, to: receiver, at: now, &random)
        let pair = UInt64(sender) << 32 | UInt64(receiver)
        let boots = UInt64(senderBoot) << 32 | UInt64(receiverBoot)
        if acquainted[pair] != boots {
            // Challenge and answer: lost either way, the datagram is lost.
            if medium.loses(from: receiver, to: sender, &random)
                || medium.loses(from: sender, to: receiver, &random)
            {
                counters.lost += 1
                return nil
            }
            acquainted[pair] = boots
            let roundTrip = (arrivals.first - now) * 2
            arrivals.first = arrivals.first + roundTrip
        }
        return arrivals
    }
}
