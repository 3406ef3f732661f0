import NetworkTypes

/// How fencing stands, for whoever asks.
package struct FenceReport: Sendable, Equatable {
    /// Until when this node may answer by its own Lease; `nil` when it may not.
    package var freshUntil: Instant?
    /// The nodes for whose silence addresses wait, and since when.
    package var awaited: [String: Instant] = [:]
    /// The nodes found silent.
    package var silent: Set<String> = []
    /// Why the last request for a Lease failed; `nil` when it did not.
    package var trouble: String?
}
