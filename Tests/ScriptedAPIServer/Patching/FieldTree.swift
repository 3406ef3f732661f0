/// A set of fields of an object, in the sense of `FieldsV1`: what a field manager owns.
package struct FieldTree: Sendable, Equatable {
    /// Keys as `FieldsV1` writes them: `f:name`, `k:{"type":"Ready"}`, `v:"text"`.
    package private(set) var children: [String: FieldTree] = [:]
    /// The field itself, not only what is below it.
    package private(set) var isMember = false

    static let leaf: FieldTree = {
        var tree = FieldTree()
        tree.isMember = true
        return tree
    }()

    var isEmpty: Bool { !isMember && children.isEmpty }

    /// Every field of a value, as one who applies it would own them.
    static func fields(of value: JSONValue, shape: StructuralSchema?) -> FieldTree {
        var tree = FieldTree()
        switch value {
        case .object(let object) where !(shape?.isAtomicMap ?? false):
            for member in object.members {
                tree.children["f:\(member.key)"] = fields(
                    of: member.value, shape: shape?.child(member.key))
            }
            if object.isEmpty { tree.isMember = true }
        case .array(let elements):
            guard let keys = shape?.elementKeys(elements) else { return .leaf }
            for (key, element) in zip(keys, elements) {
                var child = FieldTree()
                if case .object = element {
                    child = fields(of: element, shape: shape?.items)
                }
                child.isMember = true
                tree.children[key] = child
            }
        default: return .leaf
        }
        return tree
    }

    /// The fields in which `new` differs from `old`: those that are new or have another value.
    static func changed(
        from old: JSONValue?, to new: JSONValue, shape: StructuralSchema?
    ) -> FieldTree {
        guard let old else { return fields(of: new, shape: shape) }
        if old == new { return FieldTree() }
        switch (old, new) {
        case (.object(let before), .object(let after)) where !(shape?.isAtomicMap ?? false):
            var tree = FieldTree()
            for member in after.members {
                let child = changed(
                    from: before[member.key], to: member.value, shape: shape?.child(member.key))
                if !child.isEmpty { tree.children["f:\(member.key)"] = child }
            }
            return tree
        case (.array(let before), .array(let after)):
            guard let newKeys = shape?.elementKeys(after),
                let oldKeys = shape?.elementKeys(before)
            else { return .leaf }
            var tree = FieldTree()
            for (key, element) in zip(newKeys, after) {
                guard let index = oldKeys.firstIndex(of: key) else {
                    var child = FieldTree()
                    if case .object = element { child = fields(of: element, shape: shape?.items) }
                    child.isMember = true
                    tree.children[key] = child
                    continue
                }
                let child = changed(from: before[index], to: element, shape: shape?.items)
                if !child.isEmpty { tree.children[key] = child }
            }
            return tree
        default: return .leaf
        }
    }

    /// Without the fields of another set.
    func subtracting(_ other: FieldTree) -> FieldTree {
        var tree = self
        if other.isMember, children.isEmpty { return FieldTree() }
        if other.isMember { tree.isMember = false }
        for (key, child) in other.children {
            guard let own = tree.children[key] else { continue }
            let rest = own.subtracting(child)
            tree.children[key] = rest.isEmpty ? nil : rest
        }
        return tree
    }

    /// With the fields of another set.
    func union(_ other: FieldTree) -> FieldTree {
        var tree = self
        tree.isMember = isMember || other.isMember
        tree.children.merge(other.children) { $0.union($1) }
        return tree
    }

    /// The fields that both have.
    func intersection(_ other: FieldTree) -> FieldTree {
        var tree = FieldTree()
        tree.isMember = isMember && other.isMember
        // An atomic value is owned as a whole: who owns it owns all below it.
        if isMember, children.isEmpty, !other.isEmpty { return .leaf }
        if other.isMember, other.children.isEmpty, !isEmpty { return self }
        for (key, child) in children {
            guard let counterpart = other.children[key] else { continue }
            let both = child.intersection(counterpart)
            if !both.isEmpty { tree.children[key] = both }
        }
        return tree
    }

    /// Only what an object still has.
    func limited(to present: FieldTree) -> FieldTree {
        var tree = FieldTree()
        tree.isMember = isMember
        for (key, child) in children {
            guard let counterpart = present.children[key] else { continue }
            tree.children[key] = child.limited(to: counterpart)
        }
        return tree
    }

    /// As `FieldsV1`.
    package var json: JSONValue {
        var object = JSONObject()
        if isMember, !children.isEmpty { object["."] = [:] }
        for key in children.keys.sorted() {
            object.members.append(
                JSONObject.Member(key: key, value: children[key]?.json ?? [:]))
        }
        return .object(object)
    }

    /// The leaves as people read them: `.spec.ports[port=80].name`.
    var paths: [String] {
        guard !children.isEmpty else { return isMember ? [""] : [] }
        return children.keys.sorted().flatMap { key in
            let name = key.hasPrefix("f:") ? ".\(key.dropFirst(2))" : "[\(key.dropFirst(2))]"
            return (children[key]?.paths ?? []).map { name + $0 }
        }
    }

    /// Sets or forgets one child.
    mutating func set(_ key: String, _ child: FieldTree?) { children[key] = child }
}

/// One who has written fields of an object.
package struct FieldManager: Sendable, Equatable {
    package var name: String
    /// `Apply` or `Update`.
    package var operation: String
    package var apiVersion: String
    package var time: String
    package var subresource: String
    package var fields: FieldTree

    var json: JSONValue {
        var entry = JSONObject([
            ("manager", .string(name)), ("operation", .string(operation)),
            ("apiVersion", .string(apiVersion)), ("time", .string(time)),
            ("fieldsType", "FieldsV1"), ("fieldsV1", fields.json),
        ])
        if !subresource.isEmpty { entry["subresource"] = .string(subresource) }
        return .object(entry)
    }
}
