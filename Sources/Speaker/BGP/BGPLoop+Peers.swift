import BFD
import BGP
import LinuxNetwork
import NetworkTypes

extension BGPLoop {
    /// Makes these the peers.
    func take(_ peers: [String: BGPPeerPlan], at now: Instant) {
        for (name, runner) in runners where peers[name] == nil {
            handle(.stop(.deconfigured), runner, at: now)
            removeKeys(of: runner)
            runner.connections.keys.forEach { close($0, of: runner) }
            runners[name] = nil
        }
        var added: [PeerRunner] = []
        for (name, plan) in peers {
            if let runner = runners[name] {
                change(runner, to: plan, at: now)
            } else {
                let runner = PeerRunner(name: name, plan: plan, seed: seed(of: name, at: now))
                runner.change([:])
                runner.mark(marksShutdown)
                runners[name] = runner
                added.append(runner)
            }
        }
        discover(at: now)
        watchPaths(at: now)
        listen(at: now)
        for runner in added { start(runner, at: now) }
    }

    /// Begins, unless it is not known yet where: that would only lengthen the next wait.
    private func start(_ runner: PeerRunner, at now: Instant) {
        guard !isEnding else { return }
        if let interface = runner.interface, runner.neighbour == nil {
            runner.hindrance = "no router is heard on \(interface) yet"
        } else {
            runner.hindrance = nil
            handle(.start, runner, at: now)
        }
    }

    /// Peers of one name get other jitter on every node and in every process.
    private func seed(of name: String, at now: Instant) -> UInt64 {
        name.utf8.reduce(UInt64(bitPattern: now.nanoseconds)) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
    }

    private func change(_ runner: PeerRunner, to plan: BGPPeerPlan, at now: Instant) {
        let old = runner.plan
        guard old != plan else { return }
        let isMoved = old.transport.place != plan.transport.place
        var rekeyed = old.transport
        rekeyed.key = plan.transport.key
        if rekeyed != plan.transport {
            // A router that is left for another has no use for our routes any more.
            handle(.stop(.reset(keepRoutes: !isMoved)), runner, at: now)
            runner.isFar = nil
        }
        if isMoved {
            removeKeys(of: runner)
            runner.neighbour = nil
        }
        runner.plan = plan
        if old.session != plan.session {
            perform(
                runner.machine.update(settings: plan.session, at: now), for: runner, at: now)
        }
        if rekeyed == plan.transport, old.transport.key != plan.transport.key {
            changeKey(of: runner)
        }
    }

    /// Changes the key under living connections: nothing is lost when the peer does the same
    /// within the hold time.
    private func changeKey(of runner: PeerRunner) {
        for connection in runner.connections.values {
            do throws(SystemError) {
                try connection.socket.setKey(runner.plan.transport.key)
            } catch {
                tell(runner, .trouble("\(error)", remedy: error.remedy))
            }
        }
    }

    private func removeKeys(of runner: PeerRunner) {
        guard runner.plan.transport.key != nil, let remote = runner.remote,
            let block = Prefix(remote, length: remote.family.bitWidth)
        else { return }
        for listener in listeners.values where listener.local.address.family == remote.family {
            setKey(nil, of: listener, for: block, runner)
        }
    }

    // MARK: Interfaces

    func take(_ table: LinkTable, at now: Instant) {
        links = table
        for watch in neighbors.values { watch.update(links: table, at: now) }
        for runner in runners.values {
            guard let connection = runner.session, let parameters = runner.machine.status.parameters
            else { continue }
            runner.nextHops = nextHops(of: runner, on: connection, parameters)
            runner.rib.update(nextHops: runner.nextHops)
        }
        watchPaths(at: now)
    }

    /// Keeps an ear on the interfaces of unnumbered peers.
    private func discover(at now: Instant) {
        let wanted = Set(runners.values.compactMap(\.interface))
        for (name, watch) in neighbors where !wanted.contains(name) {
            watch.end()
            watched[watch.tag] = nil
            neighbors[name] = nil
        }
        for name in wanted where neighbors[name] == nil {
            let tag = nextTag
            nextTag += 1
            let watch = NeighborWatch(
                interface: name, poller: poller, tag: tag,
                heard: { [unowned self] router, moment in
                    hear(router, on: name, at: moment)
                },
                failed: { [outlets] error in
                    outlets.tell(
                        BGPEvent(peer: "", kind: .trouble("\(error)", remedy: error.remedy)))
                })
            neighbors[name] = watch
            watched[tag] = .neighbours(watch)
            watch.update(links: links, at: now)
        }
        // A peer that comes to an interface that another one had: its router is known already.
        for runner in runners.values where runner.neighbour == nil {
            runner.neighbour = runner.interface.flatMap { neighbors[$0]?.neighbor }
        }
    }

