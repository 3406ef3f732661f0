extension Capability: CustomStringConvertible {
    /// As in `graceful restart 120 s (ipv4, ipv6)`.
    public var description: String {
        switch self {
        case .multiprotocol(let family): "multiprotocol \(family)"
        case .routeRefresh: "route refresh"
        case .extendedNextHop(let entries):
            "extended next hop ("
                + entries.map { "\($0.family) by \(Self.addressFamily($0.nextHopAFI))" }
                .joined(separator: ", ") + ")"
        case .extendedMessage: "extended messages"
        case .role(let role): "role \(role)"
        case .gracefulRestart(let restart): restart.description
        case .fourOctetAS(let number): "AS \(number) in four octets"
        case .enhancedRouteRefresh: "enhanced route refresh"
        case .unknown(let code, let value):
            value.isEmpty
                ? "capability \(code)" : "capability \(code) (\(HexText.describe(value)))"
        }
    }

    private static func addressFamily(_ afi: UInt16) -> String {
        switch afi {
        case 1: "IPv4"
        case 2: "IPv6"
        default: "afi \(afi)"
        }
    }
}

extension Capability.GracefulRestart: CustomStringConvertible {
    /// As in `graceful restart 120 s, restarting, also on NOTIFICATION (ipv4 with its state)`.
    public var description: String {
        var text = "graceful restart \(restartTime) s"
        if isRestarting { text += ", restarting" }
        if keepsOnNotification { text += ", also on NOTIFICATION" }
        guard !families.isEmpty else { return text }
        let names = families.map {
            $0.isForwardingPreserved ? "\($0.family) with its state" : $0.family.description
        }
        return text + " (\(names.joined(separator: ", ")))"
    }
}

extension PeerRole: CustomStringConvertible {
    /// As in RFC 9234 §4.1, in lower case.
    public var description: String {
        switch self {
        case .provider: "provider"
        case .routeServer: "rs"
        case .routeServerClient: "rs-client"
        case .customer: "customer"
        case .peer: "peer"
        }
    }
}
