public import NetworkTypes

/// A BGP message (RFC 4271 §4, RFC 2918, RFC 7313).
public enum BGPMessage: Equatable, Sendable {
    /// Type 1.
    case open(OpenMessage)
    /// Type 2.
    case update(UpdateMessage)
    /// Type 3.
    case notification(NotificationMessage)
    /// Type 4.
    case keepalive
    /// Type 5.
    case routeRefresh(RouteRefreshMessage)
}

/// OPEN: who the sender is and what it can do (RFC 4271 §4.2).
public struct OpenMessage: Equatable, Sendable {
    /// Protocol version, 4.
    public var version: UInt8
    /// The AS number of two octets; 23456 where the real one needs four (RFC 6793 §4.2.2).
    public var myAS: UInt16
    /// Proposed hold time, seconds.
    public var holdTime: UInt16
    /// BGP Identifier; the bits of an IPv4 address in host order.
    public var routerID: UInt32
    /// In the order of the message; a capability may come several times.
    public var capabilities: [Capability]

    /// Makes an OPEN of version 4.
    public init(
        version: UInt8 = 4, myAS: UInt16, holdTime: UInt16, routerID: UInt32,
        capabilities: [Capability]
    ) {
        self.version = version
        self.myAS = myAS
        self.holdTime = holdTime
        self.routerID = routerID
        self.capabilities = capabilities
    }
}

/// ROUTE-REFRESH: asks for everything again, or marks such an answer (RFC 2918 §3, RFC 7313 §3.2).
public struct RouteRefreshMessage: Equatable, Sendable {
    /// What the message means.
    public enum Kind: UInt8, Hashable, Sendable {
        /// Asks for the routes of the family.
        case request = 0
        /// The answer begins (BoRR).
        case begin = 1
        /// The answer has ended (EoRR).
        case end = 2
    }

    /// Which routes.
    public var family: RouteFamily
    /// What it means.
    public var kind: Kind

    /// Makes a message.
    public init(family: RouteFamily, kind: Kind) {
        self.family = family
        self.kind = kind
    }
}

/// UPDATE as it is to be understood: what RFC 7606 makes of faults has been done already.
public struct UpdateMessage: Equatable, Sendable {
    /// Prefixes that are gone, also those whose attributes made a withdrawal of them.
    public var withdrawn: [Prefix]
    /// Prefixes that can be reached.
    public var announced: [Prefix]
    /// What is said of those announced; empty when there is none.
    public var attributes: PathAttributes
    /// Set when the message is the End-of-RIB marker of a family (RFC 4724 §2).
    public var endOfRIB: RouteFamily?
    /// What was wrong, and what was made of it.
    public var faults: [UpdateFault]

    /// Makes a message.
    public init(
        withdrawn: [Prefix] = [], announced: [Prefix] = [],
        attributes: PathAttributes = PathAttributes(), endOfRIB: RouteFamily? = nil,
        faults: [UpdateFault] = []
    ) {
        self.withdrawn = withdrawn
        self.announced = announced
        self.attributes = attributes
        self.endOfRIB = endOfRIB
        self.faults = faults
    }
}

/// Something wrong in an UPDATE that does not end the session (RFC 7606 §2).
public struct UpdateFault: Hashable, Sendable {
    /// What is done about it, mildest first. Faults of the multiprotocol attributes themselves end
    /// the session, so no family is ever disabled alone (RFC 7606 §2, §7.11).
    public enum Approach: UInt8, Hashable, Sendable, Comparable {
        /// The attribute is passed over.
        case attributeDiscard = 0
        /// The prefixes count as withdrawn.
        case treatAsWithdraw = 1

        /// By severity.
        public static func < (left: Approach, right: Approach) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// The attribute's type code; 0 for the message as a whole.
    public var attribute: UInt8
    /// What was done.
    public var approach: Approach
    /// The rule that is broken, in words for a log, with the RFC's section.
    public var rule: String

    /// Describes a fault.
    public init(attribute: UInt8, approach: Approach, rule: String) {
        self.attribute = attribute
        self.approach = approach
        self.rule = rule
    }
}

/// A message for which the session ends: the NOTIFICATION to send, and why in words.
public struct MessageFault: Error, Equatable, Sendable {
    /// What the peer is told.
    public var notification: NotificationMessage
    /// The rule that is broken, in words for a log.
    public var rule: String

    /// Describes a fault.
    public init(notification: NotificationMessage, rule: String) {
        self.notification = notification
        self.rule = rule
    }
}

/// What is needed to understand a message: what the session has agreed on.
public struct DecodingContext: Hashable, Sendable {
    /// Whether both speak AS numbers of four octets (RFC 6793).
    public var hasFourOctetAS: Bool
    /// The families agreed on; `nil` before the OPENs have been exchanged.
    public var families: Set<RouteFamily>?
    /// Whether the peer is of our own AS.
    public var isInternal: Bool
    /// 4096, or 65535 once both can (RFC 8654 §4).
    public var maximumLength: Int
    /// Families for which the next hop may be an IPv6 address though the routes are IPv4.
    public var extendedNextHop: Set<RouteFamily>
    /// Our role and AS number, to judge Only to Customer (RFC 9234 §5); `nil` without roles.
    public var role: PeerRole?
    /// The peer's AS number; `nil` before its OPEN.
    public var remoteAS: UInt32?

    /// What holds before anything is agreed on.
    public init(
        hasFourOctetAS: Bool = false, families: Set<RouteFamily>? = nil, isInternal: Bool = false,
        maximumLength: Int = 4096, extendedNextHop: Set<RouteFamily> = [],
        role: PeerRole? = nil, remoteAS: UInt32? = nil
    ) {
        self.hasFourOctetAS = hasFourOctetAS
        self.families = families
        self.isInternal = isInternal
        self.maximumLength = maximumLength
        self.extendedNextHop = extendedNextHop
        self.role = role
        self.remoteAS = remoteAS
    }
}
