import Kubernetes

/// The Leases by which nodes show that they may answer for addresses, one a node; a source that
/// has them keeps them where all nodes can read them.
///
/// What the safety of all this rests on:
/// - ``renew(node:duration:)`` returns only when the server has stored the renewal. It throws when
///   that is not known, and is then called again; it gives up by itself after a few seconds.
/// - Each renewal changes the record, if only its version.
/// - Writes of one node are carried out one after the other, in the order of the calls; what a
///   former process of the node left under way must not undo a later renewal. So ``release(node:)``
///   is conditional on the version that this process wrote last.
/// - Reads ask the server for what is so now: no cache, no `resourceVersion=0`.
package protocol NodeLeases: Sendable {
    /// Makes the node's Lease new, creating it where it is missing.
    func renew(node: String, duration: Duration) async throws

    /// Says that the node answers for nothing any more; others need not wait.
    func release(node: String) async throws

    /// The node's Lease; `nil` when there is none.
    func read(node: String) async throws -> LeaseRecord?

    /// The Leases of all nodes that have one, with one request.
    func readAll() async throws -> [String: LeaseRecord]
}
