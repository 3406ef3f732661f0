import NIOCore

/// Where an API server is: the parts of a URL such as `https://192.0.2.10:6443/clusters/a`.
package struct ServerAddress: Sendable, Equatable {
    /// Whether it is `https`.
    package var isTLS: Bool
    /// A name or an address, an IPv6 address without brackets.
    package var host: String
    /// The port; the scheme's if the URL has none.
    package var port: Int
    /// What stands before the paths of the API, without a slash at the end; often empty.
    package var prefix: String

    /// Takes a URL apart; `nil` if it is none, or has what a server's may not have.
    package init?(_ url: String) {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        switch url[..<scheme.lowerBound].lowercased() {
        case "https": isTLS = true
        case "http": isTLS = false
        default: return nil
        }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let (host, port) = Self.hostAndPort(authority) else { return nil }
        var path = rest[authority.endIndex...]
        while path.hasSuffix("/") { path.removeLast() }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !path.contains("?"),
            !path.contains("#")
        else { return nil }
        self.host = host
        self.port = port ?? (isTLS ? 443 : 80)
        prefix = String(path)
    }

    /// Takes `host`, `host:port`, `[host]` or `[host]:port` apart.
    static func hostAndPort(_ text: Substring) -> (host: String, port: Int?)? {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":"), isAddress(String(host)) else {
                return nil
            }
            port = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard !host.contains(":") else { return nil }
        }
        let allowed = { (character: Character) in
            character.isASCII
                && (character.isLetter || character.isNumber || "-._:%".contains(character))
        }
        guard !host.isEmpty, host.allSatisfy(allowed) else { return nil }
        guard let port else { return (String(host), nil) }
        guard let number = Int(port), (1...65535).contains(number) else { return nil }
        return (String(host), number)
    }

    static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil  // It throws for any other text.
    }

    /// Host and port, as the header `Host` has them.
    var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? host : "\(host):\(port)"
    }

    /// What stands before the path of a request; with another host in its place if the server's
    /// certificate is for another name.
    func base(name: String?) -> String {
        let host = name ?? (host.contains(":") ? "[\(host)]" : host)
        return "\(isTLS ? "https" : "http")://\(host):\(port)\(prefix)"
    }
}

extension ServerAddress: CustomStringConvertible {
    /// The URL.
    package var description: String { "\(isTLS ? "https" : "http")://\(authority)\(prefix)" }
}
