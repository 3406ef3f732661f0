extension StructuralSchema {
    private static let known: Set<String> = [
        "type", "properties", "items", "additionalProperties", "required", "enum", "pattern",
        "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties",
        "maxProperties", "default", "nullable", "description", "title", "example", "externalDocs",
        "allOf", "anyOf", "oneOf", "not", "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
        "x-kubernetes-validations",
    ]

    /// Reads a schema; what is not structural, or not known, is an error.
    static func read(
        _ value: JSONValue, at path: String, field: String, isLogical: Bool = false,
        into errors: inout [FieldError]
    ) -> StructuralSchema {
        guard let object = value.object else {
            errors.append(.invalid(path, value, "must be an object"))
            return StructuralSchema(Parts())
        }
        var parts = Parts()
        for key in object.keys where !known.contains(key) {
            errors.append(.invalid("\(path).\(key)", .string(key), "unknown field"))
        }
        readKind(object, path, isLogical, &parts, &errors)
        readBounds(object, &parts)
        readLists(object, path, &parts, &errors)
        readStructure(object, path, field, isLogical, &parts, &errors)
        for (index, rule) in (object["x-kubernetes-validations"]?.array ?? []).enumerated() {
            let place = "\(path).x-kubernetes-validations[\(index)]"
            guard let text = rule["rule"]?.string, !text.trimmed.isEmpty else {
                errors.append(.required("\(place).rule", "rule is not specified"))
                continue
            }
            parts.rules.append(
                Rule(path: field, rule: text, message: rule["message"]?.string ?? ""))
        }
        let schema = StructuralSchema(parts)
        if let fallback = parts.fallback {
            for error in schema.validate(fallback, at: "\(path).default") { errors.append(error) }
        }
        return schema
    }

    private static func readKind(
        _ object: JSONObject, _ path: String, _ isLogical: Bool, _ parts: inout Parts,
        _ errors: inout [FieldError]
    ) {
        parts.type = object["type"]?.string
        parts.isIntOrString = object["x-kubernetes-int-or-string"]?.bool ?? false
        parts.keepsUnknown = object["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
        parts.isEmbeddedObject = object["x-kubernetes-embedded-resource"]?.bool ?? false
        parts.isNullable = object["nullable"]?.bool ?? false
        parts.format = object["format"]?.string
        parts.fallback = object["default"]
        parts.allowed = object["enum"]?.array ?? []
        parts.required = (object["required"]?.array ?? []).compactMap(\.string)
        parts.pattern = object["pattern"]?.string
        if let pattern = parts.pattern, (try? Regex(pattern)) == nil {
            errors.append(.invalid("\(path).pattern", .string(pattern), "must be a valid regex"))
        }
        if !isLogical, parts.type == nil, !parts.isIntOrString, !parts.keepsUnknown {
            errors.append(
                .required("\(path).type", "must not be empty for specified object fields"))
        }
        if let type = parts.type,
            !["object", "array", "string", "integer", "number", "boolean"].contains(type)
        {
            errors.append(
                .unsupported(
                    "\(path).type", .string(type),
                    ["array", "boolean", "integer", "number", "object", "string"]))
        }
        if isLogical {
            for key in ["default", "nullable", "x-kubernetes-list-type"] where object[key] != nil {
                errors.append(.forbidden("\(path).\(key)", "must be undefined to be structural"))
            }
        }
        if object["uniqueItems"]?.bool == true {
            errors.append(
                .forbidden(
                    "\(path).uniqueItems",
                    "uniqueItems cannot be set to true since the runtime complexity becomes "
                        + "quadratic"))
        }
    }

    private static func readBounds(_ object: JSONObject, _ parts: inout Parts) {
        func number(_ key: String) -> Double? {
            switch object[key] {
            case .integer(let value)?: Double(value)
            case .number(let value)?: value
            default: nil
            }
        }
        func count(_ key: String) -> Int? { object[key]?.integer.map { Int($0) } }
        parts.numbers = Numbers(
            minimum: number("minimum"), maximum: number("maximum"),
            isAboveMinimum: object["exclusiveMinimum"]?.bool ?? false,
            isBelowMaximum: object["exclusiveMaximum"]?.bool ?? false,
            multipleOf: number("multipleOf"))
        parts.length = Counts(minimum: count("minLength"), maximum: count("maxLength"))
        parts.count = Counts(minimum: count("minItems"), maximum: count("maxItems"))
        parts.members = Counts(minimum: count("minProperties"), maximum: count("maxProperties"))
    }

    private static func readLists(
        _ object: JSONObject, _ path: String, _ parts: inout Parts, _ errors: inout [FieldError]
    ) {
        let keys = (object["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string)
        switch object["x-kubernetes-list-type"]?.string {
        case nil, "atomic": break
        case "set": parts.listType = .set
        case "map":
            parts.listType = .map(keys: keys)
            if keys.isEmpty {
                errors.append(
                    .required(
                        "\(path).x-kubernetes-list-map-keys",
                        "must not be empty if x-kubernetes-list-type is map"))
            }
            for key in keys where object["items", "properties", key] == nil {
                errors.append(
                    .invalid(
                        "\(path).x-kubernetes-list-map-keys", .string(key),
                        "entries must all be names of item properties"))
            }
            let required = object["items", "required"]?.array ?? []
            for key in keys
            where !required.contains(.string(key))
                && object["items", "properties", key, "default"] == nil
            {
                errors.append(
                    .required(
                        "\(path).items.properties[\(key)].default",
                        "this property is in x-kubernetes-list-map-keys, so it must have a default "
                            + "or be a required property"))
            }
        case let other?:
            errors.append(
                .unsupported(
                    "\(path).x-kubernetes-list-type", .string(other), ["atomic", "map", "set"]))
        }
        parts.isAtomicMap = object["x-kubernetes-map-type"]?.string == "atomic"
    }

    private static func readStructure(
        _ object: JSONObject, _ path: String, _ field: String, _ isLogical: Bool,
        _ parts: inout Parts, _ errors: inout [FieldError]
    ) {
        if object["properties"] != nil, object["additionalProperties"] != nil {
            errors.append(
                .forbidden(
                    "\(path).additionalProperties",
                    "additionalProperties and properties are mutual exclusive"))
        }
        for member in object["properties"]?.object?.members ?? [] {
            parts.order.append(member.key)
            parts.properties[member.key] = read(
                member.value, at: "\(path).properties[\(member.key)]",
                field: field.isEmpty ? member.key : "\(field).\(member.key)",
                isLogical: isLogical, into: &errors)
        }
        if let items = object["items"] {
            parts.items = read(
                items, at: "\(path).items", field: "\(field)[]", isLogical: isLogical,
                into: &errors)
        } else if parts.type == "array", !isLogical, !parts.keepsUnknown {
            errors.append(.required("\(path).items", "must be specified"))
        }
        switch object["additionalProperties"] {
        case .bool(true)?:
            parts.keepsUnknown = true
        case .object(let inner)?:
            parts.additional = read(
                .object(inner), at: "\(path).additionalProperties", field: "\(field){}",
                isLogical: isLogical, into: &errors)
        default: break
        }
        func logical(_ key: String) -> [StructuralSchema] {
            (object[key]?.array ?? []).enumerated().map { index, value in
                read(
                    value, at: "\(path).\(key)[\(index)]", field: field, isLogical: true,
                    into: &errors)
            }
        }
        parts.allOf = logical("allOf")
        parts.anyOf = logical("anyOf")
        parts.oneOf = logical("oneOf")
        if let negated = object["not"] {
            parts.negated = read(
                negated, at: "\(path).not", field: field, isLogical: true, into: &errors)
        }
    }
}
