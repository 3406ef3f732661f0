/// The path attributes that Martlet knows, by their type codes.
enum AttributeType: UInt8 {
    case origin = 1
    case asPath = 2
    case nextHop = 3
    case multiExitDiscriminator = 4
    case localPreference = 5
    case atomicAggregate = 6
    case aggregator = 7
    case communities = 8
    case originatorID = 9
    case clusterList = 10
    case reach = 14
    case unreach = 15
    case extendedCommunities = 16
    case as4Path = 17
    case as4Aggregator = 18
    case multicastTunnel = 22
    case ipv6ExtendedCommunities = 25
    case accumulatedIGP = 26
    case largeCommunities = 32
    case onlyToCustomer = 35
    case attributeSet = 128

    /// Attribute flags (RFC 4271 §4.3).
    static let optional: UInt8 = 0x80
    static let transitive: UInt8 = 0x40
    static let partial: UInt8 = 0x20
    static let extendedLength: UInt8 = 0x10

    /// The Optional and Transitive bits that the attribute has by its standard.
    var flags: UInt8 {
        switch self {
        case .origin, .asPath, .nextHop, .localPreference, .atomicAggregate: Self.transitive
        case .multiExitDiscriminator, .originatorID, .clusterList, .reach, .unreach,
            .accumulatedIGP:
            Self.optional
        case .aggregator, .communities, .extendedCommunities, .as4Path, .as4Aggregator,
            .multicastTunnel, .ipv6ExtendedCommunities, .largeCommunities, .onlyToCustomer,
            .attributeSet:
            Self.optional | Self.transitive
        }
    }

    /// The name in the standards.
    var name: String {
        switch self {
        case .origin: "ORIGIN"
        case .asPath: "AS_PATH"
        case .nextHop: "NEXT_HOP"
        case .multiExitDiscriminator: "MULTI_EXIT_DISC"
        case .localPreference: "LOCAL_PREF"
        case .atomicAggregate: "ATOMIC_AGGREGATE"
        case .aggregator: "AGGREGATOR"
        case .communities: "COMMUNITIES"
        case .originatorID: "ORIGINATOR_ID"
        case .clusterList: "CLUSTER_LIST"
        case .reach: "MP_REACH_NLRI"
        case .unreach: "MP_UNREACH_NLRI"
        case .extendedCommunities: "EXTENDED COMMUNITIES"
        case .as4Path: "AS4_PATH"
        case .as4Aggregator: "AS4_AGGREGATOR"
        case .multicastTunnel: "PMSI_TUNNEL"
        case .ipv6ExtendedCommunities: "IPv6 EXTENDED COMMUNITIES"
        case .accumulatedIGP: "AIGP"
        case .largeCommunities: "LARGE_COMMUNITY"
        case .onlyToCustomer: "OTC"
        case .attributeSet: "ATTR_SET"
        }
    }
}
