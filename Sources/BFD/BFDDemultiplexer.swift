public import NetworkTypes

/// Where a session's packets come from and go to.
public struct BFDEndpoint: Hashable, Sendable {
    /// The other end.
    public var remote: IPAddress
    /// Our end; `nil` for any.
    public var local: IPAddress?
    /// The index of the interface that packets have to come in by; `nil` for any.
    public var interface: UInt32?
    /// Whether routers may lie between.
    public var isMultihop: Bool

    /// Makes an endpoint.
    public init(
        remote: IPAddress, local: IPAddress? = nil, interface: UInt32? = nil, isMultihop: Bool
    ) {
        self.remote = remote
        self.local = local
        self.interface = interface
        self.isMultihop = isMultihop
    }

    /// How many of the things that may be left open are not.
    fileprivate var precision: Int { (local == nil ? 0 : 1) + (interface == nil ? 0 : 2) }
}

/// How a packet came in.
public struct BFDArrival: Hashable, Sendable {
    /// Who sent it.
    public var source: IPAddress
    /// To which of our addresses.
    public var destination: IPAddress
    /// The index of the interface it came in by.
    public var interface: UInt32
    /// Whether it came to the port of multihop sessions.
    public var isMultihop: Bool

    /// Makes an arrival.
    public init(source: IPAddress, destination: IPAddress, interface: UInt32, isMultihop: Bool) {
        self.source = source
        self.destination = destination
        self.interface = interface
        self.isMultihop = isMultihop
    }
}

/// Which session a packet belongs to (RFC 5880 §6.3, RFC 5881 §3, RFC 5883 §4), by our
/// discriminators, which it also gives out.
///
/// A packet that names our discriminator belongs to that session wherever it comes from; before the
/// other end knows it, addresses and interface decide, and of several sessions the one that says
/// most about them. Bound: ``maximumSessions``; more are refused.
public struct BFDDemultiplexer: Sendable {
    /// The most sessions at a time.
    public static let maximumSessions = 4_096

    private struct Sender: Hashable {
        let address: IPAddress
        let isMultihop: Bool
    }

    private var endpoints: [UInt32: BFDEndpoint] = [:]
    private var bySender: [Sender: [UInt32]] = [:]
    private var random: RandomNumbers

    /// Makes one without sessions, whose discriminators follow from `seed`.
    public init(seed: UInt64) { random = RandomNumbers(seed: seed) }

    /// How many sessions there are.
    public var count: Int { endpoints.count }

    /// Adds a session and gives it a discriminator, random so that an old packet, or one from far
    /// away, does not meet it by chance (§10). `nil` when there are ``maximumSessions`` already, or
    /// one of the same ends.
    public mutating func add(_ endpoint: BFDEndpoint) -> UInt32? {
        let sender = Sender(address: endpoint.remote, isMultihop: endpoint.isMultihop)
        let others = bySender[sender] ?? []
        guard count < Self.maximumSessions, !others.contains(where: { endpoints[$0] == endpoint })
        else { return nil }
        var discriminator: UInt32 = 0
        while discriminator == 0 || endpoints[discriminator] != nil {
            discriminator = UInt32(truncatingIfNeeded: random.next())
        }
        endpoints[discriminator] = endpoint
        bySender[sender] = (others + [discriminator]).sorted { left, right in
            let precisions = (endpoints[left]?.precision ?? 0, endpoints[right]?.precision ?? 0)
            return precisions.0 == precisions.1 ? left < right : precisions.0 > precisions.1
        }
        return discriminator
    }

    /// Removes a session; its discriminator is known no longer.
    public mutating func remove(_ discriminator: UInt32) {
        guard let endpoint = endpoints.removeValue(forKey: discriminator) else { return }
        let sender = Sender(address: endpoint.remote, isMultihop: endpoint.isMultihop)
        bySender[sender]?.removeAll { $0 == discriminator }
        if bySender[sender]?.isEmpty == true { bySender[sender] = nil }
    }

    /// The session that a packet belongs to.
    public func session(
        of packet: BFDPacket, _ arrival: BFDArrival
    ) throws(BFDDiscard) -> UInt32 {
        if packet.yourDiscriminator != 0 {
            // A single hop's packet is never one of many hops: the ports differ (RFC 5883 §5).
            guard let endpoint = endpoints[packet.yourDiscriminator],
                endpoint.isMultihop == arrival.isMultihop
            else { throw .unknownDiscriminator }
            return packet.yourDiscriminator
        }
        guard packet.state == .down || packet.state == .adminDown else {
            throw .yourDiscriminatorZero
        }
        let sender = Sender(address: arrival.source, isMultihop: arrival.isMultihop)
        for discriminator in bySender[sender] ?? [] {
            guard let endpoint = endpoints[discriminator] else { continue }
            if endpoint.local ?? arrival.destination == arrival.destination,
                endpoint.interface ?? arrival.interface == arrival.interface
            {
                return discriminator
            }
        }
        throw .noSession
    }
}
