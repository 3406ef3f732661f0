public import NetworkTypes

/// One port of one Service, resolved: who may enter where, and which endpoints serve.
///
/// This is what the rest of the module works from. A shell makes it from Kubernetes objects; both
/// families are in one value.
public struct ServiceChain: Hashable, Sendable {
    /// A transport protocol that a Service port may use. The raw value is the IP protocol number.
    public enum Transport: UInt8, Hashable, Sendable, CaseIterable {
        /// RFC 9293.
        case tcp = 6
        /// RFC 768.
        case udp = 17
        /// RFC 9260.
        case sctp = 132
    }

    /// Whose port this is. No two chains of one desired state have the same identity.
    public struct Identity: Hashable, Sendable {
        /// The Service's namespace.
        public let namespace: String
        /// The Service's name.
        public let service: String
        /// The port's name, or its number where it has none.
        public let port: String
        /// The port's protocol.
        public let transport: Transport

        /// Names a Service port.
        public init(namespace: String, service: String, port: String, transport: Transport) {
            self.namespace = namespace
            self.service = service
            self.port = port
            self.transport = transport
        }
    }

    /// A place where traffic for the port enters.
    public enum Frontend: Hashable, Sendable {
        /// A load balancer address: traffic from outside.
        case loadBalancer(IPAddress, port: UInt16)
        /// A cluster address: traffic from this node and its workloads.
        case clusterIP(IPAddress, port: UInt16)
        /// An address of `externalIPs`: traffic from outside, to an address that somebody else
        /// brings here and that may serve other purposes too.
        case externalIP(IPAddress, port: UInt16)
        /// A port on every address of the node but loopback, in one family.
        case nodePort(IPAddress.Family, port: UInt16)

        /// The family of the traffic that enters here.
        public var family: IPAddress.Family {
            switch self {
            case .loadBalancer(let address, _), .clusterIP(let address, _),
                .externalIP(let address, _):
                address.family
            case .nodePort(let family, _): family
            }
        }
    }

    /// A usable backend; who is usable has been decided before.
    public struct Endpoint: Hashable, Sendable {
        /// Where the traffic goes.
        public let address: IPAddress
        /// The backend's port, 1–65535.
        public let port: UInt16
        /// Whether the backend runs on this node, and so serves under policy Local.
        public let isLocal: Bool
        /// Whether it serves under policy Cluster. One that terminates on this node may be the best
        /// that policy Local has, while policy Cluster has ready ones elsewhere.
        public let servesCluster: Bool

        /// Describes a backend.
        public init(
            _ address: IPAddress, port: UInt16, isLocal: Bool, servesCluster: Bool = true
        ) {
            self.address = address
            self.port = port
            self.isLocal = isLocal
            self.servesCluster = servesCluster
        }

        /// Whether traffic under a policy may be sent to it.
        public func serves(_ policy: Policy) -> Bool {
            switch policy {
            case .cluster: servesCluster
            case .local: isLocal
            }
        }
    }

    /// Which endpoints traffic of one kind may reach.
    public enum Policy: Hashable, Sendable {
        /// All of them.
        case cluster
        /// Those of this node.
        case local
    }

    /// Whether a client's new connections go where its last one went.
    public enum Affinity: Hashable, Sendable {
        /// They do not.
        case none
        /// They do, while that endpoint serves and the last connection began at most so many
        /// seconds ago. Kubernetes takes 1–86,400 and says 10,800 where the Service does not.
        case clientAddress(seconds: UInt32)
    }

    /// Which endpoint a new connection gets.
    public enum Choice: Hashable, Sendable {
        /// Any, at random, with equal chances. A Service with affinity hashes the source instead,
        /// so that all nodes begin with the same endpoint for a client.
        case random
        /// One that the client's address decides, for as long as the endpoints stay the same.
        case sourceHash
        /// One that the client's address decides. An endpoint that comes or goes moves hardly more
        /// clients than its own share. It costs 1,024 slots for each family and policy of a Service
        /// port, whatever the number of endpoints; beyond a few hundred of these shares are uneven.
        case consistent
    }

    /// Whose port this is.
    public var identity: Identity
    /// Where traffic enters.
    public var frontends: [Frontend]
    /// The usable endpoints, both families.
    public var endpoints: [Endpoint]
    /// `externalTrafficPolicy`: for load balancer and external addresses and node ports.
    public var externalPolicy: Policy
    /// `internalTrafficPolicy`: for cluster addresses.
    public var internalPolicy: Policy
    /// `sessionAffinity`.
    public var affinity: Affinity
    /// How endpoints are chosen for clients that no affinity binds.
    public var choice: Choice
    /// `loadBalancerSourceRanges`: who may enter at load balancer addresses; empty means everybody.
    ///
    /// When there are ranges but none of a family, nobody of that family may enter: a restriction
    /// that someone wrote never leaves a door open that it does not name.
    public var sourceRanges: [Prefix]
    /// Where this node's Pods have their addresses, as far as that is known.
    ///
    /// What they and the node itself send to an external address reaches all endpoints, whatever
    /// the policy for traffic from outside: it is inside already, and nobody balanced it before.
    public var podSubnets: [Prefix]

    /// Describes a Service port; what is not said has the Kubernetes default.
    public init(
        identity: Identity, frontends: [Frontend], endpoints: [Endpoint] = [],
        externalPolicy: Policy = .cluster, internalPolicy: Policy = .cluster,
        affinity: Affinity = .none, choice: Choice = .random, sourceRanges: [Prefix] = [],
        podSubnets: [Prefix] = []
    ) {
        self.identity = identity
        self.frontends = frontends
        self.endpoints = endpoints
        self.externalPolicy = externalPolicy
        self.internalPolicy = internalPolicy
        self.affinity = affinity
        self.choice = choice
        self.sourceRanges = sourceRanges
        self.podSubnets = podSubnets
    }
}

extension ServiceChain {
    /// The policy that holds for what enters at a frontend.
    public func policy(at frontend: Frontend) -> Policy {
        switch frontend {
        case .clusterIP: internalPolicy
        case .loadBalancer, .externalIP, .nodePort: externalPolicy
        }
    }
}

extension ServiceChain.Identity: Comparable, CustomStringConvertible {
    /// By namespace, Service, port, then protocol number.
    public static func < (left: Self, right: Self) -> Bool {
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        if left.service != right.service { return left.service < right.service }
        if left.port != right.port { return left.port < right.port }
        return left.transport.rawValue < right.transport.rawValue
    }

    /// `namespace/service/port/protocol`, the protocol in lower case.
    public var description: String { "\(namespace)/\(service)/\(port)/\(transport)" }
}
