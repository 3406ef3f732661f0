/// Who announces which pools by ARP and NDP (`metallb.io/v1beta1 L2Advertisement`).
public struct L2Advertisement: Hashable, Sendable {
    /// Nodes that should own an address rather than others.
    public struct NodePreference: Hashable, Sendable {
        /// 1–100; weights of all preferences that match a node add up.
        public var weight: Int
        /// The nodes meant.
        public var preference: LabelSelector

        /// Makes a preference.
        public init(weight: Int, preference: LabelSelector) {
            self.weight = weight
            self.preference = preference
        }
    }

    /// **+** When an address moves although its owner is well.
    public enum Preemption: String, Hashable, Sendable, CaseIterable {
        /// Never: an address stays where it is until there is a cause.
        case never = "Never"
        /// One address at a time towards balance.
        case gradual = "Gradual"
        /// The preferred node takes it back.
        case always = "Always"
    }

    /// Metadata.
    public var metadata: ObjectMeta
    /// `spec.ipAddressPools`; with no selectors either, all pools.
    public var ipAddressPools: [String] = []
    /// `spec.ipAddressPoolSelectors`.
    public var ipAddressPoolSelectors: [LabelSelector] = []
    /// `spec.nodeSelectors`; empty: all nodes.
    public var nodeSelectors: [LabelSelector] = []
    /// `spec.interfaces`; empty: all.
    public var interfaces: [String] = []
    /// `spec.serviceSelectors`; empty: all Services.
    public var serviceSelectors: [LabelSelector] = []
    /// `spec.preferredNodeSelectors`.
    public var preferredNodeSelectors: [NodePreference] = []
    /// **+** `spec.preemption`.
    public var preemption: Preemption = .never
    /// **+** Seconds between unasked announcements; 0 turns them off.
    public var reannounceIntervalSeconds = 60

    /// Makes an advertisement of all pools by all nodes on all interfaces.
    public init(metadata: ObjectMeta) { self.metadata = metadata }
}
