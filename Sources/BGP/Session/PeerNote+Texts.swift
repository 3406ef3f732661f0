extension PeerNote {
    /// Something wrong in UPDATEs that does not end the session (RFC 7606).
    init(_ fault: UpdateFault) {
        let outcome =
            switch fault.approach {
            case .attributeDiscard: "the attribute is passed over"
            case .treatAsWithdraw: "its prefixes count as withdrawn"
            }
        self.init(.warning, "an UPDATE of the peer is faulty: \(fault.rule); \(outcome)")
    }

    /// A connection that did not come about.
    static func unreachable(_ reason: String) -> PeerNote {
        PeerNote(
            .warning, "cannot connect to the peer: \(reason)",
            remedy: "check that the router listens for BGP, has this node's address as a "
                + "neighbor, and uses the same password and TTL security")
    }

    /// A NOTIFICATION that the peer sent.
    static func received(_ notification: NotificationMessage) -> PeerNote {
        PeerNote(
            .warning, "the peer ended the session: \(notification)",
            remedy: notification.remedyWhenReceived)
    }

    /// A session that we ended.
    static func sent(_ fault: MessageFault) -> PeerNote {
        PeerNote(
            .warning, "we ended the session: \(fault.rule)",
            remedy: fault.notification.remedyWhenSent)
    }

    /// A connection that broke.
    static func broken(_ reason: String, wasEstablished: Bool) -> PeerNote {
        guard !wasEstablished else {
            return PeerNote(.warning, "the connection to the peer broke: \(reason)")
        }
        return PeerNote(
            .warning, "the peer closed the connection before the session was up: \(reason)",
            remedy: "the router may not have this node's address as a neighbor, or has another "
                + "session with it already")
    }
}

extension NotificationMessage {
    fileprivate var remedyWhenReceived: String? {
        switch (code, subcode) {
        case (2, 2): "compare the router's AS number for this neighbor with myASN"
        case (2, 3): "give this node another routerID"
        case (2, 6): "propose a longer holdTime"
        case (2, 7): "compare the address families that the router has for this neighbor"
        case (2, 11): "compare the role here with the one at the router"
        case (4, _): "the router heard nothing from us: check the path, and the load of the node"
        case (6, 1): "raise the router's limit of prefixes, or aggregate"
        case (6, 2): "the router's operator ended it, and has to start it again"
        case (6, 7):
            "the router has another session with this address: is there another BGP speaker on "
                + "this node?"
        case (6, 3), (6, 5): "configure this node as a neighbor at the router"
        default: nil
        }
    }

    fileprivate var remedyWhenSent: String? {
        switch (code, subcode) {
        case (2, 2): "correct peerASN, or the AS number at the router"
        case (2, 3): "give one of the two another router ID"
        case (2, 7): "enable the address family for this neighbor at the router"
        case (2, 11): "compare the role here with the one at the router"
        case (4, _): "check the path to the router, and the router's load"
        case (6, 1): "filter what the router announces to this node, or raise maximumPrefixes"
        case (8, _): "check whether the router is overloaded"
        default: nil
        }
    }
}
