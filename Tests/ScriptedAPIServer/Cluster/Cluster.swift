import Synchronization

/// The objects of the scripted cluster: what clients reach over HTTP, and tests directly, as
/// somebody with every right and a `kubectl` that takes no time would.
///
/// Resources are named as `kubectl` names them: `services`, `ipaddresspools.metallb.io`.
package final class Cluster: Sendable {
    let state: Mutex<ClusterState>

    package init(_ settings: ClusterSettings = ClusterSettings()) {
        state = Mutex(ClusterState(settings: settings))
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            // The names are valid and new, so that nothing can be in the way.
            _ = try? create(
                ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]])
        }
    }

    func locked<Value: Sendable>(
        _ body: (inout sending ClusterState) throws(StatusError) -> sending Value
    ) throws(StatusError) -> Value {
        try state.withLock(body)
    }

    /// The version of the newest change.
    package var revision: Int { state.withLock { $0.revision } }

    /// Forgets the past: what continues a list or resumes a watch from before gets 410.
    package func compact() { state.withLock { $0.compact() } }

    /// Lets versions go by without a change that anybody sees.
    package func advance(by count: Int) { state.withLock { $0.advance(by: count) } }

    /// How many watches are open, of one resource or of all.
    package func watches(of resource: String? = nil) -> Int {
        state.withLock { state in
            state.collections.values
                .filter { resource == nil || $0.kind.qualifiedPlural == resource }
                .reduce(0) { $0 + $1.watchers.count }
        }
    }

    /// The CEL rules of a custom kind: they are recorded, not evaluated.
    package func rules(of resource: String) -> [StructuralSchema.Rule] {
        state.withLock { state in
            state.kind(named: resource)?.versions.compactMap(\.schema).flatMap(\.rules) ?? []
        }
    }
}

extension Cluster {
    /// Creates an object from all of it.
    @discardableResult
    package func create(
        _ object: JSONValue, options: WriteOptions = WriteOptions()
    ) throws(StatusError) -> JSONValue {
        try locked { state throws(StatusError) in
            let place = try state.place(of: object)
            return try state.create(place, object, options).object.json(place.kind, place.version)
        }
    }

    /// Replaces an object, or its status.
    @discardableResult
    package func update(
        _ object: JSONValue, subresource: String = "", options: WriteOptions = WriteOptions()
    ) throws(StatusError) -> JSONValue {
        try locked { state throws(StatusError) in
            var place = try state.place(of: object)
            place.subresource = subresource
            return try state.modify(place, options) { _ in object }
                .object.json(place.kind, place.version)
        }
    }

    /// Patches an object, or its status.
    @discardableResult
    package func patch(
        _ resource: String, namespace: String = "", _ name: String, _ patch: JSONValue,
        as kind: PatchKind = .merge, subresource: String = "",
        options: WriteOptions = WriteOptions()
    ) throws(StatusError) -> JSONValue {
        try locked { state throws(StatusError) in
            var place = try state.place(resource, namespace, name)
            place.subresource = subresource
            return try state.patch(place, patch, kind, options)
                .object.json(place.kind, place.version)
        }
    }

    /// Deletes an object; finalizers hold it back as they do on a server.
    package func delete(
        _ resource: String, namespace: String = "", _ name: String
    ) throws(StatusError) {
        try locked { state throws(StatusError) in
            _ = try state.delete(try state.place(resource, namespace, name))
        }
    }

    /// An object, or `nil`.
    package func get(
        _ resource: String, namespace: String = "", _ name: String
    ) throws(StatusError) -> JSONValue? {
        try locked { state throws(StatusError) in
            let place = try state.place(resource, namespace, name)
            return try state.collection(place.kind)[place.namespace, name]?
                .json(place.kind, place.version)
        }
    }

    /// All objects of a resource, of one namespace if it is given.
    package func list(
        _ resource: String, namespace: String? = nil, labels: String = ""
    ) throws(StatusError) -> [JSONValue] {
        let selector = try LabelSelector(labels)
        return try locked { state throws(StatusError) in
            let place = try state.place(resource, "", "")
            let scope = WatchScope(
                kind: place.kind, version: place.version, namespace: namespace, labels: selector)
            return try state.list(ListQuery(scope: scope)).objects
                .map { $0.json(place.kind, place.version) }
        }
    }

    /// Creates or merges what a YAML text holds, as `kubectl apply` would. The objects of a List
    /// are taken one by one.
    package func apply(yaml: String) throws {
        try apply(documents: try JSONValue.documents(yaml: yaml))
    }

    /// The same from values: namespaces and definitions come first, whatever the order, and
    /// namespaces that are named but not there are made.
    package func apply(documents: [JSONValue]) throws(StatusError) {
        let objects = documents.flatMap { $0["items"]?.array ?? [$0] }
        func isEarly(_ object: JSONValue) -> Bool {
            ["Namespace", "CustomResourceDefinition"].contains(object["kind"]?.string ?? "")
        }
        for object in objects where isEarly(object) { try apply(object) }
        for object in objects where !isEarly(object) {
            if let name = object["metadata", "namespace"]?.string,
                try get("namespaces", name) == nil
            {
                try create([
                    "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)],
                ])
            }
            try apply(object)
        }
    }

    /// Creates an object, or merges it into the one that is there.
    package func apply(_ object: JSONValue) throws(StatusError) {
        try locked { state throws(StatusError) in
            let place = try state.place(of: object)
            if try state.collection(place.kind)[place.namespace, place.name] == nil {
                _ = try state.create(place, object, WriteOptions())
            } else {
                _ = try state.patch(place, object, .merge, WriteOptions())
            }
        }
    }
}

extension ClusterState {
    func kind(named resource: String) -> ResourceKind? {
        let pieces = resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard let plural = pieces.first else { return nil }
        if pieces.count == 2 { return kind(group: pieces[1], plural: plural) }
        if let core = kind(group: "", plural: plural) { return core }
        return kinds.filter { $0.key.plural == plural }
            .min { $0.key.group < $1.key.group }?.value
    }

    func place(
        _ resource: String, _ namespace: String, _ name: String
    ) throws(StatusError) -> ObjectPlace {
        guard let kind = kind(named: resource), let version = kind.versions.first(where: \.isServed)
        else { throw .noSuchPath }
        return ObjectPlace(
            kind: kind, version: version,
            namespace: kind.isNamespaced ? (namespace.isEmpty ? "default" : namespace) : "",
            name: name)
    }

    func place(of object: JSONValue) throws(StatusError) -> ObjectPlace {
        let apiVersion = (object["apiVersion"]?.string ?? "").split(separator: "/").map(String.init)
        let kindName = object["kind"]?.string ?? ""
        let group = apiVersion.count == 2 ? apiVersion[0] : ""
        guard let name = apiVersion.last,
            let kind = kinds.first(where: { $0.key.group == group && $0.value.kind == kindName })?
                .value, let version = kind.version(group: group, name: name)
        else {
            throw StatusError(
                404, "NotFound",
                "no matches for kind \"\(kindName)\" in version "
                    + "\"\(object["apiVersion"]?.string ?? "")\"")
        }
        let namespace = object["metadata", "namespace"]?.string ?? "default"
        return ObjectPlace(
            kind: kind, version: version, namespace: kind.isNamespaced ? namespace : "",
            name: object["metadata", "name"]?.string ?? "")
    }
}
