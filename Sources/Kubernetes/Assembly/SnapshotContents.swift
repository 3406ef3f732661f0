/// The objects that are in force, out of all files, and the snapshot that they make, kept up
/// object by object.
struct SnapshotContents: Sendable {
    /// A place in the files where an object is given.
    private struct Claim: Comparable {
        let file: FileKey
        let number: Int

        static func < (left: Claim, right: Claim) -> Bool {
            (left.file, left.number) < (right.file, right.number)
        }
    }

    /// Everything but the configuration and the problems.
    private(set) var snapshot = ClusterSnapshot()
    /// Whether something changed that the configuration is put together from.
    var isConfigurationTouched = true

    private var objects: [ManifestObject.Reference: ManifestObject] = [:]
    /// Where each object is given, the first place first.
    private var claims: [ManifestObject.Reference: [Claim]] = [:]
    /// Objects given several times.
    private var contested: Set<ManifestObject.Reference> = []
    /// In how many files an object is there but broken.
    private var refusals: [ManifestObject.Reference: Int] = [:]
    /// Objects that are in force in their last good versions.
    private var kept: Set<ManifestObject.Reference> = []
    private var configurationReferences: Set<ManifestObject.Reference> = []
    private var secrets: [ObjectName: Secret] = [:]
    private var endpoints = EndpointSources()
    /// How many objects live in each namespace.
    private var residents: [String: Int] = [:]
    private var describedNamespaces: [String: Namespace] = [:]
    private var troubledFiles: Set<FileKey> = []

    // MARK: Files

    mutating func add(
        _ file: FileContents, of key: FileKey,
        touching touched: inout Set<ManifestObject.Reference>
    ) {
        if file.isTroubled { troubledFiles.insert(key) }
        for (number, object) in file.objects.enumerated() {
            let claim = Claim(file: key, number: number)
            touched.insert(object.reference)
            guard var all = claims[object.reference] else {
                claims[object.reference] = [claim]
                continue
            }
            all.insert(claim, at: all.firstIndex { claim < $0 } ?? all.endIndex)
            claims[object.reference] = all
            contested.insert(object.reference)
        }
        for reference in file.refused {
            touched.insert(reference)
            refusals[reference, default: 0] += 1
        }
    }

    mutating func withdraw(
        _ file: FileContents, of key: FileKey,
        touching touched: inout Set<ManifestObject.Reference>
    ) {
        troubledFiles.remove(key)
        for (number, object) in file.objects.enumerated() {
            let claim = Claim(file: key, number: number)
            touched.insert(object.reference)
            claims[object.reference]?.removeAll { $0 == claim }
            if claims[object.reference]?.isEmpty == true { claims[object.reference] = nil }
        }
        for reference in file.refused {
            touched.insert(reference)
            refusals[reference, default: 0] -= 1
            if refusals[reference] == 0 { refusals[reference] = nil }
        }
    }

    // MARK: Objects

    /// Settles what is in force of the objects that changes of files touched. True when there may
    /// be something else to say of them than before.
    mutating func settle(
        _ touched: Set<ManifestObject.Reference>, _ files: [FileKey: FileContents]
    ) -> Bool {
        var isTroubled = false
        for reference in touched {
            if kept.remove(reference) != nil { isTroubled = true }
            if contested.contains(reference) {
                isTroubled = true
                if claims[reference]?.count ?? 0 < 2 { contested.remove(reference) }
            }
            if reference.isConfiguring { isConfigurationTouched = true }
            let last = objects[reference]
            if let claim = claims[reference]?.first {
                let object = files[claim.file]?.objects[claim.number]
                if object != last { replace(reference, last, with: object) }
            } else if refusals[reference] != nil, let last, !last.isConfiguration {
                // Configuration objects are left to their own assembler.
                kept.insert(reference)
                isTroubled = true
            } else if last != nil {
                replace(reference, last, with: nil)
            }
        }
        endpoints.settle(&snapshot.endpointSlices, of: snapshot.services)
        return isTroubled
    }

    private mutating func replace(
        _ reference: ManifestObject.Reference, _ old: ManifestObject?, with new: ManifestObject?
    ) {
        objects[reference] = new
        if let old {
            endpoints.remove(old.value)
            // What has a successor is replaced by it.
            if new == nil { remove(reference) }
        }
        if let new {
            endpoints.insert(new.value)
            insert(new)
        }
        let change = (new == nil ? 0 : 1) - (old == nil ? 0 : 1)
        let namespace = reference.name.namespace
        guard change != 0, !namespace.isEmpty else { return }
        residents[namespace, default: 0] += change
        if residents[namespace] == 0 { residents[namespace] = nil }
        describe(namespace)
    }

