extension ClusterState {
    /// POST.
    mutating func create(
        _ place: ObjectPlace, _ value: JSONValue, _ options: WriteOptions
    ) throws(StatusError) -> WriteResult {
        let collection = try collection(place.kind)
        var result = try prepared(value, for: place)
        var metadata = result["metadata"]?.object ?? JSONObject()
        if let prefix = metadata["generateName"]?.string, metadata["name"]?.string ?? "" == "" {
            metadata["name"] = .string(prefix + Self.suffix(revision + 1))
        }
        let name = metadata["name"]?.string ?? ""
        guard !name.isEmpty else {
            throw .invalid(
                place.kind, "",
                [.required("metadata.name", "name or generateName is required")])
        }
        guard ObjectNames.isValid(name) else {
            throw .invalid(
                place.kind, name,
                [
                    .invalid(
                        "metadata.name", .string(name),
                        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                            + "characters, '-' or '.', and must start and end with an alphanumeric "
                            + "character")
                ])
        }
        guard metadata["resourceVersion"]?.string ?? "" == "" else {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        if place.kind.isNamespaced, try !namespaceExists(place.namespace) {
            throw try .notFound(namespaceKind(), place.namespace)
        }
        if collection[place.namespace, name] != nil { throw .alreadyExists(place.kind, name) }
        metadata["namespace"] = place.kind.isNamespaced ? .string(place.namespace) : nil
        metadata["uid"] = .string(nextIdentity())
        metadata["creationTimestamp"] = .string(WallTime.text())
        metadata["deletionTimestamp"] = nil
        metadata["managedFields"] = nil
        metadata["selfLink"] = nil
        metadata["generation"] =
            place.kind.countsGenerations || place.kind.isCustom ? 1 : nil
        result["metadata"] = .object(metadata)
        var warnings: [String] = []
        if place.version.hasStatus, place.kind.isCustom { result["status"] = nil }
        result = try judged(result, old: nil, place, name: name, options, &warnings)
        let managers = managers(
            after: result, old: nil, place, options, applied: options.isApply ? value : nil)
        if case .definition = place.kind.strategy { try define(result, old: nil) }
        let object = commit(collection, content: result, managers: managers, previous: nil)
        return WriteResult(object: object, isCreated: true, warnings: warnings)
    }

    /// PUT and PATCH: `change` says what the object shall be.
    mutating func modify(
        _ place: ObjectPlace, _ options: WriteOptions, isPut: Bool = false,
        applied: JSONValue? = nil,
        change: (StoredObject) throws(StatusError) -> JSONValue
    ) throws(StatusError) -> WriteResult {
        let collection = try collection(place.kind)
        guard let old = collection[place.namespace, place.name] else {
            throw .notFound(place.kind, place.name)
        }
        var new = try prepared(try change(old), for: place)
        try checkPreconditions(new, old, place, isPut: isPut)
        new = try merged(new, onto: old, place)
        var warnings: [String] = []
        new = try judged(new, old: old.content, place, name: place.name, options, &warnings)
        let managers = managers(after: new, old: old, place, options, applied: applied)
        let isGone =
            new["metadata", "deletionTimestamp"] != nil
            && (new["metadata", "finalizers"]?.array ?? []).isEmpty
        if new == old.content, !isGone, managers.hasSameFields(as: old.managers) {
            return WriteResult(object: old, warnings: warnings)
        }
        if place.kind.countsGenerations || place.kind.isCustom,
            Self.hasNewIntent(new, old.content)
        {
            let generation = old.content["metadata", "generation"]?.integer ?? 1
            new["metadata", "generation"] = .integer(generation + 1)
        }
        if isGone {
            remove(old, from: collection)
            return WriteResult(object: old, warnings: warnings)
        }
        if case .definition = place.kind.strategy, place.subresource.isEmpty {
            try define(new, old: old.content)
        }
        let object = commit(collection, content: new, managers: managers, previous: old)
        return WriteResult(object: object, warnings: warnings)
    }

    /// Takes kind and version off and checks that they are the right ones.
    private func prepared(
        _ value: JSONValue, for place: ObjectPlace
    ) throws(StatusError) -> JSONObject {
        guard var object = value.object else { throw .badRequest("the body is no object") }
        if let kind = object["kind"]?.string, !kind.isEmpty, kind != place.kind.kind {
            throw .badRequest(
                "\(kind) in version \"\(object["apiVersion"]?.string ?? "")\" cannot be handled as "
                    + "a \(place.kind.kind)")
        }
        if let version = object["apiVersion"]?.string, !version.isEmpty,
            version != place.version.apiVersion
        {
            throw .badRequest(
                "the API version in the data (\(version)) does not match the expected API version "
                    + "(\(place.version.apiVersion))")
        }
        object["kind"] = nil
        object["apiVersion"] = nil
        if case .event = place.kind.strategy, place.version.group != place.kind.group {
            object = EventConversion.core(fromEvents: object)
        }
        let namespace = object["metadata", "namespace"]?.string ?? ""
        if place.kind.isNamespaced, !namespace.isEmpty, namespace != place.namespace {
            throw .badRequest(
                "the namespace of the provided object does not match the namespace sent on the "
                    + "request")
        }
        let name = object["metadata", "name"]?.string ?? ""
        if !place.name.isEmpty, !name.isEmpty, name != place.name {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL "
                    + "(\(place.name))")
        }
        return object
    }

