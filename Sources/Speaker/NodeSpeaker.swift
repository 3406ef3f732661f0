import ClusterSource
import Dataplane
import Kubernetes
import Layer2
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes

/// The speaker of one node: elects from every state of the cluster, announces what this node owns,
/// keeps the data plane in step, and publishes what the others must know of it.
///
/// The data plane is brought up to date before a new address is announced, so that the first packet
/// finds its way. A claim is published once the address is answered for: what is so, not what is
/// intended. It stays published, also while the node may not own the address, until another node's
/// later claim is seen; that is the memory by which an address stays where it is.
///
/// States, links and events only leave their mark and ring. One task elects and applies, from what
/// is so when it begins, so that no plan overtakes a newer one; one task publishes, so that a slow
/// disk delays no election, and thousands of claims in a row cost a few writes.
package actor NodeSpeaker {
    /// What a speaker is started with.
    package struct Settings: Sendable {
        /// The node's name.
        package var node: String
        /// The Services to serve.
        package var scope: ServiceScope
        /// Interfaces to announce on; empty means every suitable one.
        package var interfaces: Set<String>

        package init(node: String, scope: ServiceScope, interfaces: Set<String> = []) {
            self.node = node
            self.scope = scope
            self.interfaces = interfaces
        }
    }

    let settings: Settings
    let source: any SnapshotSource
    let logger: Logger
    let layer2: Layer2Speaker
    let dataplane: DataplaneReconciler?
    let keepsDataplane: Bool

    var links = LinkTable()
    var state = ClusterState()
    var plan: AnnouncementPlan
    var claims: [IPAddress: UInt64] = [:]
    var published: SpeakerRecord?
    var dataplaneFailure: String?
    var dataplaneRemedies: [String] = []
    var dataplaneOmissions: [ServiceChain.Identity: Ruleset.Omission] = [:]
    var hasApplied = false
    var kernelHeld: Set<IPAddress> = []
    private var knowsLinks = false
    private var knowsState = false
    private var isStopping = false
    /// The addresses of the plan whose first use on an interface is preceded by a probe.
    private var probed: Set<IPAddress> = []
    /// What makes it pointless to go on.
    private var defeat: SystemError?
    private var publishingTrouble: String?
    private var eventsMissed: UInt64 = 0
    private let elections = Doorbell()
    private let publications = Doorbell()

    package init(
        settings: Settings, source: any SnapshotSource, dataplane: DataplaneReconciler?,
        keepsDataplane: Bool, logger: Logger
    ) {
        self.settings = settings
        self.source = source
        self.dataplane = dataplane
        self.keepsDataplane = keepsDataplane
        self.logger = logger
        layer2 = Layer2Speaker(interfaces: settings.interfaces)
        plan = AnnouncementPlan(node: settings.node)
    }

    /// Speaks until the source ends or the task is cancelled; then tells the others, falls silent,
    /// and takes the data plane down unless told to keep it.
    ///
    /// Throws when the kernel's links cannot be followed at all, or the kernel refuses the sockets.
    package func run() async throws {
        let monitor = try LinkMonitor()
        let (tables, feed) = AsyncStream.makeStream(
            of: LinkTable.self, bufferingPolicy: .bufferingNewest(1))
        try monitor.start(
            failed: { [logger] in logger.error("netlink", metadata: ["error": "\($0)"]) },
            deliver: { [layer2] table in
                layer2.update(links: table)
                feed.yield(table)
            })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followStates() }
            group.addTask { await self.followLinks(tables) }
            group.addTask { await self.followEvents() }
            group.addTask { await self.electWhenDue() }
            if let dataplane { group.addTask { await self.watch(dataplane) } }
            group.addTask { await self.publishWhenDue() }
            await group.next()
            group.cancelAll()
            // Nothing of theirs may come after the last word.
            await group.waitForAll()
        }
        monitor.stop()
        feed.finish()
        await finish()
        if let defeat { throw defeat }
    }

    private func followStates() async {
        for await state in source.states() { take(state) }
    }

    private func followLinks(_ tables: AsyncStream<LinkTable>) async {
        for await table in tables {
            links = table
            knowsLinks = true
            updatePeers()
            elections.ring()
        }
    }

    private func followEvents() async {
        for await event in layer2.events {
            note(event)
            if case .failed(let error) = event.kind, error.isRefusal {
                // A node that may not answer must not count as one that does.
                defeat = error
                return
            }
            await claimMissed()
        }
    }

    private func take(_ state: ClusterState) {
        // What this node itself has published comes back as a state, and is no news.
        var news = state
        news.speakers[settings.node] = self.state.speakers[settings.node]
        let isNews = !knowsState || news != self.state
        self.state = state
        if !knowsState {
            // A process before this one may have left claims: they are ours to keep.
            claims = state.speakers[settings.node]?.claims ?? [:]
            knowsState = true
        }
        guard isNews else { return }
        updatePeers()
        elections.ring()
    }

    /// Elects once both links and state are known: an election without the links would count this
    /// node as having every interface.
    private func electWhenDue() async {
        for await _ in elections.rings where knowsLinks && knowsState {
            await elect()
            publications.ring()
        }
    }

    /// Link-layer addresses of every speaker's interfaces, this node's among them: with two on one
    /// LAN, each must know the other for one of us, and only one of them answers.
    private func updatePeers() {
        let others = state.speakers.values.filter { $0.node != settings.node }
        layer2.update(
            peers: Set((others + [record()]).flatMap { $0.interfaces.map(\.mac) }))
    }

    /// What the election works from here: the state, with this node's own facts as they are now
    /// rather than as they were last published.
    package func electionInput() -> ElectionInput {
        var current = state
        current.speakers[settings.node] = record()
        return ElectionInput(current, node: settings.node, scope: settings.scope)
    }

    private func elect() async {
        let state = state
        let input = electionInput()
        let next = AnnouncementPlan(node: settings.node, ownership: input.elect())
        let changes = next.changes(since: plan)
        await reconcileDataplane(state)
        // From here on nothing waits: plan and threads are told the same at once.
        plan = next
        rememberProbing(input, changes)
        layer2.apply(layer2Plan())
        if state.isComplete { forgetClaims(input) }
        log(changes, isFirst: !hasApplied)
        hasApplied = true
        noteKernelHeld()
    }

    /// Whether an address is probed is decided when it comes and stays so, lest a claim that one
    /// interface made possible puts it into use on another where a stranger was found. One that
    /// came from another node is not probed: the old owner might still answer.
    private func rememberProbing(_ input: ElectionInput, _ changes: AnnouncementPlan.Changes) {
        probed.formIntersection(
            plan.announcements.keys.filter { input.demands[$0]?.detectsConflicts == true })
        for addition in changes.added where addition.from == nil {
            if addition.announcement.probesFirst { probed.insert(addition.address) }
        }
    }

    private func layer2Plan() -> Layer2Plan {
        var wishes = Layer2Plan(minimumCapacity: plan.announcements.count)
        for (address, announcement) in plan.announcements {
            let interfaces: Set<String> =
                switch announcement.settings.interfaces {
                case .all: []
                case .only(let names): names
                }
            wishes[address] = Layer2Announcement(
                settings: AnnouncementSettings(
                    probeFirst: probed.contains(address),
                    reannounceInterval: announcement.settings.reannounceInterval),
                interfaces: interfaces)
        }
        return wishes
    }

    /// Claims end when nobody wants the address any more, or another node has a later one and this
    /// one does not announce it: as long as it does, its claim says so.
    private func forgetClaims(_ input: ElectionInput) {
        claims = claims.filter { address, epoch in
            guard input.demands[address] != nil else { return false }
            return plan.announcements[address] != nil
                || !(input.claims[address] ?? []).contains {
                    $0.node != settings.node && $0.epoch > epoch
                }
        }
    }

    /// Takes note that an address is answered for, which makes the claim.
    func claim(_ address: IPAddress) {
        guard let announcement = plan.announcements[address],
            claims[address] != announcement.epoch
        else { return }
        claims[address] = announcement.epoch
        publications.ring()
    }

    /// When events were lost, what is answered for is asked from those who answer.
    private func claimMissed() async {
        let lost = layer2.eventsLost
        guard lost != eventsMissed else { return }
        eventsMissed = lost
        for interface in await layer2.interfaceStates() {
            for address in interface.addresses where address.answeringSince != nil {
                claim(address.address)
            }
        }
    }

    // MARK: Publishing

    func record() -> SpeakerRecord {
        let bindings = InterfaceSelection(allowed: settings.interfaces).bindings(in: links)
        let interfaces = bindings.flatMap { binding in
            binding.names.sorted().map { name in
                SpeakerRecord.Interface(
                    name: name, mac: binding.link.macAddress ?? .zero,
                    prefixes: Set(
                        binding.link.addresses.map(\.subnet).filter { !$0.network.isLinkLocal }
                    ).sorted { ($0.network, $0.length) < ($1.network, $1.length) },
                    isUsable: binding.link.isOperational)
            }
        }
        return SpeakerRecord(
            node: settings.node, interfaces: interfaces, claims: claims, isServing: !isStopping)
    }

    /// Writes the record whenever it is different from what is published, and rests nine times as
    /// long as that took: while thousands of addresses begin to be answered, publishing them takes
    /// no more than a tenth of the time, here and in those who read it.
    private func publishWhenDue() async {
        for await _ in publications.rings {
            let begin = MonotonicClock.now()
            let isPublished = await publish()
            let rest = (MonotonicClock.now() - begin) * 9
            do {
                try await Task.sleep(for: isPublished ? min(rest, .seconds(1)) : .seconds(1))
            } catch {
                return
            }
            if !isPublished { publications.ring() }
        }
    }

    /// True when what others can read is what is so.
    private func publish() async -> Bool {
        let record = record()
        guard record != published else { return true }
        do {
            try await source.publish(record)
            published = record
            publishingTrouble = nil
            return true
        } catch {
            let trouble = "\(error)"
            if trouble != publishingTrouble {
                logger.error(
                    "could not publish what this node announces", metadata: ["error": "\(trouble)"])
            }
            publishingTrouble = trouble
            return false
        }
    }

    // MARK: Data plane

    /// Tries again a second after a failure, and looks every ten seconds whether the table is still
    /// there and packets are forwarded.
    private func watch(_ dataplane: DataplaneReconciler) async {
        while true {
            do {
                try await Task.sleep(for: dataplaneFailure == nil ? .seconds(10) : .seconds(1))
            } catch {
                return
            }
            guard hasApplied else { continue }
            do throws(SystemError) {
                let isPresent = try await dataplane.verify()
                if isPresent, dataplaneFailure == nil, dataplaneRemedies.isEmpty { continue }
            } catch {
                logger.warning("cannot look at the data plane", metadata: ["error": "\(error)"])
            }
            elections.ring()
        }
    }

    private func reconcileDataplane(_ state: ClusterState) async {
        guard let dataplane else { return }
        let chains = ServiceChains(state, node: settings.node, scope: settings.scope).all()
        do throws(SystemError) {
            let outcome = try await dataplane.reconcile(chains)
            if dataplaneFailure != nil { logger.notice("data plane is in step again") }
            dataplaneFailure = nil
            note(outcome)
        } catch {
            if dataplaneFailure != error.description {
                logger.error("data plane", metadata: ["error": "\(error)"])
            }
            dataplaneFailure = error.description
        }
    }

    private func finish() async {
        isStopping = true
        _ = await publish()
        layer2.stop()
        guard let dataplane, !keepsDataplane else { return }
        do throws(SystemError) {
            try await dataplane.removeAll()
        } catch {
            logger.error("data plane not removed", metadata: ["error": "\(error)"])
        }
    }
}
