/// An address with a port: one end of a UDP or TCP exchange.
public struct SocketAddress: Hashable, Sendable {
    /// The host.
    public var address: IPAddress
    /// The port, 0 to 65535.
    public var port: UInt16

    /// Makes an end.
    public init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension SocketAddress: Comparable {
    /// By address, then by port.
    public static func < (left: SocketAddress, right: SocketAddress) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `192.0.2.1:7481`, `[2001:db8::1]:7481` (RFC 3986 §3.2.2).
    public var description: String {
        switch address.family {
        case .ipv4: "\(address):\(port)"
        case .ipv6: "[\(address)]:\(port)"
        }
    }

    /// Reads the form that ``description`` writes; without a port, `defaultPort`. `nil` when the
    /// text is neither.
    public init?(_ text: String, defaultPort: UInt16) {
        if let address = IPAddress(text) {
            self.init(address, port: defaultPort)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
        }
        guard let address = IPAddress(String(host)),
            (address.family == .ipv6) == (text.first == "["),
            let port = UInt16(text[text.index(after: colon)...]), port != 0
        else { return nil }
        self.init(address, port: port)
    }
}
