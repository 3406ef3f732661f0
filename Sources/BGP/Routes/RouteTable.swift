public import NetworkTypes

/// Prefixes with what is to be said of each: what a peer, or several alike, are to know.
///
/// A value, copied on write, so peers with the same wishes share one. An IPv4 entry takes 12 bytes
/// and an IPv6 entry 32, and 8–16 bytes of index; equal routes are kept once.
public struct RouteTable: Sendable {
    var ipv4 = PrefixStore<UInt32, UInt32>(vacant: Chain.none)
    var ipv6 = PrefixStore<UInt128, UInt32>(vacant: Chain.none)
    private(set) var routes = Numbered<Route>()

    /// An empty table.
    public init() {}

    /// How many prefixes there are.
    public var count: Int { ipv4.count + ipv6.count }

    /// Whether there are none.
    public var isEmpty: Bool { count == 0 }

    /// Makes room for `count` prefixes of a family before they come.
    public mutating func reserve(_ count: Int, _ family: IPAddress.Family) {
        switch family {
        case .ipv4: ipv4.reserve(count)
        case .ipv6: ipv6.reserve(count)
        }
    }

    /// The route of a prefix; `nil` for none.
    public subscript(prefix: Prefix) -> Route? {
        get {
            let number =
                switch prefix.family {
                case .ipv4: ipv4.find(prefix).map { ipv4[$0] }
                case .ipv6: ipv6.find(prefix).map { ipv6[$0] }
                }
            return number.flatMap { routes[$0] }
        }
        set {
            // Retained before the old one is released: an equal route keeps its number.
            let number = newValue.map { routes.retain($0) }
            let old =
                switch prefix.family {
                case .ipv4: ipv4.replace(prefix, number)
                case .ipv6: ipv6.replace(prefix, number)
                }
            if let old { routes.release(old) }
        }
    }

    /// Calls `body` for each prefix, in no order that means anything.
    public func forEach(_ body: (Prefix, Route) -> Void) {
        ipv4.forEach(.ipv4) { prefix, number in
            if let route = routes[number] { body(prefix, route) }
        }
        ipv6.forEach(.ipv6) { prefix, number in
            if let route = routes[number] { body(prefix, route) }
        }
    }
}

extension RouteTable: Equatable {
    /// Whether both say the same of the same prefixes.
    public static func == (left: RouteTable, right: RouteTable) -> Bool {
        guard left.ipv4.count == right.ipv4.count, left.ipv6.count == right.ipv6.count else {
            return false
        }
        let numbers = left.routes.numbers(in: right.routes)
        return left.ipv4.matches(right.ipv4, numbers) && left.ipv6.matches(right.ipv6, numbers)
    }
}

extension PrefixStore where Value == UInt32 {
    /// Sets or, with `nil`, removes a prefix's number; what it was before is returned.
    fileprivate mutating func replace(_ prefix: Prefix, _ number: UInt32?) -> UInt32? {
        guard let number else {
            guard let slot = find(prefix) else { return nil }
            let old = self[slot]
            remove(slot)
            return old
        }
        let (slot, isNew) = insert(prefix, number)
        guard !isNew else { return nil }
        let old = self[slot]
        self[slot] = number
        return old
    }

    /// Whether `other`, of as many prefixes, has the same with `numbers` of ours.
    fileprivate func matches(_ other: Self, _ numbers: [UInt32]) -> Bool {
        for slot in slots {
            guard let twin = other.find(bits(slot), length: length(slot)),
                other[twin] == numbers[Int(self[slot])]
            else { return false }
        }
        return true
    }
}
