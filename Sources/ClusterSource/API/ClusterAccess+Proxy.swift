extension ClusterAccess.Proxy {
    /// Takes `http://user:password@host:port` or `socks5://host:port` apart; `nil` for anything
    /// else.
    init?(_ url: String) {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let defaultPort: Int
        switch url[..<mark.lowerBound].lowercased() {
        case "http": (kind, defaultPort) = (.http, 80)
        case "socks5", "socks5h": (kind, defaultPort) = (.socks, 1080)
        default: return nil
        }
        var authority = url[mark.upperBound...]
        if authority.hasSuffix("/") { authority.removeLast() }
        guard !authority.contains("/") else { return nil }
        if let sign = authority.lastIndex(of: "@") {
            let parts = authority[..<sign].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            // No SOCKS proxy that asks for a password can be used.
            guard kind == .http, let user = parts.first.flatMap(Self.decoded) else {
                return nil
            }
            self.user = user
            password = parts.count > 1 ? Self.decoded(parts[1]) : ""
            guard password != nil else { return nil }
            authority = authority[authority.index(after: sign)...]
        }
        guard let (host, port) = ServerAddress.hostAndPort(authority) else { return nil }
        self.host = host
        self.port = port ?? defaultPort
    }

    /// Undoes percent-encoding (RFC 3986 §2.1); `nil` if it is broken.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.utf8.count == 2,
                let value = UInt8(digits, radix: 16)
            else { return nil }
            rest.removeFirst(2)
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A URL as it may be shown.
    static func withoutSecret(_ url: String) -> String {
        guard let mark = url.firstRange(of: "://"), let sign = url.lastIndex(of: "@"),
            mark.upperBound < sign
        else { return url }
        return url[..<mark.upperBound] + "…" + url[sign...]
    }
}
