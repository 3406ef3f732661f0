extension StructuralSchema {
    /// Fills in defaults, as the server does when it reads or stores an object.
    func defaulted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(var object):
            for key in parts.order {
                guard let schema = parts.properties[key] else { continue }
                let isMissing =
                    object[key] == nil
                    || (object[key]?.isNull == true && !schema.parts.isNullable)
                if isMissing, let fallback = schema.parts.fallback { object[key] = fallback }
            }
            for index in object.members.indices {
                let member = object.members[index]
                guard let schema = child(member.key) else { continue }
                object.members[index].value = schema.defaulted(member.value)
            }
            return .object(object)
        case .array(let elements):
            guard let items = parts.items else { return value }
            return .array(elements.map(items.defaulted))
        default: return value
        }
    }

    /// Takes out what the schema does not know, and says which fields those were.
    func pruned(_ value: JSONValue, at path: String, unknown: inout [String]) -> JSONValue {
        switch value {
        case .object(var object):
            var kept: [JSONObject.Member] = []
            for member in object.members {
                let place = path.isEmpty ? member.key : "\(path).\(member.key)"
                if parts.isEmbeddedObject,
                    ["kind", "apiVersion", "metadata"].contains(member.key)
                {
                    kept.append(member)
                } else if let schema = child(member.key) {
                    kept.append(
                        JSONObject.Member(
                            key: member.key,
                            value: schema.pruned(member.value, at: place, unknown: &unknown)))
                } else if parts.keepsUnknown {
                    kept.append(member)
                } else {
                    unknown.append(place)
                }
            }
            object.members = kept
            return .object(object)
        case .array(let elements):
            guard let items = parts.items else { return value }
            return .array(
                elements.enumerated().map {
                    items.pruned($1, at: "\(path)[\($0)]", unknown: &unknown)
                })
        default: return value
        }
    }
}
