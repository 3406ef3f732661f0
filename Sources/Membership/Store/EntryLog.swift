/// One member's entries in the order of their last change, findable by key.
///
/// Three arrays and no object an entry: records (16 bytes each, ascending by version), the bytes of
/// keys and values in one arena, and an open-addressed index of record numbers. A change appends;
/// the record that it supersedes stays as a hole until the holes outweigh the rest. So what lies
/// beyond a version is a binary search away, and a claim (a key of 17 bytes, a value of 8) takes 60
/// to 100 bytes.
struct EntryLog: Sendable {
    /// How many keys are known, deleted ones included.
    private(set) var count = 0
    /// How many of them are deleted.
    private(set) var tombstones = 0
    /// The bytes of all keys and values that count.
    private(set) var byteCount = 0

    private var records: [Record] = []
    private var arena: [UInt8] = []
    /// Record numbers by the hash of their key, with linear probing; a power of two of them.
    private var slots: [UInt32] = []

    private struct Record: Sendable {
        var version: UInt64
        var offset: UInt32
        var valueLength: UInt16
        /// 0 in a hole: no key is empty.
        var keyLength: UInt8
        var isDeleted: Bool

        var isHole: Bool { keyLength == 0 }
        var keyRange: Range<Int> { Int(offset)..<Int(offset) + Int(keyLength) }
        var valueRange: Range<Int> {
            keyRange.upperBound..<keyRange.upperBound + Int(valueLength)
        }
        var byteCount: Int { Int(keyLength) + Int(valueLength) }
    }

    /// Whether the key is known, be it as deleted.
    func knows(_ key: [UInt8]) -> Bool { record(of: key) != nil }

    /// The key's value; `nil` when it is deleted or unknown.
    func value(_ key: [UInt8]) -> [UInt8]? { record(of: key).flatMap { value(of: records[$0]) } }

    /// The highest version put, 0 at first.
    var lastVersion: UInt64 { records.last?.version ?? 0 }

    /// Sets a key, or marks it as deleted.
    ///
    /// - Precondition: `version` is greater than ``lastVersion``, key and value are within bounds.
    mutating func put(_ key: [UInt8], _ value: [UInt8]?, version: UInt64) {
        precondition(version > lastVersion, "versions of a log ascend")
        if records.count > 2 * count + 16 || arena.count > 2 * byteCount + 4_096 { compact() }
        let number = records.count
        let slot = slotForPut(key)
        if slots[slot] != Self.free {
            makeHole(Int(slots[slot]))
        } else {
            count += 1
        }
        slots[slot] = UInt32(number)
        records.append(
            Record(
                version: version, offset: UInt32(arena.count),
                valueLength: UInt16(value?.count ?? 0), keyLength: UInt8(key.count),
                isDeleted: value == nil))
        arena += key
        if let value { arena += value } else { tombstones += 1 }
        byteCount += records[number].byteCount
    }

    /// Forgets the deleted keys up to a version; returns the highest version forgotten.
    mutating func forgetTombstones(through version: UInt64) -> UInt64? {
        guard tombstones > 0 else { return nil }
        var highest: UInt64?
        for number in records.indices {
            let record = records[number]
            guard record.version <= version else { break }
            guard !record.isHole, record.isDeleted else { continue }
            highest = record.version
            makeHole(number)
            count -= 1
        }
        if highest != nil { compact() }
        return highest
    }

    /// Every key that counts, with its value and version, from after `version` on, until `body`
    /// returns false.
    func forEach(
        after version: UInt64 = 0, _ body: (_ entry: Delta.Entry) -> Bool
    ) {
        for number in firstRecord(after: version)..<records.count {
            let record = records[number]
            guard !record.isHole else { continue }
            let entry = Delta.Entry(
                key: Array(arena[record.keyRange]), value: value(of: record),
                version: record.version)
            guard body(entry) else { return }
        }
    }
}

extension EntryLog {
    private static let free = UInt32.max

    private func value(of record: Record) -> [UInt8]? {
        record.isDeleted ? nil : Array(arena[record.valueRange])
    }

    private func firstRecord(after version: UInt64) -> Int {
        var (low, high) = (0, records.count)
        while low < high {
            let middle = (low + high) / 2
            if records[middle].version > version { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func makeHole(_ number: Int) {
        if records[number].isDeleted { tombstones -= 1 }
        byteCount -= records[number].byteCount
        records[number].keyLength = 0
        records[number].valueLength = 0
    }

    private func record(of key: [UInt8]) -> Int? {
        guard !slots.isEmpty else { return nil }
        let slot = slot(of: key)
        return slots[slot] == Self.free ? nil : Int(slots[slot])
    }

    /// Where the key's record number stands, or the free place where it belongs.
    private func slot(of key: [UInt8]) -> Int {
        var slot = Self.hash(key) & (slots.count - 1)
        while slots[slot] != Self.free, !holds(key, Int(slots[slot])) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func holds(_ key: [UInt8], _ number: Int) -> Bool {
        let record = records[number]
        guard Int(record.keyLength) == key.count else { return false }
        let start = Int(record.offset)
        for index in key.indices where arena[start + index] != key[index] { return false }
        return true
    }

    private mutating func slotForPut(_ key: [UInt8]) -> Int {
        // Never more than three quarters full, so that a search ends soon.
        if (count + 1) * 4 > slots.count * 3 { rebuildIndex(slots: max(16, slots.count * 2)) }
        return slot(of: key)
    }

    private static func hash(_ key: some Sequence<UInt8>) -> Int {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return Int(truncatingIfNeeded: state.mixed)
    }

    private mutating func rebuildIndex(slots size: Int) {
        slots = Array(repeating: Self.free, count: size)
        for (number, record) in records.enumerated() where !record.isHole {
            var slot = Self.hash(arena[record.keyRange]) & (size - 1)
            while slots[slot] != Self.free { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(number)
        }
    }

    /// Closes the holes and gives back what they took.
    private mutating func compact() {
        var kept: [Record] = []
        kept.reserveCapacity(count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for var record in records where !record.isHole {
            let start = UInt32(bytes.count)
            bytes += arena[record.keyRange.lowerBound..<record.valueRange.upperBound]
            record.offset = start
            kept.append(record)
        }
        records = kept
        arena = bytes
        var size = 16
        while (count + 1) * 4 > size * 3 { size *= 2 }
        rebuildIndex(slots: size)
    }
}
