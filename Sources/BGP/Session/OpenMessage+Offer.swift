extension OpenMessage {
    /// What an OPEN of ours says beyond the settings.
    struct Occasion: Sendable {
        /// R bit of graceful restart: we have just started again, and there may have been sessions.
        var isRestarting: Bool
        /// F bit: what forwards traffic has gone on working. It is apart from this process, so it
        /// has whenever there was a session before.
        var isForwardingPreserved: Bool
        /// Whether capabilities are offered at all; some old peers take no optional parameters.
        var hasCapabilities: Bool
    }

    /// The OPEN to send to a peer.
    init(offering settings: PeerSettings, on occasion: Occasion) {
        self.init(
            myAS: UInt16(exactly: settings.localAS) ?? Self.transitionAS,
            holdTime: settings.holdTime, routerID: settings.routerID,
            capabilities: occasion.hasCapabilities ? Self.capabilities(settings, occasion) : [])
    }

    /// AS_TRANS, which stands for numbers of four octets where only two fit (RFC 6793 §9).
    static let transitionAS: UInt16 = 23456

    private static func capabilities(
        _ settings: PeerSettings, _ occasion: Occasion
    ) -> [Capability] {
        let families = settings.offersMultiprotocol ? settings.families.sorted() : [.ipv4]
        var offer: [Capability] = []
        if settings.offersMultiprotocol { offer += families.map { .multiprotocol($0) } }
        offer.append(.routeRefresh)
        if settings.offersExtendedNextHop, settings.offersMultiprotocol, families.contains(.ipv4) {
            offer.append(.extendedNextHop([.init(family: .ipv4, nextHopAFI: 2)]))
        }
        offer.append(.extendedMessage)
        if let role = settings.role, settings.mayBeExternal { offer.append(.role(role)) }
        if let restart = settings.gracefulRestart {
            offer.append(
                .gracefulRestart(
                    .init(
                        isRestarting: occasion.isRestarting, keepsOnNotification: true,
                        restartTime: min(restart.time, 4095),
                        families: families.map {
                            .init($0, isForwardingPreserved: occasion.isForwardingPreserved)
                        })))
        }
        offer.append(.fourOctetAS(settings.localAS))
        offer.append(.enhancedRouteRefresh)
        return offer
    }
}

extension PeerSettings {
    /// Roles are for external sessions only (RFC 9234 §4.1).
    fileprivate var mayBeExternal: Bool {
        switch remoteAS {
        case .number(let number): number != localAS
        case .sameAsOurs: false
        case .anyOther: true
        }
    }
}
