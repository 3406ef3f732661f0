extension ObjectMeta {
    /// The standard fields that Martlet does not use.
    private static let unusedFields: Set<String> = [
        "clusterName", "creationTimestamp", "deletionGracePeriodSeconds", "finalizers",
        "generateName", "generation", "managedFields", "ownerReferences", "resourceVersion",
        "selfLink",
    ]

    /// Reads `metadata`; `nil`, with the error recorded, when the object has no usable name.
    ///
    /// Sets the log's object as soon as the name is known.
    static func read(_ object: FieldReader, _ kind: KindReader) -> ObjectMeta? {
        object.requiredReader("metadata").flatMap { read(object, $0, kind) }
    }

    /// As ``read(_:_:)``, from the fields of `metadata`.
    static func read(
        _ object: FieldReader, _ fields: FieldReader, _ kind: KindReader
    ) -> ObjectMeta? {
        let namespace = namespace(fields, kind)
        guard let nameValue = fields.required("name"), let name = nameValue.string() else {
            fields.finish(alsoKnown: unusedFields.union(["annotations", "labels", "uid"]))
            return nil
        }
        var metadata = ObjectMeta(name: ObjectName(namespace: namespace, name))
        object.log.object = "\(kind.kind) \(FieldValue.clip(metadata.name.description))"
        let isLabel = ["Service", "Namespace"].contains(kind.kind)
        if isLabel ? !NameRules.isDNSLabel(name) : !NameRules.isDNSSubdomain(name) {
            nameValue.fail(
                "\"\(FieldValue.clip(name))\" is not \(isLabel ? "a DNS label" : "a DNS name")",
                remedy: "use lower-case letters, digits and -\(isLabel ? "" : " and ."), "
                    + "beginning and ending with a letter or digit, \(isLabel ? 63 : 253) at most")
        }
        metadata.labels = fields.value("labels")?.labels() ?? [:]
        metadata.annotations = annotations(fields)
        metadata.uid = fields.string("uid") ?? ""
        metadata.isBeingDeleted = fields.value("deletionTimestamp") != nil
        fields.finish(alsoKnown: unusedFields)
        return metadata
    }

    private static func namespace(_ fields: FieldReader, _ kind: KindReader) -> String {
        let value = fields.value("namespace")
        guard kind.scope != .cluster else { return "" }
        guard let value, let text = value.string(), !text.isEmpty else {
            return kind.scope == .namespaced ? "default" : ""
        }
        if !NameRules.isDNSLabel(text) {
            value.fail(
                "\"\(FieldValue.clip(text))\" is not a namespace",
                remedy: "use lower-case letters, digits and -, 63 at most")
        }
        return text
    }

    private static func annotations(_ fields: FieldReader) -> [String: String] {
        guard let reader = fields.reader("annotations") else { return [:] }
        var annotations: [String: String] = [:]
        for (key, value) in reader.takeAll() {
            annotations[key] = value.isNull ? "" : value.string()
            // Keys may be in upper case, unlike labels' prefixes.
            if !NameRules.isQualifiedName(key.lowercased()) {
                value.fail(
                    "\"\(FieldValue.clip(key))\" is not an annotation key",
                    remedy: "use [prefix/]name with letters, digits, -, _ and ., 63 at most")
            }
            guard let known = KnownAnnotations.suggestion(for: key) else { continue }
            value.report(
                .warning, "is not an annotation that Martlet knows",
                remedy: "did you mean \"\(known)\"?")
        }
        return annotations
    }
}

/// The annotations that Martlet reads or writes, to catch slips in their names.
private enum KnownAnnotations {
    /// With either of the prefixes that `metallb.io/` ones may have.
    private static let old = ServiceAnnotation.allCases.map(\.rawValue)
    private static let added =
        ["preferred-node", "drain", "endpoint-choice"]
        + HealthCheck.Setting.allCases.map(\.rawValue)
    private static let prefixes = [
        ("metallb.io/", old), ("metallb.universe.tf/", old), ("martlet.dev/", added),
    ]

    /// The nearest known key, when `key` has one of our prefixes but is not known.
    static func suggestion(for key: String) -> String? {
        for (prefix, names) in prefixes where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            guard !names.contains(name) else { return nil }
            return NearestName.suggestion(for: name, among: names).map { prefix + $0 }
        }
        return nil
    }
}
