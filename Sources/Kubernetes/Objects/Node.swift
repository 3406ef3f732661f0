public import NetworkTypes

/// A Node, as far as Martlet uses it (`core/v1`).
public struct Node: Hashable, Sendable {
    /// Metadata; the name is the Node's name.
    public var metadata: ObjectMeta
    /// Condition Ready; `nil` when the object has no such condition, which counts as ready.
    public var ready: Bool?
    /// Condition NetworkUnavailable; `nil` when absent, which counts as available.
    public var networkUnavailable: Bool?
    /// `spec.unschedulable`: cordoned.
    public var isUnschedulable = false
    /// Keys of `spec.taints`.
    public var taints: [String] = []
    /// `status.addresses` of type InternalIP and ExternalIP.
    public var addresses: [IPAddress] = []
    /// Whether ``drainAnnotation`` asks the node to hand over what it announces.
    public var isAskedToDrain = false
    /// `spec.podCIDRs`.
    public var podCIDRs: [Prefix] = []

    /// Makes a Node without conditions.
    public init(metadata: ObjectMeta) { self.metadata = metadata }

    /// The label that keeps a node from serving load balancers, whatever its value.
    public static let excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers"
    /// The taint by which somebody vouches that the node is shut down (non-graceful node shutdown).
    public static let outOfServiceTaint = "node.kubernetes.io/out-of-service"
    /// The annotation that asks for a hand-over of everything the node announces.
    public static let drainAnnotation = "martlet.dev/drain"
}

/// A Namespace: its name and the labels that selectors match.
public struct Namespace: Hashable, Sendable {
    /// Metadata; `metadata.name.name` is the namespace.
    public var metadata: ObjectMeta

    /// Makes a namespace.
    public init(metadata: ObjectMeta) { self.metadata = metadata }
}

/// A Secret: its type and decoded values.
public struct Secret: Hashable, Sendable {
    /// Metadata.
    public var metadata: ObjectMeta
    /// `type`, for instance `kubernetes.io/basic-auth`.
    public var type: String
    /// `data` after base64 and `stringData`, the latter winning.
    public var values: [String: [UInt8]]

    /// Makes a Secret.
    public init(metadata: ObjectMeta, type: String = "Opaque", values: [String: [UInt8]] = [:]) {
        self.metadata = metadata
        self.type = type
        self.values = values
    }
}

/// A Pod, as far as endpoints are derived from it (`core/v1`).
public struct Pod: Hashable, Sendable {
    /// A port that a container declares.
    public struct ContainerPort: Hashable, Sendable {
        /// The name that a `targetPort` may use; empty when none.
        public var name: String
        /// Transport protocol.
        public var `protocol`: TransportProtocol
        /// Number, 1–65535.
        public var port: UInt16

        /// Makes a container port.
        public init(name: String = "", protocol: TransportProtocol = .tcp, port: UInt16) {
            self.name = name
            self.protocol = `protocol`
            self.port = port
        }
    }

    /// Metadata.
    public var metadata: ObjectMeta
    /// `spec.nodeName`, `nil` while unscheduled.
    public var nodeName: String?
    /// `status.podIPs`, or `status.podIP`.
    public var addresses: [IPAddress] = []
    /// Condition Ready; `nil` when the Pod carries no status conditions, which counts as ready.
    public var ready: Bool?
    /// `status.phase` is Succeeded or Failed.
    public var isFinished = false
    /// Ports of all containers, init sidecars included.
    public var containerPorts: [ContainerPort] = []

    /// Makes a Pod without status.
    public init(metadata: ObjectMeta) { self.metadata = metadata }
}
