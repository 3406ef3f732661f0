import NetworkTypes

/// Which stations of a medium hear which others, and how well.
///
/// Stations are numbers from 0. Everything is by direction: that one hears the other says nothing
/// of the way back.
package struct Medium: Sendable {
    /// How the medium treats what it carries.
    package struct Quality: Hashable, Sendable {
        /// The time from one station to another, without the part that depends on the pair.
        package var delay = Duration.microseconds(100)
        /// Pairs of stations are up to this much further apart; for one pair it is always the same,
        /// so that nothing overtakes anything unless ``reorderPerMille`` says so.
        package var spread = Duration.microseconds(100)
        /// How many of a thousand are lost.
        package var lossPerMille = 0
        /// How many of a thousand arrive twice, the second up to ``disorder`` later.
        package var duplicatePerMille = 0
        /// How many of a thousand arrive up to ``disorder`` later than they should.
        package var reorderPerMille = 0
        /// See the two above.
        package var disorder = Duration.milliseconds(1)

        /// A LAN without faults.
        package init() {}
    }

    /// How the medium treats what it carries.
    package var quality = Quality()

    private var groups: [Int: Int] = [:]
    private var cuts: Set<Path> = []
    private var dumb: Set<Int> = []
    private var deaf: Set<Int> = []
    private var losses: [Int: Int] = [:]

    private struct Path: Hashable, Sendable {
        var from: Int
        var to: Int
    }

    /// A medium on which all hear all.
    package init() {}

    /// Whether everybody hears everybody.
    package var isWhole: Bool {
        groups.isEmpty && cuts.isEmpty && dumb.isEmpty && deaf.isEmpty
    }

    /// Whether nothing is lost or cut.
    package var isCalm: Bool { isWhole && losses.isEmpty && quality.lossPerMille == 0 }

    /// Whether what `sender` sends reaches `receiver`.
    package func isOpen(from sender: Int, to receiver: Int) -> Bool {
        if isWhole { return true }
        return groups[sender] == groups[receiver]
            && !cuts.contains(Path(from: sender, to: receiver))
            && !dumb.contains(sender) && !deaf.contains(receiver)
    }

    /// Whether the two hear each other.
    package func connects(_ left: Int, _ right: Int) -> Bool {
        isOpen(from: left, to: right) && isOpen(from: right, to: left)
    }

    /// Whether this one is lost on the way. Rolls the dice only where there is loss.
    package func loses(
        from sender: Int, to receiver: Int, _ random: inout SeededRandom
    ) -> Bool {
        if !isOpen(from: sender, to: receiver) { return true }
        if random.chance(quality.lossPerMille) { return true }
        guard !losses.isEmpty else { return false }
        return random.chance(losses[sender] ?? 0) || random.chance(losses[receiver] ?? 0)
    }

    /// When what is sent now arrives, and a second time when it is doubled.
    package func arrivals(
        from sender: Int, to receiver: Int, at now: Instant, _ random: inout SeededRandom
    ) -> (first: Instant, second: Instant?) {
        var first = now + quality.delay
        if quality.spread > .zero {
            // The same for both directions, and no random number: see `spread`.
            let pair = UInt64(min(sender, receiver)) << 32 | UInt64(max(sender, receiver))
            var distance = SeededRandom(seed: pair)
            first = first + distance.duration(below: quality.spread)
        }
        if random.chance(quality.reorderPerMille) {
            first = first + random.duration(below: quality.disorder)
        }
        let second =
            random.chance(quality.duplicatePerMille)
            ? first + random.duration(below: quality.disorder) : nil
        return (first, second)
    }

    // MARK: Faults

    /// Lets only stations of one part hear each other. Stations in no part stay together.
    package mutating func divide(_ parts: [[Int]]) {
        groups = [:]
        for (number, part) in parts.enumerated() {
            for station in part { groups[station] = number }
        }
    }

    /// Nothing of `sender` reaches `receiver` any more.
    package mutating func cut(from sender: Int, to receiver: Int) {
        cuts.insert(Path(from: sender, to: receiver))
    }

    /// Nothing that the station sends reaches anybody.
    package mutating func mute(_ station: Int) { dumb.insert(station) }

    /// Nothing reaches the station.
    package mutating func deafen(_ station: Int) { deaf.insert(station) }

    /// Of what the station sends and of what it is sent, this many of a thousand are lost.
    package mutating func setLoss(of station: Int, perMille: Int) {
        losses[station] = perMille == 0 ? nil : perMille
    }

    /// Everybody hears everybody again, as well as ``quality`` allows.
    package mutating func heal() {
        groups = [:]
        cuts = []
        dumb = []
        deaf = []
        losses = [:]
    }
}
