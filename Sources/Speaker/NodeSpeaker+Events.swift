import ClusterSource
import Dataplane
import Kubernetes
import Layer2
import LinuxNetwork
import LoadBalancing
import Logging
import Membership
import NetworkTypes

extension NodeSpeaker {
    /// One line for each address that comes or goes, with the reason. Of many in one second the
    /// first twenty have their lines, and one counts the rest.
    func note(_ event: TenureEvent) {
        switch event {
        case .moved(let move):
            guard admitsMove() else { return }
            logger.notice(
                "address comes to this node",
                metadata: [
                    "address": "\(move.address)", "from": "\(move.from ?? "nobody")",
                    "why": "\(move.cause)", "epoch": "\(move.epoch)",
                ])
        case .left(let address, let owner, let reason):
            guard admitsMove() else { return }
            logger.notice(
                "address leaves this node",
                metadata: [
                    "address": "\(address)", "to": "\(owner ?? "nobody")",
                    "why": "\(reason.map { "this node \($0)" } ?? "no Service wants it")",
                ])
        case .refusedMove(let address, let reason):
            logger.warning(
                "address not moved here",
                metadata: ["address": "\(address)", "why": "this node \(reason)"])
        case .held(let address, let peer):
            let message =
                "the gossip has lost the owner of \(address), but \(peer) still answers for it: "
                + "nobody moves; see whether UDP port \(settings.gossip?.port ?? 0) passes between "
                + "the nodes"
            logger.error("\(message)")
            recentEvents.note("announceHeld", "\(address)", message)
        case .awaits(let nodes, let addresses): noteAwaited(nodes, addresses: addresses)
        case .failed(let error):
            logger.critical("cannot decide any more", metadata: ["error": "\(error)"])
        }
    }

    private func admitsMove() -> Bool {
        let now = MonotonicClock.now()
        if now - moveLines.since > .seconds(1) {
            if moveLines.unsaid > 0 {
                logger.notice(
                    "more addresses came or left", metadata: ["count": "\(moveLines.unsaid)"])
            }
            moveLines = (now, 0, 0)
        }
        moveLines.said += 1
        if moveLines.said > 20 { moveLines.unsaid += 1 }
        return moveLines.said <= 20
    }

    /// Follows what happens to the gossip.
    func note(_ event: GossipEvent) {
        switch event {
        case .memberChanged(let change):
            logger.log(
                level: change.to == .dead ? .warning : change.to == .suspect ? .info : .notice,
                "\(change.name) is \(change.to)",
                metadata: change.cause == .none ? [:] : ["why": "\(change.cause.explanation)"])
        case .trouble(let text, let remedy):
            logger.warning("\(text)", metadata: ["remedy": "\(remedy)"])
            recentEvents.note("gossipTrouble", settings.node, "\(text); \(remedy)")
        case .nameTaken(let text, let remedy):
            logger.error("\(text)", metadata: ["remedy": "\(remedy)"])
            recentEvents.note("nameTaken", settings.node, "\(text); \(remedy)")
        case .paused:
            logger.notice("answering nothing until it is known what happened meanwhile")
        case .resumed: logger.notice("who lives is known; answering")
        case .isolated(true) where isLeaving: break
        case .isolated(true):
            logger.error("no other node is heard")
            recentEvents.note(
                "isolated", settings.node,
                "no other node is heard; see whether this node's network works")
        case .isolated(false): logger.notice("other nodes are heard again")
        case .keysChanged: logger.notice("the gossip's keys were read again")
        case .failed(let error): logger.error("gossip", metadata: ["error": "\(error)"])
        }
    }

    /// What the data plane had to say.
    func note(_ outcome: DataplaneReconciler.Outcome) {
        if let repair = outcome.repair {
            let author = outcome.author.map { "\($0)" } ?? "somebody"
            if outcome.isTakeover {
                logger.info(
                    outcome.isReplaced ? "nftables table installed" : "nftables table taken over",
                    metadata: ["table": "\(repair)"])
            } else {
                dataplaneRepairs += 1
                logger.warning(
                    "somebody else changed our nftables table",
                    metadata: ["by": "\(author)", "table": "\(repair)"])
                recentEvents.note(
                    "tableChanged", NftablesSocket.tableName, "changed by \(author); \(repair)")
                reporting.isDue = true
            }
        }
        if let failure = outcome.flushFailure {
            logger.warning(
                "connections that lead nowhere could not be ended",
                metadata: ["error": "\(failure)"])
        }
        for (port, omission) in outcome.omissions where dataplaneOmissions[port] != omission {
            logger.warning(
                "not in the data plane",
                metadata: ["port": "\(port)", "reason": "\(omission)"])
        }
        dataplaneOmissions = outcome.omissions
        for (entrance, clash) in outcome.clashes where dataplaneClashes[entrance] != clash {
            logger.warning(
                "several Services want one entrance",
                metadata: [
                    "entrance": "\(entrance)", "holder": "\(clash.holder)",
                    "waiting": "\(clash.waiting.joined(separator: ", "))",
                ])
        }
        dataplaneClashes = outcome.clashes
        if outcome.omittedFlushes > 0 {
            logger.warning(
                "not all connections that lead nowhere were looked for; the rest time out",
                metadata: ["kinds": "\(outcome.omittedFlushes)"])
        }
        if outcome.remedies != dataplaneRemedies {
            dataplaneRemedies = outcome.remedies
            for remedy in dataplaneRemedies {
                logger.warning(
                    "this node does not forward packets, so endpoints elsewhere are out of reach",
                    metadata: ["remedy": "\(remedy)"])
            }
        }
    }

