/// Puts one direction of a captured TCP connection back in order (RFC 9293 §3.4).
///
/// A stretch that the capture lacks for good is told as a gap: when what follows it has been seen
/// and the receiver has acknowledged it, so that it will not come again, or when so much waits
/// behind it that the bound is reached.
///
/// Bounds: what waits out of order is at most 256 KiB, with 64 bytes for each segment.
package struct StreamReassembly: Equatable, Sendable {
    /// What comes next in the stream.
    package enum Piece: Equatable, Sendable {
        /// These bytes.
        case bytes([UInt8])
        /// So many bytes that the capture has not.
        case gap(Int)
    }

    private struct Segment: Equatable, Sendable {
        var position: Int64
        var bytes: [UInt8]
        var end: Int64 { position + Int64(bytes.count) }
        var cost: Int { bytes.count + StreamReassembly.overhead }
    }

    package static let limit = 256 << 10
    private static let overhead = 64

    /// Whether the beginning of the stream was seen.
    package private(set) var hasBeginning = false

    /// How much waits for a gap to be filled, with the overhead.
    package private(set) var waitingCost = 0

    // Positions count from the first byte seen, so that they do not wrap.
    private var position: Int64 = 0
    private var sequence: UInt32?
    private var acknowledged: Int64 = .min
    private var waiting: [Segment] = []

    /// Starts before the first segment.
    package init() {}

    /// Takes a segment in and returns what is in order now.
    package mutating func take(_ header: SegmentHeader, _ data: Span<UInt8>) -> [Piece] {
        var start = header.sequence
        if header.isSynchronizing {
            // The flag takes a number of its own.
            start &+= 1
            if sequence == nil { begin(at: start, isBeginning: true) }
        }
        guard !data.isEmpty else { return [] }
        if sequence == nil { begin(at: start, isBeginning: false) }
        let first = absolute(start)
        let skipped = max(0, position - first)
        guard skipped < Int64(data.count) else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count - Int(skipped))
        for index in Int(skipped)..<data.count { bytes.append(data[index]) }
        insert(Segment(position: first + skipped, bytes: bytes))
        return advance()
    }

    /// Notes that the receiver has everything before `number`.
    package mutating func acknowledge(_ number: UInt32) {
        guard sequence != nil else { return }
        acknowledged = max(acknowledged, absolute(number))
    }

    /// Returns all that waits, with the gaps in between: nothing more comes.
    package mutating func finish() -> [Piece] {
        acknowledged = .max
        return advance()
    }

    private mutating func begin(at number: UInt32, isBeginning: Bool) {
        sequence = number
        hasBeginning = isBeginning
    }

    /// The position nearest to the next one that has this number.
    private func absolute(_ number: UInt32) -> Int64 {
        guard let sequence else { return position }
        return position + Int64(Int32(bitPattern: number &- sequence))
    }

    private mutating func insert(_ segment: Segment) {
        var index = waiting.count
        while index > 0, waiting[index - 1].position > segment.position { index -= 1 }
        // Sent again, nothing new.
        if index > 0, waiting[index - 1].end >= segment.end { return }
        waiting.insert(segment, at: index)
        waitingCost += segment.cost
    }

    private mutating func advance() -> [Piece] {
        var pieces: [Piece] = []
        var taken = 0
        while taken < waiting.count {
            let segment = waiting[taken]
            if segment.position > position {
                guard segment.position <= acknowledged || waitingCost > Self.limit else { break }
                pieces.append(.gap(Int(segment.position - position)))
                move(to: segment.position)
            }
            waitingCost -= segment.cost
            taken += 1
            guard segment.end > position else { continue }
            pieces.append(.bytes(Array(segment.bytes.dropFirst(Int(position - segment.position)))))
            move(to: segment.end)
        }
        waiting.removeFirst(taken)
        return pieces
    }

    private mutating func move(to end: Int64) {
        sequence = sequence.map { $0 &+ UInt32(truncatingIfNeeded: end - position) }
        position = end
    }
}
