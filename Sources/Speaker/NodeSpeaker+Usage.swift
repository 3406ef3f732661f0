import Dataplane
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// How much the data plane of a node is used, and how its endpoints do.
package struct DataplaneUsage: Sendable {
    /// By Service port, in order.
    package var ports: [(identity: ServiceChain.Identity, usage: Ruleset.Usage)]
    /// Why it cannot be told, where it cannot.
    package var trouble: String?
}

extension NodeSpeaker {
    /// What the kernel has counted since this process began; `nil` without a data plane of ours.
    package func dataplaneUsage() async -> DataplaneUsage? {
        guard let dataplane else { return nil }
        do throws(SystemError) {
            let usages = try await dataplane.usage()
            return DataplaneUsage(
                ports: usages.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        } catch {
            return DataplaneUsage(ports: [], trouble: "\(error)")
        }
    }

    /// What the prober finds; `nil` while no annotation asks for it.
    package var proberReport: EndpointProber.Report? { probing.prober?.report }
}
