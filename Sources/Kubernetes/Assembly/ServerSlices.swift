/// The endpoint slices of an API server, by Service: in the snapshot where they are asked for, and
/// packed where they are not.
struct ServerSlices: Sendable {
    private let keeping: ServerAssembler.EndpointKeeping
    /// Which Service each slice belongs to.
    private var owners: [ObjectName: ObjectName] = [:]
    /// The slices of Services whose endpoints are not asked for.
    private var packed: [ObjectName: [PackedSlice]] = [:]
    /// One copy of each node's name for all its endpoints. Names of nodes that are gone go when
    /// there are more than ``nodeLimit``.
    private var nodeNames: Set<String> = []

    private static let nodeLimit = 20_000

    init(keeping: ServerAssembler.EndpointKeeping) { self.keeping = keeping }

    func contains(_ name: ObjectName) -> Bool { owners[name] != nil }

    // MARK: Slices

    mutating func insert(_ slice: EndpointSlice, _ snapshot: inout ClusterSnapshot) {
        let name = slice.metadata.name
        let service = slice.service
        if let owner = owners[name], owner != service { remove(name, &snapshot) }
        owners[name] = service
        // Nothing selects slices, and their labels would be a quarter of them.
        var slice = slice
        slice.metadata = ObjectMeta(name: name, isBeingDeleted: slice.metadata.isBeingDeleted)
        // No Service has an empty name.
        guard !service.name.isEmpty else { return }
        guard isAsked(service, snapshot) else {
            let new = PackedSlice(slice)
            guard let place = packed[service]?.firstIndex(where: { $0.name == name.name }) else {
                packed[service, default: []].append(new)
                return
            }
            packed[service]?[place] = new
            return
        }
        share(&slice)
        var slices = snapshot.endpointSlices[service] ?? []
        let place = slices.firstIndex { !($0.metadata.name < name) } ?? slices.endIndex
        if place < slices.endIndex, slices[place].metadata.name == name {
            guard slices[place] != slice else { return }
            slices[place] = slice
        } else {
            slices.insert(slice, at: place)
        }
        snapshot.endpointSlices[service] = slices
    }

    mutating func remove(_ name: ObjectName, _ snapshot: inout ClusterSnapshot) {
        guard let service = owners.removeValue(forKey: name) else { return }
        if packed[service] != nil {
            packed[service]?.removeAll { $0.name == name.name }
            if packed[service]?.isEmpty == true { packed[service] = nil }
        } else if var slices = snapshot.endpointSlices[service] {
            slices.removeAll { $0.metadata.name == name }
            snapshot.endpointSlices[service] = slices.isEmpty ? nil : slices
        }
    }

    /// One copy of the texts that many slices have.
    private mutating func share(_ slice: inout EndpointSlice) {
        for index in slice.endpoints.indices {
            guard let name = slice.endpoints[index].nodeName, name.utf8.count > 15 else { continue }
            if nodeNames.count >= Self.nodeLimit { nodeNames = [] }
            slice.endpoints[index].nodeName = nodeNames.insert(name).memberAfterInsert
        }
    }

    // MARK: Services

    private func isAsked(_ service: ObjectName, _ snapshot: ClusterSnapshot) -> Bool {
        keeping == .all
            || snapshot.services.withValue(of: service) { $0.kind == .loadBalancer } ?? false
    }

    /// Packs or unpacks the slices of a Service that came, changed or went.
    mutating func settle(
        _ service: ObjectName, isLoadBalancer: Bool, _ snapshot: inout ClusterSnapshot
    ) {
        guard keeping != .all else { return }
        if isLoadBalancer, let slices = packed.removeValue(forKey: service) {
            snapshot.endpointSlices[service] =
                slices
                .map { packed in
                    var slice = packed.unpacked(of: service)
                    share(&slice)
                    return slice
                }
                .sorted { $0.metadata.name < $1.metadata.name }
        } else if !isLoadBalancer, let slices = snapshot.endpointSlices[service] {
            packed[service] = slices.map { PackedSlice($0) }
            snapshot.endpointSlices[service] = nil
        }
    }
}
