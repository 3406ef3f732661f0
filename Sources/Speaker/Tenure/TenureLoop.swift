import Layer2
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// The thread on which this node decides what it announces: the tenure in, wishes for the wire and
/// claims out. Nothing that reads files or speaks HTTP runs here, so an address that loses its
/// owner waits for nobody.
///
/// Who lives and who claims what comes straight from the gossip's thread and is laid over the facts
/// of the cluster's objects, which arrive later and less often.
struct TenureLoop: ~Copyable {
    private let node: String
    private let mailbox: Mailbox<TenureMail>
    private let outlets: Outlets
    private var tenure: Tenure
    private var base: Tenure.Facts?
    /// By node: what the gossip says. Nodes that it never heard of are missing.
    private var liveness: [String: NodeFacts.Liveness] = [:]
    private var claims: [String: [IPAddress: UInt64]] = [:]
    private var stations: [MACAddress: String] = [:]
    private let gossips: Bool
    private var isAssessed: Bool
    private var isIsolated = false
    private var nodeAddresses: [String: [IPAddress]] = [:]
    /// For whose silence addresses wait.
    private var awaited: Set<String> = []
    private var wishes: Layer2Plan = [:]
    /// Those of them that were answered for.
    private var answered: Set<IPAddress> = []
    private var report: TenureReport
    /// When to show what has changed, and when to look again which addresses to watch: copying all
    /// that is known after every datagram would cost more than deciding.
    private var showsAt: Instant?
    private var watchesAt: Instant?
    private var shownAt = Instant(nanoseconds: .min)
    private static let showInterval = Duration.milliseconds(10)
    private static let watchInterval = Duration.seconds(1)

    /// Where the results go. None of these may block.
    struct Outlets: Sendable {
        /// Makes the wishes what is announced.
        var apply: @Sendable (Layer2Plan) -> Void
        /// Announces an address again.
        var reannounce: @Sendable (IPAddress) -> Void
        /// Makes these the addresses of others to watch.
        var watch: @Sendable ([IPAddress: Layer2Watch]) -> Void
        /// Publishes claims that were made (an epoch) or ended (`nil`).
        var claim: @Sendable ([IPAddress: UInt64?]) -> Void
        /// Shows what is so now.
        var show: @Sendable (TenureReport) -> Void
        /// Says what happened.
        var tell: @Sendable (TenureEvent) -> Void
        /// Ends a suspension of the permit to answer.
        var clear: @Sendable (UInt64) -> Void
        /// Ends a suspension of the fence.
        var clearFence: @Sendable (UInt64) -> Void = { _ in }
        /// Asks which of these nodes are silent.
        var awaitSilence: @Sendable (Set<String>) -> Void = { _ in }
    }

    /// - Parameters:
    ///   - gossips: whether who lives is known from the gossip; otherwise nothing waits for it.
    ///   - isFenced: whether nothing is answered for without a fresh Lease.
    init(
        node: String, gossips: Bool, isFenced: Bool = false, mailbox: Mailbox<TenureMail>,
        outlets: Outlets
    ) {
        self.node = node
        self.gossips = gossips
        isAssessed = !gossips
        self.mailbox = mailbox
        self.outlets = outlets
        tenure = Tenure(node: node, isFenced: isFenced)
        report = TenureReport(node: node)
    }

    /// Runs until the mail says to end; then everything is silent.
    mutating func run() {
        while true {
            let wakeUp: WakeUp
            do throws(SystemError) {
                let deadlines = [tenure.nextDeadline, showsAt, watchesAt]
                wakeUp = try mailbox.wait(for: nil, until: deadlines.compactMap(\.self).min())
            } catch {
                outlets.tell(.failed(error))
                outlets.apply([:])
                return
            }
            let now = MonotonicClock.now()
            var changes = Changes()
            if wakeUp.isSignalled {
                let mail = mailbox.take()
                if mail.isEnding { break }
                read(mail, &changes, at: now)
                changes.suspension = mail.suspension
                changes.fenceSuspension = mail.fenceSuspension
            }
            if let deadline = tenure.nextDeadline, deadline <= now {
                handle(.deadlineReached, &changes, at: now)
            }
            carryOut(changes)
            showWhenDue(at: now)
        }
        outlets.apply([:])
        report.tenure = tenure
        outlets.show(report)
    }

    /// What one turn brings about, carried out together at its end.
    private struct Changes {
        var areWishesChanged = false
        var claims: [IPAddress: UInt64?] = [:]
        var reannouncements: [IPAddress] = []
        var departures: [IPAddress] = []
        var events: [TenureEvent] = []
        var suspension: UInt64?
        var fenceSuspension: UInt64?
    }

    // MARK: Mail

