/// Something worth a log line that happened to this node's Lease.
package enum FenceEvent: Sendable, Equatable {
    /// It is fresh, and was not before.
    case fresh
    /// It could not be renewed in time; nothing is answered for any more.
    case lapsed
    /// A request for a Lease failed; of the same failures in a row only the first is told.
    case failed(String)
}
