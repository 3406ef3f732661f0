import NetworkTypes

/// A host on the LAN that uses the addresses: a neighbor cache like that of Linux, and a record of
/// who answered.
///
/// It asks all for one address after the other, so that whoever answers is seen. Its cache, apart
/// from that, believes what a Linux host believes: answers, and gratuitous announcements about
/// addresses that it uses; entries that nobody confirmed for a while are asked for directly, and
/// after three times without an answer everybody is asked.
package struct VirtualClient: Sendable {
    /// How long an entry is believed without asking (Linux: 15 to 45 s; here the shortest).
    package static let reachableTime = Duration.seconds(15)
    /// From one question for one address to the next (Linux: `retrans_time_ms`).
    package static let retransmission = Duration.seconds(1)
    /// How many times a station is asked directly before all are.
    package static let directQuestions = 3

    /// An entry of the cache.
    package struct Entry: Hashable, Sendable {
        /// Where the address is believed to be.
        package var hardware: MACAddress
        /// Since when there.
        package var since: Instant
        /// When last confirmed.
        package var confirmedAt: Instant
        /// Direct questions without an answer.
        package var unanswered = 0
        /// When the next direct question may go out.
        package var askAgainAt: Instant
        /// How often it went from one station to another.
        package var moves = 0
    }

    /// A frame in which a station said that it has the address.
    package struct Answer: Hashable, Sendable {
        /// The address.
        package var address: IPAddress
        /// The station.
        package var hardware: MACAddress
        /// When.
        package var at: Instant
        /// Whether nobody had asked.
        package var isGratuitous: Bool
    }

    /// The host's port of the LAN.
    package let port: Int
    /// Its link-layer address.
    package let hardware: MACAddress
    /// The addresses that it uses.
    package let addresses: [IPAddress]
    /// From one question to all to the next, whatever the address.
    package let interval: Duration
    /// What it believes.
    package private(set) var cache: [IPAddress: Entry] = [:]
    private let used: Set<IPAddress>
    private let own: [IPAddress.Family: IPAddress]
    private var turn = 0
    private var nextQuestion: Instant

    /// A host that begins to ask at `start`.
    package init(
        port: Int, hardware: MACAddress, own: [IPAddress], addresses: [IPAddress],
        interval: Duration, start: Instant
    ) {
        self.port = port
        self.hardware = hardware
        self.own = Dictionary(own.map { ($0.family, $0) }, uniquingKeysWith: { $1 })
        self.addresses = addresses
        used = Set(addresses)
        self.interval = interval
        nextQuestion = start
    }

    /// When ``ask(at:)`` is to be called next.
    package var nextDeadline: Instant { nextQuestion }

    /// The questions that are due.
    package mutating func ask(at now: Instant) -> [[UInt8]] {
        guard now >= nextQuestion, !addresses.isEmpty else { return [] }
        nextQuestion = now + interval
        let address = addresses[turn % addresses.count]
        turn += 1
        guard let asker = own[address.family] else { return [] }
        var frames = [NeighborFrame.question(for: address, by: asker, at: hardware)]
        if let direct = verify(address, by: asker, at: now) { frames.append(direct) }
        return frames
    }

    /// The direct question for an entry that is old.
    private mutating func verify(
        _ address: IPAddress, by asker: IPAddress, at now: Instant
    ) -> [UInt8]? {
        guard let entry = cache[address], now - entry.confirmedAt > Self.reachableTime,
            now >= entry.askAgainAt
        else { return nil }
        guard entry.unanswered < Self.directQuestions else {
            cache[address] = nil
            return nil
        }
        cache[address]?.unanswered += 1
        cache[address]?.askAgainAt = now + Self.retransmission
        return NeighborFrame.question(
            for: address, by: asker, at: hardware, to: entry.hardware)
    }

    /// Takes in a frame: an answer to give, if it asks for this host, and what it said of one of
    /// the addresses used, if anything.
    package mutating func receive(
        _ message: NeighborFrame, at now: Instant
    ) -> (reply: [UInt8]?, answer: Answer?) {
        if let asked = message.asked, own[asked.family] == asked {
            return (NeighborFrame.answer(to: message, by: asked, at: hardware), nil)
        }
        guard message.asked == nil, let claimed = message.claimed, message.hardware != hardware,
            used.contains(claimed)
        else { return (nil, nil) }
        believe(message, about: claimed, at: now)
        return (
            nil,
            Answer(
                address: claimed, hardware: message.hardware, at: now,
                isGratuitous: message.isGratuitous)
        )
    }

    private mutating func believe(
        _ message: NeighborFrame, about address: IPAddress, at now: Instant
    ) {
        guard var entry = cache[address] else {
            // An announcement alone makes no entry (`arp_accept` is off).
            guard !message.isGratuitous else { return }
            cache[address] = Entry(
                hardware: message.hardware, since: now, confirmedAt: now, askAgainAt: now)
            return
        }
        if entry.hardware != message.hardware {
            entry.hardware = message.hardware
            entry.since = now
            entry.moves += 1
        }
        entry.confirmedAt = now
        entry.unanswered = 0
        cache[address] = entry
    }
}