    private func checkPreconditions(
        _ new: JSONObject, _ old: StoredObject, _ place: ObjectPlace, isPut: Bool
    ) throws(StatusError) {
        if let uid = new["metadata", "uid"]?.string, !uid.isEmpty, uid != old.uid {
            throw .conflict(
                place.kind, place.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old.uid)")
        }
        let version = new["metadata", "resourceVersion"]?.string ?? ""
        if !version.isEmpty, version != "0", version != String(old.revision) {
            throw .conflict(place.kind, place.name, StatusError.objectModified)
        }
        let mustSay =
            switch place.kind.strategy {
            case .custom, .lease, .definition: true
            default: false
            }
        if isPut, version.isEmpty, mustSay {
            throw .invalid(
                place.kind, place.name,
                [
                    .invalid(
                        "metadata.resourceVersion", 0, "must be specified for an update")
                ])
        }
    }

    /// Keeps what this write may not touch: the identity always; status or everything else by the
    /// subresource.
    private func merged(
        _ new: JSONObject, onto old: StoredObject, _ place: ObjectPlace
    ) throws(StatusError) -> JSONObject {
        var result = new
        var metadata = new["metadata"]?.object ?? JSONObject()
        let before = old.content["metadata"]?.object ?? JSONObject()
        for key in [
            "name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
            "deletionGracePeriodSeconds", "resourceVersion", "generateName",
        ] { metadata[key] = before[key] }
        metadata["managedFields"] = nil
        metadata["selfLink"] = nil
        for key in ["labels", "annotations", "finalizers", "ownerReferences"]
        where metadata[key]?.object?.isEmpty == true || metadata[key]?.array?.isEmpty == true
            || metadata[key]?.isNull == true
        { metadata[key] = nil }
        result["metadata"] = .object(metadata)
        guard place.version.hasStatus else { return result }
        if place.subresource == "status" {
            let status = result["status"]
            if place.kind.isCustom {
                result = old.content
                result["status"] = status
            } else {
                var kept = old.content
                kept["metadata"] = .object(metadata)
                kept["status"] = status
                result = kept
            }
        } else {
            result["status"] = old.content["status"]
        }
        return result
    }

    private static func hasNewIntent(_ new: JSONObject, _ old: JSONObject) -> Bool {
        func intent(_ content: JSONObject) -> JSONObject {
            var content = content
            content["metadata"] = nil
            content["status"] = nil
            return content
        }
        return intent(new) != intent(old)
    }

    private static func suffix(_ number: Int) -> String {
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        var rest = number &* 7_919 &+ 104_729
        var text = ""
        for _ in 0..<5 {
            text.append(letters[rest % letters.count])
            rest /= letters.count
        }
        return text
    }

    func namespaceKind() throws(StatusError) -> ResourceKind {
        guard let kind = kind(group: "", plural: "namespaces") else { throw .noSuchPath }
        return kind
    }

    private func namespaceExists(_ name: String) throws(StatusError) -> Bool {
        try collection(namespaceKind())["", name] != nil
    }
}

/// Which names objects may have.
enum ObjectNames {
    static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1...253).contains(bytes.count) else { return false }
        func isInner(_ byte: UInt8) -> Bool {
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
        }
        // RBAC names have colons, which only paths mind.
        return bytes.allSatisfy { isInner($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x3A }
            && isInner(bytes[0]) && isInner(bytes[bytes.count - 1])
    }
}
