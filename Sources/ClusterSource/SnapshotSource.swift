/// Where the cluster comes from, and where what Martlet decides is written.
///
/// There is one protocol and there are two makers: a folder of manifests (``FolderSource``) and a
/// Kubernetes API server. The rest of the program cannot tell which one it has.
///
/// What every maker promises:
/// - An allocation appears in a state only once it is durable, so nothing is announced that a
///   crash could forget.
/// - Of all processes on one cluster, at most one is told `isLeader`, and only its writes succeed.
/// - Trouble with the outside never shrinks the cluster: what was last good stays in force, and
///   the problems say so.
package protocol SnapshotSource: Sendable {
    /// Whether allocations outlive this process and reach the others. When false, several daemons
    /// agree only on addresses that the Services ask for; callers should warn.
    var keepsAllocations: Bool { get }

    /// How many Services a write may concern, so that what happens meanwhile does not wait long.
    var writeLimit: Int { get }

    /// Reads, follows and writes until the task is cancelled. Call it once.
    ///
    /// Throws when the source cannot be reached at the start; later trouble is a problem in a
    /// state.
    func run() async throws

    /// A stream of states, beginning with the present one if there is one. Only the latest is kept
    /// for a reader that is slow. It ends when ``run()`` does. Any number of readers.
    func states() -> AsyncStream<ClusterState>

    /// Writes status and allocations, and returns when the allocations are durable.
    ///
    /// What concerns one Service, events included, is written together or not at all; the outcome
    /// names the Services for which it was not. Throws a ``SourceError`` when this process is not
    /// the leader, or the write failed as a whole; then nothing has changed, and the caller may try
    /// again.
    @discardableResult
    func write(_ updates: [StatusUpdate]) async throws -> WriteOutcome

    /// Publishes what this node's speaker knows, in place of what it published before; `nil`
    /// withdraws it. Returns when others can read it.
    func publish(_ record: SpeakerRecord?) async throws

    /// Takes what is so on this node's wire, for people to read, in place of the report before.
    /// Carried out in the source's own time; a failure is a problem in a state.
    func report(_ report: NodeReport) async

    /// Takes events of this node, for people to read. Those beyond what the source can carry are
    /// lost, the oldest first.
    func tell(_ events: [ClusterEvent]) async
}
