/// A request for objects, ready for a client to send.
public struct ObjectRequest: Hashable, Sendable {
    /// What kind of change a patch is, by its media type.
    public enum Patch: String, Hashable, Sendable {
        /// RFC 7386: `null` removes, a list replaces the list.
        case merge = "application/merge-patch+json"
        /// Kubernetes' own, for built-in kinds: some lists are merged by a key.
        case strategicMerge = "application/strategic-merge-patch+json"
    }

    /// The HTTP method.
    public var method: String
    /// What is asked for; for messages.
    public var resource: APIResource
    /// The path.
    public var path: String
    /// The query, by name; not encoded.
    public var query: [String: String] = [:]
    /// The media type of the body; `nil` without one.
    public var contentType: String?
    /// The body; `nil` for none.
    public var body: [UInt8]?

    /// POST: makes an object.
    public static func create(
        _ resource: APIResource, in namespace: String, body: [UInt8], manager: String
    ) -> ObjectRequest {
        ObjectRequest(
            method: "POST", resource: resource, path: resource.path(namespace: namespace),
            query: ["fieldManager": manager], contentType: "application/json", body: body)
    }

    /// PATCH: changes an object, or only one of its subresources.
    public static func patch(
        _ resource: APIResource, _ name: ObjectName, subresource: String? = nil, _ patch: Patch,
        body: [UInt8], manager: String
    ) -> ObjectRequest {
        ObjectRequest(
            method: "PATCH", resource: resource,
            path: resource.path(of: name, subresource: subresource),
            query: ["fieldManager": manager], contentType: patch.rawValue, body: body)
    }

    /// DELETE.
    public static func delete(_ resource: APIResource, _ name: ObjectName) -> ObjectRequest {
        ObjectRequest(method: "DELETE", resource: resource, path: resource.path(of: name))
    }

    /// GET of one object.
    public static func get(_ resource: APIResource, _ name: ObjectName) -> ObjectRequest {
        ObjectRequest(method: "GET", resource: resource, path: resource.path(of: name))
    }

    /// GET of a page of those that bear the labels.
    public static func list(
        _ resource: APIResource, in namespace: String, labels: String, limit: Int,
        continueToken: String? = nil
    ) -> ObjectRequest {
        var request = ObjectRequest(
            method: "GET", resource: resource, path: resource.path(namespace: namespace),
            query: ["labelSelector": labels, "limit": "\(limit)"])
        request.query["continue"] = continueToken
        return request
    }
}
