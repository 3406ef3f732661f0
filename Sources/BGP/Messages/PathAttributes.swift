public import NetworkTypes

/// What an UPDATE says of its routes (RFC 4271 §5).
public struct PathAttributes: Hashable, Sendable {
    /// How the route came into BGP (RFC 4271 §5.1.1); the raw value is that of the wire.
    public enum Origin: UInt8, Hashable, Sendable {
        /// From inside the AS.
        case igp = 0
        /// From EGP.
        case egp = 1
        /// By other means.
        case incomplete = 2
    }

    /// A segment of the AS path; the raw value is that of the wire.
    public struct PathSegment: Hashable, Sendable {
        /// How to read the numbers.
        public enum Kind: UInt8, Hashable, Sendable {
            /// In no order (RFC 4271 §4.3).
            case set = 1
            /// In the order passed through, the latest first.
            case sequence = 2
            /// Inside a confederation, in order (RFC 5065 §3).
            case confederationSequence = 3
            /// Inside a confederation, in no order.
            case confederationSet = 4
        }

        /// How to read the numbers.
        public var kind: Kind
        /// 1–255 AS numbers.
        public var numbers: [UInt32]

        /// Makes a segment.
        public init(_ kind: Kind, _ numbers: [UInt32]) {
            self.kind = kind
            self.numbers = numbers
        }
    }

    /// Who aggregated (RFC 4271 §5.1.7).
    public struct Aggregator: Hashable, Sendable {
        /// Its AS number.
        public var number: UInt32
        /// Its BGP Identifier.
        public var routerID: UInt32

        /// Makes a value.
        public init(number: UInt32, routerID: UInt32) {
            self.number = number
            self.routerID = routerID
        }
    }

    /// An attribute that Martlet gives no meaning.
    public struct Unknown: Hashable, Sendable {
        /// Attribute flags as they came.
        public var flags: UInt8
        /// Type code.
        public var type: UInt8
        /// Value.
        public var value: [UInt8]

        /// Makes a value.
        public init(flags: UInt8, type: UInt8, value: [UInt8]) {
            self.flags = flags
            self.type = type
            self.value = value
        }
    }

    /// Type 1.
    public var origin: Origin?
    /// Type 2 merged with 17 (RFC 6793 §4.2.3); `nil` when absent, empty for routes of one's own.
    public var asPath: [PathSegment]?
    /// Type 3, or the next hop of type 14.
    public var nextHop: NextHop?
    /// Type 4, MULTI_EXIT_DISC.
    public var multiExitDiscriminator: UInt32?
    /// Type 5, LOCAL_PREF.
    public var localPreference: UInt32?
    /// Type 6.
    public var isAtomicAggregate = false
    /// Type 7 merged with 18.
    public var aggregator: Aggregator?
    /// Type 8 (RFC 1997).
    public var communities: [StandardCommunity] = []
    /// Type 9 (RFC 4456 §8).
    public var originatorID: UInt32?
    /// Type 10.
    public var clusterList: [UInt32] = []
    /// Type 16 (RFC 4360).
    public var extendedCommunities: [ExtendedCommunity] = []
    /// Type 32 (RFC 8092).
    public var largeCommunities: [LargeCommunity] = []
    /// Type 35, Only to Customer (RFC 9234 §5).
    public var onlyToCustomer: UInt32?
    /// Others, in the order of the message.
    public var unknown: [Unknown] = []

    /// No attributes.
    public init() {}
}

/// Where traffic is to go (RFC 4271 §5.1.3, RFC 2545 §3).
public struct NextHop: Hashable, Sendable {
    /// The address: global, or link-local where there is no other.
    public var address: IPAddress
    /// The link-local address beside a global IPv6 one, on a shared subnet.
    public var linkLocal: IPAddress?

    /// Makes a next hop.
    public init(_ address: IPAddress, linkLocal: IPAddress? = nil) {
        self.address = address
        self.linkLocal = linkLocal
    }
}

/// A community of 32 bits (RFC 1997).
public struct StandardCommunity: Hashable, Sendable, Comparable {
    /// The value in host order: an AS number and a number of its own.
    public var bits: UInt32

    /// Makes a community.
    public init(bits: UInt32) { self.bits = bits }

    /// Makes `high:low`.
    public init(_ high: UInt16, _ low: UInt16) { bits = UInt32(high) << 16 | UInt32(low) }

    /// 65535:0: the route is about to go (RFC 8326 §4).
    public static let gracefulShutdown = StandardCommunity(65535, 0)

    /// By value.
    public static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

/// A community of 96 bits (RFC 8092).
public struct LargeCommunity: Hashable, Sendable, Comparable {
    /// Global administrator, an AS number.
    public var administrator: UInt32
    /// First local part.
    public var first: UInt32
    /// Second local part.
    public var second: UInt32

    /// Makes a community.
    public init(_ administrator: UInt32, _ first: UInt32, _ second: UInt32) {
        self.administrator = administrator
        self.first = first
        self.second = second
    }

    /// By parts.
    public static func < (left: Self, right: Self) -> Bool {
        (left.administrator, left.first, left.second)
            < (right.administrator, right.first, right.second)
    }
}

/// A community of 64 bits (RFC 4360); Martlet gives it no meaning.
public struct ExtendedCommunity: Hashable, Sendable, Comparable {
    /// The value in host order, type first.
    public var bits: UInt64

    /// Makes a community.
    public init(bits: UInt64) { self.bits = bits }

    /// By value.
    public static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}
