import ClusterSource
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// What a speaker says of itself.
package struct NodeSpeakerStatus: Sendable {
    /// The last state that it worked from.
    package var state: ClusterState
    /// What it announces and what not, and how that came about.
    package var tenure: TenureReport
    /// How the gossip does; `nil` without gossip.
    package var membership: MembershipStatus?
    /// What the others say, by node.
    package var members: [String: LiveMember]
    /// What its routers are told, and why not more; `nil` without BGP peers.
    package var routes: RoutePlan?
    /// What is so with its routers.
    package var peers: BGPReport
    /// What BFD sees of the ways to them.
    package var paths: BFDReport
    /// What is so on its interfaces.
    package var interfaces: [Layer2InterfaceState]
    /// Events that nobody read in time.
    package var eventsLost: UInt64
    /// Why others cannot read what this node announces, if they cannot.
    package var publishingTrouble: String?
    /// Why the data plane is out of step, if it is.
    package var dataplaneFailure: String?
    /// Why changes of the table by others are noticed late, if they are.
    package var dataplaneUnwatched: String?
    /// What to set so that packets are forwarded.
    package var dataplaneRemedies: [String]
    /// Service addresses that this node's kernel holds.
    package var kernelHeld: Set<IPAddress>
    /// What an operator should know of, newest last.
    package var recentEvents: [RecentEvents.Event]
    /// Whether the node hands over what it has.
    package var isDraining: Bool
    /// Addresses for which this node finds that nobody answers.
    package var unanswered: Set<IPAddress>
    /// How fencing stands; `nil` where nobody needs a Lease.
    package var fence: FenceReport?
}

extension NodeSpeaker {
    /// The interfaces to announce on whose threads do not run.
    package func interfacesWithoutThread() async -> Set<String> {
        let wanted = Set(layer2.bindings.map(\.link.name))
        return wanted.subtracting(await layer2.interfaceStates().map(\.interface))
    }

    /// Whether a first state has been worked through.
    package var hasApplied: Bool { tenure.report.hasApplied }

    /// What is so now, on the wire and in the plan.
    ///
    /// - Parameter prefixes: the prefixes of which is told which routers have them, and how.
    package func status(of prefixes: [Prefix] = []) async -> NodeSpeakerStatus {
        let peers = await bgp.report(of: prefixes)
        let interfaces = await layer2.interfaceStates()
        let gossip = await membership?.status()
        var current = state
        current.speakers[settings.node] = record()
        return NodeSpeakerStatus(
            state: current, tenure: tenure.report, membership: gossip, members: members,
            routes: peering.plans.isEmpty ? nil : peering.planner.plan, peers: peers,
            paths: bgp.paths, interfaces: interfaces, eventsLost: layer2.eventsLost,
            publishingTrouble: publishingTrouble,
            dataplaneFailure: dataplaneFailure, dataplaneUnwatched: dataplaneUnwatched,
            dataplaneRemedies: dataplaneRemedies,
            kernelHeld: kernelHeld, recentEvents: recentEvents.events,
            isDraining: isDrained || isLeaving, unanswered: Set(disputes.keys),
            fence: fenceReport)
    }
}
