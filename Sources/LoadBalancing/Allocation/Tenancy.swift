import NetworkTypes

/// Who lives at which address, alone or with others.
struct Tenancy: Sendable {
    /// An address whose tenants share it.
    struct Shared: Sendable {
        let key: SharingKey
        var tenants: Set<ServiceName> = []
        var ports: [ServicePort: ServiceName] = [:]
    }

    private var sole: [IPAddress: ServiceName] = [:]
    private var shared: [IPAddress: Shared] = [:]

    /// Every address at which somebody lives, in no order.
    var addresses: [IPAddress] { Array(sole.keys) + Array(shared.keys) }

    /// Whether somebody lives at the address.
    func isOccupied(_ address: IPAddress) -> Bool {
        sole[address] != nil || shared[address] != nil
    }

    /// The tenants of an address, by name.
    func tenants(of address: IPAddress) -> [ServiceName] {
        if let tenant = sole[address] { return [tenant] }
        return shared[address].map { $0.tenants.sorted() } ?? []
    }

    /// Whether this Service lives there.
    func isTenant(_ service: ServiceName, of address: IPAddress) -> Bool {
        sole[address] == service || shared[address]?.tenants.contains(service) == true
    }

    /// What keeps a Service with these terms from living at the address, among the others there.
    func conflict(
        at address: IPAddress, for service: ServiceName, _ terms: SharingTerms?
    ) -> AddressConflict? {
        if let tenant = sole[address] { return tenant == service ? nil : .held(by: tenant) }
        guard let there = shared[address] else { return nil }
        if there.tenants.count == 1, there.tenants.contains(service) { return nil }
        guard let terms else { return .shared(key: there.key.key) }
        guard terms.key.key == there.key.key else {
            return .keyDiffers(theirs: there.key.key, ours: terms.key.key)
        }
        guard terms.key == there.key else { return .backendsDiffer(key: there.key.key) }
        for port in terms.orderedPorts {
            if let tenant = there.ports[port], tenant != service {
                return .portClash(port, with: tenant)
            }
        }
        return nil
    }

    /// Moves a Service in.
    ///
    /// - Precondition: there is no conflict, and it does not live there yet.
    mutating func enter(_ address: IPAddress, _ service: ServiceName, _ terms: SharingTerms?) {
        guard let terms else {
            sole[address] = service
            return
        }
        shared[address, default: Shared(key: terms.key)].tenants.insert(service)
        for port in terms.ports { shared[address]?.ports[port] = service }
    }

    /// Moves a Service out.
    mutating func leave(_ address: IPAddress, _ service: ServiceName, _ terms: SharingTerms?) {
        guard let terms else {
            sole[address] = nil
            return
        }
        for port in terms.ports { shared[address]?.ports[port] = nil }
        shared[address]?.tenants.remove(service)
        if shared[address]?.tenants.isEmpty == true { shared[address] = nil }
    }
}
