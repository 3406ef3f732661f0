public import NetworkTypes

/// What one node announces at layer 2, and for every other address, who does instead.
public struct AnnouncementPlan: Equatable, Sendable {
    /// How an address is announced.
    public struct Settings: Hashable, Sendable {
        /// The interfaces to answer on; `all` only where the node's interfaces are unknown.
        public var interfaces: Selection
        /// Time between unasked announcements; `nil` for none.
        public var reannounceInterval: Duration?
        /// The Services that use the address, ascending.
        public var services: [ServiceName]

        /// Makes settings; left out, all interfaces, every minute.
        public init(
            interfaces: Selection = .all, reannounceInterval: Duration? = .seconds(60),
            services: [ServiceName] = []
        ) {
            self.interfaces = interfaces
            self.reannounceInterval = reannounceInterval
            self.services = services
        }
    }

    /// An address that the node announces.
    public struct Announcement: Hashable, Sendable {
        /// How.
        public var settings: Settings
        /// How the node came to the address, which says what is asked of the wire first.
        public var manner: Tenure.Manner
        /// Why this node.
        public var cause: OwnershipCause
        /// The epoch to claim the address under.
        public var epoch: UInt64

        /// Makes an announcement.
        public init(
            settings: Settings, manner: Tenure.Manner, cause: OwnershipCause, epoch: UInt64
        ) {
            self.settings = settings
            self.manner = manner
            self.cause = cause
            self.epoch = epoch
        }
    }

    /// An address that the node does not announce.
    public struct Absence: Hashable, Sendable {
        /// Who does; `nil` for nobody.
        public var owner: String?
        /// Why this node does not.
        public var reason: LossReason

        /// Makes an absence.
        public init(owner: String?, reason: LossReason) {
            self.owner = owner
            self.reason = reason
        }
    }

    /// The node that the plan is for.
    public let node: String
    /// What it announces.
    public let announcements: [IPAddress: Announcement]
    /// What it does not.
    public let absences: [IPAddress: Absence]

    /// The plan of a node that announces nothing because nothing was decided yet.
    public init(node: String) {
        self.node = node
        announcements = [:]
        absences = [:]
    }

    /// Reads a node's part out of the election.
    public init(node: String, ownership: Ownership) {
        self.node = node
        let candidacy = ownership.candidacy
        let own = candidacy.index(ofNode: node)
        var announcements: [IPAddress: Announcement] = [:]
        var absences: [IPAddress: Absence] = [:]
        absences.reserveCapacity(candidacy.addresses.count)
        for (index, address) in candidacy.addresses.enumerated() {
            if let own, ownership.owners[index] == own {
                announcements[address] = ownership.announcement(of: own, at: index)
            } else {
                let owner = ownership.owners[index]
                absences[address] = Absence(
                    owner: owner < 0 ? nil : candidacy.names[owner],
                    reason: own.map { ownership.lossReason(of: $0, at: index) } ?? .unknownNode)
            }
        }
        self.announcements = announcements
        self.absences = absences
    }

    init(
        node: String, announcements: [IPAddress: Announcement], absences: [IPAddress: Absence]
    ) {
        self.node = node
        self.announcements = announcements
        self.absences = absences
    }
}

extension Ownership {
    /// How the node at one index announces the address at another.
    func settings(of node: Int, at index: Int) -> AnnouncementPlan.Settings? {
        guard let demand = demands[candidacy.addresses[index]] else { return nil }
        let share = candidacy.unions[candidacy.groups[candidacy.groupOf[index]].union].shares[node]
        return AnnouncementPlan.Settings(
            interfaces: share.interfaces, reannounceInterval: share.reannounceInterval,
            services: demand.services.sorted())
    }

    fileprivate func announcement(
        of node: Int, at index: Int
    ) -> AnnouncementPlan.Announcement? {
        guard let settings = settings(of: node, at: index) else { return nil }
        let name = candidacy.names[node]
        let address = candidacy.addresses[index]
        let held = (claims[address] ?? []).lazy.filter { $0.node == name }.map(\.epoch).max()
        let decision = decision(at: index)
        return AnnouncementPlan.Announcement(
            settings: settings, manner: manner(ofArrivalOf: name, at: index, holding: held),
            cause: decision.cause, epoch: decision.epoch)
    }
}
