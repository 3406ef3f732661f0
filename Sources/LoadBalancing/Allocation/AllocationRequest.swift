public import NetworkTypes

/// A transport port that a Service listens on.
public struct ServicePort: Hashable, Sendable, CustomStringConvertible {
    /// The transport protocol; ports of different protocols never clash.
    public enum Transport: String, Hashable, Sendable, CaseIterable {
        /// RFC 9293.
        case tcp = "TCP"
        /// RFC 768.
        case udp = "UDP"
        /// RFC 9260.
        case sctp = "SCTP"
    }

    /// The transport protocol.
    public var transport: Transport
    /// The port number.
    public var number: UInt16

    /// Makes a port.
    public init(_ transport: Transport, _ number: UInt16) {
        self.transport = transport
        self.number = number
    }

    /// `TCP 80`.
    public var description: String { "\(transport.rawValue) \(number)" }
}

/// What two Services must have in common to share an address.
public struct SharingKey: Hashable, Sendable {
    /// Who answers behind the address, as far as sharing must care.
    public enum Backends: Hashable, Sendable {
        /// Traffic policy Cluster: every node reaches every backend, so any mix may share.
        case anywhere
        /// Traffic policy Local: only nodes with these backends answer, so they must be the same.
        case local(selector: String)
    }

    /// The key the Service was annotated with; never empty.
    public let key: String
    /// The backends of the Service.
    public let backends: Backends

    /// Makes a sharing key; `nil` when `key` is empty, which means that nothing is shared.
    public init?(key: String, backends: Backends = .anywhere) {
        guard !key.isEmpty else { return nil }
        self.key = key
        self.backends = backends
    }
}

/// Which address families a Service wants, and how badly.
public struct FamilyWish: Hashable, Sendable {
    /// What to do when not every family can be had.
    public enum Policy: Hashable, Sendable {
        /// Only the first family is wanted.
        case single
        /// Every family is wanted; one is enough for now.
        case prefer
        /// Every family is wanted, or none.
        case require
    }

    /// The families wanted, most wanted first, without repetition; one at most for `single`.
    public let families: [IPAddress.Family]
    /// What to do when not every family can be had.
    public let policy: Policy

    /// Makes a wish from the Service's `ipFamilies` and `ipFamilyPolicy`.
    public init(_ families: [IPAddress.Family], policy: Policy = .single) {
        var ordered: [IPAddress.Family] = []
        for family in families where !ordered.contains(family) { ordered.append(family) }
        self.families = policy == .single ? Array(ordered.prefix(1)) : ordered
        self.policy = policy
    }
}

/// Everything the allocator needs to know of a Service that wants an address.
public struct AllocationRequest: Hashable, Sendable {
    /// The Service.
    public var service: ServiceName
    /// The families it wants.
    public var families: FamilyWish
    /// Addresses asked for by field or annotation, at most one of each family.
    public var requestedAddresses: [IPAddress]
    /// The pool asked for by annotation.
    public var requestedPool: String?
    /// The names of the pinned pools that are kept for this Service, among others.
    public var pinnedPools: Set<String>
    /// On what terms the Service shares its address; `nil`: it does not.
    public var sharing: SharingKey?
    /// The ports it listens on; they matter only when it shares.
    public var ports: [ServicePort]
    /// The addresses its status names. Used only while the allocator does not know the Service,
    /// that is after a restart; later its own record counts, for a status may lag behind.
    public var held: [IPAddress]

    /// Makes a request; all but the name and the families default to "nothing special".
    public init(
        service: ServiceName, families: FamilyWish, requestedAddresses: [IPAddress] = [],
        requestedPool: String? = nil, pinnedPools: Set<String> = [], sharing: SharingKey? = nil,
        ports: [ServicePort] = [], held: [IPAddress] = []
    ) {
        self.service = service
        self.families = families
        self.requestedAddresses = requestedAddresses
        self.requestedPool = requestedPool
        self.pinnedPools = pinnedPools
        self.sharing = sharing
        self.ports = ports
        self.held = held
    }

    /// The terms under which the Service would live at an address.
    var terms: SharingTerms? {
        sharing.map { SharingTerms(key: $0, ports: Set(ports)) }
    }
}

/// What a Service that shares its addresses brings along: its key and the ports it takes.
struct SharingTerms: Hashable, Sendable {
    let key: SharingKey
    let ports: Set<ServicePort>

    /// The ports in an order that is the same in every process.
    var orderedPorts: [ServicePort] {
        ports.sorted { ($0.number, $0.transport.rawValue) < ($1.number, $1.transport.rawValue) }
    }
}
