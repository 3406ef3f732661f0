import NetworkTypes

/// What an address is used for.
enum AddressUse {
    /// Nobody has it.
    case free
    /// Kept back for one or more deleted Services; nobody lives there.
    case reserved
    /// One or more Services live there.
    case assigned
}

/// The addresses of one family in one pool: which are free, and which are shared under which key.
struct PoolSpace: Sendable {
    let family: IPAddress.Family
    /// How many addresses can ever be given; saturating.
    private(set) var capacity: UInt128 = 0
    /// How many addresses Services live at.
    private(set) var assigned = 0
    /// How many addresses are kept back for deleted Services.
    private(set) var reserved = 0
    /// Free addresses, and such avoided ones as have not yet come up as the lowest.
    private var free = RunSet()
    private var groups: [SharingKey: SharingGroup] = [:]

    init(family: IPAddress.Family) {
        self.family = family
    }

    /// How many addresses could be given now.
    var available: UInt128 {
        let taken = UInt128(assigned + reserved)
        return capacity > taken ? capacity - taken : 0
    }

    /// Adds a run of addresses that are all free.
    mutating func add(_ range: AddressRange, of pool: AddressPool) {
        free.insert(range.first.bits, through: range.last.bits)
        let count = range.count - Self.avoided(in: range, of: pool)
        let (sum, overflow) = capacity.addingReportingOverflow(count)
        capacity = overflow ? .max : sum
    }

    /// The lowest free address.
    ///
    /// Avoided addresses are part of the runs until they come up here, once each, and are dropped
    /// for good: splitting them off beforehand would cost 131,072 runs for a /8.
    mutating func lowestFree(of pool: AddressPool) -> IPAddress? {
        while let bits = free.first {
            let address = IPAddress(family: family, bits: bits)
            guard pool.avoids(address) else { return address }
            free.remove(bits)
        }
        return nil
    }

    /// Follows an address from one use to another.
    mutating func change(_ address: IPAddress, from old: AddressUse, to new: AddressUse) {
        guard old != new else { return }
        switch old {
        case .free: free.remove(address.bits)
        case .reserved: reserved -= 1
        case .assigned: assigned -= 1
        }
        switch new {
        case .free: free.insert(address.bits)
        case .reserved: reserved += 1
        case .assigned: assigned += 1
        }
    }

    /// Writes down that a sharer with these terms now lives at the address.
    mutating func join(_ address: IPAddress, _ terms: SharingTerms) {
        groups[terms.key, default: SharingGroup()].join(address, terms.ports)
    }

    /// Writes down that a sharer with these terms has left the address.
    mutating func leave(_ address: IPAddress, _ terms: SharingTerms) {
        groups[terms.key]?.leave(address, terms.ports)
        if groups[terms.key]?.isEmpty == true { groups[terms.key] = nil }
    }

    /// The addresses shared under the key of `terms`; `nil` when one of its ports is taken at
    /// every one of them, so that looking is in vain.
    func group(for terms: SharingTerms) -> SharingGroup? {
        guard let group = groups[terms.key], !group.isFull(for: terms.ports) else { return nil }
        return group
    }

    /// How many addresses of `range` the pool leaves out, without looking at them.
    private static func avoided(in range: AddressRange, of pool: AddressPool) -> UInt128 {
        guard pool.avoidBuggyIPs, range.family == .ipv4 else { return 0 }
        // Below `end` there are ⌈end / 256⌉ addresses that end in 0 and ⌊end / 256⌋ in 255.
        let below = { (end: UInt128) in (end + 255) / 256 + end / 256 }
        return below(range.last.bits + 1) - below(range.first.bits)
    }
}

/// The addresses of one space that are shared under one key.
///
/// A newcomer is put at the lowest address where none of its ports is taken. The count by port
/// answers the common case at once, in which every Service of a key listens on the same port;
/// otherwise the cost is the number of addresses *of this key* at which a port is taken.
struct SharingGroup: Sendable {
    private var addresses: [UInt128: Int] = [:]
    private var ordered = RunSet()
    private var portUse: [ServicePort: Int] = [:]

    var isEmpty: Bool { addresses.isEmpty }

    func isFull(for ports: Set<ServicePort>) -> Bool {
        ports.contains { portUse[$0] == addresses.count }
    }

    /// The lowest address of the group that is not below `bound`.
    func first(from bound: UInt128) -> UInt128? { ordered.first(from: bound) }

    mutating func join(_ address: IPAddress, _ ports: Set<ServicePort>) {
        addresses[address.bits, default: 0] += 1
        ordered.insert(address.bits)
        for port in ports { portUse[port, default: 0] += 1 }
    }

    mutating func leave(_ address: IPAddress, _ ports: Set<ServicePort>) {
        for port in ports {
            portUse[port, default: 0] -= 1
            if portUse[port] == 0 { portUse[port] = nil }
        }
        guard let count = addresses[address.bits] else { return }
        addresses[address.bits] = count > 1 ? count - 1 : nil
        if count == 1 { ordered.remove(address.bits) }
    }
}
