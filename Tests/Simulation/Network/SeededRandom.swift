/// A generator that gives the same numbers for the same seed (SplitMix64), so that a simulation is
/// replayed by its seed.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator of this seed. Seeds that lie close together give streams that do not.
    package init(seed: UInt64) {
        state = seed
        state = next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// A generator whose numbers have nothing to do with those that this one gives from here on.
    package mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }

    /// A number from 0 up to, not including, `bound`.
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0)
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// True `perMille` times in a thousand.
    package mutating func chance(_ perMille: Int) -> Bool {
        perMille > 0 && below(1000) < perMille
    }

    /// A duration from zero up to, not including, `bound`; zero for a bound of zero.
    package mutating func duration(below bound: Duration) -> Duration {
        let nanoseconds =
            Int(bound.components.seconds) * 1_000_000_000
            + Int(bound.components.attoseconds / 1_000_000_000)
        return nanoseconds > 0 ? .nanoseconds(below(nanoseconds)) : .zero
    }

    /// A duration of a range.
    package mutating func duration(in range: Range<Duration>) -> Duration {
        range.lowerBound + duration(below: range.upperBound - range.lowerBound)
    }

    /// One of the elements; `nil` when there is none.
    package mutating func element<Elements: RandomAccessCollection>(
        of elements: Elements
    ) -> Elements.Element? {
        guard !elements.isEmpty else { return nil }
        return elements[elements.index(elements.startIndex, offsetBy: below(elements.count))]
    }
}
