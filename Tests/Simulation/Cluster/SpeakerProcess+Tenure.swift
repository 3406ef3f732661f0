import Layer2
import LoadBalancing
import NetworkTypes

extension SpeakerProcess {
    /// The cluster's objects, or what members say of themselves, changed: the slow path, as through
    /// a watch and a translation, which takes up what is so when it begins. Who has which interface
    /// goes this way too.
    func clusterChanged() {
        guard !isTranslating else { return }
        isTranslating = true
        let delay = world.random.duration(in: .milliseconds(2)..<(.milliseconds(20)))
        world.schedule.add(
            .translation(node: node.index, boot: boot),
            at: max(world.now + delay, world.settings.firstDecision))
    }

    func takeTenure(_ input: Input) {
        switch input {
        case .cluster:
            isTranslating = false
            base = world.cluster
            showStations()
            decideAnew()
        case .liveness(let news):
            liveness.merge(news) { $1 }
            if isDeciding { perform(tenure.handle(.livenessChanged(news), at: node.localNow)) }
        case .claims(let name, let news):
            for (address, epoch) in news { claims[name, default: [:]][address] = epoch }
            if isDeciding {
                perform(tenure.handle(.claimsChanged(node: name, news), at: node.localNow))
            }
        case .forgotten(let name):
            liveness[name] = nil
            claims[name] = nil
            decideAnew()
        case .assessed: decideAnew()
        case .isolated(let isIsolated):
            self.isIsolated = isIsolated
            decideAnew()
        case .tenure(let event):
            perform(tenure.handle(event, at: node.localNow))
        case .found(let address, let verdict): dispute(address, verdict)
        default: preconditionFailure("not for the tenure's thread")
        }
    }

    private var isDeciding: Bool { isAssessed && base != nil }

    private func decideAnew() {
        guard isAssessed, let base else { return }
        perform(tenure.handle(.factsChanged(overlaid(base)), at: node.localNow))
    }

    /// The cluster's facts with what the gossip knows. A node that it never heard of does not run a
    /// speaker that could serve.
    private func overlaid(_ base: ClusterFacts) -> Tenure.Facts {
        var nodes = base.nodes
        for name in nodes.keys where name != node.name {
            nodes[name]?.liveness = liveness[name] ?? .dead(cause: "nothing was ever heard of it")
            if members[name]?.isDraining == true { nodes[name]?.isDraining = true }
        }
        if node.isDraining || isTerminating { nodes[node.name]?.isDraining = true }
        var byAddress: [IPAddress: [Claim]] = [:]
        for (name, held) in claims.sorted(by: { $0.key < $1.key }) {
            for (address, epoch) in held {
                byAddress[address, default: []].append(Claim(node: name, epoch: epoch))
            }
        }
        return Tenure.Facts(
            nodes: nodes, offers: base.offers, demands: base.demands, claims: byAddress,
            disputes: disputes(), isMemoryCommon: true, isComplete: true, isIsolated: isIsolated)
    }

    private func disputes() -> [IPAddress: [Dispute]] {
        var disputes = ownDisputes.mapValues {
            [Dispute(node: $0.node, epoch: $0.epoch, witness: node.name)]
        }
        for (witness, member) in members.sorted(by: { $0.key < $1.key })
        where !member.disputes.isEmpty && liveness[witness] == .alive {
            for (address, claim) in member.disputes {
                disputes[address, default: []].append(
                    Dispute(node: claim.node, epoch: claim.epoch, witness: witness))
            }
        }
        return disputes
    }

    /// Tells everybody that nobody answers for an address under the claim of its owner; for a
    /// minute at most.
    private func dispute(_ address: IPAddress, _ verdict: AnswerWatch.Verdict) {
        guard verdict == .unanswered else {
            if ownDisputes.removeValue(forKey: address) != nil {
                post(.entries([Statement.dispute(address, nil).entry]), to: .gossip)
                clusterChanged()
            }
            return
        }
        guard let owner = tenure.ownership?.owner(of: address), let epoch = claims[owner]?[address]
        else { return }
        let claim = Claim(node: owner, epoch: epoch)
        ownDisputes[address] = claim
        post(.entries([Statement.dispute(address, claim).entry]), to: .gossip)
        clusterChanged()
        world.after(.seconds(60)) { [weak self] _ in
            guard let self, self.ownDisputes[address] == claim else { return }
            self.dispute(address, .fine)
            self.flush()
        }
    }

    func perform(_ actions: [Tenure.Action]) {
        var entries: [(key: [UInt8], value: [UInt8]?)] = []
        var wire: [Announcer.Event] = []
        for action in actions {
            switch action {
            case .announce(let address, let tenancy):
                let settings = AnnouncementSettings(tenancy, isIsolated: isIsolated)
                wire.append(.addressAdded(address, settings))
            case .withdraw(let address): wire.append(.addressRemoved(address))
            case .claim(let address, let epoch):
                node.disk[address] = epoch
                entries.append(Statement.claim(address, epoch).entry)
                world.judge.claimed(address, epoch: epoch, by: node.index, at: world.now)
            case .release(let address):
                node.disk[address] = nil
                entries.append(Statement.claim(address, nil).entry)
            case .reannounce(let address): wire.append(.reannounce(address))
            case .moved(let move):
                world.note(
                    "\(node.name) has \(move.address), epoch \(move.epoch): \(move.cause)")
                world.judge.moved(move, in: world)
            case .refusedMove(let address, let reason):
                world.note("\(node.name) refuses \(address): \(reason)")
                world.judge.refused(address, by: node.index)
            case .held(let address, let peer):
                world.note("\(node.name): \(address) is still held by \(peer)")
                world.judge.held(address, by: peer, seenBy: node.index)
            }
        }
        if !entries.isEmpty { post(.entries(entries), to: .gossip) }
        if !wire.isEmpty { post(.announcer(wire), to: .wire) }
        if !actions.isEmpty { watchOthers() }
    }

    private func watchOthers() {
        guard world.settings.watchesAnswers, let ownership = tenure.ownership else { return }
        var watched: [IPAddress: Set<MACAddress>] = [:]
        for (address, owner) in ownership.watched(by: node.name) {
            guard let hardware = members[owner]?.hardware else { continue }
            watched[address] = [hardware]
        }
        post(.watch(watched), to: .wire)
    }
}

extension AnnouncementSettings {
    /// How the wire begins with an address, from the manner in which the node came to it.
    init(_ tenancy: Tenure.Tenancy, isIsolated: Bool) {
        var formerOwner: IPAddress?
        let start: Start
        switch tenancy.manner {
        case .resume where isIsolated, .firstUse(probes: false) where isIsolated:
            start = .afterCheck
        case .firstUse(probes: true): start = .afterProbing
        case .firstUse(probes: false), .handover, .resume: start = .atOnce
        case .takeover(let former):
            start = .afterCheck
            formerOwner = Cast.number(of: former).map(Cast.nodeAddress)
        }
        self.init(
            start: start, reannounceInterval: tenancy.settings.reannounceInterval,
            formerOwner: formerOwner)
    }
}
