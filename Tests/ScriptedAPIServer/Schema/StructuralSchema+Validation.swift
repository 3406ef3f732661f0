extension StructuralSchema {
    /// What is wrong with a value.
    func validate(_ value: JSONValue, at path: String) -> [FieldError] {
        if value.isNull, parts.isNullable { return [] }
        var errors: [FieldError] = []
        guard hasRightType(value) else {
            let expected = parts.isIntOrString ? "integer,string" : parts.type ?? ""
            return [
                .invalid(
                    path, .string(Self.typeName(value)),
                    "\(path) in body must be of type \(expected): \"\(Self.typeName(value))\"")
            ]
        }
        if !parts.allowed.isEmpty, !parts.allowed.contains(value) {
            errors.append(.unsupported(path, value, parts.allowed.map { $0.string ?? $0.text }))
        }
        switch value {
        case .object(let object): validate(object, at: path, into: &errors)
        case .array(let elements): validate(elements, at: path, into: &errors)
        case .string(let text): validate(text, at: path, into: &errors)
        case .integer(let number): validate(Double(number), value, at: path, into: &errors)
        case .number(let number): validate(number, value, at: path, into: &errors)
        case .bool, .null: break
        }
        validateLogic(value, at: path, into: &errors)
        return errors
    }

    private static func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private func hasRightType(_ value: JSONValue) -> Bool {
        if parts.isIntOrString {
            switch value {
            case .integer, .string: return true
            default: return false
            }
        }
        switch (parts.type, value) {
        case (nil, _), ("object", .object), ("array", .array), ("string", .string),
            ("boolean", .bool), ("number", .integer), ("number", .number), ("integer", .integer):
            return true
        case ("integer", .number(let number)): return number.rounded() == number
        default: return false
        }
    }

    private func validate(_ object: JSONObject, at path: String, into errors: inout [FieldError]) {
        for key in parts.required where object[key] == nil {
            errors.append(.required(path.isEmpty ? key : "\(path).\(key)"))
        }
        checkCount(object.members.count, parts.members, "properties", path, &errors)
        for member in object.members {
            let place = path.isEmpty ? member.key : "\(path).\(member.key)"
            guard let schema = child(member.key) else { continue }
            errors += schema.validate(member.value, at: place)
        }
    }

    private func validate(
        _ elements: [JSONValue], at path: String, into errors: inout [FieldError]
    ) {
        checkCount(elements.count, parts.count, "items", path, &errors)
        if let items = parts.items {
            for (index, element) in elements.enumerated() {
                errors += items.validate(element, at: "\(path)[\(index)]")
            }
        }
        guard let keys = elementKeys(elements) else { return }
        var seen: Set<String> = []
        for (index, key) in keys.enumerated() where !seen.insert(key).inserted {
            var shown = elements[index]
            if case .map(let names) = parts.listType, let object = shown.object {
                shown = .object(JSONObject(names.compactMap { n in object[n].map { (n, $0) } }))
            }
            errors.append(.duplicate("\(path)[\(index)]", shown))
        }
    }

    private func checkCount(
        _ count: Int, _ bounds: Counts, _ what: String, _ path: String,
        _ errors: inout [FieldError]
    ) {
        if let minimum = bounds.minimum, count < minimum {
            errors.append(
                .invalid(
                    path, .integer(Int64(count)),
                    "\(path) in body should have at least \(minimum) \(what)"))
        }
        if let maximum = bounds.maximum, count > maximum {
            errors.append(
                FieldError(
                    field: path, cause: "FieldValueTooMany",
                    message: "Too many: \(count): must have at most \(maximum) items"))
        }
    }

    private func validate(_ text: String, at path: String, into errors: inout [FieldError]) {
        let length = text.unicodeScalars.count
        if let minimum = parts.length.minimum, length < minimum {
            errors.append(
                .invalid(
                    path, .string(text),
                    "\(path) in body should be at least \(minimum) chars long"))
        }
        if let maximum = parts.length.maximum, length > maximum {
            errors.append(
                FieldError(
                    field: path, cause: "FieldValueTooLong",
                    message: "Too long: may not be more than \(maximum) bytes"))
        }
        if let pattern = parts.pattern, let regex = try? Regex(pattern),
            text.firstMatch(of: regex) == nil
        {
            errors.append(
                .invalid(path, .string(text), "\(path) in body should match '\(pattern)'"))
        }
        if let format = parts.format, !TextFormat.holds(text, format) {
            errors.append(
                .invalid(
                    path, .string(text), "\(path) in body must be of type \(format): \"\(text)\""))
        }
    }

    private func validate(
        _ number: Double, _ value: JSONValue, at path: String, into errors: inout [FieldError]
    ) {
        let bounds = parts.numbers
        if let minimum = bounds.minimum,
            number < minimum || (bounds.isAboveMinimum && number == minimum)
        {
            let relation = bounds.isAboveMinimum ? "greater than" : "greater than or equal to"
            errors.append(
                .invalid(
                    path, value,
                    "\(path) in body should be \(relation) \(JSONValue.number(minimum).text)"))
        }
        if let maximum = bounds.maximum,
            number > maximum || (bounds.isBelowMaximum && number == maximum)
        {
            let relation = bounds.isBelowMaximum ? "less than" : "less than or equal to"
            errors.append(
                .invalid(
                    path, value,
                    "\(path) in body should be \(relation) \(JSONValue.number(maximum).text)"))
        }
        if let step = bounds.multipleOf, number.truncatingRemainder(dividingBy: step) != 0 {
            errors.append(
                .invalid(path, value, "\(path) in body should be a multiple of \(step)"))
        }
        if parts.format == "int32", Int32(exactly: number) == nil {
            errors.append(
                .invalid(path, value, "\(path) in body must be of type int32: \(value.text)"))
        }
    }

    private func validateLogic(
        _ value: JSONValue, at path: String, into errors: inout [FieldError]
    ) {
        for schema in parts.allOf { errors += schema.validate(value, at: path) }
        if !parts.anyOf.isEmpty, !parts.anyOf.contains(where: { $0.accepts(value) }) {
            errors.append(
                .invalid(path, value, "\(path) in body must validate at least one schema (anyOf)"))
        }
        if !parts.oneOf.isEmpty, parts.oneOf.filter({ $0.accepts(value) }).count != 1 {
            errors.append(
                .invalid(
                    path, value, "\(path) in body must validate one and only one schema (oneOf)"))
        }
        if let negated = parts.negated, negated.accepts(value) {
            errors.append(
                .invalid(path, value, "\(path) in body must not validate the schema (not)"))
        }
    }

    private func accepts(_ value: JSONValue) -> Bool { validate(value, at: "").isEmpty }
}
