public import NetworkTypes

/// The election: which node answers for which address at layer 2.
///
/// ## What is decided
///
/// A node is *eligible* for an address when it lives, is ready, is not excluded (label, condition
/// NetworkUnavailable, cordon, drain), runs a speaker, is selected by an advertisement that matches
/// the address, has the endpoint that the traffic policy asks for, does not say that its own health
/// checks leave it none, has a usable interface that the advertisements allow, and is on the
/// address's subnet. The subnet decides only when some
/// otherwise able node is known to be on it. Facts that are unknown speak for a node.
///
/// A node that is cordoned or draining and otherwise eligible is *relieved*: it owns nothing that
/// another node can own. A node whose claim of an address is in dispute, because nobody answered,
/// is not eligible for that address as long as another node is.
///
/// The *contenders* are the node that the Services ask for, when it is eligible, or else the
/// eligible nodes of the highest preference weight.
///
/// 1. An address that an eligible node claims stays with that node: of several claims the highest
///    epoch counts, then the rank. Claims of nodes that are not eligible do not count. Under
///    `Preemption.always` the claimant must be a contender. Where no node at all is eligible, a
///    relieved node keeps what it claims, by the same rule, and what only others claim goes to the
///    relieved node that ranks first; what nobody claims, nobody gets.
/// 2. The other addresses are placed one after the other, those with the fewest contenders first,
///    then in ascending order; each goes to the contender that ranks first (``RendezvousHash``) of
///    those that carry less than their bound.
///
/// The bound of a node is ⌈1.25 × average⌉. Average means what the node would carry if every
/// address were spread evenly over its contenders: the sum of 1 ⁄ (number of contenders) over the
/// addresses that the node contends for. It counts claimed and unclaimed addresses alike.
///
/// ## What holds
///
/// - Equal inputs give equal answers, on every node and in whatever order they were collected.
/// - Every address with an eligible node has exactly one owner, which is eligible; of the others,
///   those that anybody claims and a relieved node can have have one.
/// - Without claims no node carries more than its bound. A spread within the bounds always exists
///   (it is the integral form of the even one); where taking addresses in turn does not find it,
///   addresses placed before make room along a shortest chain of moves.
/// - Claims are stronger than bounds, so a node may be past its bound by what it holds. It is
///   given more only when all contenders of an address are at or past theirs; then to the least.
/// - With every address claimed, removing a node moves the addresses of that node and no others.
/// - Without claims, removing a node moves its addresses, and otherwise at most such addresses as
///   bounds, which change with the number of nodes, displace or let go home. Where no bound is
///   reached this is pure rendezvous hashing, and nothing else moves.
public struct Ownership: Sendable {
    /// How an address came to its owner.
    enum Manner: UInt8, Sendable { case nobody, held, unrelieved, placed, overfull }

    let candidacy: Candidacy
    let facts: [String: NodeFacts]
    let demands: [IPAddress: AddressDemand]
    let claims: [IPAddress: [Claim]]
    /// Those that concern a claim as it is now.
    let disputes: [IPAddress: [Dispute]]
    /// Index of the owner of each address, −1 for nobody.
    var owners: [Int]
    var manners: [Manner]
    var loads: [Int]
    let bounds: [Int]

    /// Elects an owner for every address demanded.
    ///
    /// - Parameters:
    ///   - nodes: what is known of the nodes, by name.
    ///   - offers: the layer 2 advertisements, by name.
    ///   - demands: the addresses in use.
    ///   - claims: who has addresses now, by address; others than those demanded are ignored.
    ///   - disputes: which claims were found to be unanswered, by address.
    public static func elect(
        nodes: [String: NodeFacts], offers: [String: Layer2Offer],
        demands: [IPAddress: AddressDemand], claims: [IPAddress: [Claim]] = [:],
        disputes: [IPAddress: [Dispute]] = [:]
    ) -> Ownership {
        let standing = standing(disputes, claims)
        let candidacy = Candidacy(
            nodes: nodes, offers: offers, demands: demands,
            disputed: standing.mapValues { Set($0.map(\.node)) })
        var ownership = Ownership(candidacy, nodes, demands, claims, standing)
        ownership.keepClaimed()
        ownership.placeOthers()
        return ownership
    }

    private init(
        _ candidacy: Candidacy, _ facts: [String: NodeFacts],
        _ demands: [IPAddress: AddressDemand], _ claims: [IPAddress: [Claim]],
        _ disputes: [IPAddress: [Dispute]]
    ) {
        self.candidacy = candidacy
        self.facts = facts
        self.disputes = disputes
        self.demands = demands
        self.claims = claims
        owners = Array(repeating: -1, count: candidacy.addresses.count)
        manners = Array(repeating: .nobody, count: candidacy.addresses.count)
        loads = Array(repeating: 0, count: candidacy.names.count)
        bounds = Self.bounds(candidacy)
    }

    /// A dispute ends with the claim that it is about: a later claim of the node is another matter.
    private static func standing(
        _ disputes: [IPAddress: [Dispute]], _ claims: [IPAddress: [Claim]]
    ) -> [IPAddress: [Dispute]] {
        var standing: [IPAddress: [Dispute]] = [:]
        for (address, disputes) in disputes {
            let left = disputes.filter { dispute in
                !(claims[address] ?? []).contains {
                    $0.node == dispute.node && $0.epoch > dispute.epoch
                }
            }
            if !left.isEmpty { standing[address] = left }
        }
        return standing
    }

    /// ⌈5 ⁄ 4 × average⌉ for each node, in fixed point with 32 fractional bits. Each term is
    /// rounded down, so that thirds that add up to a whole do not lift the bound above it.
    private static func bounds(_ candidacy: Candidacy) -> [Int] {
        var averages = [UInt64](repeating: 0, count: candidacy.names.count)
        for group in candidacy.groups where !group.contenders.isEmpty {
            let term = (UInt64(group.members.count) << 32) / UInt64(group.contenders.count)
            for node in group.contenders { averages[node] += term }
        }
        let unit: UInt64 = 4 << 32
        return averages.map { Int(($0 * 5 + unit - 1) / unit) }
    }

    /// The addresses demanded, ascending.
    public var addresses: [IPAddress] { candidacy.addresses }

    /// The nodes, ascending by name.
    public var nodes: [String] { candidacy.names }

    /// Who owns the address; `nil` when nobody does, or nobody asked for it.
    public func owner(of address: IPAddress) -> String? {
        candidacy.index(of: address).flatMap { owners[$0] < 0 ? nil : candidacy.names[owners[$0]] }
    }

    /// How many addresses the node owns, and the bound for what it is given; `nil` for a node
    /// that is not known.
    public func load(of node: String) -> (carried: Int, bound: Int)? {
        candidacy.index(ofNode: node).map { (loads[$0], bounds[$0]) }
    }
}
