public import NetworkTypes

/// Some of the endpoints of a Service, of one family (`discovery.k8s.io/v1`); also what `Endpoints`
/// and selected Pods are turned into.
public struct EndpointSlice: Hashable, Sendable {
    /// Where the slice came from.
    public enum Origin: Hashable, Sendable {
        /// An EndpointSlice object.
        case given
        /// An Endpoints object of the same name as the Service.
        case endpoints
        /// Pods that the Service's selector matches.
        case pods
    }

    /// One backend.
    public struct Endpoint: Hashable, Sendable {
        /// The address that traffic goes to.
        public var address: IPAddress
        /// `conditions.ready`; `nil` (unknown) counts as ready.
        public var ready: Bool?
        /// `conditions.serving`.
        public var serving: Bool?
        /// `conditions.terminating`.
        public var terminating: Bool?
        /// The node that the endpoint runs on, `nil` when unknown.
        public var nodeName: String?
        /// What stands behind the endpoint (`Pod default/web-1`), `nil` when unknown.
        public var target: String?

        /// Makes an endpoint that is ready on an unknown node.
        public init(
            address: IPAddress, ready: Bool? = nil, serving: Bool? = nil,
            terminating: Bool? = nil, nodeName: String? = nil, target: String? = nil
        ) {
            self.address = address
            self.ready = ready
            self.serving = serving
            self.terminating = terminating
            self.nodeName = nodeName
            self.target = target
        }

        /// Whether traffic may be sent: ready is absent or true, or serving is true.
        public var isUsable: Bool { (ready ?? true) || (serving ?? false) }
    }

    /// A port that all endpoints of the slice have; its name says which Service port it serves.
    public struct Port: Hashable, Sendable {
        /// The Service port's name.
        public var name: String
        /// Transport protocol.
        public var `protocol`: TransportProtocol
        /// Number, 1–65535.
        public var port: UInt16

        /// Makes a port.
        public init(name: String = "", protocol: TransportProtocol = .tcp, port: UInt16) {
            self.name = name
            self.protocol = `protocol`
            self.port = port
        }
    }

    /// Metadata; for a derived slice, the Service's namespace and a made-up name.
    public var metadata: ObjectMeta
    /// The Service (label `kubernetes.io/service-name`).
    public var service: ObjectName
    /// `addressType`.
    public var family: IPAddress.Family
    /// The endpoints, usable or not.
    public var endpoints: [Endpoint]
    /// The ports.
    public var ports: [Port]
    /// Where the slice came from.
    public var origin: Origin

    /// Makes a slice.
    public init(
        metadata: ObjectMeta, service: ObjectName, family: IPAddress.Family,
        endpoints: [Endpoint] = [], ports: [Port] = [], origin: Origin = .given
    ) {
        self.metadata = metadata
        self.service = service
        self.family = family
        self.endpoints = endpoints
        self.ports = ports
        self.origin = origin
    }
}
