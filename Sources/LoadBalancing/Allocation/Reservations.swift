import NetworkTypes

/// Addresses kept back for deleted Services, should one of the same name come again.
///
/// At most `limit` Services have a reservation; one more ends the one that would end first.
struct Reservations: Sendable {
    static let limit = 65_536

    struct Entry: Sendable {
        let addresses: [IPAddress]
        let until: Instant
        let ticket: UInt64
    }

    private(set) var entries: [ServiceName: Entry] = [:]
    private var holders: [IPAddress: Set<ServiceName>] = [:]
    /// One number for each entry: its end in the high half, its ticket in the low half.
    private var ends = RunSet()
    private var services: [UInt64: ServiceName] = [:]
    private var lastTicket: UInt64 = 0

    /// Every address that is kept back, in no order.
    var addresses: [IPAddress] { Array(holders.keys) }

    /// The Service whose reservation ends first.
    var soonest: ServiceName? {
        ends.first.flatMap { services[UInt64(truncatingIfNeeded: $0)] }
    }

    /// When the first reservation ends.
    var nextDeadline: Instant? { soonest.flatMap { entries[$0]?.until } }

    /// Whether one more needs room made first.
    var isFull: Bool { entries.count >= Self.limit }

    /// Whether somebody has the address kept back.
    func isReserved(_ address: IPAddress) -> Bool { holders[address] != nil }

    /// A Service other than this one for which the address is kept back, first by name; `nil`
    /// when there is none, or when it is kept back for this one too.
    func stranger(at address: IPAddress, besides service: ServiceName) -> ServiceName? {
        guard let names = holders[address], !names.contains(service) else { return nil }
        return names.min()
    }

    /// Keeps addresses back.
    ///
    /// - Precondition: the Service has no reservation, and there is room.
    mutating func add(_ addresses: [IPAddress], for service: ServiceName, until: Instant) {
        lastTicket += 1
        let entry = Entry(addresses: addresses, until: until, ticket: lastTicket)
        entries[service] = entry
        services[lastTicket] = service
        ends.insert(Self.order(entry))
        for address in addresses { holders[address, default: []].insert(service) }
    }

    /// Ends a Service's reservation; no addresses when it had none.
    mutating func remove(_ service: ServiceName) -> [IPAddress] {
        guard let entry = entries.removeValue(forKey: service) else { return [] }
        services[entry.ticket] = nil
        ends.remove(Self.order(entry))
        for address in entry.addresses {
            holders[address]?.remove(service)
            if holders[address]?.isEmpty == true { holders[address] = nil }
        }
        return entry.addresses
    }

    private static func order(_ entry: Entry) -> UInt128 {
        // Flipping the sign bit makes the unsigned order that of the signed instant.
        let end = UInt64(bitPattern: entry.until.nanoseconds) ^ (1 << 63)
        return UInt128(end) << 64 | UInt128(entry.ticket)
    }
}
