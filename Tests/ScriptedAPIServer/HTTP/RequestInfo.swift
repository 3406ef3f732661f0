import NIOCore
import NIOHTTP1

/// A request, taken apart as the API reads it.
struct RequestInfo: Sendable {
    var method: String
    var path: String
    var query: [(name: String, value: String)]
    var token: String?
    var accept: String
    var contentType: String
    var userAgent: String
    var body: [UInt8]
    var isHTTP2: Bool
    /// In the words of RBAC; for paths that are no resource, the method in lower case.
    var verb: String
    var version = ""
    var access: AccessRequest
    var isResource = false

    init(head: HTTPRequestHead, body: [UInt8], isHTTP2: Bool) {
        method = head.method.rawValue
        let pieces = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
        path = Self.decoded(pieces.first ?? "/", plusIsSpace: false)
        query = (pieces.count > 1 ? pieces[1] : "").split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                Self.decoded(String(parts[0]), plusIsSpace: true),
                parts.count > 1 ? Self.decoded(String(parts[1]), plusIsSpace: true) : ""
            )
        }
        let authorization = head.headers.first(name: "authorization") ?? ""
        token =
            authorization.lowercased().hasPrefix("bearer ")
            ? String(authorization.dropFirst(7)).trimmed : nil
        accept = head.headers[canonicalForm: "accept"].joined(separator: ",")
        contentType =
            (head.headers.first(name: "content-type") ?? "")
            .split(separator: ";").first.map { String($0).trimmed } ?? ""
        userAgent = head.headers.first(name: "user-agent") ?? ""
        self.body = body
        self.isHTTP2 = isHTTP2
        verb = method.lowercased()
        access = AccessRequest(verb: verb, group: "", resource: "")
        findResource()
    }

    private mutating func findResource() {
        var parts = path.split(separator: "/").map(String.init)[...]
        switch parts.first {
        case "api"? where parts.count >= 3: parts = parts.dropFirst()
        case "apis"? where parts.count >= 4:
            parts = parts.dropFirst()
            access.group = parts.removeFirst()
        default: return
        }
        version = parts.removeFirst()
        if parts.first == "namespaces", parts.count >= 3,
            !["status", "finalize"].contains(parts[parts.startIndex + 2])
        {
            parts = parts.dropFirst()
            access.namespace = parts.removeFirst()
        }
        guard let plural = parts.popFirst(), parts.count <= 2 else { return }
        access.resource = plural
        access.name = parts.popFirst() ?? ""
        access.subresource = parts.popFirst() ?? ""
        if plural == "namespaces", !access.name.isEmpty { access.namespace = access.name }
        isResource = true
        let isCollection = access.name.isEmpty
        switch method {
        case "GET", "HEAD":
            verb =
                ["1", "true"].contains(value("watch") ?? "")
                ? "watch" : isCollection ? "list" : "get"
        case "POST": verb = "create"
        case "PUT": verb = "update"
        case "PATCH": verb = "patch"
        case "DELETE": verb = isCollection ? "deletecollection" : "delete"
        default: break
        }
        access.verb = verb
        if ["list", "watch"].contains(verb) { access.selectedName = selectedName }
    }

    private var selectedName: String {
        for item in (value("fieldSelector") ?? "").split(separator: ",") {
            let parts = item.split(separator: "=", omittingEmptySubsequences: true)
            if parts.count == 2, parts[0] == "metadata.name" { return String(parts[1]) }
        }
        return ""
    }

    func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

    func flag(_ name: String) -> Bool { ["1", "true"].contains(value(name) ?? "") }

    /// Whether rows for people are asked for, in the version that is served.
    var wantsTable: Bool { accept.contains("as=Table") && accept.contains("v=v1;") }

    private static func decoded(_ text: String, plusIsSpace: Bool) -> String {
        guard text.contains("%") || text.contains("+") else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// An answer that is there as a whole.
struct Answer: Sendable {
    var code = 200
    var contentType = "application/json"
    var body: [UInt8] = []
    var headers: [(String, String)] = []

    init(_ body: [UInt8], code: Int = 200) {
        self.body = body
        self.code = code
    }

    init(_ value: JSONValue, code: Int = 200) { self.init(value.bytes, code: code) }

    init(_ error: StatusError) {
        self.init(error.body, code: error.code)
        if let seconds = error.retryAfterSeconds {
            headers.append(("retry-after", String(seconds)))
        }
    }
}
