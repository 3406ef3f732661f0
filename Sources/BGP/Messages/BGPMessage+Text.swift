import NetworkTypes

extension BGPMessage: CustomStringConvertible {
    /// One line of text; long lists are cut.
    public var description: String {
        switch self {
        case .open(let message): "OPEN: \(message)"
        case .update(let message): "UPDATE: \(message)"
        case .notification(let message): "NOTIFICATION: \(message)"
        case .keepalive: "KEEPALIVE"
        case .routeRefresh(let message): "ROUTE-REFRESH: \(message)"
        }
    }
}

extension BGPMessage.Kind {
    /// The name in the standards.
    var name: String {
        switch self {
        case .open: "OPEN"
        case .update: "UPDATE"
        case .notification: "NOTIFICATION"
        case .keepalive: "KEEPALIVE"
        case .routeRefresh: "ROUTE-REFRESH"
        }
    }
}

extension OpenMessage: CustomStringConvertible {
    /// As in `AS 64512, hold time 90 s, identifier 192.0.2.1, route refresh`.
    public var description: String {
        let head =
            "AS \(myAS), hold time \(holdTime) s, identifier \(RouterIDText.describe(routerID))"
        return capabilities.isEmpty ? head : "\(head), \(capabilities.list(separator: ", "))"
    }
}

extension RouteRefreshMessage: CustomStringConvertible {
    /// As in `ipv4 asked for`.
    public var description: String {
        switch kind {
        case .request: "\(family) asked for"
        case .begin: "\(family) begins"
        case .end: "\(family) has ended"
        }
    }
}

extension UpdateMessage: CustomStringConvertible {
    /// As in `2001:db8::/64 announced with origin IGP; 192.0.2.0/24 withdrawn`.
    public var description: String {
        var parts: [String] = []
        if let endOfRIB { parts.append("End-of-RIB \(endOfRIB)") }
        if !announced.isEmpty {
            parts.append("\(announced.list(separator: ", ")) announced with \(attributes)")
        }
        if !withdrawn.isEmpty { parts.append("\(withdrawn.list(separator: ", ")) withdrawn") }
        parts += faults.map(\.description)
        return parts.isEmpty ? "nothing" : parts.joined(separator: "; ")
    }
}

extension MessageFault: CustomStringConvertible {
    /// The NOTIFICATION's name and the rule.
    public var description: String { "\(notification.name): \(rule)" }
}

/// BGP Identifiers as people write them.
enum RouterIDText {
    /// Dotted quad.
    static func describe(_ identifier: UInt32) -> String {
        IPAddress(ipv4: identifier).description
    }
}
