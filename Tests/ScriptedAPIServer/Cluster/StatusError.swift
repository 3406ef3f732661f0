/// An answer that says no, as `metav1.Status` does.
package struct StatusError: Error, Sendable, Equatable, CustomStringConvertible {
    package var code: Int
    package var reason: String
    package var message: String
    package var details: JSONValue?
    package var retryAfterSeconds: Int?

    package init(
        _ code: Int, _ reason: String, _ message: String, details: JSONValue? = nil,
        retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retryAfterSeconds = retryAfterSeconds
    }

    package var description: String { "\(code) \(reason): \(message)" }

    /// The body of the answer.
    package var body: JSONValue {
        var details = details?.object ?? JSONObject()
        if let retryAfterSeconds {
            details["retryAfterSeconds"] = .integer(Int64(retryAfterSeconds))
        }
        var body: JSONObject = JSONObject([
            ("kind", "Status"), ("apiVersion", "v1"), ("metadata", [:]), ("status", "Failure"),
            ("message", .string(message)),
        ])
        if !reason.isEmpty { body["reason"] = .string(reason) }
        if !details.isEmpty { body["details"] = .object(details) }
        body["code"] = .integer(Int64(code))
        return .object(body)
    }
}

/// What is wrong with a field.
package struct FieldError: Sendable, Equatable {
    package var field: String
    package var cause: String
    package var message: String

    package static func required(_ field: String, _ detail: String = "") -> FieldError {
        FieldError(
            field: field, cause: "FieldValueRequired",
            message: detail.isEmpty ? "Required value" : "Required value: \(detail)")
    }
    package static func invalid(
        _ field: String, _ value: JSONValue, _ detail: String
    ) -> FieldError {
        FieldError(
            field: field, cause: "FieldValueInvalid",
            message: "Invalid value: \(value.text): \(detail)")
    }
    package static func unsupported(
        _ field: String, _ value: JSONValue, _ supported: [String]
    ) -> FieldError {
        let list = supported.map { "\"\($0)\"" }.joined(separator: ", ")
        return FieldError(
            field: field, cause: "FieldValueNotSupported",
            message: "Unsupported value: \(value.text): supported values: \(list)")
    }
    package static func duplicate(_ field: String, _ value: JSONValue) -> FieldError {
        FieldError(
            field: field, cause: "FieldValueDuplicate", message: "Duplicate value: \(value.text)")
    }
    package static func forbidden(_ field: String, _ detail: String) -> FieldError {
        FieldError(field: field, cause: "FieldValueForbidden", message: "Forbidden: \(detail)")
    }
}

extension StatusError {
    private static func about(_ kind: ResourceKind, _ name: String) -> JSONValue {
        var details = JSONObject([("name", .string(name))])
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        details["kind"] = .string(kind.plural)
        return .object(details)
    }

    static func notFound(_ kind: ResourceKind, _ name: String) -> StatusError {
        StatusError(
            404, "NotFound", "\(kind.qualifiedPlural) \"\(name)\" not found",
            details: about(kind, name))
    }
    static func alreadyExists(_ kind: ResourceKind, _ name: String) -> StatusError {
        StatusError(
            409, "AlreadyExists", "\(kind.qualifiedPlural) \"\(name)\" already exists",
            details: about(kind, name))
    }
    static func conflict(_ kind: ResourceKind, _ name: String, _ why: String) -> StatusError {
        StatusError(
            409, "Conflict",
            "Operation cannot be fulfilled on \(kind.qualifiedPlural) \"\(name)\": \(why)",
            details: about(kind, name))
    }
    static let objectModified =
        "the object has been modified; please apply your changes to the latest version and try "
        + "again"

    static func invalid(
        _ kind: ResourceKind, _ name: String, _ errors: [FieldError]
    ) -> StatusError {
        let texts = errors.map { "\($0.field): \($0.message)" }
        let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        var details = JSONObject([("name", .string(name))])
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        details["kind"] = .string(kind.kind)
        details["causes"] = .array(
            errors.map {
                [
                    "reason": .string($0.cause), "message": .string($0.message),
                    "field": .string($0.field),
                ]
            })
        return StatusError(
            422, "Invalid", "\(kind.qualifiedKind) \"\(name)\" is invalid: \(list)",
            details: .object(details))
    }
    static func badRequest(_ message: String) -> StatusError {
        StatusError(400, "BadRequest", message)
    }
    static func expired(_ message: String) -> StatusError { StatusError(410, "Expired", message) }
    static let unauthorized = StatusError(401, "Unauthorized", "Unauthorized")
    static let noSuchPath = StatusError(
        404, "NotFound", "the server could not find the requested resource", details: [:])
    static let methodNotAllowed = StatusError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource",
        details: [:])
    static func unsupportedMediaType(_ accepted: [String]) -> StatusError {
        StatusError(
            415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
                + accepted.joined(separator: ", "))
    }
}
