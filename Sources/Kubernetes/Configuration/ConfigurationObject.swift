/// One object of the configuration kinds, as read: right in itself, not yet judged among others.
public enum ConfigurationObject: Hashable, Sendable {
    /// IPAddressPool.
    case pool(IPAddressPool)
    /// L2Advertisement.
    case l2Advertisement(L2Advertisement)
    /// BGPAdvertisement.
    case bgpAdvertisement(BGPAdvertisement)
    /// BGPPeer, of either version.
    case bgpPeer(BGPPeer)
    /// BFDProfile.
    case bfdProfile(BFDProfile)
    /// Community.
    case community(Community)

    /// The kinds, in the order in which they may refer to one another: later ones to earlier ones.
    public enum Kind: String, Hashable, Sendable, CaseIterable, Comparable {
        /// `metallb.io/v1beta1 BFDProfile`.
        case bfdProfile = "BFDProfile"
        /// `metallb.io/v1beta1 Community`.
        case community = "Community"
        /// `metallb.io/v1beta1 IPAddressPool`.
        case pool = "IPAddressPool"
        /// `metallb.io/v1beta2 BGPPeer`, and v1beta1.
        case bgpPeer = "BGPPeer"
        /// `metallb.io/v1beta1 L2Advertisement`.
        case l2Advertisement = "L2Advertisement"
        /// `metallb.io/v1beta1 BGPAdvertisement`.
        case bgpAdvertisement = "BGPAdvertisement"

        /// In the order of reference.
        public static func < (left: Kind, right: Kind) -> Bool {
            left.rank < right.rank
        }

        private var rank: Int {
            switch self {
            case .bfdProfile: 0
            case .community: 1
            case .pool: 2
            case .bgpPeer: 3
            case .l2Advertisement: 4
            case .bgpAdvertisement: 5
            }
        }
    }

    /// Kind and name: what makes two texts two versions of one object.
    public struct Reference: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// The kind.
        public var kind: Kind
        /// Namespace and name.
        public var name: ObjectName

        /// Makes a reference.
        public init(kind: Kind, name: ObjectName) {
            self.kind = kind
            self.name = name
        }

        /// By kind in the order of reference, then by name.
        public static func < (left: Reference, right: Reference) -> Bool {
            left.kind == right.kind ? left.name < right.name : left.kind < right.kind
        }

        /// `Kind namespace/name`, as problems show it.
        public var description: String { "\(kind.rawValue) \(name)" }
    }

    /// The kind.
    public var kind: Kind {
        switch self {
        case .pool: .pool
        case .l2Advertisement: .l2Advertisement
        case .bgpAdvertisement: .bgpAdvertisement
        case .bgpPeer: .bgpPeer
        case .bfdProfile: .bfdProfile
        case .community: .community
        }
    }

    /// The object's metadata.
    public var metadata: ObjectMeta {
        switch self {
        case .pool(let pool): pool.metadata
        case .l2Advertisement(let advertisement): advertisement.metadata
        case .bgpAdvertisement(let advertisement): advertisement.metadata
        case .bgpPeer(let peer): peer.metadata
        case .bfdProfile(let profile): profile.metadata
        case .community(let community): community.metadata
        }
    }

    /// Kind and name.
    public var reference: Reference { Reference(kind: kind, name: metadata.name) }

    /// The same object with other metadata.
    public func with(_ metadata: ObjectMeta) -> ConfigurationObject {
        switch self {
        case .pool(var pool):
            pool.metadata = metadata
            return .pool(pool)
        case .l2Advertisement(var advertisement):
            advertisement.metadata = metadata
            return .l2Advertisement(advertisement)
        case .bgpAdvertisement(var advertisement):
            advertisement.metadata = metadata
            return .bgpAdvertisement(advertisement)
        case .bgpPeer(var peer):
            peer.metadata = metadata
            return .bgpPeer(peer)
        case .bfdProfile(var profile):
            profile.metadata = metadata
            return .bfdProfile(profile)
        case .community(var community):
            community.metadata = metadata
            return .community(community)
        }
    }
}
