extension ClusterState {
    /// PATCH of any kind.
    mutating func patch(
        _ place: ObjectPlace, _ patch: JSONValue, _ kind: PatchKind, _ options: WriteOptions
    ) throws(StatusError) -> WriteResult {
        if kind == .strategic, place.kind.isCustom {
            throw .unsupportedMediaType(
                [PatchKind.json, .merge, .apply].map(\.rawValue))
        }
        var options = options
        if kind == .apply {
            options.isApply = true
            guard patch["kind"]?.string != nil, patch["apiVersion"]?.string != nil else {
                throw .badRequest("an applied configuration has kind and apiVersion")
            }
            if try collection(place.kind)[place.namespace, place.name] == nil {
                guard place.subresource.isEmpty else { throw .notFound(place.kind, place.name) }
                var object = patch.object ?? JSONObject()
                object["metadata", "name"] = .string(place.name)
                return try create(place, .object(object), options)
            }
        }
        let state = self
        let before = options
        return try modify(
            place, options, applied: kind == .apply ? patch : nil
        ) { old throws(StatusError) in
            if kind == .apply { return try state.applied(patch, to: old, place, before) }
            return try Self.patched(old.json(place.kind, place.version), patch, kind, place)
        }
    }

    private static func patched(
        _ current: JSONValue, _ patch: JSONValue, _ kind: PatchKind, _ place: ObjectPlace
    ) throws(StatusError) -> JSONValue {
        switch kind {
        case .merge: return MergePatch.apply(patch, to: current)
        case .json: return try JSONPatch.apply(patch, to: current)
        case .strategic, .apply:
            return try StrategicMerge.apply(patch, to: current, shape: place.kind.listShape)
                ?? .null
        }
    }

    /// DELETE of one object. The answer is the object while finalizers hold it.
    mutating func delete(
        _ place: ObjectPlace, _ preconditions: DeletionPreconditions = DeletionPreconditions()
    ) throws(StatusError) -> (object: StoredObject, isGone: Bool) {
        let collection = try collection(place.kind)
        guard let old = collection[place.namespace, place.name] else {
            throw .notFound(place.kind, place.name)
        }
        if let uid = preconditions.uid, uid != old.uid {
            throw .conflict(
                place.kind, place.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old.uid)")
        }
        if let version = preconditions.resourceVersion, version != String(old.revision) {
            throw .conflict(
                place.kind, place.name,
                "Precondition failed: ResourceVersion in precondition: \(version), ResourceVersion "
                    + "in object meta: \(old.revision)")
        }
        guard !(old.content["metadata", "finalizers"]?.array ?? []).isEmpty else {
            remove(old, from: collection)
            return (old, true)
        }
        guard old.content["metadata", "deletionTimestamp"] == nil else { return (old, false) }
        var content = old.content
        content["metadata", "deletionTimestamp"] = .string(WallTime.text())
        content["metadata", "deletionGracePeriodSeconds"] = 0
        if let generation = content["metadata", "generation"]?.integer {
            content["metadata", "generation"] = .integer(generation + 1)
        }
        let object = commit(
            collection, content: content, managers: old.managers, previous: old)
        return (object, false)
    }
}