    private mutating func insert(_ object: ManifestObject) {
        let name = object.reference.name
        switch object.value {
        case .service(let service): snapshot.services[name] = service
        case .node(let node): snapshot.nodes[name.name] = node
        case .namespace(let space):
            describedNamespaces[name.name] = space
            describe(name.name)
        case .secret(let secret): secrets[name] = secret
        case .configuration: configurationReferences.insert(object.reference)
        case .pod, .endpointSlice, .endpoints, .configMap: break
        }
    }

    private mutating func remove(_ reference: ManifestObject.Reference) {
        let name = reference.name
        switch reference.kind {
        case "Service": snapshot.services[name] = nil
        case "Node": snapshot.nodes[name.name] = nil
        case "Namespace":
            describedNamespaces[name.name] = nil
            describe(name.name)
        case "Secret": secrets[name] = nil
        default: configurationReferences.remove(reference)
        }
    }

    /// A namespace that objects live in exists, whether or not a manifest says so.
    private mutating func describe(_ name: String) {
        let space =
            describedNamespaces[name] ?? (residents[name] == nil ? nil : Namespace(named: name))
        if snapshot.namespaces[name] != space { snapshot.namespaces[name] = space }
    }

    // MARK: Configuration and problems

    /// What the configuration is put together from, its entries in the order of the files.
    func configurationInput() -> ConfigurationInput {
        var input = ConfigurationInput()
        input.secrets = secrets
        input.nodes = snapshot.nodes.values.sorted { $0.metadata.name < $1.metadata.name }
        let places = configurationReferences.compactMap { reference in
            claims[reference]?.first.map { (reference: reference, claim: $0) }
        }
        for place in places.sorted(by: { $0.claim < $1.claim }) {
            guard let object = objects[place.reference],
                case .configuration(let value) = object.value
            else { continue }
            input.entries.append(
                ConfigurationInput.Entry(
                    value, file: object.file, line: object.line, fieldLines: object.fieldLines))
        }
        for reference in refusals.keys where objects[reference] == nil {
            guard let kind = ConfigurationObject.Kind(rawValue: reference.kind) else { continue }
            input.refused.insert(
                ConfigurationObject.Reference(kind: kind, name: reference.name))
        }
        return input
    }

    /// What is wrong with the files and among their objects, file by file.
    func problems(of files: [FileKey: FileContents]) -> [Problem] {
        var repetitions: [FileKey: [(number: Int, problem: Problem)]] = [:]
        for reference in contested {
            guard let first = objects[reference] else { continue }
            for claim in claims[reference]?.dropFirst() ?? [] {
                guard let object = files[claim.file]?.objects[claim.number] else { continue }
                repetitions[claim.file, default: []].append(
                    (claim.number, Self.repetition(of: first, as: object)))
            }
        }
        var problems: [Problem] = []
        for key in troubledFiles.union(repetitions.keys).sorted() {
            problems += files[key]?.present.problems ?? []
            problems += repetitions[key, default: []].sorted { $0.number < $1.number }
                .map(\.problem)
            if let notice = files[key]?.notice { problems.append(notice) }
        }
        for reference in kept.sorted() {
            guard let last = objects[reference] else { continue }
            problems.append(
                Problem(
                    .notice, file: last.file, line: last.line, object: reference.description,
                    rule: "its last good version stays in force",
                    remedy: "correct what is reported for it, or delete it"))
        }
        return problems
    }

    private static func repetition(
        of first: ManifestObject, as object: ManifestObject
    ) -> Problem {
        let place = [first.file, first.line.map(String.init)].compactMap { $0 }
            .joined(separator: ":")
        return Problem(
            .error, file: object.file, line: object.line,
            object: object.reference.description, field: "metadata.name",
            rule: "the object is given twice; the one at \(place) is used",
            remedy: "remove one of the two, or rename it")
    }
}

extension ManifestObject {
    fileprivate var isConfiguration: Bool {
        if case .configuration = value { return true }
        return false
    }
}

extension ManifestObject.Reference {
    /// Whether the configuration depends on objects of the kind.
    fileprivate var isConfiguring: Bool {
        kind == "Secret" || kind == "Node" || ConfigurationObject.Kind(rawValue: kind) != nil
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