    private mutating func read(_ mail: TenureMail, _ changes: inout Changes, at now: Instant) {
        if let restored = mail.restored { handle(.claimsRestored(restored), &changes, at: now) }
        if let stations = mail.stations { self.stations = stations }
        if let fence = mail.fence { handle(.fenceChanged(fence), &changes, at: now) }
        let areAddressesNew = mail.nodeAddresses.map { $0 != nodeAddresses } ?? false
        if let addresses = mail.nodeAddresses { nodeAddresses = addresses }
        let wasReady = isAssessed && base != nil
        if let assessed = mail.isAssessed { isAssessed = assessed || isAssessed }
        if let isolated = mail.isIsolated { isIsolated = isolated }
        var news = mail.claims
        for node in mail.forgotten { forget(node, &news) }
        liveness.merge(mail.liveness) { $1 }
        for (node, changed) in mail.claims { merge(changed, of: node) }
        if let facts = mail.facts { base = facts }
        if isAssessed, let base {
            // First what is newer than any facts: the tenure holds on to it against them.
            if !mail.liveness.isEmpty {
                handle(.livenessChanged(mail.liveness), &changes, at: now)
            }
            for (node, changed) in news.sorted(by: { $0.key < $1.key }) {
                handle(.claimsChanged(node: node, changed), &changes, at: now)
            }
            let isWhole =
                mail.facts != nil || !wasReady || mail.isIsolated != nil || !mail.forgotten.isEmpty
                || areAddressesNew
            if isWhole { handle(.factsChanged(overlaid(base)), &changes, at: now) }
            readWire(mail.wire, &changes, at: now)
            read(mail.moves, &changes, at: now)
        }
        if mail.isStopping {
            report.isStopping = true
            handle(.stopping, &changes, at: now)
        }
    }

    /// Of a node that the gossip has forgotten every claim ends, unless it is new again already.
    private mutating func forget(_ node: String, _ news: inout [String: [IPAddress: UInt64?]]) {
        liveness[node] = nil
        let ended = claims.removeValue(forKey: node) ?? [:]
        news[node, default: [:]].merge(ended.mapValues { _ in nil }) { newer, _ in newer }
    }

    private mutating func read(
        _ moves: [IPAddress: UInt64], _ changes: inout Changes, at now: Instant
    ) {
        guard !moves.isEmpty else { return }
        // Of addresses that are gone nobody asks any more.
        report.refusals = report.refusals.filter { base?.demands[$0.key] != nil }
        for (address, wish) in moves.sorted(by: { $0.key < $1.key }) {
            report.refusals[address] = nil
            handle(.moveRequested(address), &changes, at: now)
            report.refusals[address]?.wish = wish
        }
    }

    private mutating func merge(_ news: [IPAddress: UInt64?], of node: String) {
        for (address, epoch) in news { claims[node, default: [:]][address] = epoch }
    }

    private mutating func readWire(
        _ wire: [IPAddress: TenureMail.WireNews], _ changes: inout Changes, at now: Instant
    ) {
        for (address, news) in wire.sorted(by: { $0.key < $1.key }) {
            if let station = news.heldBy {
                handle(
                    .heldByPeer(address, peer: stations[station] ?? "\(station)"), &changes, at: now
                )
            }
            if news.isAnswering {
                report.held[address] = nil
                if wishes[address] != nil { answered.insert(address) }
                handle(.answering(address), &changes, at: now)
            }
            if let station = news.announcedBy {
                handle(.peerAnnounced(address, node: stations[station]), &changes, at: now)
            }
        }
    }

    /// The cluster's facts with what the gossip knows. A node that it never heard of, although
    /// there is an address to ask at, does not run a speaker that could serve; of one without an
    /// address nothing is known.
    private func overlaid(_ base: Tenure.Facts) -> Tenure.Facts {
        var facts = base
        facts.isIsolated = isIsolated
        guard gossips else { return facts }
        let others = facts.nodes.keys.filter { $0 != node }
        for name in others {
            facts.nodes[name]?.liveness =
                liveness[name]
                ?? (nodeAddresses[name] == nil
                    ? .unknown : .dead(cause: "nothing was ever heard of it"))
        }
        // Claims are known to all who gossip. With nobody to gossip with they are as before.
        if !liveness.isEmpty || others.allSatisfy({ nodeAddresses[$0] != nil }) {
            facts.isMemoryCommon = true
        }
        var byAddress = facts.claims.mapValues { $0.filter { claims[$0.node] == nil } }
        for (name, held) in claims.sorted(by: { $0.key < $1.key }) where name != node {
            for (address, epoch) in held {
                byAddress[address, default: []].append(Claim(node: name, epoch: epoch))
            }
        }
        facts.claims = byAddress.filter { !$0.value.isEmpty }
        return facts
    }

    // MARK: The machine

