public import NetworkTypes

/// What is known of a node when owners are elected: values only, whoever observed them.
public struct NodeFacts: Hashable, Sendable {
    /// Whether the node lives, as failure detection sees it.
    public enum Liveness: Hashable, Sendable {
        /// It was heard from.
        case alive
        /// Nobody looked; counts as alive, because silence of the observer is no death.
        case unknown
        /// It is gone; the text says how that was found out, for people.
        case dead(cause: String)
    }

    /// Whether the node lives.
    public var liveness: Liveness
    /// Tainted `node.kubernetes.io/out-of-service`: somebody vouches that it is shut down.
    public var isOutOfService: Bool
    /// Condition Ready. Where no node that could own an address is ready, it does not count.
    public var isReady: Bool
    /// Condition NetworkUnavailable.
    public var isNetworkUnavailable: Bool
    /// Cordoned (`spec.unschedulable`).
    public var isCordoned: Bool
    /// Asked to hand over what it announces.
    public var isDraining: Bool
    /// Carries the label that keeps nodes from serving load balancers.
    public var isExcludedByLabel: Bool
    /// Whether a speaker runs there; `nil` (unknown) counts as yes.
    public var hasSpeaker: Bool?
    /// Its interfaces; `nil` (unknown) counts as having whatever is asked for.
    public var interfaces: [InterfaceFacts]?

    /// Describes a node; left out, every fact speaks for the node or is unknown.
    public init(
        liveness: Liveness = .unknown, isReady: Bool = true, isNetworkUnavailable: Bool = false,
        isCordoned: Bool = false, isDraining: Bool = false, isExcludedByLabel: Bool = false,
        hasSpeaker: Bool? = nil, interfaces: [InterfaceFacts]? = nil,
        isOutOfService: Bool = false
    ) {
        self.liveness = liveness
        self.isOutOfService = isOutOfService
        self.isReady = isReady
        self.isNetworkUnavailable = isNetworkUnavailable
        self.isCordoned = isCordoned
        self.isDraining = isDraining
        self.isExcludedByLabel = isExcludedByLabel
        self.hasSpeaker = hasSpeaker
        self.interfaces = interfaces
    }

    /// Why the node is to own no address; `nil` when it may.
    var exclusion: LossReason? { fault ?? relief ?? silence }

    /// Why the node can own no address whatever others can; `nil` when it can.
    var hardExclusion: LossReason? { fault ?? silence }

    /// The same node, ready.
    var ifReady: NodeFacts {
        var facts = self
        facts.isReady = true
        return facts
    }

    /// Whether a speaker runs there and, as far as is known, hears what others say.
    var isReachable: Bool {
        if case .dead = liveness { return false }
        if isOutOfService, liveness != .alive { return false }
        return hasSpeaker != false
    }

    private var fault: LossReason? {
        if case .dead(let cause) = liveness { return .dead(cause: cause) }
        if isOutOfService { return .outOfService }
        if !isReady { return .notReady }
        if isNetworkUnavailable { return .networkUnavailable }
        return isExcludedByLabel ? .excludedByLabel : nil
    }

    /// Why the node is to give up what others can own.
    var relief: LossReason? {
        if isCordoned { return .cordoned }
        return isDraining ? .draining : nil
    }

    private var silence: LossReason? { hasSpeaker == false ? .noSpeaker : nil }
}

/// One interface of a node.
public struct InterfaceFacts: Hashable, Sendable {
    /// Its name, such as `eth0`.
    public var name: String
    /// Whether ARP and NDP can be answered on it: up, Ethernet, no port of a bridge or bond.
    public var isUsable: Bool
    /// The on-link blocks of its addresses.
    public var prefixes: [Prefix]

    /// Describes an interface.
    public init(name: String, isUsable: Bool = true, prefixes: [Prefix] = []) {
        self.name = name
        self.isUsable = isUsable
        self.prefixes = prefixes
    }
}
