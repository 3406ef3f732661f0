import NetworkTypes

/// The prefixes that a peer has announced and not withdrawn. They are counted, never installed.
///
/// Bound: the limit, where one is configured, else ``unlimitedBound``. What does not fit ends the
/// session in the first case; in the second it is passed over, and the count is a lower bound.
struct InboundPrefixes: Sendable {
    /// How many are told apart where any number is allowed.
    static let unlimitedBound = 10_000

    /// Prefixes that are allowed; `nil` for any number.
    private(set) var limit: Int?
    private var known: Set<Prefix> = []
    /// By family.
    private(set) var counts: [RouteFamily: Int] = [:]
    /// Whether everything that was announced could be told apart.
    private(set) var isExact = true

    init(limit: Int?) { self.limit = limit }

    private var bound: Int { limit ?? Self.unlimitedBound }

    /// Takes an UPDATE. Returns the family whose prefix went over the limit, if one did.
    mutating func apply(_ update: UpdateMessage) -> RouteFamily? {
        for prefix in update.withdrawn where known.remove(prefix) != nil {
            counts[RouteFamily(prefix.family), default: 0] -= 1
        }
        for prefix in update.announced {
            if known.count < bound {
                guard known.insert(prefix).inserted else { continue }
                counts[RouteFamily(prefix.family), default: 0] += 1
            } else if !known.contains(prefix) {
                if limit != nil { return RouteFamily(prefix.family) }
                isExact = false
            }
        }
        return nil
    }

    /// Whether there is a limit, and more prefixes than could be told apart when there was none.
    var isToBeRecounted: Bool { limit != nil && !isExact }

    /// Takes another limit. Returns a family with prefixes if there are too many now.
    mutating func setLimit(_ limit: Int?) -> RouteFamily? {
        self.limit = limit
        guard let limit, known.count > limit else { return nil }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }
}
