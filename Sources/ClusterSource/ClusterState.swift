import FoundationEssentials
import Kubernetes

/// What a source knows at one moment: the cluster, and what Martlet's processes wrote about it.
package struct ClusterState: Sendable, Equatable {
    /// The cluster, with allocations merged into `Service.ingress`. An ingress that the object's
    /// own status brought along counts only while nothing has been recorded for that Service.
    package var snapshot = ClusterSnapshot()
    /// What has been given, by Service; also to Services that are gone, until they are cleared.
    package var allocations: [ObjectName: ServiceAllocation] = [:]
    /// Conditions, pool figures and events as last written. They ride along: for the process that
    /// writes them, a change of nothing else makes no new state.
    package var status = ClusterStatus()
    /// What each node's speaker has published, by node.
    package var speakers: [String: SpeakerRecord] = [:]
    /// Whether this process may allocate.
    package var isLeader = false
    /// Counts the times that this process began to: between two of them another may have allocated.
    package var term = 0
    /// False while something could not be read that has no last good version: an object that is
    /// missing from the snapshot may then exist all the same, and must not be taken as deleted.
    package var isComplete = true
    /// Since when the state is what was last known, because the cluster cannot be asked; `nil`
    /// while it is current.
    package var lastGoodSince: Date?
    /// Whether it comes from a former process, and has not been confirmed since.
    package var isRestored = false

    /// Nothing known.
    package init() {}
}
