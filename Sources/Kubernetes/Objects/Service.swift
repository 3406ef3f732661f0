public import NetworkTypes

/// A Service, as far as Martlet uses it (`core/v1`).
public struct Service: Hashable, Sendable {
    /// How far the Service reaches.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Reached inside the cluster only.
        case clusterIP = "ClusterIP"
        /// Also reached on a port of every node.
        case nodePort = "NodePort"
        /// Also reached on an address of its own, which Martlet gives.
        case loadBalancer = "LoadBalancer"
        /// A CNAME; no address, no data path.
        case externalName = "ExternalName"
    }

    /// Whether one or both address families are asked for.
    public enum IPFamilyPolicy: String, Hashable, Sendable, CaseIterable {
        /// One family.
        case singleStack = "SingleStack"
        /// Both where possible, else one.
        case preferDualStack = "PreferDualStack"
        /// Both or none.
        case requireDualStack = "RequireDualStack"
    }

    /// Whether traffic may be sent on to endpoints of other nodes.
    public enum TrafficPolicy: String, Hashable, Sendable, CaseIterable {
        /// To any endpoint; the client's address may be hidden by masquerading.
        case cluster = "Cluster"
        /// To endpoints of the receiving node only; the client's address is kept.
        case local = "Local"
    }

    /// Whether a client keeps its endpoint.
    public enum SessionAffinity: Hashable, Sendable {
        /// Every connection is balanced on its own.
        case none
        /// A client address keeps its endpoint for `timeoutSeconds` (1–86400, default 10800).
        case clientIP(timeoutSeconds: Int)
    }

    /// One port of the Service.
    public struct Port: Hashable, Sendable {
        /// Name within the Service; empty where there is only one port.
        public var name: String
        /// Transport protocol.
        public var `protocol`: TransportProtocol
        /// Port on the Service's addresses, 1–65535.
        public var port: UInt16
        /// Port of the endpoint.
        public var targetPort: TargetPort
        /// Port on every node, 0 when none.
        public var nodePort: UInt16

        /// Makes a port; `targetPort` defaults to `port`.
        public init(
            name: String = "", protocol: TransportProtocol = .tcp, port: UInt16,
            targetPort: TargetPort? = nil, nodePort: UInt16 = 0
        ) {
            self.name = name
            self.protocol = `protocol`
            self.port = port
            self.targetPort = targetPort ?? .number(port)
            self.nodePort = nodePort
        }
    }

    /// An address that the load balancer has given, as in `status.loadBalancer.ingress`.
    public struct Ingress: Hashable, Sendable {
        /// The address.
        public var address: IPAddress

        /// Makes an ingress entry.
        public init(address: IPAddress) { self.address = address }
    }

    /// Metadata.
    public var metadata: ObjectMeta
    /// `spec.type`.
    public var kind: Kind = .clusterIP
    /// `spec.loadBalancerClass`, `nil` when absent.
    public var loadBalancerClass: String?
    /// `spec.loadBalancerIP` as written, `nil` when absent; the allocator's caller judges it.
    public var loadBalancerIP: String?
    /// `spec.clusterIPs` that are addresses; empty when none was given (not headless).
    public var clusterIPs: [IPAddress] = []
    /// True for `clusterIP: None`.
    public var isHeadless = false
    /// `spec.ipFamilies`, in order of preference; empty when absent.
    public var ipFamilies: [IPAddress.Family] = []
    /// `spec.ipFamilyPolicy`.
    public var ipFamilyPolicy: IPFamilyPolicy = .singleStack
    /// `spec.externalTrafficPolicy`.
    public var externalTrafficPolicy: TrafficPolicy = .cluster
    /// `spec.internalTrafficPolicy`.
    public var internalTrafficPolicy: TrafficPolicy = .cluster
    /// `spec.ports`.
    public var ports: [Port] = []
    /// `spec.selector`; empty means that nothing derives endpoints.
    public var selector: [String: String] = [:]
    /// `spec.sessionAffinity` with its timeout.
    public var sessionAffinity: SessionAffinity = .none
    /// `spec.loadBalancerSourceRanges`; empty means everybody.
    public var sourceRanges: [Prefix] = []
    /// `spec.allocateLoadBalancerNodePorts`.
    public var allocateNodePorts = true
    /// `spec.publishNotReadyAddresses`.
    public var publishNotReadyAddresses = false
    /// `spec.healthCheckNodePort`, 0 when none.
    public var healthCheckNodePort: UInt16 = 0
    /// The node that ``preferredNodeAnnotation`` names for its addresses.
    public var preferredNode: String?
    /// How the data plane chooses among the endpoints, by ``endpointSelectionAnnotation``; `nil`
    /// when nothing is said: at random, or with session affinity by client.
    public var endpointSelection: EndpointSelection?
    /// How its endpoints are asked whether they live; `nil` for not at all.
    public var healthCheck: HealthCheck?
    /// `spec.externalIPs`; never Martlet's to announce.
    public var externalIPs: [IPAddress] = []
    /// `spec.externalName`, `nil` when absent.
    public var externalName: String?
    /// `status.loadBalancer.ingress[].ip`: what has been given, by Martlet or by someone before.
    public var ingress: [Ingress] = []

    /// The annotation that names the node to own the Service's addresses as long as it can.
    public static let preferredNodeAnnotation = "martlet.dev/preferred-node"

    /// Makes a Service with the API's defaults.
    public init(metadata: ObjectMeta) { self.metadata = metadata }

    /// Namespace and name.
    public var name: ObjectName { metadata.name }
}

/// A transport protocol that a Service port may use.
public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
    /// RFC 9293.
    case tcp = "TCP"
    /// RFC 768.
    case udp = "UDP"
    /// RFC 9260.
    case sctp = "SCTP"
}

/// A port given by number, or by the name that a container port bears.
public enum TargetPort: Hashable, Sendable, CustomStringConvertible {
    /// 1–65535.
    case number(UInt16)
    /// The `name` of a container port.
    case name(String)

    /// The number or the name.
    public var description: String {
        switch self {
        case .number(let number): String(number)
        case .name(let name): name
        }
    }
}
