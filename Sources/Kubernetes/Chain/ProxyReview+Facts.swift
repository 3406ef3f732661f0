public import NetworkTypes

extension ProxyReview {
    /// What can be seen on a node of whoever takes traffic for Services on to endpoints.
    public struct Facts: Hashable, Sendable {
        /// The switches of one interface, or of `all`, that decide what a kernel answers and takes
        /// in.
        public struct Switches: Hashable, Sendable {
            /// `arp_ignore`; `nil` when it cannot be read.
            public var arpIgnore: Int?
            /// `arp_announce`.
            public var arpAnnounce: Int?
            /// `rp_filter`.
            public var rpFilter: Int?

            /// Switches; what is left out cannot be read.
            public init(arpIgnore: Int? = nil, arpAnnounce: Int? = nil, rpFilter: Int? = nil) {
                self.arpIgnore = arpIgnore
                self.arpAnnounce = arpAnnounce
                self.rpFilter = rpFilter
            }
        }

        /// Whether the packet filter's tables could be looked at, which takes CAP_NET_ADMIN.
        public var seesTables = false
        /// What kube-proxy itself says that its mode is (`iptables`, `ipvs`, `nftables`), where it
        /// answers.
        public var statedMode: String?
        /// The families with a table `kube-proxy`.
        public var nftablesTables: Set<IPAddress.Family> = []
        /// The families with a chain `KUBE-SERVICES` in nf_tables.
        public var iptablesChains: Set<IPAddress.Family> = []
        /// The families with a chain `KUBE-SERVICES` in the older kernel interface.
        public var legacyChains: Set<IPAddress.Family> = []
        /// Virtual servers of IPVS; `nil` when the module is not there, or it cannot be read.
        public var virtualServers: Int?
        /// The addresses on the interface on which IPVS proxies keep those of Services; `nil` when
        /// there is no such interface.
        public var dummyAddresses: Set<IPAddress>?
        /// The name of that interface.
        public var dummyName = "kube-ipvs0"
        /// The names of all interfaces.
        public var interfaces: Set<String> = []
        /// Whether an interface is a Linux bridge.
        public var hasBridge = false
        /// The switches by interface, `all` among them.
        public var switches: [String: Switches] = [:]
        /// Whether each family is forwarded; left out when it cannot be read.
        public var forwarding: [IPAddress.Family: Bool] = [:]
        /// Whether bridged packets pass the packet filter (`bridge-nf-call-…`); left out when the
        /// module is not there.
        public var bridgeCalls: [IPAddress.Family: Bool] = [:]

        /// Nothing seen.
        public init() {}
    }
}
