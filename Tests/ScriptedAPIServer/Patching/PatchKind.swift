/// The kinds of patches, by their content type.
package enum PatchKind: String, Sendable, CaseIterable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategic = "application/strategic-merge-patch+json"
    case apply = "application/apply-patch+yaml"
}

/// RFC 7386.
enum MergePatch {
    static func apply(_ patch: JSONValue, to value: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var object = value.object ?? JSONObject()
        for member in changes.members {
            if member.value.isNull {
                object[member.key] = nil
            } else {
                object[member.key] = apply(member.value, to: object[member.key] ?? .null)
            }
        }
        return .object(object)
    }
}

/// RFC 6902, as much as `kubectl patch --type=json` is used for.
enum JSONPatch {
    static func apply(_ patch: JSONValue, to value: JSONValue) throws(StatusError) -> JSONValue {
        guard let operations = patch.array else { throw .badRequest("a JSON patch is an array") }
        var result = value
        for operation in operations {
            let path = (operation["path"]?.string ?? "").split(
                separator: "/", omittingEmptySubsequences: false
            ).dropFirst().map {
                String($0).replacing("~1", with: "/").replacing("~0", with: "~")
            }
            let verb = operation["op"]?.string ?? ""
            guard ["add", "remove", "replace", "test"].contains(verb) else {
                throw .badRequest("JSON patch operation \"\(verb)\" is not served here")
            }
            guard let changed = edit(result, path[...], verb, operation["value"] ?? .null) else {
                throw StatusError(
                    422, "Invalid",
                    "the server rejected our request due to an error in our request: "
                        + "\(verb) \(operation["path"]?.string ?? "")")
            }
            result = changed
        }
        return result
    }

    private static func edit(
        _ value: JSONValue, _ path: ArraySlice<String>, _ verb: String, _ operand: JSONValue
    ) -> JSONValue? {
        guard let key = path.first else {
            if verb == "test" { return value == operand ? value : nil }
            return verb == "remove" ? nil : operand
        }
        let isLast = path.count == 1
        switch value {
        case .object(var object):
            if isLast, verb == "remove" {
                guard object[key] != nil else { return nil }
                object[key] = nil
                return .object(object)
            }
            if isLast, verb == "add" {
                object[key] = operand
                return .object(object)
            }
            guard let inner = object[key],
                let changed = edit(inner, path.dropFirst(), verb, operand)
            else { return nil }
            object[key] = changed
            return .object(object)
        case .array(var elements):
            if isLast, verb == "add" {
                let index = key == "-" ? elements.count : Int(key) ?? -1
                guard (0...elements.count).contains(index) else { return nil }
                elements.insert(operand, at: index)
                return .array(elements)
            }
            guard let index = Int(key), elements.indices.contains(index) else { return nil }
            if isLast, verb == "remove" {
                elements.remove(at: index)
            } else {
                guard let changed = edit(elements[index], path.dropFirst(), verb, operand) else {
                    return nil
                }
                elements[index] = changed
            }
            return .array(elements)
        default: return nil
        }
    }
}

/// The strategic merge of the API: lists are merged by the patch keys of their kind.
enum StrategicMerge {
    static func apply(
        _ patch: JSONValue, to value: JSONValue?, shape: StructuralSchema?
    ) throws(StatusError) -> JSONValue? {
        switch patch {
        case .object(let changes):
            if changes["$patch"] == "delete" { return nil }
            if changes["$patch"] == "replace" {
                var object = changes
                object["$patch"] = nil
                return .object(object)
            }
            var object = value?.object ?? JSONObject()
            if let kept = changes["$retainKeys"]?.array {
                object.members.removeAll { !kept.contains(.string($0.key)) }
            }
            for member in changes.members where !member.key.hasPrefix("$setElementOrder/") {
                if member.key.hasPrefix("$deleteFromPrimitiveList/") {
                    let key = String(member.key.dropFirst("$deleteFromPrimitiveList/".count))
                    let gone = member.value.array ?? []
                    object[key] = (object[key]?.array).map { elements in
                        .array(elements.filter { !gone.contains($0) })
                    }
                } else if member.key == "$retainKeys" {
                    continue
                } else if member.key.hasPrefix("$") {
                    throw .badRequest("directive \(member.key) is not known")
                } else if member.value.isNull {
                    object[member.key] = nil
                } else {
                    object[member.key] = try apply(
                        member.value, to: object[member.key], shape: shape?.child(member.key))
                }
            }
            return .object(object)
        case .array(let changes):
            guard let shape, let old = value?.array else { return withoutDirectives(changes) }
            return try merge(changes, into: old, shape)
        default: return patch
        }
    }

    private static func withoutDirectives(_ elements: [JSONValue]) -> JSONValue {
        .array(elements.filter { $0["$patch"] == nil })
    }

    private static func merge(
        _ changes: [JSONValue], into old: [JSONValue], _ shape: StructuralSchema
    ) throws(StatusError) -> JSONValue {
        if changes.contains(where: { $0["$patch"] == "replace" }) {
            return withoutDirectives(changes)
        }
        if case .set = shape.parts.listType {
            return .array(old + changes.filter { !old.contains($0) })
        }
        guard let key = shape.parts.patchKey else { return withoutDirectives(changes) }
        var elements = old
        for change in changes {
            guard let wanted = change.object?[key] else {
                throw .badRequest("map: \(change.text) does not contain declared merge key: \(key)")
            }
            let index = elements.firstIndex { $0.object?[key] == wanted }
            if change["$patch"] == "delete" {
                elements.removeAll { $0.object?[key] == wanted }
            } else if let index {
                if let merged = try apply(change, to: elements[index], shape: shape.items) {
                    elements[index] = merged
                }
            } else {
                elements.append(change)
            }
        }
        return .array(elements)
    }
}
