import Membership
import NetworkTypes

/// Feeds arbitrary bytes to the decoder of what members say, and what it lets through to a store,
/// cut into payloads: each is preceded by two bytes of length, and one of elapsed time.
///
/// Beside traps, it finds a payload that cannot be said again the same way, deltas that touch our
/// own entries, a store whose sums drift from what it holds, and answers beyond their limit.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMembership(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let own = NodeID(name: "node-a")
    var store = ReplicatedStore(own: own, generation: 9)
    _ = store.set([1], [1])
    var now = Instant(nanoseconds: 0)
    var position = 0
    while position + 3 <= input.count {
        let length = Int(input[position]) << 8 | Int(input[position + 1])
        let end = min(position + 3 + length, input.count)
        now = now + .seconds(Int(input[position + 2]))
        let payload = Array(input[position + 3..<end])
        if let messages = understood(payload) {
            check(messages, payload)
            for message in messages { take(message, &store) }
        }
        store.expireTombstones(at: now)
        position = end
    }
    check(store)
    precondition(store.entries(of: own) == [[1]: [1]], "somebody else's word about our entries")
    return 0
}

/// What was understood is said again in no more bytes, and understood the same way.
private func check(_ messages: [Message], _ payload: [UInt8]) {
    let again = DatagramCoder.encode(messages)
    precondition(again.count <= 1, "a payload became several")
    guard let again = again.first else {
        precondition(messages.isEmpty, "something is left unsaid")
        return
    }
    precondition(again.count <= payload.count, "a payload became longer")
    precondition(understood(again) == messages, "a meaning has changed")
}

private func understood(_ payload: [UInt8]) -> [Message]? {
    let bytes = payload.span
    // A refusal is an answer here, whatever its reason.
    return try? DatagramCoder.decode(bytes)
}

private func take(_ message: Message, _ store: inout ReplicatedStore) {
    switch message {
    case .delta(let delta):
        switch store.apply(delta) {
        case .news: precondition(store.apply(delta) == .stale, "the same news twice")
        case .refused(let refusal):
            precondition(refusal != .malformed, "the decoder let a contradiction through")
        case .stale, .gap: break
        }
    case .digest(let digest, _):
        store.learn(from: digest)
        _ = store.isBehind(digest)
        let deltas = store.deltas(beyond: digest, limit: 600)
        precondition(deltas.count <= store.members.count, "told twice about a member")
        for delta in deltas {
            precondition(delta.node >= digest.first && delta.node <= digest.last, "out of range")
        }
        if let later = store.laterOwnGeneration { _ = store.beginGeneration(later + 1) }
    default: break
    }
}

/// The sums are those of what is held, and all of it can be told to somebody who has nothing.
private func check(_ store: ReplicatedStore) {
    var other = ReplicatedStore(own: NodeID(bits: 0), generation: 1)
    for delta in store.deltas(beyond: Digest([]), limit: .max) {
        // An empty store takes everything except what speaks of itself.
        let applied = other.apply(delta)
        if case .news = applied { continue }
        precondition(delta.node == other.own, "not taken by an empty store: \(applied)")
    }
    precondition(store.count >= 0 && store.byteCount >= 0, "less than nothing")
    var copy = store
    for node in store.members { copy.forget(node) }
    precondition(copy.count == 1 && copy.byteCount == 2, "sums that do not add up")
    if !store.members.contains(other.own) {
        precondition(other.hash == store.hash, "equal entries, unequal hashes")
    }
}
