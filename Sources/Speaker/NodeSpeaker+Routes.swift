import BFD
import BGP
import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import Membership
import NetworkTypes

extension NodeSpeaker {
    /// How the speaker talks to routers.
    package struct PeeringSettings: Sendable {
        /// Where peers can connect to.
        package var listening: BGPSpeaker.Listening
        /// How long routes are marked as about to go before they go.
        package var drainTime: Duration
        /// Whether peers are to keep the routes when this process ends.
        package var keepsRoutes: Bool

        package init(
            listening: BGPSpeaker.Listening = .init(), drainTime: Duration = .seconds(3),
            keepsRoutes: Bool = false
        ) {
            self.listening = listening
            self.drainTime = drainTime
            self.keepsRoutes = keepsRoutes
        }
    }

    /// What the peers are, and what they are to be told, as far as it is known here.
    struct Peering {
        var input: RouteInput
        var planner: RoutePlanner
        /// The peers as they were last told of.
        var plans: [String: BGPPeerPlan] = [:]
        /// Since when this node is to be relieved; until the drain time is over it goes on
        /// announcing, with a mark.
        var relievedSince: Instant?
        /// Whether the mark was given and the time is over.
        var isRelieved = false
        /// The nodes as the plan has them, but for the relief that waits.
        var nodes: [String: NodeFacts] = [:]
        /// Our BGP Identifier where no peer says another; another one would reset every session.
        var routerID: UInt32?
        /// Whether the threads could not be started, so that it is to be tried again.
        var hasFailed = false

        init(node: String, scope: ServiceScope) {
            input = RouteInput(node: node, scope: scope)
            planner = RoutePlanner(node: node)
        }
    }

    /// What waits for the data plane before the peers are told.
    struct RouteNews {
        var peers: [String: BGPPeerPlan]?
        var changes: [String: [Prefix: Route?]] = [:]
    }

    /// Plans the routes for the state as it is. What is no longer so is told at once; what is new
    /// comes back, to be told when packets find their way.
    func planRoutes() -> RouteNews {
        let configuration = state.snapshot.configuration
        guard !configuration.bgpPeers.isEmpty || !peering.plans.isEmpty else { return RouteNews() }
        var current = state
        current.speakers[settings.node] = record()
        var live: [String: LiveMember]?
        if membership != nil {
            live = members
            live?[settings.node] = LiveMember(state: .alive)
        }
        var change = peering.input.update(current, live: live)
        relieve(&change)
        let differences = peering.planner.update(change)

        var news = RouteNews()
        let plans = peerPlans(configuration)
        if plans != peering.plans {
            peering.plans = plans
            news.peers = plans
        }
        var gone: [String: [Prefix: Route?]] = [:]
        for (peer, routes) in differences {
            for (prefix, route) in routes {
                if let route {
                    news.changes[peer, default: [:]][prefix] = Route(route)
                } else if news.peers == nil {
                    gone[peer, default: [:]][prefix] = .some(nil)
                } else {
                    news.changes[peer, default: [:]][prefix] = .some(nil)
                }
            }
        }
        bgp.update(changes: gone)
        return news
    }

    /// Tells the peers what waited.
    func tell(_ news: RouteNews) {
        if news.peers?.isEmpty == false, !bgp.isRunning {
            do throws(SystemError) {
                try bgp.start()
                bgp.update(links: links)
            } catch {
                logger.error(
                    "cannot speak BGP",
                    metadata: ["error": "\(error)", "remedy": "\(error.remedy ?? "none known")"])
                // What the planner has told of is lost: it begins anew, in a second.
                peering = Peering(node: settings.node, scope: settings.scope)
                peering.hasFailed = true
                return
            }
        }
        bgp.update(peers: news.peers, changes: news.changes)
    }

    private func peerPlans(_ configuration: Configuration) -> [String: BGPPeerPlan] {
        let node = state.snapshot.nodes[settings.node]
        let routerID = peering.routerID ?? routerID(of: node)
        peering.routerID = routerID
        return configuration.bgpPeers.filter { _, peer in
            peer.nodeSelectors.isEmpty
                || peer.nodeSelectors.contains { $0.matches(node?.metadata.labels ?? [:]) }
        }.mapValues { peer in
            BGPPeerPlan(
                peer, profile: configuration.bfdProfiles[peer.bfdProfile], routerID: routerID)
        }
    }

