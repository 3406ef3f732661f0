public import NetworkTypes

/// A pool of addresses that Services may be given (`metallb.io/v1beta1 IPAddressPool`).
public struct IPAddressPool: Hashable, Sendable {
    /// Which Services the pool is pinned to. All lists empty: every Service.
    public struct ServiceAllocation: Hashable, Sendable {
        /// Lower is tried first; 0 (the default) is tried last.
        public var priority = 0
        /// Namespaces by name.
        public var namespaces: [String] = []
        /// Namespaces by label.
        public var namespaceSelectors: [LabelSelector] = []
        /// Services by label.
        public var serviceSelectors: [LabelSelector] = []

        /// Makes an allocation rule that matches every Service with the lowest priority.
        public init() {}
    }

    /// Metadata.
    public var metadata: ObjectMeta
    /// `spec.addresses`, in the order written.
    public var addresses: [AddressRange]
    /// Whether Services that do not ask for this pool may get an address from it.
    public var autoAssign = true
    /// Whether IPv4 addresses ending in .0 and .255 are passed over.
    public var avoidBuggyIPs = false
    /// `spec.serviceAllocation`, `nil` when absent.
    public var serviceAllocation: ServiceAllocation?
    /// **+** Whether the wire is probed before the first use of an address (RFC 5227).
    public var conflictDetection = true
    /// **+** Seconds for which the address of a deleted Service stays reserved for its name.
    public var retentionSeconds = 0

    /// Makes a pool with the defaults.
    public init(metadata: ObjectMeta, addresses: [AddressRange]) {
        self.metadata = metadata
        self.addresses = addresses
    }

    /// The pool's name, as annotations and advertisements use it.
    public var name: String { metadata.name.name }
}
