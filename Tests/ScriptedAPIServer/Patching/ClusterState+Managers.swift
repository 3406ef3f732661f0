extension ClusterState {
    static func shape(_ place: ObjectPlace) -> StructuralSchema? {
        place.version.schema ?? place.kind.listShape
    }

    /// What field managers can own: neither the identity nor what the server sets.
    static func ownable(_ content: JSONObject) -> JSONValue {
        var content = content
        content["kind"] = nil
        content["apiVersion"] = nil
        var metadata = content["metadata"]?.object ?? JSONObject()
        for key in [
            "name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion",
            "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName",
            "selfLink",
        ] { metadata[key] = nil }
        content["metadata"] = metadata.isEmpty ? nil : .object(metadata)
        return .object(content)
    }

    /// Who owns which fields after a write.
    func managers(
        after new: JSONObject, old: StoredObject?, _ place: ObjectPlace, _ options: WriteOptions,
        applied: JSONValue?
    ) -> [FieldManager] {
        guard settings.tracksFieldManagers else { return [] }
        let shape = Self.shape(place)
        let value = Self.ownable(new)
        var managers = old?.managers ?? []
        var own = FieldManager(
            name: options.manager, operation: options.isApply ? "Apply" : "Update",
            apiVersion: place.version.apiVersion, time: WallTime.text(),
            subresource: place.subresource, fields: FieldTree())
        let changed = FieldTree.changed(
            from: old.map { Self.ownable($0.content) }, to: value, shape: shape)
        for index in managers.indices where !managers[index].isSame(as: own) {
            managers[index].fields = managers[index].fields.subtracting(changed)
        }
        let index = managers.firstIndex { $0.isSame(as: own) }
        if let applied = applied?.object {
            own.fields = FieldTree.fields(of: Self.ownable(applied), shape: shape)
        } else {
            own.fields = (index.map { managers[$0].fields } ?? FieldTree()).union(changed)
        }
        if let index {
            if managers[index].fields != own.fields { managers[index] = own }
        } else {
            managers.append(own)
        }
        guard !changed.isEmpty || applied != nil || old?.content != new else { return managers }
        let present = FieldTree.fields(of: value, shape: shape)
        for index in managers.indices {
            managers[index].fields = managers[index].fields.limited(to: present)
        }
        return managers.filter { !$0.fields.isEmpty }
    }

    /// Server-side apply: the object as this manager's wish makes it.
    func applied(
        _ wish: JSONValue, to old: StoredObject, _ place: ObjectPlace, _ options: WriteOptions
    ) throws(StatusError) -> JSONValue {
        let shape = Self.shape(place)
        let wished = Self.ownable(wish.object ?? JSONObject())
        let before = Self.ownable(old.content)
        let set = FieldTree.fields(of: wished, shape: shape)
        var merged = ApplyMerge.merge(before, wished, shape)
        let changed = FieldTree.changed(from: before, to: merged, shape: shape)
            .intersection(set)
        let mine = FieldManager(
            name: options.manager, operation: "Apply", apiVersion: "", time: "",
            subresource: place.subresource, fields: FieldTree())
        if !options.isForced {
            let conflicts = old.managers.filter { !$0.isSame(as: mine) }.flatMap { manager in
                manager.fields.intersection(changed).paths.map {
                    "conflict with \"\(manager.name)\" using \(manager.apiVersion): \($0)"
                }
            }
            if !conflicts.isEmpty {
                let count = conflicts.count == 1 ? "1 conflict" : "\(conflicts.count) conflicts"
                throw StatusError(
                    409, "Conflict",
                    "Apply failed with \(count): \(conflicts.joined(separator: "\n"))",
                    details: ["causes": .array(conflicts.map { ["message": .string($0)] })])
            }
        }
        if let last = old.managers.first(where: { $0.isSame(as: mine) }) {
            var given = last.fields.subtracting(set)
            for manager in old.managers where !manager.isSame(as: mine) {
                given = given.subtracting(manager.fields)
            }
            merged = ApplyMerge.removing(given, from: merged, shape) ?? .object(JSONObject())
        }
        var result = merged.object ?? JSONObject()
        for key in ["name", "namespace", "uid", "resourceVersion"] {
            if let value = wish["metadata", key] { result["metadata", key] = value }
        }
        return .object(result)
    }
}

extension FieldManager {
    func isSame(as other: FieldManager) -> Bool {
        name == other.name && operation == other.operation && subresource == other.subresource
    }
}

extension [FieldManager] {
    func hasSameFields(as others: [FieldManager]) -> Bool {
        count == others.count
            && zip(self, others).allSatisfy { $0.isSame(as: $1) && $0.fields == $1.fields }
    }
}

/// The merge of server-side apply: by schema, lists by their list type.
enum ApplyMerge {
    static func merge(
        _ old: JSONValue, _ wish: JSONValue, _ shape: StructuralSchema?
    ) -> JSONValue {
        switch (old, wish) {
        case (.object(var object), .object(let wishes)) where !(shape?.isAtomicMap ?? false):
            for member in wishes.members {
                let below = shape?.child(member.key)
                object[member.key] =
                    object[member.key].map { merge($0, member.value, below) } ?? member.value
            }
            return .object(object)
        case (.array(var elements), .array(let wishes)):
            guard var keys = shape?.elementKeys(elements), let wanted = shape?.elementKeys(wishes)
            else { return wish }
            for (key, element) in zip(wanted, wishes) {
                if let index = keys.firstIndex(of: key) {
                    elements[index] = merge(elements[index], element, shape?.items)
                } else {
                    elements.append(element)
                    keys.append(key)
                }
            }
            return .array(elements)
        default: return wish
        }
    }

    /// Without the fields of a set; `nil` when nothing is left.
    static func removing(
        _ fields: FieldTree, from value: JSONValue, _ shape: StructuralSchema?
    ) -> JSONValue? {
        guard !fields.children.isEmpty else { return fields.isMember ? nil : value }
        switch value {
        case .object(var object):
            for (key, child) in fields.children where key.hasPrefix("f:") {
                let name = String(key.dropFirst(2))
                guard let inner = object[name] else { continue }
                object[name] = removing(child, from: inner, shape?.child(name))
            }
            return object.isEmpty ? nil : .object(object)
        case .array(let elements):
            guard let keys = shape?.elementKeys(elements) else { return value }
            let kept = zip(keys, elements).compactMap { key, element -> JSONValue? in
                guard let child = fields.children[key] else { return element }
                if child.isMember { return nil }
                return removing(child, from: element, shape?.items)
            }
            return kept.isEmpty ? nil : .array(kept)
        default: return value
        }
    }
}
