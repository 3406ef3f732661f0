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
        /// A port on every address of the node but loopback, in one family.
        case nodePort(IPAddress.Family, port: UInt16)

        /// The family of the traffic that enters here.
        public var family: IPAddress.Family {
            switch self {
            case .loadBalancer(let address, _), .clusterIP(let address, _): address.family
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
        /// Whether the backend runs on this node.
        public let isLocal: Bool

        /// Describes a backend.
        public init(_ address: IPAddress, port: UInt16, isLocal: Bool) {
            self.address = address
            self.port = port
            self.isLocal = isLocal
        }
    }

    /// Which endpoints traffic of one kind may reach.
    public enum Policy: Hashable, Sendable {
        /// All of them.
        case cluster
        /// Those of this node.
        case local
    }

    /// Which endpoint a new connection gets.
    public enum Affinity: Hashable, Sendable {
        /// Any, at random, with equal chances.
        case none
        /// One that depends on the client's address alone, for as long as the endpoints stay the
        /// same.
        case clientAddress
    }

    /// Whose port this is.
    public var identity: Identity
    /// Where traffic enters.
    public var frontends: [Frontend]
    /// The usable endpoints, both families.
    public var endpoints: [Endpoint]
    /// `externalTrafficPolicy`: for load balancer addresses and node ports.
    public var externalPolicy: Policy
    /// `internalTrafficPolicy`: for cluster addresses.
    public var internalPolicy: Policy
    /// `sessionAffinity`.
    public var affinity: Affinity
    /// `loadBalancerSourceRanges`: who may enter at load balancer addresses; empty means everybody.
    ///
    /// When there are ranges but none of a family, nobody of that family may enter: a restriction
    /// that someone wrote never leaves a door open that it does not name.
    public var sourceRanges: [Prefix]

    /// Describes a Service port; what is not said has the Kubernetes default.
    public init(
        identity: Identity, frontends: [Frontend], endpoints: [Endpoint] = [],
        externalPolicy: Policy = .cluster, internalPolicy: Policy = .cluster,
        affinity: Affinity = .none, sourceRanges: [Prefix] = []
    ) {
        self.identity = identity
        self.frontends = frontends
        self.endpoints = endpoints
        self.externalPolicy = externalPolicy
        self.internalPolicy = internalPolicy
        self.affinity = affinity
        self.sourceRanges = sourceRanges
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
