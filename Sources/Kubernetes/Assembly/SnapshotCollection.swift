/// The objects of all files by kind and name, on their way into a snapshot.
struct SnapshotCollection {
    private(set) var objects: [ManifestObject.Reference: ManifestObject] = [:]
    private var refused: Set<ManifestObject.Reference> = []
    /// In the order found, so that configuration entries keep it.
    private var configurationReferences: [ManifestObject.Reference] = []
    var problems: [Problem] = []

    mutating func reserveCapacity(_ count: Int) { objects.reserveCapacity(count) }

    /// Adds what a file holds, and counts `former` objects that it no longer holds as broken.
    /// Returns all that it holds now.
    @discardableResult
    mutating func add(
        _ file: ManifestFile, keeping former: Set<ManifestObject.Reference> = []
    ) -> Set<ManifestObject.Reference> {
        var held = file.refused.union(former)
        for object in file.objects {
            add(object)
            held.insert(object.reference)
        }
        refused.formUnion(file.refused)
        refused.formUnion(former)
        return held
    }

    /// Adds what the file held when it last parsed, and says so.
    mutating func add(unparsable file: ManifestFile, insteadOf last: ManifestFile?) {
        // Documents before and after the error may have parsed: they count only when the file was
        // never good, for then there is nothing that they could contradict.
        add(last ?? file)
        problems.append(
            Problem(
                .notice, file: file.file,
                rule: last == nil
                    ? "was never parsable as a whole; the documents that are well-formed are used"
                    : "its last good content stays in force",
                remedy: "correct the error reported for the file"))
    }

    private mutating func add(_ object: ManifestObject) {
        if let first = objects[object.reference] {
            let place = [first.file, first.line.map(String.init)].compactMap { $0 }
                .joined(separator: ":")
            problems.append(
                Problem(
                    .error, file: object.file, line: object.line,
                    object: object.reference.description, field: "metadata.name",
                    rule: "the object is given twice; the one at \(place) is used",
                    remedy: "remove one of the two, or rename it"))
            return
        }
        objects[object.reference] = object
        if case .configuration = object.value { configurationReferences.append(object.reference) }
    }

    /// Puts last good versions in the place of refused objects. Configuration objects are left to
    /// their own assembler.
    mutating func fallBack(to lastGood: [ManifestObject.Reference: ManifestObject]) {
        for reference in refused.sorted() where objects[reference] == nil {
            guard let last = lastGood[reference], !last.isConfiguration else { continue }
            objects[reference] = last
            problems.append(
                Problem(
                    .notice, file: last.file, line: last.line, object: reference.description,
                    rule: "its last good version stays in force",
                    remedy: "correct what is reported for it, or delete it"))
        }
    }

    /// Everything but the configuration and the problems.
    func snapshot() -> ClusterSnapshot {
        var snapshot = ClusterSnapshot()
        var pods: [Pod] = []
        var slices: [EndpointSlice] = []
        var endpoints: [ObjectName: Endpoints] = [:]
        for object in objects.values {
            switch object.value {
            case .service(let service): snapshot.services[service.name] = service
            case .node(let node): snapshot.nodes[node.metadata.name.name] = node
            case .namespace(let space): snapshot.namespaces[space.metadata.name.name] = space
            case .pod(let pod): pods.append(pod)
            case .endpointSlice(let slice): slices.append(slice)
            case .endpoints(let given): endpoints[given.metadata.name] = given
            case .secret, .configMap, .configuration: break
            }
        }
        // A namespace that objects live in exists, whether or not a manifest says so.
        for reference in objects.keys where !reference.name.namespace.isEmpty {
            let name = reference.name.namespace
            if snapshot.namespaces[name] == nil {
                snapshot.namespaces[name] = Namespace(named: name)
            }
        }
        snapshot.endpointSlices = EndpointDerivation.slices(
            services: snapshot.services.values, pods: pods, given: slices, endpoints: endpoints)
        return snapshot
    }

    /// What the configuration is put together from.
    func configurationInput() -> ConfigurationInput {
        var input = ConfigurationInput()
        for reference in configurationReferences {
            guard let object = objects[reference], case .configuration(let value) = object.value
            else { continue }
            input.entries.append(
                ConfigurationInput.Entry(
                    value, file: object.file, line: object.line, fieldLines: object.fieldLines))
        }
        for reference in refused where objects[reference] == nil {
            guard let kind = ConfigurationObject.Kind(rawValue: reference.kind) else { continue }
            input.refused.insert(
                ConfigurationObject.Reference(kind: kind, name: reference.name))
        }
        for object in objects.values {
            switch object.value {
            case .secret(let secret): input.secrets[secret.metadata.name] = secret
            case .node(let node): input.nodes.append(node)
            default: break
            }
        }
        input.nodes.sort { $0.metadata.name < $1.metadata.name }
        return input
    }
}

extension ManifestObject {
    fileprivate var isConfiguration: Bool {
        if case .configuration = value { return true }
        return false
    }
}

extension Namespace {
    /// A namespace that no manifest describes: it has the one label that every namespace has.
    init(named name: String) {
        self.init(
            metadata: ObjectMeta(
                name: ObjectName(name), labels: [Self.nameLabel: name]))
    }
}
