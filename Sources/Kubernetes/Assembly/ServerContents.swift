/// The objects of an API server that are in force, kept up object by object.
struct ServerContents: Sendable {
    /// Everything but the configuration and the problems.
    private(set) var snapshot = ClusterSnapshot()
    /// Whether something changed that the configuration is put together from.
    var isConfigurationTouched = true
    /// Whether there may be something else to say than before.
    var areProblemsTouched = true

    private var slices: ServerSlices
    private var secrets: [ObjectName: Secret] = [:]
    private var configuration: [ManifestObject.Reference: ConfigurationInput.Entry] = [:]
    /// Objects that are there but broken.
    private var refused: Set<ManifestObject.Reference> = []
    /// What is wrong with the objects, where anything is.
    private var problemsByObject: [ManifestObject.Reference: [Problem]] = [:]
    /// How many objects live in each namespace.
    private var residents: [String: Int] = [:]
    private var describedNamespaces: [String: Namespace] = [:]

    init(keeping: ServerAssembler.EndpointKeeping) { slices = ServerSlices(keeping: keeping) }

    // MARK: Changes

    mutating func apply(_ reference: ManifestObject.Reference, _ object: APIObject?) {
        note(reference, object?.problems ?? [])
        let isRefused = object?.isRefused ?? false
        if isRefused ? refused.insert(reference).inserted : refused.remove(reference) != nil {
            areProblemsTouched = true
            if reference.isConfiguration { isConfigurationTouched = true }
        }
        let isPresent = holds(reference)
        if let value = object?.value {
            insert(value, reference)
            if !isPresent { count(1, in: reference.name.namespace) }
        } else if isPresent, !isRefused || reference.isConfiguration {
            // Configuration objects are left to their own assembler, all others stay as they were.
            remove(reference)
            count(-1, in: reference.name.namespace)
        }
    }

    private mutating func note(_ reference: ManifestObject.Reference, _ problems: [Problem]) {
        guard !problems.isEmpty || problemsByObject[reference] != nil,
            problemsByObject[reference] != problems
        else { return }
        problemsByObject[reference] = problems.isEmpty ? nil : problems
        areProblemsTouched = true
    }

    private func holds(_ reference: ManifestObject.Reference) -> Bool {
        switch reference.kind {
        case "Service": snapshot.services.contains(reference.name)
        case "EndpointSlice": slices.contains(reference.name)
        case "Node": snapshot.nodes[reference.name.name] != nil
        case "Namespace": describedNamespaces[reference.name.name] != nil
        case "Secret": secrets[reference.name] != nil
        default: configuration[reference] != nil
        }
    }

    private mutating func insert(
        _ value: ManifestObject.Value, _ reference: ManifestObject.Reference
    ) {
        let name = reference.name
        switch value {
        case .service(let service):
            if snapshot.services.withValue(of: name, { $0 == service }) == true { return }
            snapshot.services[name] = service
            slices.settle(name, isLoadBalancer: service.kind == .loadBalancer, &snapshot)
        case .endpointSlice(let slice): slices.insert(slice, &snapshot)
        case .node(let node):
            let last = snapshot.nodes[name.name]
            guard last != node else { return }
            snapshot.nodes[name.name] = node
            // Only labels are selected by; conditions come and go.
            if last?.metadata.labels != node.metadata.labels { isConfigurationTouched = true }
        case .namespace(let space):
            describedNamespaces[name.name] = space
            describe(name.name)
        case .secret(let secret):
            guard secrets[name] != secret else { return }
            secrets[name] = secret
            isConfigurationTouched = true
        case .configuration(let object):
            guard configuration[reference]?.object != object else { return }
            configuration[reference] = ConfigurationInput.Entry(object)
            isConfigurationTouched = true
        case .pod, .endpoints, .configMap: break
        }
    }

    private mutating func remove(_ reference: ManifestObject.Reference) {
        let name = reference.name
        switch reference.kind {
        case "Service":
            snapshot.services[name] = nil
            slices.settle(name, isLoadBalancer: false, &snapshot)
        case "EndpointSlice": slices.remove(name, &snapshot)
        case "Node":
            snapshot.nodes[name.name] = nil
            isConfigurationTouched = true
        case "Namespace":
            describedNamespaces[name.name] = nil
            describe(name.name)
        case "Secret":
            secrets[name] = nil
            isConfigurationTouched = true
        default:
            configuration[reference] = nil
            isConfigurationTouched = true
        }
    }

    private mutating func count(_ change: Int, in namespace: String) {
        guard !namespace.isEmpty else { return }
        let number = residents[namespace, default: 0] + change
        residents[namespace] = number == 0 ? nil : number
        if number == 0 || number == 1 { describe(namespace) }
    }

    /// A namespace that objects live in exists, whether or not this process may read it.
    private mutating func describe(_ name: String) {
        let space =
            describedNamespaces[name] ?? (residents[name] == nil ? nil : Namespace(named: name))
        if snapshot.namespaces[name] != space { snapshot.namespaces[name] = space }
    }

    // MARK: Configuration and problems

    /// What the configuration is put together from, its entries in the order of names.
    func configurationInput() -> ConfigurationInput {
        var input = ConfigurationInput()
        input.secrets = secrets
        input.nodes = snapshot.nodes.values.map { node in
            let labels = node.metadata.labels
            return Node(metadata: ObjectMeta(name: node.metadata.name, labels: labels))
        }
        input.nodes.sort { $0.metadata.name < $1.metadata.name }
        input.entries = configuration.sorted { $0.key < $1.key }.map(\.value)
        for reference in refused {
            guard let kind = ConfigurationObject.Kind(rawValue: reference.kind) else { continue }
            input.refused.insert(
                ConfigurationObject.Reference(kind: kind, name: reference.name))
        }
        return input
    }

    /// What is wrong with the objects, each in itself.
    func problems() -> [Problem] {
        var problems = problemsByObject.sorted { $0.key < $1.key }.flatMap(\.value)
        for reference in refused.sorted() where !reference.isConfiguration && holds(reference) {
            problems.append(
                Problem(
                    .notice, object: reference.description,
                    rule: "its last good version stays in force",
                    remedy: "correct what is reported for it, or delete it"))
        }
        return problems
    }
}

extension APIObject {
    /// It is there, and broken; what merely is of no use has no errors.
    fileprivate var isRefused: Bool {
        value == nil && problems.contains { $0.severity == .error }
    }
}

extension ManifestObject.Reference {
    fileprivate var isConfiguration: Bool { ConfigurationObject.Kind(rawValue: kind) != nil }
}
