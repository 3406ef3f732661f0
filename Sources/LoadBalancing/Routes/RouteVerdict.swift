public import NetworkTypes

/// What becomes of one address towards one peer.
public enum RouteVerdict: Hashable, Sendable {
    /// The peer is told, in these blocks; the shortest one first.
    case announced([RouteAnnouncement])
    /// The peer is not told.
    case withheld(RouteRefusal)
}

/// A block and what a peer is told of it.
public struct RouteAnnouncement: Hashable, Sendable {
    /// The block.
    public var prefix: Prefix
    /// What is told.
    public var route: PlannedRoute

    /// Makes an announcement.
    public init(prefix: Prefix, route: PlannedRoute) {
        self.prefix = prefix
        self.route = route
    }
}

/// Why a peer is not told of an address. The order of the cases is the order in which they are
/// looked at: what fails several ways reports the first.
public enum RouteRefusal: Hashable, Sendable {
    /// The node is to announce nothing at all.
    case node(LossReason)
    /// No Service uses the address.
    case notInUse
    /// No BGP advertisement matches the address.
    case noAdvertisement
    /// The peer does not select the node, so there is no session.
    case nodeNotSelectedByPeer
    /// The peer's session does not carry routes of the address's family.
    case familyNotCarried(IPAddress.Family)
    /// Advertisements match the address, but none selects the node.
    case nodeNotSelected(by: [String])
    /// Advertisements match the address and the node, but none lists the peer.
    case peerNotListed(in: [String])
    /// No Service of the address has a usable endpoint anywhere.
    case noUsableEndpoint
    /// Policy Local, and the usable endpoints are on other nodes.
    case noLocalEndpoint
    /// The node is to be relieved, and these others announce the address.
    case relieved(LossReason, by: [String])
}

extension RouteRefusal: CustomStringConvertible {
    /// Plain words, to be read after the node's name.
    public var description: String {
        switch self {
        case .node(let reason): "\(reason)"
        case .notInUse: "has nothing to announce: no Service uses the address"
        case .noAdvertisement: "may not announce it: no BGPAdvertisement matches the address"
        case .nodeNotSelectedByPeer: "is not selected by the peer"
        case .familyNotCarried(let family):
            "has a session with the peer that does not carry \(family == .ipv4 ? "IPv4" : "IPv6")"
                + " routes"
        case .nodeNotSelected(let names):
            "is not selected by BGPAdvertisement \(names.joined(separator: ", "))"
        case .peerNotListed(let names):
            "may not tell this peer: BGPAdvertisement \(names.joined(separator: ", "))"
                + " is for others"
        case .noUsableEndpoint: "\(LossReason.noUsableEndpoint)"
        case .noLocalEndpoint: "\(LossReason.noLocalEndpoint)"
        case .relieved(let reason, let others):
            "\(reason), and others announce it: \(others.joined(separator: ", "))"
        }
    }

    /// What the reader can do if the peer should be told; `nil` when nothing is amiss.
    public var remedy: String? {
        switch self {
        case .node(let reason), .relieved(let reason, _): reason.remedy
        case .notInUse: LossReason.notInUse.remedy
        case .noAdvertisement: "make a BGPAdvertisement for the pool, or widen one"
        case .nodeNotSelectedByPeer: "widen spec.nodeSelectors of the BGPPeer, or label the node"
        case .familyNotCarried: "set dualStackAddressFamily, or add a peer of that family"
        case .nodeNotSelected: LossReason.notSelected(by: []).remedy
        case .peerNotListed: "add the peer to spec.peers of the BGPAdvertisement"
        case .noUsableEndpoint: LossReason.noUsableEndpoint.remedy
        case .noLocalEndpoint: LossReason.noLocalEndpoint.remedy
        }
    }
}
