public import NetworkTypes

extension AnnouncementPlan {
    /// What to do to get from one plan to the next; each list ascends by address.
    public struct Changes: Equatable, Sendable {
        /// An address to begin with.
        public struct Addition: Hashable, Sendable {
            /// The address.
            public var address: IPAddress
            /// How and why.
            public var announcement: Announcement
            /// Who had it before, as far as the old plan knew.
            public var from: String?
        }

        /// An address to end.
        public struct Removal: Hashable, Sendable {
            /// The address.
            public var address: IPAddress
            /// Who has it now and why not this node; `nil` when nobody asks for it any more.
            public var absence: Absence?
        }

        /// An address that goes on with other settings.
        public struct Change: Hashable, Sendable {
            /// The address.
            public var address: IPAddress
            /// The new settings.
            public var settings: Settings
        }

        /// To begin.
        public var added: [Addition] = []
        /// To end.
        public var removed: [Removal] = []
        /// To go on, changed.
        public var changed: [Change] = []

        /// Whether there is nothing to do.
        public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }
    }

    /// What to do when this plan replaces an older one of the same node.
    ///
    /// Only `settings` count as a change: once an address is claimed, cause, epoch and manner
    /// read differently without anything to be done.
    public func changes(since old: AnnouncementPlan) -> Changes {
        var changes = Changes()
        for (address, announcement) in announcements {
            if let before = old.announcements[address] {
                guard before.settings != announcement.settings else { continue }
                changes.changed.append(
                    Changes.Change(address: address, settings: announcement.settings))
            } else {
                changes.added.append(
                    Changes.Addition(
                        address: address, announcement: announcement,
                        from: old.absences[address]?.owner))
            }
        }
        for address in old.announcements.keys where announcements[address] == nil {
            changes.removed.append(
                Changes.Removal(address: address, absence: absences[address]))
        }
        changes.added.sort { $0.address < $1.address }
        changes.removed.sort { $0.address < $1.address }
        changes.changed.sort { $0.address < $1.address }
        return changes
    }
}
