import Kubernetes

/// What `SnapshotAssembler` is to come to, worked out from all files every time, in the plainest
/// way: nothing but the last good versions is carried over from one time to the next.
struct ReferenceAssembler {
    private var lastGood: [ManifestObject.Reference: ManifestObject] = [:]
    private var lastParsed: [String: ManifestFile] = [:]
    private var lastHeld: [String: Set<ManifestObject.Reference>] = [:]
    private var configuration = ConfigurationAssembler(namespace: "metallb-system")

    // Of the present round.
    private var objects: [ManifestObject.Reference: ManifestObject] = [:]
    private var configured: [ManifestObject.Reference] = []
    private var refused: Set<ManifestObject.Reference> = []
    private var problems: [Problem] = []

    mutating func assemble(_ files: [ManifestFile]) -> ClusterSnapshot {
        (objects, configured, refused, problems) = ([:], [], [], [])
        var parsed: [String: ManifestFile] = [:]
        var held: [String: Set<ManifestObject.Reference>] = [:]
        for file in files.sorted(by: { $0.file < $1.file }) {
            problems += file.problems
            if file.isParsable {
                let missing = file.hasUnidentified ? lastHeld[file.file] ?? [] : []
                add(file)
                refused.formUnion(missing)
                parsed[file.file] = file
                held[file.file] = file.refused.union(missing).union(file.objects.map(\.reference))
            } else {
                addUnparsable(file)
                parsed[file.file] = lastParsed[file.file]
                held[file.file] = lastHeld[file.file]
            }
        }
        (lastParsed, lastHeld) = (parsed, held)
        fallBack()
        lastGood = objects
        var snapshot = snapshot()
        let outcome = configuration.assemble(configurationInput())
        snapshot.configuration = outcome.configuration
        snapshot.problems = (problems + outcome.problems).enumerated().sorted {
            ($0.element.file, $0.element.line ?? 0, $0.offset)
                < ($1.element.file, $1.element.line ?? 0, $1.offset)
        }.map(\.element)
        return snapshot
    }

    private mutating func add(_ file: ManifestFile) {
        for object in file.objects {
            if let first = objects[object.reference] {
                let place = first.line.map { "\(first.file):\($0)" } ?? first.file
                problems.append(
                    Problem(
                        .error, file: object.file, line: object.line,
                        object: object.reference.description, field: "metadata.name",
                        rule: "the object is given twice; the one at \(place) is used",
                        remedy: "remove one of the two, or rename it"))
                continue
            }
            objects[object.reference] = object
            if isConfiguration(object) { configured.append(object.reference) }
        }
        refused.formUnion(file.refused)
    }

    private mutating func addUnparsable(_ file: ManifestFile) {
        let last = lastParsed[file.file]
        add(last ?? file)
        problems.append(
            Problem(
                .notice, file: file.file,
                rule: last == nil
                    ? "was never parsable as a whole; the documents that are well-formed are used"
                    : "its last good content stays in force",
                remedy: "correct the error reported for the file"))
    }

    private mutating func fallBack() {
        for reference in refused.sorted() where objects[reference] == nil {
            guard let last = lastGood[reference], !isConfiguration(last) else { continue }
            objects[reference] = last
            problems.append(
                Problem(
                    .notice, file: last.file, line: last.line, object: reference.description,
                    rule: "its last good version stays in force",
                    remedy: "correct what is reported for it, or delete it"))
        }
    }

    private func isConfiguration(_ object: ManifestObject) -> Bool {
        if case .configuration = object.value { true } else { false }
    }

    private func snapshot() -> ClusterSnapshot {
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
        for name in Set(objects.keys.map(\.name.namespace)) where !name.isEmpty {
            if snapshot.namespaces[name] == nil {
                snapshot.namespaces[name] = Namespace(
                    metadata: ObjectMeta(
                        name: ObjectName(name), labels: ["kubernetes.io/metadata.name": name]))
            }
        }
        let derived = EndpointDerivation.slices(
            services: Array(snapshot.services.values), pods: pods, given: slices,
            endpoints: endpoints)
        snapshot.endpointSlices = ObjectTable(derived)
        return snapshot
    }

    private func configurationInput() -> ConfigurationInput {
        var input = ConfigurationInput()
        for reference in configured {
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