    /// A router said that it is there. The one that a session is with stays.
    private func hear(_ router: IPAddress, on interface: String, at now: Instant) {
        for runner in runners.values where runner.interface == interface {
            guard runner.neighbour != router, runner.session == nil else { continue }
            removeKeys(of: runner)
            runner.neighbour = router
            listen(at: now)
            watchPaths(at: now)
            if runner.machine.isRunning, !isEnding {
                // What is tried, or waited for, is for the router that was there before.
                handle(.stop(.reset(keepRoutes: true)), runner, at: now)
            } else {
                start(runner, at: now)
            }
        }
    }

    // MARK: Paths

    /// Has BFD watch the paths of all peers that want it.
    func watchPaths(at now: Instant) {
        var wanted: [BFDPath: BFDWish] = [:]
        var moved: Set<String> = []
        // By name, so that of two unlike wishes for one path the same counts every time.
        for runner in runners.values.sorted(by: { $0.name < $1.name }) {
            let former = runner.watched
            runner.watched = runner.plan.bfd == nil ? nil : path(of: runner)
            if runner.watched != former { moved.insert(runner.name) }
            guard let path = runner.watched, let profile = runner.plan.bfd,
                let wish = BFDWish(profile, isMultihop: path.isMultihop)
            else {
                runner.verdict = nil
                continue
            }
            runner.verdict = verdicts[path] ?? .unknown
            wanted[path] = wanted[path].map { $0.merged(with: wish) } ?? wish
        }
        if wanted != wishes {
            wishes = wanted
            verdicts = verdicts.filter { wanted[$0.key] != nil }
            outlets.watch(wanted)
        }
        for runner in runners.values where moved.contains(runner.name) {
            // What was said of another path says nothing of this one; and what others who share it
            // know already, nobody says again.
            handle(.pathUnknown, runner, at: now)
            pass(runner.verdict ?? .unknown, to: runner, at: now)
        }
    }

    private func pass(_ verdict: BFDVerdict, to runner: PeerRunner, at now: Instant) {
        let event: BGP.BGPPeer.Event =
            switch verdict {
            case .up: .pathUp
            case .down: .pathDown
            case .unknown: .pathUnknown
            }
        handle(event, runner, at: now)
    }

    /// A peer on a subnet of ours is watched over one hop, whatever BGP would allow (RFC 5882
    /// §10.2); others over many.
    private func path(of runner: PeerRunner) -> BFDPath? {
        guard let remote = runner.remote else { return nil }
        // An interface that goes down takes its subnet along; the session that is to notice that
        // must not be exchanged for another one.
        let isSettled = runner.isFar != nil && runner.verdict != nil && runner.verdict != .unknown
        if !isSettled {
            runner.isFar = runner.interface == nil && !isOnLink(remote) && !remote.isLoopback
        }
        return BFDPath(
            remote: remote, local: runner.plan.transport.source, interface: runner.device,
            isMultihop: runner.isFar == true)
    }

    func take(_ verdict: BFDVerdict, of path: BFDPath, at now: Instant) {
        guard wishes[path] != nil else { return }
        verdicts[path] = verdict
        for runner in runners.values where runner.watched == path {
            runner.verdict = verdict
            pass(verdict, to: runner, at: now)
        }
    }

    // MARK: Answers

    /// What is so now, and what each peer has of `prefixes`.
    func report(of prefixes: [Prefix]) -> BGPReport {
        var report = BGPReport()
        report.listening = listeners.values.map(\.local).sorted()
        report.listeningTrouble = listeningTrouble
        report.marksShutdown = marksShutdown
        report.peers = runners.values.sorted { $0.name < $1.name }.map { runner in
            var peer = BGPReport.Peer(
                name: runner.name, transport: runner.plan.transport,
                status: runner.machine.status, routes: runner.rib.counts,
                nextHops: runner.established == nil ? [:] : runner.nextHops, obstacles: [:],
                path: runner.verdict, watched: runner.watched, hindrance: runner.hindrance)
            let connection =
                peer.status.connection.flatMap { runner.connections[$0] } ?? runner.session
            // A connection that is gone by now has no near end.
            peer.local = connection.flatMap { try? $0.socket.local() }
            peer.remote = connection?.socket.remote
            if runner.plan.session.isPassive, listening.port == 0 {
                peer.hindrance = "it waits for the router to connect, and --bgp-listen is off"
            }
            if runner.established != nil {
                for family in runner.plan.session.families {
                    peer.obstacles[family] = runner.rib.obstacle(for: family)
                }
            }
            for prefix in prefixes { peer.told[prefix] = runner.rib.told(prefix) }
            return peer
        }
        return report
    }
}
