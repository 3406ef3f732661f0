/// What happened so far, as numbers.
public struct Counters: Hashable, Sendable {
    /// Datagrams given to the caller to send.
    public var datagramsSent: UInt64 = 0
    /// Their payloads.
    public var bytesSent: UInt64 = 0
    /// Datagrams taken in.
    public var datagramsReceived: UInt64 = 0
    /// Their payloads.
    public var bytesReceived: UInt64 = 0
    /// Datagrams that say nothing understandable.
    public var undecodable: UInt64 = 0
    /// Datagrams under our own name.
    public var underOwnName: UInt64 = 0
    /// Pieces of news that were not believed: impossible incarnations, colliding names, no room.
    public var newsRefused: UInt64 = 0
    /// Deltas that were not taken.
    public var deltasRefused: UInt64 = 0
    /// Datagrams that found no room before the pacer.
    public var bulkDropped: UInt64 = 0
    /// Members that we suspected.
    public var suspicions: UInt64 = 0
    /// Members that we called dead.
    public var verdicts: UInt64 = 0
    /// Those of them whose process was gone.
    public var verdictsProcessGone: UInt64 = 0
    /// Times that others refuted a doubt of ours by what they heard.
    public var doubtsRefuted: UInt64 = 0
    /// Times that we refuted what was said of us.
    public var refutations: UInt64 = 0
    /// Times that we had not run for so long that the permit to answer was in question.
    public var pauses: UInt64 = 0
    /// Exchanges of digests that we began.
    public var exchanges: UInt64 = 0

    /// Nothing happened.
    public init() {}
}
