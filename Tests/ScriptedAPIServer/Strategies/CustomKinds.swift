/// Kinds from CustomResourceDefinitions.
enum CustomKinds {
    /// Reads a definition; what a server would refuse is an error.
    static func kind(of definition: JSONObject) -> (ResourceKind, [FieldError]) {
        var errors: [FieldError] = []
        let spec = definition["spec"]?.object ?? JSONObject()
        let group = spec["group"]?.string ?? ""
        let names = spec["names"]?.object ?? JSONObject()
        let plural = names["plural"]?.string ?? ""
        let kind = names["kind"]?.string ?? ""
        if group.isEmpty { errors.append(.required("spec.group")) }
        if plural.isEmpty { errors.append(.required("spec.names.plural")) }
        if kind.isEmpty { errors.append(.required("spec.names.kind")) }
        let name = definition["metadata", "name"]?.string ?? ""
        if name != "\(plural).\(group)" {
            errors.append(
                .invalid(
                    "metadata.name", .string(name),
                    "must be spec.names.plural+\".\"+spec.group"))
        }
        let scope = spec["scope"]?.string ?? ""
        if !["Cluster", "Namespaced"].contains(scope) {
            errors.append(
                .unsupported("spec.scope", .string(scope), ["Cluster", "Namespaced"]))
        }
        let listed = spec["versions"]?.array ?? []
        let storages = listed.filter { $0["storage"] == true }.count
        if storages != 1 {
            errors.append(
                .invalid(
                    "spec.versions", .integer(Int64(storages)),
                    "must have exactly one version marked as storage version"))
        }
        if let strategy = spec["conversion", "strategy"], strategy != "None" {
            errors.append(.unsupported("spec.conversion.strategy", strategy, ["None"]))
        }
        var versions = listed.enumerated().map { index, value in
            version(value, group, "spec.versions[\(index)]", &errors)
        }
        // As kube-aware order has it: v2 before v1 before v1beta2 before v1beta1.
        versions.sort { rank($0.name) > rank($1.name) }
        let selectable = listed.flatMap { $0["selectableFields"]?.array ?? [] }
            .compactMap { $0["jsonPath"]?.string.map { String($0.dropFirst()) } }
        func strings(_ key: String) -> [String] { (names[key]?.array ?? []).compactMap(\.string) }
        return (
            ResourceKind(
                group: group, plural: plural, kind: kind, singular: names["singular"]?.string,
                listKind: names["listKind"]?.string, shortNames: strings("shortNames"),
                categories: strings("categories"), isNamespaced: scope == "Namespaced",
                strategy: .custom, countsGenerations: true, versions: versions,
                selectableFields: selectable), errors
        )
    }

    private static func rank(_ name: String) -> Int {
        guard let match = name.wholeMatch(of: /v(\d+)(?:(alpha|beta)(\d+))?/) else { return 0 }
        let major = Int(match.1) ?? 0
        let stage = match.2 == "alpha" ? 1 : match.2 == "beta" ? 2 : 3
        return stage * 1_000_000 + major * 1_000 + (match.3.flatMap { Int($0) } ?? 0)
    }

    private static func version(
        _ value: JSONValue, _ group: String, _ path: String, _ errors: inout [FieldError]
    ) -> ResourceKind.Version {
        let columns = (value["additionalPrinterColumns"]?.array ?? []).map { column in
            PrinterColumn(
                name: column["name"]?.string ?? "", type: column["type"]?.string ?? "string",
                format: column["format"]?.string ?? "",
                description: column["description"]?.string ?? "",
                priority: Int(column["priority"]?.integer ?? 0),
                path: column["jsonPath"]?.string ?? "")
        }
        for (index, column) in columns.enumerated() where !column.path.hasPrefix(".") {
            errors.append(
                .invalid(
                    "\(path).additionalPrinterColumns[\(index)].jsonPath", .string(column.path),
                    "must be a simple json path starting with ."))
        }
        var schema: StructuralSchema?
        if let given = value["schema", "openAPIV3Schema"] {
            schema = StructuralSchema.read(
                given, at: "\(path).schema.openAPIV3Schema", field: "", into: &errors)
        } else {
            errors.append(.required("\(path).schema", "schemas are required"))
        }
        return ResourceKind.Version(
            group: group, name: value["name"]?.string ?? "", schema: schema, columns: columns,
            hasStatus: value["subresources", "status"] != nil,
            isServed: value["served"]?.bool ?? false)
    }
}

extension ClusterState {
    /// Serves, or serves anew, what a definition says.
    mutating func define(_ definition: JSONObject, old: JSONObject?) throws(StatusError) {
        let (kind, errors) = CustomKinds.kind(of: definition)
        guard errors.isEmpty else {
            guard
                let own = self.kind(
                    group: "apiextensions.k8s.io", plural: "customresourcedefinitions")
            else { throw .noSuchPath }
            throw .invalid(own, definition["metadata", "name"]?.string ?? "", errors)
        }
        if let old, old["spec"] == definition["spec"] { return }
        register(kind)
    }

    /// A definition as it is stored: names accepted, established.
    static func established(_ definition: JSONObject) -> JSONObject {
        var definition = definition
        let time = JSONValue.string(definition["metadata", "creationTimestamp"]?.string ?? "")
        func condition(_ type: String, _ reason: String, _ message: String) -> JSONValue {
            [
                "type": .string(type), "status": "True", "lastTransitionTime": time,
                "reason": .string(reason), "message": .string(message),
            ]
        }
        let versions = definition["spec", "versions"]?.array ?? []
        definition["status"] = [
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "accepted"),
            ],
            "acceptedNames": definition["spec", "names"] ?? [:],
            "storedVersions": .array(
                versions.filter { $0["storage"] == true }.compactMap { $0["name"] }),
        ]
        return definition
    }
}
