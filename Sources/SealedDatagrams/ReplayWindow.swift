/// Which counters of a session have been seen: each is accepted once, in any order within the
/// newest 1,024, and not at all below them (RFC 4303 §3.4.3; the ring of words is RFC 6479's).
struct ReplayWindow: Sendable {
    /// How far behind the highest counter one may be.
    static let width: UInt64 = 1_024

    private var highest: UInt64 = 0
    // One word more than the width, so that the word being begun anew is never one still in use.
    private var words = [UInt64](repeating: 0, count: Int(width / 64) + 1)

    /// Accepts a counter, from 1 on, unless it was seen or is too old.
    mutating func accept(_ counter: UInt64) -> Bool {
        guard counter > 0, counter > highest || highest - counter < Self.width else { return false }
        let word = counter / 64
        let count = UInt64(words.count)
        if counter > highest {
            let newest = highest / 64
            for skipped in 0..<min(word - newest, count) {
                words[Int((word - skipped) % count)] = 0
            }
            highest = counter
        }
        let mask = UInt64(1) << (counter % 64)
        let index = Int(word % count)
        guard words[index] & mask == 0 else { return false }
        words[index] |= mask
        return true
    }
}
