import Layer2
import NetworkTypes

/// The addresses that this node answers for on its LANs, and where.
package typealias Layer2Plan = [IPAddress: Layer2Announcement]

/// How and where one address is announced.
package struct Layer2Announcement: Equatable, Sendable {
    /// How the address is announced, the same on every interface.
    package var settings: AnnouncementSettings

    /// The interfaces, by name; empty means all that the speaker uses. The name of a port of a
    /// bridge or bond stands for its master.
    package var interfaces: Set<String>

    /// An announcement on the named interfaces, or on all.
    package init(settings: AnnouncementSettings, interfaces: Set<String> = []) {
        self.settings = settings
        self.interfaces = interfaces
    }

    /// Whether an interface known under `names` is among those meant.
    func covers(_ names: Set<String>) -> Bool {
        interfaces.isEmpty || !interfaces.isDisjoint(with: names)
    }
}

/// An address of another node that this one is to watch.
package struct Layer2Watch: Equatable, Sendable {
    /// The link-layer addresses of the owner's interfaces; empty when they are not known.
    package var owner: Set<MACAddress>

    /// Where the owner announces it, as in ``Layer2Announcement/interfaces``.
    package var interfaces: Set<String>

    /// A watch over an address of `owner`.
    package init(owner: Set<MACAddress>, interfaces: Set<String> = []) {
        self.owner = owner
        self.interfaces = interfaces
    }
}

/// Whether other nodes are heard, as those who know it say.
package struct Layer2Isolation: Equatable, Sendable {
    /// Since when none is heard; `nil` while one is.
    package var since: Instant?
    /// At most one other node is known, so being alone is no strong sign of being cut off.
    package var isAlonePlausible: Bool
}
