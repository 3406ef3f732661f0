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
