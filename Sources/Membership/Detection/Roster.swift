import NetworkTypes

/// All members that are known, ourselves not among them, and who watches whom.
public struct Roster: Sendable {
    /// How many other members are known at most. Further ones are not let in; the dead make room
    /// when they are forgotten.
    public static let maximumMembers = 4_096

    /// As many as this, ourselves included, all watch each other.
    static let closeKnit = 5

    let own: NodeID
    private(set) var members: [NodeID: Member] = [:]
    private(set) var rings = [Ring(number: 1), Ring(number: 2)]
    /// Live members and their incarnations, ourselves included: equal hashes, equal views.
    private(set) var hash: UInt64
    private var endpoints: [SocketAddress: NodeID] = [:]
    /// Those in doubt, and those that are dead or have left.
    private(set) var suspects: Set<NodeID> = []
    private(set) var gone: Set<NodeID> = []

    init(own: NodeID, incarnation: UInt64) {
        self.own = own
        hash = Self.share(own, incarnation)
        for index in rings.indices { rings[index].insert(own) }
    }

    private static func share(_ id: NodeID, _ incarnation: UInt64) -> UInt64 {
        (id.bits &+ incarnation.mixed).mixed
    }

    /// How many live, ourselves included.
    var liveCount: Int { rings[0].count }

    subscript(id: NodeID) -> Member? { members[id] }

    func member(at endpoint: SocketAddress) -> Member? {
        endpoints[endpoint].flatMap { members[$0] }
    }

    mutating func ownIncarnationChanged(from old: UInt64, to new: UInt64) {
        hash ^= Self.share(own, old) ^ Self.share(own, new)
    }

    /// Puts a member in, or another state of it.
    mutating func put(_ member: Member) {
        if let old = members[member.id] {
            if old.isLive { hash ^= Self.share(old.id, old.incarnation) }
            if old.endpoint != member.endpoint, endpoints[old.endpoint] == old.id {
                endpoints[old.endpoint] = nil
            }
            if old.isLive, !member.isLive {
                for index in rings.indices { rings[index].remove(member.id) }
            }
        }
        if member.isLive {
            hash ^= Self.share(member.id, member.incarnation)
            if members[member.id]?.isLive != true {
                for index in rings.indices { rings[index].insert(member.id) }
            }
        }
        endpoints[member.endpoint] = member.id
        members[member.id] = member
        if member.state == .suspect {
            suspects.insert(member.id)
        } else {
            suspects.remove(member.id)
        }
        if member.isLive { gone.remove(member.id) } else { gone.insert(member.id) }
    }

    /// Changes what is neither state, incarnation nor endpoint.
    mutating func note(_ id: NodeID, _ body: (inout Member) -> Void) {
        guard let index = members.index(forKey: id) else { return }
        body(&members.values[index])
    }

    mutating func remove(_ id: NodeID) {
        guard let old = members.removeValue(forKey: id) else { return }
        if old.isLive {
            hash ^= Self.share(old.id, old.incarnation)
            for index in rings.indices { rings[index].remove(id) }
        }
        if endpoints[old.endpoint] == id { endpoints[old.endpoint] = nil }
        suspects.remove(id)
        gone.remove(id)
    }

    /// The dead and the left, those first that would be our neighbours soonest.
    func goneByNearness() -> [NodeID] {
        gone.map { (rings[0].distance(own, $0), $0) }.sorted { $0 < $1 }.map(\.1)
    }

    /// Who watches a member, and whom it watches: without itself and without duplicates, in an
    /// order that is the same everywhere.
    func neighbours(of id: NodeID) -> [NodeID] {
        if liveCount <= Self.closeKnit {
            return (0..<liveCount).map { rings[0][$0] }.filter { $0 != id }
        }
        var found: [NodeID] = []
        for ring in rings {
            for neighbour in ring.neighbours(of: id) where neighbour != id {
                if !found.contains(neighbour) { found.append(neighbour) }
            }
        }
        return found
    }

    /// Any live member but ourselves; `nil` when there is none.
    func anyLive(_ random: inout RandomNumbers) -> NodeID? {
        guard liveCount > 1 else { return nil }
        let id = rings[0][Int(random.next() % UInt64(liveCount))]
        return id == own ? nil : id
    }
}
