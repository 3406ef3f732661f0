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
    private var isPublishing = false
    private var publishingIsDue = false
    private var isStopping = false

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
    /// Throws when the kernel's links cannot be followed at all.
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
            await group.next()
            await self.finish()
            monitor.stop()
            feed.finish()
            group.cancelAll()
        }
    }

    private func followStates() async {
        for await state in source.states() { await apply(state) }
    }

    private func followLinks(_ tables: AsyncStream<LinkTable>) async {
        for await table in tables { await apply(links: table) }
    }

    private func followEvents() async {
        for await event in layer2.events { await note(event) }
    }

    private func apply(links table: LinkTable) async {
        links = table
        knowsLinks = true
        await proceed()
    }

    private func apply(_ state: ClusterState) async {
        self.state = state
        if !knowsState {
            // A process before this one may have left claims: they are ours to keep.
            claims = state.speakers[settings.node]?.claims ?? [:]
            knowsState = true
        }
        layer2.update(peers: peerAddresses())
        await proceed()
    }

    /// Elects and publishes, once both links and state are known: an election without the links
    /// would count this node as having every interface.
    private func proceed() async {
        guard knowsLinks, knowsState else { return }
        await elect()
        await publish()
    }

    /// Link-layer addresses of the other nodes' interfaces.
    private func peerAddresses() -> Set<MACAddress> {
        Set(
            state.speakers.values.filter { $0.node != settings.node }
                .flatMap { $0.interfaces.map(\.mac) })
    }

    /// What the election works from here: the state, with this node's own facts as they are now
    /// rather than as they were last published.
    package func electionInput() -> ElectionInput {
        var current = state
        current.speakers[settings.node] = record()
        return ElectionInput(current, node: settings.node, scope: settings.scope)
    }

    private func elect() async {
        let input = electionInput()
        let next = AnnouncementPlan(node: settings.node, ownership: input.elect())
        let changes = next.changes(since: plan)
        let isFirst = !hasApplied
        plan = next
        hasApplied = true
        await reconcileDataplane()
        layer2.apply(Self.layer2Plan(next))
        forgetClaims(input)
        log(changes, isFirst: isFirst)
        noteKernelHeld()
    }

    private static func layer2Plan(_ plan: AnnouncementPlan) -> Layer2Plan {
        plan.announcements.mapValues { announcement in
            let interfaces: Set<String> =
                switch announcement.settings.interfaces {
                case .all: []
                case .only(let names): names
                }
            return Layer2Announcement(
                settings: AnnouncementSettings(
                    probeFirst: announcement.probesFirst,
                    reannounceInterval: announcement.settings.reannounceInterval),
                interfaces: interfaces)
        }
    }

    /// Claims end when nobody wants the address any more, or another node has a later one.
    private func forgetClaims(_ input: ElectionInput) {
        guard state.isComplete else { return }
        claims = claims.filter { address, epoch in
            guard input.demands[address] != nil else { return false }
            return !(input.claims[address] ?? []).contains {
                $0.node != settings.node && $0.epoch > epoch
            }
        }
    }

    /// Takes note that an address is answered for, which makes the claim.
    func claim(_ address: IPAddress) async {
        guard let announcement = plan.announcements[address],
            claims[address] != announcement.epoch
        else { return }
        claims[address] = announcement.epoch
        await publish()
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

    /// Writes the record if it is different from what is published. While a write is under way
    /// further calls return at once, and it is followed by one more: thousands of claims in a row
    /// cost a few writes.
    private func publish() async {
        publishingIsDue = true
        guard !isPublishing else { return }
        isPublishing = true
        defer { isPublishing = false }
        while publishingIsDue {
            publishingIsDue = false
            let record = record()
            guard record != published else { continue }
            do {
                try await source.publish(record)
                published = record
            } catch {
                // The next state, link or claim tries again.
                logger.error(
                    "could not publish what this node announces", metadata: ["error": "\(error)"])
            }
        }
    }

    // MARK: Data plane

    private func reconcileDataplane() async {
        guard let dataplane else { return }
        let chains = ServiceChains(
            state.snapshot, node: settings.node, scope: settings.scope
        ).all()
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
        while isPublishing { await Task.yield() }
        await publish()
        layer2.stop()
        guard let dataplane, !keepsDataplane else { return }
        do throws(SystemError) {
            try await dataplane.removeAll()
        } catch {
            logger.error("data plane not removed", metadata: ["error": "\(error)"])
        }
    }
}
