import NetworkTypes

/// Every network interface of the machine with its addresses, at one moment.
///
/// Bounds: 16,384 links and 65,536 addresses on a link; what the kernel reports beyond is left
/// out, and `isTruncated` says so.
package struct LinkTable: Equatable, Sendable {
    /// The links by kernel index.
    package private(set) var links: [Int: Link] = [:]

    /// True when a bound was reached and something is missing.
    package private(set) var isTruncated = false

    private static let maximumLinks = 16_384
    private static let maximumAddresses = 65_536

    /// An empty table.
    package init() {}

    /// A table of `links`, for callers that make one by hand.
    package init(_ links: [Link]) {
        for link in links { self.links[link.index] = link }
    }

    /// The link called `name`.
    package func link(named name: String) -> Link? {
        links.values.first { $0.name == name }
    }

    /// Every link that holds `address` in the kernel, by index: there the kernel answers for it
    /// too, on any interface, unless `arp_ignore` tells it not to.
    package func holders(of address: IPAddress) -> [Link] {
        links.values
            .filter { link in link.addresses.contains { $0.address == address } }
            .sorted { $0.index < $1.index }
    }

    /// Applies one change; returns whether anything is different now.
    mutating func apply(_ change: LinkChange) -> Bool {
        switch change {
        case .link(var link):
            guard let old = links[link.index] else {
                guard links.count < Self.maximumLinks else { return setTruncated() }
                links[link.index] = link
                return true
            }
            link.addresses = old.addresses
            guard link != old else { return false }
            links[link.index] = link
            return true
        case .linkRemoved(let index):
            return links.removeValue(forKey: index) != nil
        case .address(let address, let index):
            guard let count = links[index]?.addresses.count else { return false }
            guard count < Self.maximumAddresses else { return setTruncated() }
            return links[index]?.addresses.insert(address).inserted ?? false
        case .addressRemoved(let address, let index):
            return links[index]?.addresses.remove(address) != nil
        }
    }

    private mutating func setTruncated() -> Bool {
        defer { isTruncated = true }
        return !isTruncated
    }
}

/// One thing that a netlink message says about the links.
enum LinkChange: Equatable, Sendable {
    /// A link is there, or different.
    case link(Link)
    /// A link is gone, and its addresses with it.
    case linkRemoved(index: Int)
    /// A link has an address.
    case address(InterfaceAddress, index: Int)
    /// A link has lost an address.
    case addressRemoved(InterfaceAddress, index: Int)
}