    /// Follows what happens on the wire.
    func note(_ event: Layer2Event) {
        var metadata: Logger.Metadata = ["interface": "\(event.interface)"]
        switch event.kind {
        case .bound: logger.info("listening on interface", metadata: metadata)
        case .released: logger.info("left interface", metadata: metadata)
        case .linkLost: logger.warning("link down", metadata: metadata)
        case .linkRestored: logger.notice("link up, announcing again", metadata: metadata)
        case .answering(let address):
            metadata["address"] = "\(address)"
            logger.info("answering", metadata: metadata)
        case .conflict(let conflict):
            metadata["address"] = "\(conflict.address)"
            metadata["other"] = "\(conflict.offender)"
            metadata["phase"] = conflict.phase == .beforeUse ? "before use" : "in use"
            metadata["remedy"] =
                "take the address out of the pool, or off the machine that has it"
            logger.error("address is used by someone else", metadata: metadata)
            tellFailure(
                of: conflict.address,
                "\(conflict.address) is used by \(conflict.offender) on \(event.interface) of node "
                    + "\(settings.node); take it out of the pool, or off the machine that has it")
        case .peerAnnounces(let address, let mac):
            metadata["address"] = "\(address)"
            metadata["other"] = "\(mac)"
            logger.info("another speaker announces our address", metadata: metadata)
        case .addressTaken(let address, let after):
            metadata["address"] = "\(address)"
            metadata["milliseconds"] = "\(after.wholeNanoseconds / 1_000_000)"
            logger.info("taken over", metadata: metadata)
        case .heldByPeer(let address, let mac):
            metadata["address"] = "\(address)"
            metadata["other"] = "\(mac)"
            logger.debug("another speaker still answers; not taken over", metadata: metadata)
        case .waitingToHear(let address):
            metadata["address"] = "\(address)"
            logger.warning(
                "isolated: nothing is taken over before anybody is heard here", metadata: metadata)
        case .formerOwnerAnswers(let address, let answers):
            metadata["node"] = "\(address)"
            logger.debug(
                answers
                    ? "the former owner's host answers" : "the former owner's host does not answer",
                metadata: metadata)
        case .watched(let address, .unanswered): noteUnanswered(address)
        case .watched(let address, .answeredBy(let stations)):
            noteWrongAnswer(address, by: stations)
        case .watched(let address, .fine): noteAnsweredAgain(address)
        case .refused(let address):
            metadata["address"] = "\(address)"
            logger.error("address cannot be announced", metadata: metadata)
            tellFailure(
                of: address,
                "\(address) cannot be announced on \(event.interface) of node \(settings.node): it "
                    + "is no unicast address, or there are too many")
        case .failed(let error):
            metadata["error"] = "\(error)"
            logger.error("interface trouble", metadata: metadata)
        }
    }

    /// An address that a kernel holds is answered by that kernel too, on every interface, unless it
    /// is told not to.
    ///
    /// On the interface of an IPVS proxy there are all of them, by design: of these one line is
    /// written while the kernel answers for them, and ``ProxyReview`` says the rest.
    func noteKernelHeld(among demands: [IPAddress: AddressDemand]) {
        var held: Set<IPAddress> = []
        var onDummy: (first: IPAddress, interface: String, count: Int)?
        for link in links.links.values.sorted(by: { $0.index < $1.index }) {
            if ProxyFacts.dummies.contains(link.name) {
                // Nobody is asked for addresses of a dummy by neighbour discovery.
                let addresses = link.addresses.map(\.address)
                    .filter { $0.family == .ipv4 && demands[$0] != nil }
                if onDummy == nil, let first = addresses.min() {
                    onDummy = (first, link.name, addresses.count)
                }
                continue
            }
            for address in link.addresses.map(\.address).sorted()
            where demands[address] != nil {
                let isNew = held.insert(address).inserted && !kernelHeld.contains(address)
                if isNew { warnKernelHolds(address, on: link.name) }
            }
        }
        kernelHeld = held
        noteDummy(onDummy)
    }

    private func noteDummy(_ dummy: (first: IPAddress, interface: String, count: Int)?) {
        let interfaces = Set(layer2.bindings.map(\.link.name))
        let isAnswered =
            dummy != nil
            && ARPConduct(
                ProxyFacts.switches(of: interfaces).mapValues(ProxyReview.Facts.Switches.init),
                on: interfaces) == .answersForThem
        defer { kernelAnswersForDummy = isAnswered }
        guard let dummy, isAnswered, !kernelAnswersForDummy else { return }
        let others = dummy.count > 1 ? " and \(dummy.count - 1) more" : ""
        logger.warning(
            "the kernel holds a Service's address and may answer for it",
            metadata: [
                "address": "\(dummy.first)\(others)", "interface": "\(dummy.interface)",
                "remedy": "\(Self.kernelHeldRemedy(.ipv4))",
            ])
    }

    private func warnKernelHolds(_ address: IPAddress, on interface: String) {
        logger.warning(
            "the kernel holds a Service's address and may answer for it",
            metadata: [
                "address": "\(address)", "interface": "\(interface)",
                "remedy": "\(Self.kernelHeldRemedy(address.family))",
            ])
    }

    /// What to set so that only the speaker answers.
    package static func kernelHeldRemedy(_ family: IPAddress.Family) -> String {
        switch family {
        case .ipv4:
            "\(ARPConduct.remedy) (kube-proxy: ipvs.strictARP: true)"
        case .ipv6:
            "hold the address on an interface without neighbour discovery (a dummy such as "
                + "kube-ipvs0), or remove it from the interface"
        }
    }
}
