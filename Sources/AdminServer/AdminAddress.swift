/// Where the admin server listens, or where a client finds it.
package enum AdminAddress: Sendable, Equatable {
    /// Host (name or address, IPv6 without brackets) and port, 0 for any free one.
    case tcp(host: String, port: Int)
    /// Path of a Unix stream socket.
    case unix(path: String)

    /// Reads `ADDR:PORT`, `[V6]:PORT` or a path that begins with `/` or `unix:`.
    package init?(_ text: String) {
        if text.hasPrefix("/") {
            self = .unix(path: text)
        } else if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(path))
        } else {
            guard let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            else { return nil }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard !host.isEmpty else { return nil }
            self = .tcp(host: String(host), port: Int(port))
        }
    }
}

extension AdminAddress: CustomStringConvertible {
    /// As ``init(_:)`` reads it.
    package var description: String {
        switch self {
        case .tcp(let host, let port):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}
