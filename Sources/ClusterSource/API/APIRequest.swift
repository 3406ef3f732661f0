/// A request to the API server.
package struct APIRequest: Sendable {
    /// How many bytes an answer may have, unless a request says otherwise.
    package static let ordinaryBound = 4 << 20
    /// How many bytes a page of a list may have.
    package static let pageBound = 64 << 20

    /// How long a stream may take to begin, whatever a request says: a server says that it will
    /// answer long before it has something to say.
    static let streamPatience = Duration.seconds(30)

    /// The HTTP method.
    package var method: String
    /// The path without a query, as a resource has it; it begins with `/`.
    package var path: String
    /// Names and values of the query, not encoded.
    package var query: [(String, String)]
    /// What the body is, such as `application/merge-patch+json`.
    package var contentType: String?
    /// The body.
    package var body: [UInt8]?
    /// How long it may take until all of the answer is here. Time that an exec plugin takes to make
    /// credentials is not counted.
    package var timeout: Duration
    /// How many bytes the answer may have; a longer one is malformed. A stream is not bounded.
    package var answerBound: Int

    /// Makes a request. Unless it is said how long the answer may be, it is ``pageBound`` for a
    /// request with a `limit`, and ``ordinaryBound`` for all others.
    package init(
        method: String = "GET", path: String, query: [(String, String)] = [],
        contentType: String? = nil, body: [UInt8]? = nil, timeout: Duration = .seconds(30),
        answerBound: Int? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.contentType = contentType
        self.body = body
        self.timeout = timeout
        self.answerBound =
            answerBound
            ?? (query.contains { $0.0 == "limit" } ? Self.pageBound : Self.ordinaryBound)
    }
}

extension APIRequest {
    /// Path and query as they stand in a URL. Only what RFC 3986 §2.3 calls unreserved stays as it
    /// is, and what §3.3 allows in a path.
    var target: String {
        var text = Self.encoded(path, keeping: "/:@!$'*,")
        for (index, item) in query.enumerated() {
            text += index == 0 ? "?" : "&"
            text += Self.encoded(item.0) + "=" + Self.encoded(item.1)
        }
        return text
    }

    private static func encoded(_ text: String, keeping kept: StaticString = "") -> String {
        let kept = Array(kept.description.utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            case _ where kept.contains(byte):
                bytes.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
