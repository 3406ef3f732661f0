import Kubernetes
import Membership

/// By what the data plane of a speaker goes beside the objects.
package struct BackingSettings: Hashable, Sendable {
    /// Whether `externalIPs` are served.
    package var allowsExternalIPs: Bool
    /// Whether endpoints on nodes that the gossip has lost get no new connections.
    package var dropsDeadNodes: Bool
    /// Whether endpoints are asked whether they live, where annotations say so.
    package var probesEndpoints: Bool

    package init(
        allowsExternalIPs: Bool = false, dropsDeadNodes: Bool = true, probesEndpoints: Bool = true
    ) {
        self.allowsExternalIPs = allowsExternalIPs
        self.dropsDeadNodes = dropsDeadNodes
        self.probesEndpoints = probesEndpoints
    }
}

extension NodeSpeaker {
    /// What Services and endpoints do not say of their ways, as it is now.
    var chainOptions: ServiceChains.Options {
        ServiceChains.Options(
            allowsExternalIPs: settings.backing.allowsExternalIPs,
            deadNodes: settings.backing.dropsDeadNodes ? deadNodes : [])
    }

    /// The same, where Martlet's own data plane runs.
    package var ownBacking: ServiceChains.Options? { carriesTraffic ? chainOptions : nil }

    /// The nodes of which nothing is heard. One whose speaker stopped or crashed lives, and its
    /// endpoints with it.
    private var deadNodes: Set<String> {
        Set(members.filter { $0.value.isNodeDead && $0.key != settings.node }.keys)
    }
}

extension LiveMember {
    /// Whether the node itself is gone, as far as anybody can tell.
    var isNodeDead: Bool { state == .dead && cause == .silence }
}
