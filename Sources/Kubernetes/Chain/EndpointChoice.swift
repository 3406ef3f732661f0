public import NetworkTypes

/// Which endpoints of a Service port get new connections, seen from one node.
///
/// Of the endpoints in reach, those of the best ``Standing`` that any of them has are chosen, and
/// no others. So endpoints that terminate serve until the first ready one is there (KEP-1669), and
/// what runs on a node that is known to be dead gets nothing as long as there is anything else.
///
/// It is judged for each family by itself, and for each policy: who may go to this node's endpoints
/// only is served by the best of these, however good those elsewhere are. For
/// `publishNotReadyAddresses` there is no rule, because slices then say `ready` of every endpoint.
public struct EndpointChoice: Hashable, Sendable {
    /// How good an endpoint is, the best first.
    public enum Standing: Int, Hashable, Sendable, Comparable, CaseIterable {
        /// Ready, or nobody says that it is not.
        case ready
        /// Not ready, most often because it terminates, but serving still.
        case serving
        /// Ready by its object, on a node that is known to be dead.
        case readyOnDeadNode
        /// Serving by its object, on a node that is known to be dead.
        case servingOnDeadNode
        /// Neither ready nor serving: never chosen.
        case unusable

        /// Better ones first.
        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// The policies under which an endpoint is chosen.
    public struct Policies: OptionSet, Hashable, Sendable {
        /// One bit a policy.
        public let rawValue: UInt8

        /// Policies by their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Traffic that may go to any node.
        public static let cluster = Policies(rawValue: 1)
        /// Traffic that stays on this node.
        public static let local = Policies(rawValue: 2)
    }

    /// An endpoint with its verdict.
    public struct Candidate: Hashable, Sendable {
        /// Where traffic goes.
        public var address: IPAddress
        /// The port there, 1–65535.
        public var port: UInt16
        /// The node that it runs on, `nil` when unknown.
        public var node: String?
        /// What stands behind it, `nil` when unknown.
        public var target: String?
        /// Whether it runs on this node.
        public var isLocal: Bool
        /// How good it is.
        public var standing: Standing
        /// Where it gets new connections; empty when something better is there.
        public var policies: Policies = []
    }

    /// The node from which it is seen.
    public var node: String
    /// Whether there is no other node: then endpoints of an unknown node are this node's.
    public var isOnlyNode: Bool
    /// Nodes that are known to be dead, sooner than the API server may say so. This one never is.
    public var deadNodes: Set<String>

    /// Chooses for `node`.
    public init(node: String, isOnlyNode: Bool, deadNodes: Set<String> = []) {
        self.node = node
        self.isOnlyNode = isOnlyNode
        self.deadNodes = deadNodes
    }

    /// Every endpoint of a Service port, chosen or not, by address and port. Of several slices that
    /// name the same one, the best word counts.
    public func candidates(
        for port: Service.Port, in slices: some Sequence<EndpointSlice>
    ) -> [Candidate] {
        var candidates: [Candidate] = []
        for slice in slices {
            for slicePort in slice.ports
            where slicePort.name == port.name && slicePort.protocol == port.protocol {
                for endpoint in slice.endpoints {
                    candidates.append(candidate(endpoint, port: slicePort.port))
                }
            }
        }
        candidates.sort {
            ($0.address, $0.port, $0.standing) < ($1.address, $1.port, $1.standing)
        }
        var last: Candidate?
        candidates.removeAll { candidate in
            defer { last = candidate }
            return candidate.address == last?.address && candidate.port == last?.port
        }
        judge(&candidates)
        return candidates
    }

    private func candidate(_ endpoint: EndpointSlice.Endpoint, port: UInt16) -> Candidate {
        let isLocal = endpoint.nodeName.map { $0 == node } ?? isOnlyNode
        let isDead = !isLocal && endpoint.nodeName.map(deadNodes.contains) ?? false
        let standing: Standing =
            if endpoint.ready ?? true {
                isDead ? .readyOnDeadNode : .ready
            } else if endpoint.isUsable {
                isDead ? .servingOnDeadNode : .serving
            } else {
                .unusable
            }
        return Candidate(
            address: endpoint.address, port: port, node: endpoint.nodeName,
            target: endpoint.target, isLocal: isLocal, standing: standing)
    }

    private func judge(_ candidates: inout [Candidate]) {
        for family in IPAddress.Family.allCases {
            var best: (cluster: Standing, local: Standing) = (.unusable, .unusable)
            for candidate in candidates where candidate.address.family == family {
                best.cluster = min(best.cluster, candidate.standing)
                if candidate.isLocal { best.local = min(best.local, candidate.standing) }
            }
            guard best.cluster != .unusable else { continue }
            for index in candidates.indices where candidates[index].address.family == family {
                let standing = candidates[index].standing
                if standing == best.cluster { candidates[index].policies.insert(.cluster) }
                if candidates[index].isLocal, standing == best.local, standing != .unusable {
                    candidates[index].policies.insert(.local)
                }
            }
        }
    }
}

extension EndpointChoice.Policies {
    /// The one of a Service's field.
    public init(_ policy: Service.TrafficPolicy) {
        self = policy == .local ? .local : .cluster
    }
}
