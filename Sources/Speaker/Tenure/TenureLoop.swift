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
    private var wishes: Layer2Plan = [:]
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
    }

    /// - Parameter gossips: whether who lives is known from the gossip; otherwise nothing waits for
    ///   it.
    init(node: String, gossips: Bool, mailbox: Mailbox<TenureMail>, outlets: Outlets) {
        self.node = node
        self.gossips = gossips
        isAssessed = !gossips
        self.mailbox = mailbox
        self.outlets = outlets
        tenure = Tenure(node: node)
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
            }
            if let deadline = tenure.nextDeadline, deadline <= now {
                handle(.deadlineReached, &changes, at: now)
            }
            carryOut(changes)
            showWhenDue(at: now)
        }
        outlets.apply([:])
    }

    /// What one turn brings about, carried out together at its end.
    private struct Changes {
        var areWishesChanged = false
        var claims: [IPAddress: UInt64?] = [:]
        var reannouncements: [IPAddress] = []
        var events: [TenureEvent] = []
    }

    // MARK: Mail

    private mutating func read(_ mail: TenureMail, _ changes: inout Changes, at now: Instant) {
        if let restored = mail.restored { handle(.claimsRestored(restored), &changes, at: now) }
        if let stations = mail.stations { self.stations = stations }
        if let addresses = mail.nodeAddresses { nodeAddresses = addresses }
        let wasReady = isAssessed && base != nil
        if let assessed = mail.isAssessed { isAssessed = assessed || isAssessed }
        if let isolated = mail.isIsolated { isIsolated = isolated }
        liveness.merge(mail.liveness) { $1 }
        for (node, news) in mail.claims { merge(news, of: node) }
        for node in mail.forgotten {
            liveness[node] = nil
            claims[node] = nil
        }
        if let facts = mail.facts { base = facts }
        guard isAssessed, let base else { return }
        let isWhole =
            mail.facts != nil || !wasReady || mail.isIsolated != nil || !mail.forgotten.isEmpty
        if isWhole {
            handle(.factsChanged(overlaid(base)), &changes, at: now)
        } else {
            if !mail.liveness.isEmpty {
                handle(.livenessChanged(mail.liveness), &changes, at: now)
            }
            for (node, news) in mail.claims.sorted(by: { $0.key < $1.key }) {
                handle(.claimsChanged(node: node, news), &changes, at: now)
            }
        }
        readWire(mail.wire, &changes, at: now)
        for address in mail.moves.sorted() {
            report.refusals[address] = nil
            handle(.moveRequested(address), &changes, at: now)
        }
        if mail.isStopping { handle(.stopping, &changes, at: now) }
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
            if news.isAnswering { handle(.answering(address), &changes, at: now) }
            if let station = news.announcedBy {
                handle(.peerAnnounced(address, node: stations[station]), &changes, at: now)
            }
        }
    }

    /// The cluster's facts with what the gossip knows. A node that it never heard of does not run a
    /// speaker that could serve.
    private func overlaid(_ base: Tenure.Facts) -> Tenure.Facts {
        var facts = base
        facts.isIsolated = isIsolated
        guard gossips else { return facts }
        facts.isMemoryCommon = true
        for name in facts.nodes.keys where name != node {
            facts.nodes[name]?.liveness =
                liveness[name] ?? .dead(cause: "nothing was ever heard of it")
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
                report.moveCounts["left", default: 0] += 1
                changes.events.append(departure(of: address))
            case .claim(let address, let epoch):
                report.held[address] = nil
                changes.claims[address] = .some(epoch)
            case .release(let address): changes.claims[address] = .some(nil)
            case .reannounce(let address): changes.reannouncements.append(address)
            case .moved(let move):
                report.moveCounts[move.cause.kind, default: 0] += 1
                changes.events.append(.moved(move))
            case .refusedMove(let address, let reason):
                report.refusals[address] = reason
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
        return Layer2Announcement(tenancy, formerOwner: former)
    }

    private func departure(of address: IPAddress) -> TenureEvent {
        let ownership = tenure.ownership
        return .left(
            address, to: ownership?.owner(of: address),
            ownership?.lossReason(of: node, for: address))
    }

    private mutating func carryOut(_ changes: Changes) {
        if changes.areWishesChanged { outlets.apply(wishes) }
        for address in changes.reannouncements { outlets.reannounce(address) }
        if !changes.claims.isEmpty { outlets.claim(changes.claims) }
        for event in changes.events { outlets.tell(event) }
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
        return watched.mapValues { Layer2Watch(owner: hardware[$0] ?? []) }
    }
}

extension Layer2Announcement {
    /// What a tenancy asks of the wire.
    fileprivate init(_ tenancy: Tenure.Tenancy, formerOwner: IPAddress?) {
        let interfaces: Set<String> =
            switch tenancy.settings.interfaces {
            case .all: []
            case .only(let names): names
            }
        self.init(
            settings: AnnouncementSettings(
                start: AnnouncementSettings.Start(tenancy.manner),
                reannounceInterval: tenancy.settings.reannounceInterval, formerOwner: formerOwner),
            interfaces: interfaces)
    }
}

extension AnnouncementSettings.Start {
    fileprivate init(_ manner: Tenure.Manner) {
        switch manner {
        case .firstUse(probes: true): self = .afterProbing
        case .firstUse(probes: false), .handover, .resume: self = .atOnce
        case .takeover: self = .afterCheck
        }
    }
}
