import FoundationEssentials
import NetworkTypes

/// What a Service has been given.
package struct ServiceAllocation: Hashable, Sendable {
    /// The addresses, at most one of a family. Empty: it was decided that the Service has none,
    /// whatever its own manifest says.
    package var addresses: [IPAddress]
    /// The pool they come from; empty when there are none.
    package var pool: String
    /// Since when these addresses are given; the source fills it in, to the second.
    package var since: Date?
    /// The Service is gone, and its addresses are kept for its name until then.
    package var reservedUntil: Date?

    /// Makes an allocation that begins when it is written.
    package init(addresses: [IPAddress], pool: String, reservedUntil: Date? = nil) {
        self.addresses = addresses
        self.pool = pool
        self.reservedUntil = reservedUntil
    }
}
