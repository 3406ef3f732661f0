import ClusterSource
import Dataplane
import Kubernetes
import Layer2
import LinuxNetwork
import LoadBalancing
import Logging
import Membership
import NetworkTypes

/// The speaker of one node: translates every state of the cluster for the threads that decide and
/// answer, keeps the data plane in step, and publishes what the others must know of it.
///
/// ```
///   cluster state, links ──► NodeSpeaker ── facts ──► TenureSpeaker ── wishes ──► Layer2Speaker
///                                │  ▲                    ▲    │ claims               │ ▲
///                 interfaces,    │  │ who says what      │    ▼                      │ │ permit
///                 drain, disputes└──┴─── MembershipSpeaker ◄──┴──── what the wire says ◄┘ │
///                                              └───────────────────────────────────────────┘
/// ```
///
/// This actor is the slow part: it reads objects and writes files. Nothing on the way from a death
/// to the new owner's announcement waits for it.
///
/// The data plane is brought up to date before a new Service's address is announced, so that the
/// first packet finds its way; the address of a Service that is known can move at any time, because
/// every node has the rules of all Services.
///
/// States, links, members and events only leave their mark and ring. One task translates, so that
/// no facts overtake newer ones; one task publishes, so that a slow disk delays nothing.
package actor NodeSpeaker {
    /// What a speaker is started with.
    package struct Settings: Sendable {
        /// The node's name.
        package var node: String
        /// The Services to serve.
        package var scope: ServiceScope
        /// Interfaces to announce on; empty means every suitable one.
        package var interfaces: Set<String>
        /// How to find out who lives; `nil` for not at all.
        package var gossip: MembershipSpeaker.Settings?
        /// How to talk to routers.
        package var peering: PeeringSettings
        /// The Leases without which nobody answers; `nil` for none. Needs the gossip.
        package var fencing: FencingSettings?
        /// By what the data plane goes.
        package var backing: BackingSettings

        package init(
            node: String, scope: ServiceScope, interfaces: Set<String> = [],
            gossip: MembershipSpeaker.Settings? = nil,
            peering: PeeringSettings = PeeringSettings(), fencing: FencingSettings? = nil,
            backing: BackingSettings = BackingSettings()
        ) {
            self.backing = backing
            self.node = node
            self.scope = scope
            self.interfaces = interfaces
            self.gossip = gossip
            self.peering = peering
            self.fencing = fencing
        }
    }

    let settings: Settings
    let source: any SnapshotSource
    let logger: Logger
    let permit: AnsweringPermit
    let layer2: Layer2Speaker
    let tenure: TenureSpeaker
    let membership: MembershipSpeaker?
    let bgp: BGPSpeaker
    let fencing: FenceSpeaker?
    let dataplane: DataplaneReconciler?
    let keepsDataplane: Bool

    var peering: Peering
    var electionMemory: ElectionMemory
    var links = LinkTable()
    var state = ClusterState()
    /// What the other speakers say through the gossip.
    var members: [String: LiveMember] = [:]
    var published: SpeakerRecord?
    var dataplaneFailure: String?
    var dataplaneRemedies: [String] = []
    /// Why the kernel does not tell when somebody else changes the table, if it does not.
    var dataplaneUnwatched: String?
    /// How often the table was put right after somebody else had changed it.
    var dataplaneRepairs: UInt64 = 0
    var dataplaneOmissions: [ServiceChain.Identity: Ruleset.Omission] = [:]
    var dataplaneClashes: [SetElement.Key: Ruleset.Clash] = [:]
    var healthChecks: HealthCheckServer?
    var healthPlan = HealthCheckPlan()
    var healthPlanner = HealthCheckPlanner()
    var probing = Probing()
    var kernelHeld: Set<IPAddress> = []
    /// Whether the kernel was found to answer for what an IPVS proxy keeps.
    var kernelAnswersForDummy = false
    var recentEvents = RecentEvents()
    /// Log lines about addresses in the present second.
    var moveLines = (since: Instant(nanoseconds: .min), said: 0, unsaid: 0)
    /// Whether an operator drained the node.
    var isDrained = false
    /// Whether the speaker is about to stop.
    var isLeaving = false
    /// What this node says that nobody answers for, and until when it says so.
    var disputes: [IPAddress: (claim: LiveMember.DisputedClaim, until: Instant)] = [:]
    /// Requests of operators at other nodes that were carried out or refused here.
    var answered: Set<UInt64> = []
    /// What a former process of this node claimed, until the others are told.
    private var restored: [IPAddress: UInt64] = [:]
    private var spreadInterfaces: [String: SpeakerRecord.Interface] = [:]
    private var knowsLinks = false
    private var knowsState = false
    private var isStopped = false
    /// What makes it pointless to go on.
    private var defeat: SystemError?
    private(set) var publishingTrouble: String?
    private var eventsMissed: UInt64 = 0
    let elections = Doorbell()
    let publications = Doorbell()
    /// What people are told of this node's wire.
    var reporting = Reporting()
    /// Requests from other nodes that wait; the 65th is lost, and the asker told by its time-out.
    let requestQueue: AsyncStream<(UInt64, OperatorRequest)>
    let pendingRequests: AsyncStream<(UInt64, OperatorRequest)>.Continuation

    package init(
        settings: Settings, source: any SnapshotSource, dataplane: DataplaneReconciler?,
        keepsDataplane: Bool, logger: Logger
    ) throws {
        self.settings = settings
        self.source = source
        self.dataplane = dataplane
        self.keepsDataplane = keepsDataplane
        self.logger = logger
        (requestQueue, pendingRequests) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(64))
        if settings.fencing != nil, settings.gossip == nil { throw FencingNeedsGossip() }
        permit = AnsweringPermit(isFenced: settings.fencing != nil)
        let tenure = try TenureSpeaker(node: settings.node)
        self.tenure = tenure
        fencing = settings.fencing.map { [permit] in
            FenceSpeaker(
                node: settings.node, settings: $0, permit: permit, tell: { tenure.post($0) })
        }
        layer2 = Layer2Speaker(
            interfaces: settings.interfaces, permit: permit, observer: { tenure.note($0) })
        membership = try settings.gossip.map { try MembershipSpeaker(settings: $0) }
        bgp = try BGPSpeaker(listening: settings.peering.listening)
        peering = Peering(node: settings.node, scope: settings.scope)
        electionMemory = ElectionMemory(scope: settings.scope)
    }

    /// Speaks until the source ends or the task is cancelled; then tells the others, falls silent,
    /// and takes the data plane down unless told to keep it. To lose nothing, call
    /// ``handOverAll()`` before the task is cancelled.
    ///
    /// Throws when the kernel's links cannot be followed at all, or the kernel refuses the sockets.
    package func run() async throws {
        let monitor = try LinkMonitor()
        let (tables, feed) = AsyncStream.makeStream(
            of: LinkTable.self, bufferingPolicy: .bufferingNewest(1))
        do {
            try startThreads()
            try monitor.start(
                failed: { [logger] in logger.error("netlink", metadata: ["error": "\($0)"]) },
                deliver: { [layer2, bgp] table in
                    layer2.update(links: table)
                    bgp.update(links: table)
                    feed.yield(table)
                })
        } catch {
            stopThreads()
            throw error
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followStates() }
            group.addTask { await self.followLinks(tables) }
            group.addTask { await self.followEvents() }
            group.addTask { await self.followTenure() }
            group.addTask { await self.followMoves() }
            group.addTask { await self.followPeers() }
            group.addTask { await self.followPaths() }
            group.addTask { await self.translateWhenDue() }
            group.addTask { await self.lookAfter() }
            group.addTask { await self.publishWhenDue() }
            group.addTask { await self.reportWhenDue() }
            if let dataplane {
                group.addTask { await self.lookAfter(dataplane) }
                group.addTask { await self.followUsage(of: dataplane) }
            }
            group.addTask { await self.followProbes() }
            if let fencing {
                group.addTask { await fencing.run() }
                group.addTask { await self.followFencing(fencing) }
            }
            if let membership {
                group.addTask { await self.followMembers(membership) }
                group.addTask { await self.followGossip(membership) }
                group.addTask { await self.workOffRequests(membership) }
                if membership.settings.keys.isFile {
                    group.addTask { await membership.followKeys() }
                }
            }
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

    private func startThreads() throws {
        // Without gossip nobody else could have taken an address over unseen.
        if membership == nil { permit.until = Instant(nanoseconds: .max) }
        let membership = membership
        let fence = fencing.map { fencing in
            { @Sendable (nodes: Set<String>) in fencing.awaitSilence(of: nodes) }
        }
        try tenure.start(
            gossips: membership != nil, layer2: layer2, permit: permit, fence: fence,
            claim: { [publications] claims in
                membership?.spread(claims: claims)
                publications.ring()
            })
        try membership?.start(permit: permit, layer2: layer2, tenure: tenure)
    }

    private func stopThreads() {
        tenure.stop()
        layer2.stop()
        membership?.stop()
        bgp.stop()
    }

    private func followStates() async {
        for await state in source.states() { take(withProbes(state)) }
    }

    private func followLinks(_ tables: AsyncStream<LinkTable>) async {
        for await table in tables {
            links = table
            knowsLinks = true
            introduce()
            updatePeers()
            elections.ring()
            publications.ring()
        }
    }

    private func followEvents() async {
        for await event in layer2.events {
            note(event)
            reporting.isDue = true
            if case .failed(let error) = event.kind, error.isRefusal {
                // A node that may not answer must not count as one that does.
                defeat = error
                return
            }
            noteLostEvents()
        }
    }

    private func followTenure() async {
        for await _ in tenure.changes.rings {
            reporting.isDue = true
            publications.ring()
        }
    }

    private func followMoves() async {
        for await event in tenure.events {
            note(event)
            if case .failed(let error) = event {
                defeat = error
                return
            }
        }
    }

    func take(_ state: ClusterState) {
        // What this node itself has published comes back as a state, and is no news.
        var news = state
        news.speakers[settings.node] = self.state.speakers[settings.node]
        // Nor is what the allocator wrote for people to read.
        news.status = self.state.status
        let isNews = !knowsState || news != self.state
        self.state = state
        if !knowsState {
            // A process before this one may have left claims: they are ours to keep.
            restored = state.speakers[settings.node]?.claims ?? [:]
            reporting.formerly = Set(restored.keys)
            isDrained = state.speakers[settings.node]?.handOver == .drained
            let claims = restored
            tenure.post { $0.restored = claims }
            knowsState = true
        }
        guard isNews else { return }
        updatePeers()
        membership?.update(seeds: seeds())
        introduce()
        elections.ring()
    }

    /// Tells the others of the interfaces, and the first time of everything else that is known.
    /// They forget what a former process of this node said as soon as this one says anything, so
    /// the first word has to be all of it.
    private func introduce() {
        guard let membership, knowsLinks, knowsState else { return }
        var changes = interfaceChanges()
        for (address, epoch) in restored {
            changes[.claim(address)] = .claim(address, epoch: epoch)
        }
        restored = [:]
        if isDrained { changes[.drain] = .drain }
        changes.merge(unservingChanges()) { $1 }
        membership.introduce(changes)
    }

    /// Translates once both links and state are known: an election without the links would count
    /// this node as having every interface.
    private func translateWhenDue() async {
        for await _ in elections.rings where knowsLinks && knowsState {
            let news = planRoutes()
            await reconcileDataplane(state)
            tell(news)
            tellUnserving()
            // From here on nothing waits: these are the facts as they are now.
            let facts = electionInput().facts(for: settings.node)
            tenure.post { $0.facts = facts }
            noteKernelHeld(among: facts.demands)
            reporting.isDue = true
            publications.ring()
        }
    }

    /// Link-layer addresses of every speaker's interfaces, this node's among them: with two on one
    /// LAN, each must know the other for one of us, and only one of them answers.
    func updatePeers() {
        var stations: [MACAddress: String] = [:]
        for record in state.speakers.values {
            for interface in record.interfaces { stations[interface.mac] = record.node }
        }
        for (name, member) in members {
            for interface in member.interfaces.values { stations[interface.mac] = name }
        }
        for interface in record().interfaces { stations[interface.mac] = settings.node }
        let known = stations
        let addresses = addressesOfOthers()
        layer2.update(peers: Set(known.keys))
        layer2.update(companions: addresses.values.flatMap(\.self).sorted())
        tenure.post {
            $0.stations = known
            $0.nodeAddresses = addresses
        }
    }

    /// Takes in what the other speakers say, as far as it is for this actor; who lives and claims
    /// what has gone to the tenure's thread directly.
    private func followMembers(_ membership: MembershipSpeaker) async {
        for await _ in membership.changes.rings {
            let before = members
            members = membership.members
            if members.mapValues(\.facts) != before.mapValues(\.facts) {
                updatePeers()
                elections.ring()
            }
            answerRequests(membership)
        }
    }

    private func followGossip(_ membership: MembershipSpeaker) async {
        for await event in membership.events { note(event) }
    }

    /// Interfaces that came, went or changed since the last call.
    private func interfaceChanges() -> [GossipSubject: GossipStatement?] {
        let present = Dictionary(
            record().interfaces.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        var changes: [GossipSubject: GossipStatement?] = [:]
        for (name, interface) in present where spreadInterfaces[name] != interface {
            changes[.interface(name)] = .interface(interface)
        }
        for name in spreadInterfaces.keys where present[name] == nil {
            changes[.interface(name)] = .some(nil)
        }
        spreadInterfaces = present
        return changes
    }

    /// Only the log lacks them: the thread that decides is told by each interface's thread itself.
    private func noteLostEvents() {
        let lost = layer2.eventsLost
        guard lost != eventsMissed else { return }
        eventsMissed = lost
        logger.warning("events of the wire were lost", metadata: ["count": "\(lost)"])
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
        let addresses = bindings.flatMap { $0.link.addresses.map(\.address) }
        return SpeakerRecord(
            node: settings.node, interfaces: interfaces, claims: tenure.report.claims,
            isServing: !isStopped, handOver: isDrained ? .drained : isLeaving ? .stopping : nil,
            addresses: Set(addresses.filter { !$0.isLinkLocal }).sorted())
    }

    /// Writes the record whenever it is different from what is published, and rests nine times as
    /// long as that took: while thousands of addresses begin to be answered, publishing them takes
    /// no more than a tenth of the time, here and in those who read it.
    private func publishWhenDue() async {
        for await _ in publications.rings where knowsLinks && knowsState {
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
    func publish() async -> Bool {
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
                if case SourceError.nodeTaken? = error as? SourceError {
                    recentEvents.note("nameTaken", settings.node, trouble)
                }
            }
            publishingTrouble = trouble
            return false
        }
    }

    private func finish() async {
        // Silence first: whoever reads that this speaker has stopped must find it so.
        tenure.stop()
        layer2.stop()
        bgp.stop()
        await fencing?.release()
        isStopped = true
        isLeaving = false
        _ = await publish()
        await source.report(NodeReport(node: settings.node))
        membership?.stop()
        healthChecks?.stop()
        probing.prober?.stop()
        guard let dataplane else { return }
        if keepsDataplane {
            logger.notice(
                "the table inet martlet stays, and goes on leading to endpoints",
                metadata: ["remove": "nft delete table inet martlet; or --remove-dataplane"])
            return
        }
        do throws(SystemError) {
            try await dataplane.removeAll()
        } catch {
            logger.error("data plane not removed", metadata: ["error": "\(error)"])
        }
    }
}
