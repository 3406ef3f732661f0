import ClusterSource
import Kubernetes

/// How a speaker proves to the others that it may answer, and waits for their proofs.
///
/// It needs the gossip: claims are what tells who answers for what.
package struct FencingSettings: Sendable {
    /// Where the Leases are.
    package var leases: any NodeLeases
    /// How long a Lease lasts.
    package var duration: Duration

    /// Makes settings.
    package init(leases: any NodeLeases, duration: Duration = .seconds(10)) {
        self.leases = leases
        self.duration = duration
    }
}
