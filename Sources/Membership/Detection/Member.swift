import NetworkTypes

/// What is known of another member.
struct Member: Sendable {
    let name: String
    let id: NodeID
    var endpoint: SocketAddress
    var incarnation: UInt64
    var state: MemberState
    var cause: DeathCause
    var witness: NodeID
    /// Since when it is in this state.
    var since: Instant
    /// An "unreachable" from its port that nothing heard since has contradicted.
    var closedPort: Instant?
    /// When it was last told that it counts as dead, so that it can refute.
    var toldAt: Instant?
    /// When it was last told of all members.
    var pushedAt: Instant?

    init(_ news: MemberNews, at now: Instant) {
        name = news.name
        id = news.id
        endpoint = news.endpoint
        incarnation = news.incarnation
        state = news.state
        cause = news.cause
        witness = news.witness
        since = now
    }

    /// A suspect lives until the verdict.
    var isLive: Bool { state.isLive }

    var news: MemberNews {
        MemberNews(
            name: name, endpoint: endpoint, incarnation: incarnation, state: state, cause: cause,
            witness: witness)
    }

    /// What is remembered, as opposed to news. A death without a cause is hearsay: whoever knows
    /// better only suspects. After a cut heals, both sides remember the other one as dead.
    var remembered: MemberNews {
        var news = news
        if state == .dead { news.cause = .none }
        return news
    }

    /// Whether the news is later than what is known.
    func isOlder(than news: MemberNews) -> Bool {
        (incarnation, state.rawValue) < (news.incarnation, news.state.rawValue)
    }
}

extension MemberState {
    var isLive: Bool { self == .alive || self == .suspect }
}

/// A member that has been forgotten: nobody who forgets later brings it back.
struct Grave: Sendable {
    let incarnation: UInt64
    let until: Instant
}

/// News to be passed on by the end of this call.
struct Flood: Sendable {
    var news: MemberNews
    /// Who told us, and needs not be told.
    var except: NodeID?
}
