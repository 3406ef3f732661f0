/// Why a node does not own an address. The order of the cases is the order in which they are
/// looked at: a node that fails several ways reports the first.
public enum LossReason: Hashable, Sendable {
    /// The cluster has no such node.
    case unknownNode
    /// Failure detection says that the node is gone.
    case dead(cause: String)
    /// The node is tainted as shut down.
    case outOfService
    /// Condition Ready is not true.
    case notReady
    /// Condition NetworkUnavailable is true.
    case networkUnavailable
    /// The node carries `node.kubernetes.io/exclude-from-external-load-balancers`.
    case excludedByLabel
    /// The node is cordoned.
    case cordoned
    /// The node hands over what it announces.
    case draining
    /// No speaker runs on the node.
    case noSpeaker
    /// No layer 2 advertisement matches the address, so nobody may own it.
    case noAdvertisement
    /// Advertisements match the address, but none selects the node.
    case notSelected(by: [String])
    /// No Service of the address has a usable endpoint anywhere.
    case noUsableEndpoint
    /// Policy Local, and the usable endpoints are on other nodes.
    case noLocalEndpoint
    /// By the node's own health checks it has no endpoint for the address.
    case failsHealthChecks
    /// The node has none of these interfaces in a usable state; an empty list means any.
    case interfaceMissing([String])
    /// Other nodes are on the address's subnet, this one is not.
    case notOnSubnet
    /// It claims the address, and a witness that asked for it got no answer.
    case doesNotAnswer(witness: String)
    /// It is elected, and may not answer before it is sure that these nodes do not.
    case waitsForLease(of: [String])
    /// It may not answer, since its own Lease is not fresh.
    case leaseNotFresh
    /// No Service uses the address, so there is nothing to own.
    case notInUse
    /// The Services of the address ask for another node, which may own it.
    case otherAskedFor(node: String)
    /// Nodes of a higher preference weight are there.
    case lowerPreference(weight: Int, best: Int)
    /// The node holding the address stays, since there is no cause to move it.
    case holderStays(owner: String)
    /// The node already carries its share of addresses.
    case loadBound(carried: Int, bound: Int)
    /// The hash of node and address ranks the node behind the owner; 1 is the first place.
    case rank(position: Int, of: Int)
}

extension LossReason: CustomStringConvertible {
    /// Plain words, to be read after the node's name.
    public var description: String {
        switch self {
        case .unknownNode: "is not a node of this cluster"
        case .dead(let cause): "is down (\(cause))"
        case .outOfService: "is down (taint node.kubernetes.io/out-of-service)"
        case .notReady: "is not ready"
        case .networkUnavailable: "has no working pod network (NetworkUnavailable)"
        case .excludedByLabel: "is excluded from load balancing by its label"
        case .cordoned: "is cordoned"
        case .draining: "is draining"
        case .noSpeaker: "runs no speaker"
        case .noAdvertisement: "may not announce it: no L2Advertisement matches the address"
        case .notSelected(let names):
            "is not selected by L2Advertisement \(names.joined(separator: ", "))"
        case .noUsableEndpoint: "could only refuse: no usable endpoint anywhere"
        case .noLocalEndpoint: "runs no usable endpoint, and externalTrafficPolicy is Local"
        case .failsHealthChecks: "could only refuse: its endpoints fail their health checks there"
        case .interfaceMissing(let names):
            names.isEmpty
                ? "has no usable interface"
                : "has no usable interface among \(names.joined(separator: ", "))"
        case .notOnSubnet: "has no interface on the address's subnet, other nodes have"
        case .doesNotAnswer(let witness):
            "claims it and does not answer, as \(witness) found"
        case .waitsForLease(let nodes):
            "is elected and waits: \(nodes.joined(separator: ", ")) may still answer"
        case .leaseNotFresh: "may not answer: its own Lease is not fresh"
        case .notInUse: "has nothing to own: no Service uses the address"
        case .otherAskedFor(let node): "could, but the Service asks for \(node)"
        case .lowerPreference(let weight, let best):
            "has preference weight \(weight), others have \(best)"
        case .holderStays(let owner): "could, but \(owner) holds it and stays"
        case .loadBound(let carried, let bound):
            "carries \(carried) already, its share is at most \(bound)"
        case .rank(let position, let count): "ranks \(position) of \(count) for this address"
        }
    }

    /// What the reader can do if the node should own the address; `nil` when nothing is amiss.
    public var remedy: String? {
        switch self {
        case .unknownNode: "compare the name given to --node with the Node objects"
        case .dead: "see whether the node and its speaker run and reach the others"
        case .outOfService: "remove the taint once the node runs again"
        case .notReady: "kubectl describe node shows why"
        case .networkUnavailable: "see whether the network plugin runs on the node"
        case .excludedByLabel:
            "remove the label node.kubernetes.io/exclude-from-external-load-balancers"
        case .cordoned: "kubectl uncordon lets it take part"
        case .draining: "martlet undrain, or remove the annotation martlet.dev/drain"
        case .noSpeaker: "start a speaker on the node"
        case .noAdvertisement: "make an L2Advertisement for the pool, or widen one"
        case .notSelected: "widen spec.nodeSelectors, or label the node"
        case .noUsableEndpoint: "see whether the Service's selector matches ready Pods"
        case .noLocalEndpoint: "run a Pod there, or set externalTrafficPolicy: Cluster"
        case .failsHealthChecks:
            "martlet explain on that node shows what its health checks find, and why"
        case .interfaceMissing(let names):
            names.isEmpty
                ? "bring up an Ethernet interface that is no port of a bridge or bond"
                : "bring it up, name the bridge or bond instead of its port, or correct "
                    + "spec.interfaces"
        case .notOnSubnet: "give it an address of that subnet, or select its interface"
        case .doesNotAnswer:
            "see whether frames from its interface reach the LAN, and whether its speaker is stuck"
        case .waitsForLease:
            "it lasts until their Leases have run out; if such a node is surely off, taint it "
                + "node.kubernetes.io/out-of-service"
        case .leaseNotFresh: "see whether the node reaches the API server and may write its Lease"
        case .notInUse: "compare the address with status.loadBalancer of the Services"
        case .otherAskedFor: "change or remove the annotation martlet.dev/preferred-node"
        case .lowerPreference: "change the weights in spec.preferredNodeSelectors"
        case .holderStays, .loadBound, .rank: nil
        }
    }
}
