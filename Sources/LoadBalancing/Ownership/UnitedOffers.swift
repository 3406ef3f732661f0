import NetworkTypes

/// The offers of one set of advertisements, united for each node.
struct UnitedOffers: Sendable {
    /// What one node is offered, or why it is not.
    struct Share: Sendable {
        /// Why the node is to own nothing under these offers, interfaces aside.
        var refusal: LossReason?
        /// Whether it is only to be relieved: cordoned or draining, and otherwise able.
        var isRelieved = false
        /// `interfaceMissing` when none of the offered interfaces is usable there.
        var missing: LossReason?
        /// Whether it lacks nothing but the condition Ready.
        var lacksReadiness = false
        /// Sum of the weights that the offers give the node.
        var weight = 0
        /// The interfaces offered: reduced to the usable ones where they are known.
        var interfaces = Selection.only([])
        /// On-link blocks of those interfaces; `nil` when unknown.
        var prefixes: [Prefix]?
        /// Time between unasked announcements; `nil` for none.
        var reannounceInterval: Duration?
    }

    /// By node, in the order of the node table.
    let shares: [Share]
    /// The nodes with neither a refusal nor a missing interface, in ascending order.
    let eligible: [Int]
    /// The nodes that would be among them if they were not cordoned or draining, ascending.
    let relieved: [Int]
    /// The nodes that would be eligible if they were ready, ascending.
    let unready: [Int]
    /// The most eager preemption of the offers.
    let preemption: Preemption

    /// Unites the named offers; names without an offer are passed over.
    init(
        _ advertisements: Set<String>, offers: [String: Layer2Offer], names: [String],
        facts: [NodeFacts]
    ) {
        let known = advertisements.sorted().compactMap { name in
            offers[name].map { (name: name, offer: $0) }
        }
        let all = known.map(\.name)
        shares = names.indices.map { node in
            let selecting = known.lazy.map(\.offer).filter { $0.nodes.contains(names[node]) }
            var share = Share()
            let unoffered: LossReason? =
                if all.isEmpty {
                    .noAdvertisement
                } else if selecting.isEmpty {
                    .notSelected(by: all)
                } else {
                    nil
                }
            share.refusal = facts[node].exclusion ?? unoffered
            share.isRelieved =
                share.refusal != nil && unoffered == nil && facts[node].hardExclusion == nil
            share.lacksReadiness =
                unoffered == nil && !facts[node].isReady && facts[node].ifReady.exclusion == nil
            for offer in selecting { share.add(offer, for: names[node]) }
            share.restrict(to: facts[node].interfaces)
            return share
        }
        let shares = shares
        eligible = shares.indices.filter {
            shares[$0].refusal == nil && shares[$0].missing == nil
        }
        relieved = shares.indices.filter { shares[$0].isRelieved && shares[$0].missing == nil }
        unready = shares.indices.filter {
            shares[$0].lacksReadiness && shares[$0].missing == nil
        }
        preemption =
            if known.contains(where: { $0.offer.preemption == .always }) {
                .always
            } else if known.contains(where: { $0.offer.preemption == .gradual }) {
                .gradual
            } else {
                .never
            }
    }
}

extension UnitedOffers.Share {
    fileprivate mutating func add(_ offer: Layer2Offer, for node: String) {
        let (sum, overflow) = weight.addingReportingOverflow(offer.weights[node] ?? 0)
        weight = overflow ? (weight < 0 ? .min : .max) : sum
        interfaces = interfaces.union(offer.interfaces)
        if offer.reannounceInterval > .zero {
            let shortest = reannounceInterval ?? offer.reannounceInterval
            reannounceInterval = min(shortest, offer.reannounceInterval)
        }
    }

    fileprivate mutating func restrict(to known: [InterfaceFacts]?) {
        guard let known else { return }
        let usable = known.filter { $0.isUsable && interfaces.contains($0.name) }
        if usable.isEmpty {
            if case .only(let asked) = interfaces {
                missing = .interfaceMissing(asked.sorted())
            } else {
                missing = .interfaceMissing([])
            }
        }
        interfaces = .only(Set(usable.map(\.name)))
        prefixes = usable.flatMap(\.prefixes)
    }
}
