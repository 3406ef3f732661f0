/// What the endpoint slices of all Services are made of, kept up object by object, and which
/// Services a change concerns.
struct EndpointSources: Sendable {
    /// By Service, then by name.
    private var given: [ObjectName: [ObjectName: EndpointSlice]] = [:]
    private var endpoints: [ObjectName: Endpoints] = [:]
    private var pods = PodIndex()
    /// Services by one label of their selectors: a Pod without it cannot be theirs.
    private var selecting: [NamespacedLabel: Set<ObjectName>] = [:]
    /// The Services whose slices may have changed since the last time they were worked out.
    private var touched: Set<ObjectName> = []

    /// Takes in an object, where it is of a kind that matters here.
    mutating func insert(_ value: ManifestObject.Value) {
        switch value {
        case .endpointSlice(let slice) where !slice.service.name.isEmpty:
            touched.insert(slice.service)
            given[slice.service, default: [:]][slice.metadata.name] = slice
        case .endpoints(let object):
            touched.insert(object.metadata.name)
            endpoints[object.metadata.name] = object
        case .pod(let pod):
            pods.insert(pod)
            touchServices(selecting: pod)
        case .service(let service):
            touched.insert(service.name)
            if let label = label(of: service) {
                selecting[label, default: []].insert(service.name)
            }
        default: break
        }
    }

    /// Forgets an object that was taken in.
    mutating func remove(_ value: ManifestObject.Value) {
        switch value {
        case .endpointSlice(let slice) where !slice.service.name.isEmpty:
            touched.insert(slice.service)
            given[slice.service]?[slice.metadata.name] = nil
            if given[slice.service]?.isEmpty == true { given[slice.service] = nil }
        case .endpoints(let object):
            touched.insert(object.metadata.name)
            endpoints[object.metadata.name] = nil
        case .pod(let pod):
            pods.remove(pod)
            touchServices(selecting: pod)
        case .service(let service):
            touched.insert(service.name)
            guard let label = label(of: service) else { return }
            selecting[label]?.remove(service.name)
            if selecting[label]?.isEmpty == true { selecting[label] = nil }
        default: break
        }
    }

    private mutating func touchServices(selecting pod: Pod) {
        for label in pod.namespacedLabels { touched.formUnion(selecting[label] ?? []) }
    }

    private func label(of service: Service) -> NamespacedLabel? {
        service.selector.min { $0 < $1 }.map {
            NamespacedLabel(
                namespace: service.name.namespace, key: $0.key, value: $0.value)
        }
    }

    /// Works out the slices of the Services that were touched.
    mutating func settle(
        _ slices: inout ObjectTable<[EndpointSlice]>, of services: ObjectTable<Service>
    ) {
        for name in touched {
            let derived = self.slices(of: name, services[name])
            if slices[name] != derived { slices[name] = derived }
        }
        touched = []
    }

    private func slices(of name: ObjectName, _ service: Service?) -> [EndpointSlice]? {
        if let given = given[name] {
            return given.values.sorted { $0.metadata.name < $1.metadata.name }
        }
        return service.flatMap {
            EndpointDerivation.slices(of: $0, endpoints: endpoints[name], pods: pods)
        }
    }
}
