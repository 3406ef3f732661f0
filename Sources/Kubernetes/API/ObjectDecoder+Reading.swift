extension ObjectDecoder {
    /// Reads an object. Of a deleted one no more than what identifies it.
    func read(_ node: DocumentNode, isDeleted: Bool = false) throws(APIFailure) -> APIObject {
        guard case .mapping(let mapping) = node else {
            throw .malformed("\(resource): something that is not an object")
        }
        let isConfiguring = if case .configuration? = kind?.reading { true } else { false }
        let log = ProblemLog(
            file: "", object: resource.kind,
            origin: isConfiguring ? .configurationServer : .server)
        let fields = FieldReader(mapping, path: "", log: log)
        let kindName = fields.string("kind") ?? resource.kind
        guard kindName == resource.kind else {
            throw .malformed("\(resource): an object of kind \(FieldValue.clip(kindName))")
        }
        guard let metaFields = fields.reader("metadata"),
            let name = metaFields.string("name"), !name.isEmpty
        else { throw .malformed("\(resource): an object without a name") }
        var object = APIObject(
            reference: ManifestObject.Reference(
                kind: resource.kind, name: objectName(name, metaFields)),
            resourceVersion: metaFields.string("resourceVersion") ?? "", value: nil)
        guard !isDeleted, let kind else { return object }
        log.object = FieldValue.clip(object.reference.description)
        if case .ignored = kind.reading { return object }
        object.value = value(fields, metaFields, kind, object.reference.name)
        object.problems = log.finish().filter { isConfiguring || $0.severity != .notice }
        object.status = status(fields)
        if keepsText { object.text = text(of: mapping) }
        return object
    }

    /// The name, with the namespace that the kind has.
    private func objectName(_ name: String, _ fields: FieldReader) -> ObjectName {
        guard resource.isNamespaced else { return ObjectName(name) }
        let namespace = fields.string("namespace") ?? ""
        let missing: String
        switch kind?.scope {
        case .configuration: missing = configurationNamespace
        case .namespaced: missing = "default"
        case .cluster, nil: missing = ""
        }
        return ObjectName(namespace: namespace.isEmpty ? missing : namespace, name)
    }

    private func value(
        _ fields: FieldReader, _ metaFields: FieldReader, _ kind: KindReader, _ name: ObjectName
    ) -> ManifestObject.Value? {
        guard var metadata = ObjectMeta.read(fields, metaFields, kind) else { return nil }
        metadata.name = name
        let value: ManifestObject.Value?
        switch kind.reading {
        case .object(let read): value = read(fields, metadata)
        case .configuration(let configuring):
            let version = fields.string("apiVersion") ?? resource.apiVersion
            value = ConfigurationObject.read(configuring, apiVersion: version, fields, metadata)
                .map { .configuration($0) }
        case .ignored: value = nil
        }
        fields.finish(alsoKnown: ["status"])
        return fields.log.hasErrors ? nil : value
    }

    /// The object as it was built, and self-describing: what came as an item of a list does not
    /// name its kind.
    private func text(of mapping: DocumentNode.Mapping) -> [UInt8] {
        let own: Set = ["apiVersion", "kind"]
        let version = Fields(.mapping(mapping))?["apiVersion"] ?? resource.apiVersion
        let named = [("apiVersion", version), ("kind", resource.kind)].map { name, value in
            DocumentNode.Field(
                key: .init(name, .quoted), value: .scalar(.init(value, .quoted)))
        }
        let rest = mapping.fields.filter { !own.contains($0.key?.string ?? "") }
        return JSONDocument.text(of: .mapping(DocumentNode.Mapping(fields: named + rest)))
    }
}