    /// The node's first IPv4 address, as other BGP speakers take it; without any, a number made of
    /// its name (RFC 6286 asks only that it is unique in the AS).
    private func routerID(of node: Node?) -> UInt32 {
        let own = node?.addresses.filter { $0.family == .ipv4 } ?? []
        let held = links.links.values.sorted { $0.index < $1.index }.flatMap { link in
            link.flags.contains(.loopback) ? [] : link.addresses.map(\.address).sorted()
        }.filter { $0.family == .ipv4 && !$0.isLinkLocal }
        if let address = own.first ?? held.first { return UInt32(truncatingIfNeeded: address.bits) }
        return settings.node.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 } | 1
    }

    // MARK: Drain

    /// Lets a node that is to be relieved announce for a while longer, with a mark by which routers
    /// choose other nodes first (RFC 8326).
    private func relieve(_ change: inout RouteFacts.Change) {
        if let nodes = change.nodes { peering.nodes = nodes }
        guard var own = peering.nodes[settings.node] else { return }
        guard own.isCordoned || own.isDraining else {
            if peering.relievedSince != nil, !isLeaving { bgp.markShutdown(false) }
            peering.relievedSince = nil
            peering.isRelieved = false
            return
        }
        // What peers are to keep is neither marked nor withdrawn at the last moment.
        if isLeaving, settings.peering.keepsRoutes, !peering.isRelieved {
            own.isCordoned = false
            own.isDraining = false
            change.nodes?[settings.node] = own
            return
        }
        let now = MonotonicClock.now()
        // A process that begins on a node that is relieved already announces nothing anew.
        let since =
            peering.relievedSince
            ?? (peering.plans.isEmpty ? now - settings.peering.drainTime : now)
        if peering.relievedSince == nil {
            peering.relievedSince = since
            bgp.markShutdown(true)
        }
        let wasRelieved = peering.isRelieved
        peering.isRelieved = now - since >= settings.peering.drainTime
        if peering.isRelieved {
            if !wasRelieved { change.nodes = peering.nodes }
        } else if change.nodes != nil {
            own.isCordoned = false
            own.isDraining = false
            change.nodes?[settings.node] = own
        }
    }

    /// Has the routes planned again once the mark has been there long enough.
    func endRelief(at now: Instant) {
        if peering.hasFailed {
            peering.hasFailed = false
            elections.ring()
        }
        guard let since = peering.relievedSince, !peering.isRelieved, !peering.plans.isEmpty,
            now - since >= settings.peering.drainTime
        else { return }
        elections.ring()
    }

    /// How many routes the peers have, each counted.
    func routesTold() async -> Int {
        guard bgp.isRunning else { return 0 }
        return await bgp.report().peers.reduce(0) { $0 + $1.routes.told }
    }

    /// Whether every peer has forgotten what another node can announce.
    func areRoutersRelieved() async -> Bool {
        guard bgp.isRunning, !peering.plans.isEmpty else { return true }
        endRelief(at: MonotonicClock.now())
        guard peering.isRelieved else { return false }
        let routes = peering.planner.routes
        return await bgp.report().peers.allSatisfy { peer in
            !peer.isEstablished
                || peer.routes.pending == 0 && peer.routes.told <= (routes[peer.name]?.count ?? 0)
        }
    }

    /// Marks the routes as about to go, waits, withdraws them, and ends the sessions; or leaves
    /// them with peers that keep them for the process that comes next.
    func endSessions() async {
        guard bgp.isRunning else { return }
        guard await bgp.report().establishedCount > 0, !settings.peering.keepsRoutes else {
            bgp.end(keepingRoutes: settings.peering.keepsRoutes)
            _ = await bgp.report()
            return
        }
        bgp.markShutdown(true)
        guard await rest(settings.peering.drainTime) else { return }
        bgp.end(keepingRoutes: false)
        let begin = MonotonicClock.now()
        while await bgp.report().establishedCount > 0, MonotonicClock.now() - begin < .seconds(2) {
            guard await rest(.milliseconds(5)) else { return }
        }
    }

    /// Ends the session with a peer and begins another, on an operator's word.
    package func resetSession(with peer: String) -> OperatorAnswer {
        guard peering.plans[peer] != nil else {
            let known = peering.plans.keys.sorted().joined(separator: ", ")
            return .refused(
                "this node has no BGPPeer \(peer)"
                    + (known.isEmpty ? ", and no other" : "; it has \(known)"))
        }
        bgp.reset(peer)
        return .done("the session with \(peer) begins anew")
    }

    // MARK: Events

    func followPeers() async {
        for await event in bgp.events {
            note(event)
            reporting.isDue = true
        }
    }

    func followPaths() async {
        for await event in bgp.pathEvents {
            // An operator's AdminDown at either end is no failure (RFC 5882 §4.2).
            let isFailure = event.state == .down && event.remoteState != .adminDown
            logger.log(level: isFailure ? .warning : .notice, "\(event)")
        }
    }

    /// One line for each session that comes or goes.
    private func note(_ event: BGPEvent) {
        var metadata: Logger.Metadata = event.peer.isEmpty ? [:] : ["peer": "\(event.peer)"]
        switch event.kind {
        case .established(let parameters):
            metadata["as"] = "\(parameters.remoteAS)"
            metadata["holdTime"] = "\(parameters.holdTime)"
            logger.notice("BGP session established", metadata: metadata)
            recentEvents.note(
                "peerEstablished", event.peer, "the session is up", isWarning: false)
        case .lost(let end):
            metadata["why"] = "\(end.text)"
            metadata["routesKept"] = "\(end.peerKeepsRoutes)"
            logger.warning("BGP session lost", metadata: metadata)
            recentEvents.note("peerLost", event.peer, end.text)
        case .noted(let note):
            metadata["remedy"] = note.remedy.map { "\($0)" }
            logger.log(
                level: note.severity == .warning ? .warning : .notice, "\(note.text)",
                metadata: metadata)
        case .refused(let remote):
            metadata["remote"] = "\(remote)"
            logger.info("BGP connection refused: no BGPPeer expects it", metadata: metadata)
        case .trouble(let text, let remedy):
            metadata["remedy"] = remedy.map { "\($0)" }
            logger.error("\(text)", metadata: metadata)
            recentEvents.note("peerTrouble", event.peer, text)
        }
    }
}

extension Route {
    /// What is told of a planned route.
    init(_ planned: PlannedRoute) {
        var standard: [StandardCommunity] = []
        var large: [LargeCommunity] = []
        for community in planned.communities {
            switch community {
            case .standard(let high, let low): standard.append(StandardCommunity(high, low))
            case .large(let administrator, let first, let second):
                large.append(LargeCommunity(administrator, first, second))
            }
        }
        let route = Route(
            localPreference: planned.localPreference, communities: standard,
            largeCommunities: large)
        self = planned.isLastResort ? route.goingAway : route
    }
}
