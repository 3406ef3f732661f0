/// All objects of the cluster. Used under the lock of ``Cluster`` only.
struct ClusterState {
    private(set) var revision = 1000
    private(set) var collections: [GroupResource: ResourceCollection] = [:]
    /// Kinds by every group and plural under which they are served.
    private(set) var kinds: [GroupResource: ResourceKind] = [:]
    var nextWatcher = 1
    /// Of the newest change of a role or binding.
    private(set) var accessRevision = 0
    var addresses: ServiceAddresses
    let settings: ClusterSettings
    private var nextUID = 1

    init(settings: ClusterSettings) {
        self.settings = settings
        addresses = ServiceAddresses(settings: settings)
        for kind in BuiltInKinds.all { register(kind) }
    }

    mutating func register(_ kind: ResourceKind) {
        if let old = kinds[kind.name], let collection = collections[kind.name] {
            for version in old.versions {
                kinds[GroupResource(version.group, kind.plural)] = nil
            }
            collections[kind.name] = collection.renewed(kind, revision: revision)
        } else {
            collections[kind.name] = ResourceCollection(
                kind: kind, revision: revision, historyLimit: settings.history)
        }
        for version in kind.versions {
            kinds[GroupResource(version.group, kind.plural)] = kind
        }
    }

    mutating func unregister(_ kind: ResourceKind) {
        for version in kind.versions { kinds[GroupResource(version.group, kind.plural)] = nil }
        collections[kind.name]?.watchers.values.forEach { $0.deliver(.end) }
        collections[kind.name] = nil
    }

    func kind(group: String, plural: String) -> ResourceKind? {
        kinds[GroupResource(group, plural)]
    }

    func collection(_ kind: ResourceKind) throws(StatusError) -> ResourceCollection {
        guard let collection = collections[kind.name] else { throw .noSuchPath }
        return collection
    }

    mutating func nextIdentity() -> String {
        defer { nextUID += 1 }
        let digits = String(nextUID, radix: 16)
        let tail = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
        return "\(settings.identity)-0000-4000-8000-\(tail)"
    }

    /// Makes a change happen: it gets a revision, is kept and told.
    mutating func commit(
        _ collection: ResourceCollection, content: JSONObject, managers: [FieldManager],
        previous: StoredObject?
    ) -> StoredObject {
        revision += 1
        var content = content
        content["metadata", "resourceVersion"] = .string(String(revision))
        let object = StoredObject(
            namespace: content["metadata", "namespace"]?.string ?? "",
            name: content["metadata", "name"]?.string ?? "", revision: revision, content: content,
            managers: managers)
        publish(
            ObjectChange(revision: revision, object: object, previous: previous), collection)
        return object
    }

    /// Makes an object be gone.
    mutating func remove(_ object: StoredObject, from collection: ResourceCollection) {
        revision += 1
        var content = object.content
        content["metadata", "resourceVersion"] = .string(String(revision))
        let last = StoredObject(
            namespace: object.namespace, name: object.name, revision: revision, content: content,
            managers: object.managers)
        publish(
            ObjectChange(revision: revision, object: nil, previous: object, deleted: last),
            collection)
        afterRemoval(of: object, from: collection)
    }

    private mutating func publish(_ change: ObjectChange, _ collection: ResourceCollection) {
        if collection.kind.group == "rbac.authorization.k8s.io" { accessRevision = revision }
        collection.record(change)
        guard !collection.watchers.isEmpty else { return }
        var cache = LineCache()
        for watcher in collection.watchers.values {
            if let line = watcher.line(for: change, cache: &cache) {
                watcher.deliver(.events(line, count: 1))
            }
        }
    }

    private mutating func afterRemoval(of object: StoredObject, from collection: ResourceCollection)
    {
        switch collection.kind.strategy {
        case .service: addresses.release(object.content)
        case .namespace:
            for other in collections.values where other.kind.isNamespaced {
                for inner in other.objects.values where inner.namespace == object.name {
                    remove(inner, from: other)
                }
            }
        case .definition:
            guard let group = object.content["spec", "group"]?.string,
                let plural = object.content["spec", "names", "plural"]?.string,
                let kind = kind(group: group, plural: plural)
            else { return }
            for inner in collections[kind.name]?.objects.values.map({ $0 }) ?? [] {
                if let collection = collections[kind.name] { remove(inner, from: collection) }
            }
            unregister(kind)
        default: break
        }
    }

    /// Forgets the past: lists and watches that build on it must begin anew.
    mutating func compact() {
        for collection in collections.values { collection.compact(to: revision) }
    }

    /// Lets versions go by, as writes of resources that nobody here looks at do.
    mutating func advance(by count: Int) { revision += count }
}

/// What the cluster is made with.
package struct ClusterSettings: Sendable {
    /// Eight hexadecimal digits that begin every uid: another cluster has others.
    package var identity = "5c41ab1e"
    /// How many changes of each resource a watch can catch up with.
    package var history = 20_000
    /// Where ClusterIPs come from.
    package var serviceIPv4 = "198.18.0.0"
    package var serviceIPv6 = "2001:db8:fd::"
    /// Whether Services can have IPv6, and which family comes first.
    package var families = ["IPv4", "IPv6"]
    package var nodePorts = 30_000...65_535
    /// Who wrote which fields is kept in `metadata.managedFields`.
    package var tracksFieldManagers = true

    package init() {}
}
