public import NetworkTypes

/// What one peer is to know of our routes, and what it has been told (Adj-RIB-Out, RFC 4271 §3.2).
///
/// ```
///   want ──► wanted ─┐
///                    ├─ differ? ──► pending ── write ──► bytes of whole messages
///   peer ──► told  ──┘
/// ```
///
/// There is no queue of messages. What is pending is the difference between two states, and
/// messages are made of it when the socket can take them: a slow peer costs no memory, changes to
/// one prefix coalesce, and what changed back before it was sent is never sent.
///
/// An entry for each prefix (28 bytes for IPv4, 48 for IPv6, and a hash index) names two numbers:
/// the route that is wanted and the attributes that were told, both kept once however many prefixes
/// have them. What is pending hangs in chains, one for withdrawals and one for each set of
/// attributes, so that a change costs the same among ten routes and among a hundred thousand, and
/// packing is a walk along a chain.
///
/// Order on the wire: withdrawals first; then one message of each set of attributes in turn, so
/// that none waits behind another that keeps changing; End-of-RIB once everything has been said
/// that was wanted of a family.
///
/// Standards: RFC 4271 §4.3, §5, §9.2; RFC 4760 §3–4; RFC 2545 §3 and RFC 8950 §4 next hops; RFC
/// 6793 §4.2.2 old peers; RFC 4724 §2 End-of-RIB; RFC 2918 §4, RFC 7313 §4 refresh; RFC 8654
/// message length; RFC 9234 §5 Only to Customer. Not done: MinRouteAdvertisementInterval (§9.2.1.1
/// there), as the routes are our own and coalesce; MULTI_EXIT_DISC, which nobody asks for.
public struct AdjRIBOut: Sendable {
    private var ipv4 = OutboundFamily<UInt32>(.ipv4)
    private var ipv6 = OutboundFamily<UInt128>(.ipv6)
    private var session: OutboundSession?
    private var isGoingAway = false

    /// Wants nothing, and has told nothing.
    public init() {}

    /// Replaces all that is wanted; only what differs becomes pending.
    public mutating func want(_ table: RouteTable) {
        ipv4.want(table.ipv4, table.routes)
        ipv6.want(table.ipv6, table.routes)
    }

    /// Changes what is wanted of some prefixes; `nil` for no longer.
    ///
    /// End-of-RIB waits for the first `want`, with a table or with changes, for it tells the peer
    /// to drop what it kept from before a restart.
    public mutating func want(_ changes: some Sequence<(Prefix, Route?)>) {
        ipv4.isPlanned = true
        ipv6.isPlanned = true
        for (prefix, route) in changes {
            switch prefix.family {
            case .ipv4: ipv4.want(prefix, route)
            case .ipv6: ipv6.want(prefix, route)
            }
        }
    }

    /// A session begins: the peer knows nothing, so everything wanted becomes pending.
    public mutating func establish(_ session: OutboundSession) {
        var session = session
        session.isGoingAway = isGoingAway
        self.session = session
        ipv4.establish(session)
        ipv6.establish(session)
    }

    /// The session is over: nothing is pending, nothing counts as told.
    public mutating func end() {
        session = nil
        ipv4.end()
        ipv6.end()
    }

    /// Replaces the next hops; only routes of families whose next hop is another become pending.
    public mutating func update(nextHops: [RouteFamily: NextHop]) {
        guard var session, session.nextHops != nextHops else { return }
        session.nextHops = nextHops
        update(session)
    }

    /// Tells every route as one that is about to go, or no longer (RFC 8326 §4.2); holds for the
    /// sessions to come, too.
    public mutating func mark(goingAway: Bool) {
        guard goingAway != isGoingAway else { return }
        isGoingAway = goingAway
        guard var session else { return }
        session.isGoingAway = goingAway
        update(session)
    }

    private mutating func update(_ session: OutboundSession) {
        self.session = session
        ipv4.update(session)
        ipv6.update(session)
    }

    /// The peer asks for a family again (RFC 2918 §4); between marks where both do that (RFC 7313
    /// §4). A family that was not agreed on is ignored. While an answer is on its way, or the
    /// initial table, any number of further requests together become one that is served after it.
    public mutating func refresh(_ family: RouteFamily) {
        switch family {
        case .ipv4: ipv4.refresh()
        case .ipv6: ipv6.refresh()
        default: break
        }
    }

    /// Whether ``write(into:limit:)`` has anything to do.
    public var hasPending: Bool { ipv4.hasPending || ipv6.hasPending }

    /// Appends whole messages to `buffer` until it holds `limit` bytes or nothing is pending. The
    /// last message may go beyond `limit` by less than the agreed maximum length.
    ///
    /// What is written counts as told: it must be sent, in this order, or the session ended.
    public mutating func write(into buffer: inout [UInt8], limit: Int) {
        while buffer.count < limit {
            if ipv4.writeWithdrawals(into: &buffer) { continue }
            if ipv6.writeWithdrawals(into: &buffer) { continue }
            let hasWrittenIPv4 = ipv4.writeNext(into: &buffer)
            guard buffer.count < limit else { return }
            guard ipv6.writeNext(into: &buffer) || hasWrittenIPv4 else { return }
        }
    }

    /// What the peer has been told of a prefix; `nil` when it has nothing of it.
    public func told(_ prefix: Prefix) -> PathAttributes? {
        switch prefix.family {
        case .ipv4: ipv4.told(prefix)
        case .ipv6: ipv6.told(prefix)
        }
    }

    /// What the peer is to be told of a prefix; `nil` for nothing.
    public func wanted(_ prefix: Prefix) -> Route? {
        switch prefix.family {
        case .ipv4: ipv4.wanted(prefix)
        case .ipv6: ipv6.wanted(prefix)
        }
    }

    /// Why no route of `family` is told at present; `nil` when they are.
    public func obstacle(for family: RouteFamily) -> RouteObstacle? {
        guard let session else { return .noSession }
        return session.obstacle(for: family)
    }

    /// Why a prefix that is wanted is not told; `nil` when it is, is about to be, or is not wanted.
    public func obstacle(for prefix: Prefix) -> RouteObstacle? {
        switch prefix.family {
        case .ipv4: ipv4.obstacle(prefix)
        case .ipv6: ipv6.obstacle(prefix)
        }
    }

    /// Figures; the time they take grows with the number of different routes, not of prefixes.
    public var counts: OutboundCounts {
        var counts = OutboundCounts()
        counts.ipv4 = ipv4.counts
        counts.ipv6 = ipv6.counts
        return counts
    }
}
