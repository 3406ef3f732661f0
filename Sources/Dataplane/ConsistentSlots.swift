import NetworkTypes

/// The consistent choice: which endpoint is in which slot, for clients whose hash draws a slot.
///
/// This is the table of Maglev (Eisenbud et al., NSDI 2016, §3.4). Each endpoint has an order of
/// its own in which it wants the slots; in turn, each takes the first free one of its order. So the
/// shares differ by at most one slot, and an endpoint that comes or goes changes hardly more slots
/// than its own share.
///
/// - The endpoints alone decide, not what was there before. So every node has the same table, a
///   router that sends a client to another node sends it to the same endpoint, and a restart
///   changes nothing. The price is that a few slots more than one share change: endpoints take
///   turns, and one that goes leaves the others its turns too.
/// - The number of slots is always the same. If it grew with the endpoints, each growth would send
///   nearly all clients elsewhere.
/// - It is a power of two as other runs are. An odd step visits every slot, where Maglev has a
/// prime
///   number of slots for that.
enum ConsistentSlots {
    /// So many slots, whatever the endpoints: with 10 endpoints the shares differ by 1 %, and with
    /// as many as there may be each has at least one.
    static let count = Int(SlotAllocator.shardSize)

    /// The endpoint in each slot; none without endpoints. Each is named once, in an order that does
    /// not depend on who asks, and there are at most as many as slots.
    static func assign(_ endpoints: [ServiceChain.Endpoint]) -> [ServiceChain.Endpoint] {
        guard !endpoints.isEmpty else { return [] }
        precondition(endpoints.count <= count, "more endpoints than were to be admitted")
        let mask = count - 1
        var wishes = endpoints.map { endpoint -> (next: Int, step: Int) in
            let hash = hash(of: endpoint)
            return (Int(hash & UInt64(mask)), Int(hash >> 32 & UInt64(mask)) | 1)
        }
        var slots = [Int?](repeating: nil, count: count)
        var taken = 0
        while taken < count {
            for index in wishes.indices where taken < count {
                while slots[wishes[index].next] != nil {
                    wishes[index].next = (wishes[index].next + wishes[index].step) & mask
                }
                slots[wishes[index].next] = index
                taken += 1
            }
        }
        return slots.compactMap { $0.map { endpoints[$0] } }
    }

    private static func hash(of endpoint: ServiceChain.Endpoint) -> UInt64 {
        let port = [UInt8(endpoint.port >> 8), UInt8(truncatingIfNeeded: endpoint.port)]
        return StableHash.of(endpoint.address.bytes + port)
    }
}
