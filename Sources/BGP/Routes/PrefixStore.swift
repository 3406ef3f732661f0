import NetworkTypes

/// Prefixes of one family, each with a small value, in slots that stay where they are while the
/// prefix is there: a dense array to walk, and an open-addressed index to find a prefix by.
///
/// The index has at least twice as many buckets as there are slots and is probed linearly; removing
/// closes the gap, so there are no tombstones, however long prefixes come and go. Room is given
/// back when the last prefix is removed.
struct PrefixStore<
    Bits: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & Sendable,
    Value: BitwiseCopyable & Sendable
>: Sendable {
    private struct Entry: BitwiseCopyable, Sendable {
        var bits: Bits
        /// ``vacantLength`` in a slot that is not in use.
        var length: UInt8
        var value: Value
    }

    private static var vacantLength: UInt8 { .max }

    private var entries: [Entry] = []
    private var vacant: [UInt32] = []
    private var buckets: [UInt32] = []
    private let vacantValue: Value

    /// Empty; `vacant` is what slots hold that are not in use.
    init(vacant: Value) { vacantValue = vacant }

    var count: Int { entries.count - vacant.count }

    /// All slots ever given are below this.
    var bound: Int { entries.count }

    /// The slots in use.
    var slots: some Sequence<UInt32> {
        (0..<UInt32(entries.count)).lazy.filter {
            entries[Int($0)].length != Self.vacantLength
        }
    }

    /// The value in a slot.
    subscript(slot: UInt32) -> Value {
        get { entries[Int(slot)].value }
        set { entries[Int(slot)].value = newValue }
        _modify { yield &entries[Int(slot)].value }
    }

    /// The network address in a slot.
    func bits(_ slot: UInt32) -> Bits { entries[Int(slot)].bits }

    /// The prefix length in a slot.
    func length(_ slot: UInt32) -> UInt8 { entries[Int(slot)].length }

    /// Whether a slot is in use.
    func isInUse(_ slot: UInt32) -> Bool { entries[Int(slot)].length != Self.vacantLength }

    mutating func reserve(_ count: Int) {
        entries.reserveCapacity(count)
        if buckets.count < 2 * count { spread(over: 2 * count) }
    }

    func find(_ prefix: Prefix) -> UInt32? {
        find(Bits(truncatingIfNeeded: prefix.network.bits), length: UInt8(prefix.length))
    }

    func find(_ bits: Bits, length: UInt8) -> UInt32? {
        guard !buckets.isEmpty else { return nil }
        let slot = buckets[bucket(bits, length)]
        return slot == Chain.none ? nil : slot
    }

    /// The slot of a prefix, and whether it has just been made, with `value`.
    mutating func insert(_ prefix: Prefix, _ value: Value) -> (slot: UInt32, isNew: Bool) {
        insert(Bits(truncatingIfNeeded: prefix.network.bits), UInt8(prefix.length), value)
    }

    mutating func insert(
        _ bits: Bits, _ length: UInt8, _ value: Value
    ) -> (slot: UInt32, isNew: Bool) {
        if buckets.count < 2 * (count + 1) { spread(over: max(16, 4 * count)) }
        let bucket = bucket(bits, length)
        if buckets[bucket] != Chain.none { return (buckets[bucket], false) }
        let entry = Entry(bits: bits, length: length, value: value)
        let slot: UInt32
        if let old = vacant.popLast() {
            slot = old
            entries[Int(slot)] = entry
        } else {
            slot = UInt32(entries.count)
            entries.append(entry)
        }
        buckets[bucket] = slot
        return (slot, true)
    }

    /// - Precondition: the slot is in use.
    mutating func remove(_ slot: UInt32) {
        let entry = entries[Int(slot)]
        guard count > 1 else {
            entries = []
            vacant = []
            buckets = []
            return
        }
        close(bucket(entry.bits, entry.length))
        entries[Int(slot)].length = Self.vacantLength
        entries[Int(slot)].value = vacantValue
        vacant.append(slot)
    }

    func forEach(_ family: IPAddress.Family, _ body: (Prefix, Value) -> Void) {
        for entry in entries where entry.length != Self.vacantLength {
            let network = IPAddress(family: family, bits: UInt128(entry.bits))
            guard let prefix = Prefix(network, length: Int(entry.length)) else { continue }
            body(prefix, entry.value)
        }
    }

    /// Where a prefix would be at best: all bits of the key mixed, the topmost taken.
    private func home(_ bits: Bits, _ length: UInt8) -> Int {
        var key = UInt64(truncatingIfNeeded: bits) &+ UInt64(length) &* 0xc2b2_ae3d_27d4_eb4f
        if Bits.bitWidth > 64 {
            key ^= UInt64(truncatingIfNeeded: bits >> Bits(64)) &* 0xff51_afd7_ed55_8ccd
        }
        key = (key ^ key >> 32) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: key >> UInt64(64 - buckets.count.trailingZeroBitCount))
    }

    /// The bucket that names the prefix, or the empty one where it belongs.
    private func bucket(_ bits: Bits, _ length: UInt8) -> Int {
        var bucket = home(bits, length)
        while buckets[bucket] != Chain.none {
            let entry = entries[Int(buckets[bucket])]
            if entry.bits == bits, entry.length == length { break }
            bucket = (bucket + 1) & (buckets.count - 1)
        }
        return bucket
    }

    /// Empties a bucket and moves up what would no longer be found behind the gap.
    private mutating func close(_ bucket: Int) {
        let mask = buckets.count - 1
        var gap = bucket
        var next = (gap + 1) & mask
        while buckets[next] != Chain.none {
            let entry = entries[Int(buckets[next])]
            let distance = (next - home(entry.bits, entry.length)) & mask
            if distance >= (next - gap) & mask {
                buckets[gap] = buckets[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        buckets[gap] = Chain.none
    }

    private mutating func spread(over minimum: Int) {
        var size = 16
        while size < minimum { size *= 2 }
        buckets = Array(repeating: Chain.none, count: size)
        for slot in slots {
            let entry = entries[Int(slot)]
            buckets[bucket(entry.bits, entry.length)] = slot
        }
    }
}
