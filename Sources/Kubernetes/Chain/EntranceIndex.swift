import NetworkTypes

/// Where traffic enters, and which Service was first there: one whose status holds the address,
/// else the first by name.
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
    /// The first Service that asks for an address, and its key.
    private var wishes: [IPAddress: (service: ObjectName, key: String?)] = [:]

    init(_ services: some Sequence<Service>) {
        let services = services.filter {
            $0.kind != .externalName && !$0.metadata.isBeingDeleted
        }.sorted { $0.name < $1.name }
        // Who has an address keeps it, whoever comes first by name and asks for it, too.
        for service in services {
            let given = Set(service.givenAddresses)
            guard !given.isEmpty else { continue }
            add(service, only: given)
        }
        for service in services { add(service) }
    }

    /// Takes in what a Service wants; with `given` only what is of these addresses, so that node
    /// ports wait for their turn by name.
    private mutating func add(_ service: Service, only given: Set<IPAddress>? = nil) {
        for (place, field) in service.places where holders[place] == nil {
            if let given {
                guard case .port(let address, _, _) = place, given.contains(address) else {
                    continue
                }
            }
            holders[place] = Holder(service: service.name, field: field)
        }
        for address in service.requestedAddresses
        where wishes[address] == nil && given?.contains(address) != false {
            wishes[address] = (service.name, service.sharingKey)
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
        wishes[address].flatMap { $0.service == service ? nil : $0 }
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
        return (givenAddresses + requestedAddresses + externalIPs)
            .filter { seen.insert($0).inserted }
    }

    /// The addresses that the Service has. What the status of a former LoadBalancer says is past.
    var givenAddresses: [IPAddress] {
        clusterIPs + (kind == .loadBalancer ? ingress.map(\.address) : [])
    }

    /// What those have in common that share an address; the empty key shares nothing.
    var sharingKey: String? {
        annotation(.allowSharedIP).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether load balancers may ask a node whether it has endpoints of the Service.
    public var hasHealthCheckNodePort: Bool {
        healthCheckNodePort != 0 && kind == .loadBalancer && externalTrafficPolicy == .local
    }
}
