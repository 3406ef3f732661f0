extension SessionParameters {
    /// What two OPENs agree on, or the fault for which the peer's is refused (RFC 4271 §6.2).
    public static func agree(
        ours: OpenMessage, theirs: OpenMessage, settings: PeerSettings
    ) throws(MessageFault) -> SessionParameters {
        guard theirs.version == 4 else {
            throw MessageFault(
                notification: .unsupportedVersion,
                rule: "the peer speaks version \(theirs.version) of BGP, not 4 (RFC 4271 §6.2)")
        }
        let remoteAS = try remoteAS(of: theirs, settings: settings)
        guard theirs.holdTime == 0 || theirs.holdTime >= 3 else {
            throw MessageFault(
                notification: .unacceptableHoldTime(theirs.holdTime),
                rule: "a hold time of \(theirs.holdTime) s is too short (RFC 4271 §6.2)")
        }
        let isInternal = remoteAS == settings.localAS
        try checkIdentifier(ours: ours, theirs: theirs, isInternal: isInternal)
        let holdTime = min(ours.holdTime, theirs.holdTime)
        var agreed = SessionParameters(
            remoteAS: remoteAS, remoteRouterID: theirs.routerID, isInternal: isInternal,
            holdTime: holdTime,
            keepaliveTime: keepaliveTime(holdTime: holdTime, wish: settings.keepaliveTime))
        if !isInternal { agreed.remoteRole = try remoteRole(ours: ours, theirs: theirs) }
        agreed.families = try families(ours: ours, theirs: theirs, settings: settings)
        agreed.takeFeatures(ours: ours, theirs: theirs)
        agreed.offered = theirs.capabilities
        return agreed
    }

    /// Our keepalive interval: as wished, but no more than a third of the hold time (RFC 4271
    /// §4.4).
    static func keepaliveTime(holdTime: UInt16, wish: UInt16) -> UInt16 {
        wish == 0 ? holdTime / 3 : min(wish, holdTime / 3)
    }

    private static func remoteAS(
        of theirs: OpenMessage, settings: PeerSettings
    ) throws(MessageFault) -> UInt32 {
        let number = theirs.fourOctetAS ?? UInt32(theirs.myAS)
        let reason: String
        switch settings.remoteAS {
        // Neither names an AS: RFC 7607 §2, RFC 6793 §9.
        case _ where number == 0 || number == UInt32(OpenMessage.transitionAS):
            reason = "the peer says that it is of AS \(number), which is reserved"
        case .number(let expected) where number != expected:
            reason = "the peer is of AS \(number), and AS \(expected) is configured"
        case .sameAsOurs where number != settings.localAS:
            reason = "the peer is of AS \(number), and our own, \(settings.localAS), is configured"
        case .anyOther where number == settings.localAS:
            reason = "the peer is of our own AS, \(number), and another is configured"
        default: return number
        }
        throw MessageFault(
            notification: .badPeerAS(number, isFourOctets: theirs.fourOctetAS != nil),
            rule: reason + " (RFC 4271 §6.2)")
    }

    /// Not zero, and unlike ours within the AS (RFC 6286 §2.1, §2.2).
    private static func checkIdentifier(
        ours: OpenMessage, theirs: OpenMessage, isInternal: Bool
    ) throws(MessageFault) {
        let reason: String
        if theirs.routerID == 0 {
            reason = "the peer's BGP Identifier is 0.0.0.0"
        } else if isInternal, theirs.routerID == ours.routerID {
            reason = "the peer, of our own AS, has the same BGP Identifier as we do"
        } else {
            return
        }
        throw MessageFault(
            notification: .badIdentifier, rule: reason + " (RFC 6286 §2)")
    }

    /// The peer's role, where both told theirs and they fit (RFC 9234 §4.2). A peer that tells none
    /// is accepted: only the strict mode of the RFC would refuse it.
    private static func remoteRole(
        ours: OpenMessage, theirs: OpenMessage
    ) throws(MessageFault) -> PeerRole? {
        let told = theirs.roles
        guard let own = ours.roles.first, let remote = told.first else { return nil }
        guard told.allSatisfy({ $0 == remote }) else {
            throw MessageFault(
                notification: .roleMismatch,
                rule: "the peer tells two different roles (RFC 9234 §4.2)")
        }
        guard remote == own.counterpart else {
            throw MessageFault(
                notification: .roleMismatch,
                rule: "the peer's role, \(remote), does not go with ours, \(own) (RFC 9234 §4.2)")
        }
        return remote
    }

    private static func families(
        ours: OpenMessage, theirs: OpenMessage, settings: PeerSettings
    ) throws(MessageFault) -> Set<RouteFamily> {
        let common = ours.families.intersection(theirs.families).intersection(settings.families)
        guard common.isEmpty else { return common }
        let wanted = settings.families.sorted()
        let names = wanted.map(\.description).joined(separator: ", ")
        throw MessageFault(
            notification: .unsupportedCapability(missing: wanted.map { .multiprotocol($0) }),
            rule: "the peer does not take routes of \(names) (RFC 5492 §3)")
    }

    private mutating func takeFeatures(ours: OpenMessage, theirs: OpenMessage) {
        func both(_ capability: Capability) -> Bool {
            ours.capabilities.contains(capability) && theirs.capabilities.contains(capability)
        }
        hasFourOctetAS = ours.fourOctetAS != nil && theirs.fourOctetAS != nil
        hasRouteRefresh = theirs.capabilities.contains(.routeRefresh)
        hasEnhancedRouteRefresh = both(.enhancedRouteRefresh)
        maximumLength = both(.extendedMessage) ? 65535 : 4096
        extendedNextHop = ours.extendedNextHops.intersection(theirs.extendedNextHops)
            .intersection(families)
        if let own = ours.gracefulRestart, let remote = theirs.gracefulRestart {
            gracefulRestart = remote
            keepsOnNotification = own.keepsOnNotification && remote.keepsOnNotification
        }
    }
}

extension PeerRole {
    /// The role of the other end (RFC 9234 §4.2, table 2).
    fileprivate var counterpart: PeerRole {
        switch self {
        case .provider: .customer
        case .customer: .provider
        case .routeServer: .routeServerClient
        case .routeServerClient: .routeServer
        case .peer: .peer
        }
    }
}

/// Capabilities as one asks for them.
extension OpenMessage {
    /// The AS number of the capability that is for it.
    var fourOctetAS: UInt32? {
        for case .fourOctetAS(let number) in capabilities { return number }
        return nil
    }

    /// The families of the multiprotocol capabilities; without any, IPv4 unicast (RFC 4760 §8).
    fileprivate var families: Set<RouteFamily> {
        let told = capabilities.compactMap { capability -> RouteFamily? in
            if case .multiprotocol(let family) = capability { family } else { nil }
        }
        return told.isEmpty ? [.ipv4] : Set(told)
    }

    fileprivate var roles: [PeerRole] {
        capabilities.compactMap { if case .role(let role) = $0 { role } else { nil } }
    }

    /// Families whose routes may have IPv6 next hops (RFC 8950 §4).
    fileprivate var extendedNextHops: Set<RouteFamily> {
        var families: Set<RouteFamily> = []
        for case .extendedNextHop(let entries) in capabilities {
            for entry in entries where entry.nextHopAFI == 2 { families.insert(entry.family) }
        }
        return families
    }

    /// The last one counts (RFC 4724 §3).
    fileprivate var gracefulRestart: Capability.GracefulRestart? {
        var last: Capability.GracefulRestart?
        for case .gracefulRestart(let value) in capabilities { last = value }
        return last
    }
}