    private mutating func handle(
        _ event: Tenure.Event, _ changes: inout Changes, at now: Instant
    ) {
        for action in tenure.handle(event, at: now) {
            switch action {
            case .announce(let address, let tenancy):
                wishes[address] = announcement(tenancy, of: address)
                report.held[address] = nil
                changes.areWishesChanged = true
            case .withdraw(let address):
                wishes[address] = nil
                report.held[address] = nil
                changes.areWishesChanged = true
                guard answered.remove(address) != nil else { continue }
                report.moveCounts["left", default: 0] += 1
                changes.departures.append(address)
            case .claim(let address, let epoch):
                report.held[address] = nil
                changes.claims[address] = .some(epoch)
            case .release(let address): changes.claims[address] = .some(nil)
            case .reannounce(let address): changes.reannouncements.append(address)
            case .moved(let move):
                report.moveCounts[move.cause.kind, default: 0] += 1
                changes.events.append(.moved(move))
            case .refusedMove(let address, let reason):
                report.refusals[address] = TenureReport.Refusal(wish: 0, reason: reason)
                changes.events.append(.refusedMove(address, reason))
            case .held(let address, let peer):
                report.held[address] = peer
                changes.events.append(.held(address, by: peer))
            }
        }
        if showsAt == nil { showsAt = max(now, shownAt + Self.showInterval) }
        if watchesAt == nil { watchesAt = now + Self.watchInterval }
    }

    private func announcement(
        _ tenancy: Tenure.Tenancy, of address: IPAddress
    ) -> Layer2Announcement {
        var former: IPAddress?
        if case .takeover(let node) = tenancy.manner {
            former = nodeAddresses[node]?.first { $0.family == address.family }
        }
        return Layer2Announcement(tenancy, formerOwner: former, isIsolated: isIsolated)
    }

    private func departure(of address: IPAddress) -> TenureEvent {
        let absence = tenure.absence(of: address)
        return .left(address, to: absence?.owner, absence?.reason)
    }

    private mutating func carryOut(_ changes: Changes) {
        if changes.areWishesChanged { outlets.apply(wishes) }
        if let suspension = changes.suspension { outlets.clear(suspension) }
        if let suspension = changes.fenceSuspension { outlets.clearFence(suspension) }
        askForSilence()
        for address in changes.reannouncements { outlets.reannounce(address) }
        if !changes.claims.isEmpty { outlets.claim(changes.claims) }
        for event in changes.events { outlets.tell(event) }
        // The reasons take time to find, and are for the log.
        for address in changes.departures { outlets.tell(departure(of: address)) }
    }

    private mutating func askForSilence() {
        let nodes = tenure.awaitedSilence
        guard nodes != awaited else { return }
        awaited = nodes
        outlets.awaitSilence(nodes)
        outlets.tell(.awaits(nodes, addresses: tenure.waitingCount))
    }

    private mutating func showWhenDue(at now: Instant) {
        if let due = showsAt, due <= now {
            showsAt = nil
            shownAt = now
            report.tenure = tenure
            outlets.show(report)
        }
        if let due = watchesAt, due <= now {
            watchesAt = nil
            outlets.watch(watches())
        }
    }

    private func watches() -> [IPAddress: Layer2Watch] {
        let watched = tenure.ownership?.watched(by: node) ?? [:]
        guard !watched.isEmpty else { return [:] }
        var hardware: [String: Set<MACAddress>] = [:]
        for (station, node) in stations { hardware[node, default: []].insert(station) }
        var watches: [IPAddress: Layer2Watch] = [:]
        for (address, owner) in watched {
            watches[address] = Layer2Watch(
                owner: hardware[owner] ?? [],
                interfaces: tenure.ownership?.interfaces(for: address)?.names ?? [])
        }
        return watches
    }
}

extension Selection {
    /// Those named; empty for all.
    fileprivate var names: Set<String> {
        switch self {
        case .all: []
        case .only(let names): names
        }
    }
}

extension Layer2Announcement {
    /// What a tenancy asks of the wire.
    fileprivate init(_ tenancy: Tenure.Tenancy, formerOwner: IPAddress?, isIsolated: Bool) {
        self.init(
            settings: AnnouncementSettings(
                start: AnnouncementSettings.Start(tenancy.manner, isIsolated: isIsolated),
                reannounceInterval: tenancy.settings.reannounceInterval, formerOwner: formerOwner),
            interfaces: tenancy.settings.interfaces.names)
    }
}

extension AnnouncementSettings.Start {
    /// Who hears no other node cannot know whether it has been taken over: the LAN is asked.
    fileprivate init(_ manner: Tenure.Manner, isIsolated: Bool) {
        switch manner {
        case .resume where isIsolated, .firstUse(probes: false) where isIsolated:
            self = .afterCheck
        case .firstUse(probes: true): self = .afterProbing
        case .firstUse(probes: false), .handover, .resume: self = .atOnce
        case .takeover: self = .afterCheck
        }
    }
}
