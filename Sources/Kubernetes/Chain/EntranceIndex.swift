import NetworkTypes

/// Where traffic enters, and which Service was first there by its name.
struct EntranceIndex: Sendable {
    /// A place that one Service port can have.
    enum Place: Hashable, Sendable {
        /// A port of an address.
        case port(IPAddress, TransportProtocol, UInt16)
        /// A port of every node.
        case nodePort(TransportProtocol, UInt16)
    }

    /// Who has a place, and by what.
    struct Holder: Hashable, Sendable {
        let service: ObjectName
        let field: String
    }

    private var holders: [Place: Holder] = [:]
    /// Services that ask for an address by name, in order.
    private var wishes: [IPAddress: [(service: ObjectName, key: String?)]] = [:]

    init(_ services: some Sequence<Service>) {
        for service in services.sorted(by: { $0.name < $1.name })
        where service.kind != .externalName && !service.metadata.isBeingDeleted {
            for (place, field) in service.places where holders[place] == nil {
                holders[place] = Holder(service: service.name, field: field)
            }
            for address in Set(service.requestedAddresses) {
                wishes[address, default: []]
                    .append((service.name, service.annotation(.allowSharedIP)))
            }
        }
    }

    /// Who has a place, where that is another Service.
    func holder(of place: Place, butNot service: ObjectName) -> Holder? {
        holders[place].flatMap { $0.service == service ? nil : $0 }
    }

    /// The first Service that asks for the address, where that is another one, and its key.
    func firstWish(
        for address: IPAddress, butNot service: ObjectName
    ) -> (service: ObjectName, key: String?)? {
        wishes[address]?.first.flatMap { $0.service == service ? nil : $0 }
    }
}

extension Service {
    /// Every place that the Service wants, with the field that says so.
    var places: [(place: EntranceIndex.Place, field: String)] {
        var places: [(place: EntranceIndex.Place, field: String)] = []
        let isOpenOnNodes = kind == .nodePort || kind == .loadBalancer
        let addresses = entranceAddresses
        for (index, port) in ports.enumerated() {
            for address in addresses {
                places.append((.port(address, port.protocol, port.port), "spec.ports[\(index)]"))
            }
            if isOpenOnNodes, port.nodePort != 0 {
                places.append(
                    (.nodePort(port.protocol, port.nodePort), "spec.ports[\(index)].nodePort"))
            }
        }
        if hasHealthCheckNodePort {
            places.append((.nodePort(.tcp, healthCheckNodePort), "spec.healthCheckNodePort"))
        }
        return places
    }

    /// Every address at which the Service's ports are, each once.
    private var entranceAddresses: [IPAddress] {
        var seen: Set<IPAddress> = []
        return (clusterIPs + ingress.map(\.address) + requestedAddresses + externalIPs)
            .filter { seen.insert($0).inserted }
    }

    /// Whether load balancers may ask a node whether it has endpoints of the Service.
    public var hasHealthCheckNodePort: Bool {
        healthCheckNodePort != 0 && kind == .loadBalancer && externalTrafficPolicy == .local
    }
}
