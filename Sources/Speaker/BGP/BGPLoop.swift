import BFD
import BGP
import Glibc
import LinuxNetwork
import NetworkTypes

/// What the BGP thread does: carries bytes between sockets and the peers' machines, and gives each
/// socket as much of what its peer is to be told as it takes. The machines decide; nothing here
/// does.
///
/// No call waits but the poller's. A peer that does not read fills its own socket and nothing else:
/// what it is to be told stays a difference between two tables until there is room. A turn reads at
/// most 512 KiB and writes at most 1 MiB for one connection, then everyone else has theirs.
///
/// Bounds: connections, two and a few attempts a peer, as the machines allow; bytes that wait,
/// 256 KiB and a message a connection; connections from strangers are closed at once.
final class BGPLoop {
    /// Where results go.
    struct Outlets: Sendable {
        /// The paths that BFD is to watch, all of them.
        var watch: @Sendable ([BFDPath: BFDWish]) -> Void
        /// What happened, for the log; must not block.
        var tell: @Sendable (BGPEvent) -> Void
    }

    /// What a tag of the poller stands for.
    enum Watched {
        case listener(StreamListener)
        case connection(PeerConnection, of: PeerRunner)
        case neighbours(NeighborWatch)
    }

    static let retryInterval = Duration.seconds(2)
    /// How long withdrawals are waited for before a session is ended all the same.
    static let farewell = Duration.seconds(1)
    private static let standStillMicroseconds: UInt32 = 100_000

    let mailbox: Mailbox<BGPMail>
    let listening: BGPSpeaker.Listening
    let outlets: Outlets
    let buffer = StreamBuffer()
    var poller: Poller?
    var watched: [UInt64: Watched] = [:]
    var nextTag: UInt64 = 1
    var runners: [String: PeerRunner] = [:]
    var links = LinkTable()
    var listeners: [UInt64: StreamListener] = [:]
    var listeningTrouble: String?
    var listenAt: Instant?
    var neighbors: [String: NeighborWatch] = [:]
    var wishes: [BFDPath: BFDWish] = [:]
    var verdicts: [BFDPath: BFDVerdict] = [:]
    var marksShutdown = false
    /// Whether every session was ended for good: none begins any more.
    var isEnding = false
    var isOver = false
    /// Whether a turn ended with something to write that the sockets would have taken.
    var hasMore = false

    init(mailbox: Mailbox<BGPMail>, listening: BGPSpeaker.Listening, outlets: Outlets) {
        self.mailbox = mailbox
        self.listening = listening
        self.outlets = outlets
    }

    /// Runs until the mail says to stop.
    func run() {
        var isStanding = false
        while !isOver {
            do throws(SystemError) {
                let poller = try openPoller()
                let wakeUp = try poller.wait(until: nextDeadline)
                isStanding = false
                hasMore = false
                let now = MonotonicClock.now()
                if wakeUp.isSignalled { readMail(at: now) }
                for event in wakeUp.events { handle(event, at: now) }
                runDeadlines(at: now)
                for runner in runners.values { pump(runner, at: now) }
            } catch {
                if !isStanding {
                    outlets.tell(
                        BGPEvent(peer: "", kind: .trouble("\(error)", remedy: error.remedy)))
                }
                isStanding = true
                standStill()
            }
        }
        for runner in runners.values { runner.connections.values.forEach { $0.socket.close() } }
        outlets.watch([:])
    }

    private func openPoller() throws(SystemError) -> Poller {
        if let poller { return poller }
        let opened = try Poller(with: mailbox)
        poller = opened
        return opened
    }

    /// Without a way to wait, for want of descriptors for instance, nothing can be said to anybody.
    /// Mail is kept for later, but who asks gets an answer, and who ends the thread is heard.
    private func standStill() {
        usleep(Self.standStillMicroseconds)
        let (questions, isOver) = mailbox.post { mail in
            defer { mail.questions = [] }
            return (mail.questions, mail.isOver)
        }
        for question in questions { question.answer(report(of: question.prefixes)) }
        self.isOver = isOver
    }

    // MARK: Mail

    private func readMail(at now: Instant) {
        let mail = mailbox.take()
        // What came with it is not begun first.
        if mail.ending != nil { isEnding = true }
        if let links = mail.links { take(links, at: now) }
        if let peers = mail.peers { take(peers, at: now) }
        for (name, changes) in mail.changes { runners[name]?.change(changes) }
        if let marks = mail.marksShutdown {
            marksShutdown = marks
            for runner in runners.values { runner.mark(marks) }
        }
        for (path, verdict) in mail.paths { take(verdict, of: path, at: now) }
        for name in mail.resets {
            if let runner = runners[name] {
                handle(.stop(.reset(keepRoutes: false)), runner, at: now)
            }
        }
        if let ending = mail.ending { end(ending, at: now) }
        if !mail.questions.isEmpty {
            // What was asked for in the same mail is to be seen in the answer.
            for runner in runners.values { pump(runner, at: now) }
            for question in mail.questions { question.answer(report(of: question.prefixes)) }
        }
        isOver = mail.isOver
    }

    private func end(_ ending: BGPMail.Ending, at now: Instant) {
        for runner in runners.values {
            switch ending {
            case .keepingRoutes:
                handle(.stop(.shutdown(keepRoutes: true)), runner, at: now)
            case .withdrawing where runner.session != nil:
                runner.rib.want(RouteTable())
                runner.farewell = now + Self.farewell
            case .withdrawing:
                handle(.stop(.shutdown(keepRoutes: false)), runner, at: now)
            }
        }
    }

    // MARK: Deadlines

    private var nextDeadline: Instant? {
        if hasMore { return MonotonicClock.now() }
        var next = listenAt
        func consider(_ deadline: Instant?) {
            guard let deadline else { return }
            next = next.map { min($0, deadline) } ?? deadline
        }
        for runner in runners.values {
            consider(runner.machine.nextDeadline)
            // Acknowledgements wake nobody.
            if runner.farewell != nil { consider(MonotonicClock.now() + .milliseconds(5)) }
        }
        for watch in neighbors.values { consider(watch.nextDeadline) }
        return next
    }

    private func runDeadlines(at now: Instant) {
        for runner in runners.values {
            if let deadline = runner.machine.nextDeadline, deadline <= now {
                // What came in time must not be read too late, even if this thread was late.
                for connection in runner.connections.values {
                    read(connection, of: runner, at: now)
                }
                for connection in runner.connections.values { look(at: connection, of: runner) }
                handle(.deadlineReached, runner, at: now)
            }
            if let farewell = runner.farewell { endIfTold(runner, by: farewell, at: now) }
        }
        for watch in neighbors.values {
            if let deadline = watch.nextDeadline, deadline <= now {
                watch.runDeadline(at: now)
            }
        }
        if let due = listenAt, due <= now { listen(at: now) }
    }

    /// Ends a session once everything is withdrawn and the peer has said that it got it.
    private func endIfTold(_ runner: PeerRunner, by deadline: Instant, at now: Instant) {
        if let session = runner.session, deadline > now {
            guard !runner.rib.hasPending, !session.hasWaiting, session.socket.unacknowledged == 0
            else { return }
        }
        runner.farewell = nil
        handle(.stop(.shutdown(keepRoutes: false)), runner, at: now)
    }

    // MARK: Events and actions

    private func handle(_ event: Poller.Event, at now: Instant) {
        switch watched[event.tag] {
        case .listener(let listener)?: accept(from: listener, at: now)
        case .neighbours(let watch)?: watch.read(at: now)
        case .connection(let connection, let runner)?:
            if !connection.isConnected {
                finishConnecting(connection, of: runner, at: now)
            } else if event.isReadable || event.isFailed {
                read(connection, of: runner, at: now)
            }
        case nil: break
        }
    }

    /// Tells a peer's machine something, and does what it answers.
    func handle(_ event: BGP.BGPPeer.Event, _ runner: PeerRunner, at now: Instant) {
        perform(runner.machine.handle(event, at: now), for: runner, at: now)
    }

    func perform(_ actions: [BGP.BGPPeer.Action], for runner: PeerRunner, at now: Instant) {
        for action in actions {
            switch action {
            case .connect(let id): connect(id, runner, at: now)
            case .send(let id, let message): send(message, on: id, of: runner)
            case .close(let id): close(id, of: runner)
            case .established(let id, let parameters): establish(id, parameters, runner, at: now)
            case .lost(_, let end):
                runner.established = nil
                runner.rib.end()
                // Another router on the interface may take its place.
                if let interface = runner.interface {
                    neighbors[interface]?.neighborFailed(at: now)
                }
                tell(runner, .lost(end))
            case .refreshRequested(let family): runner.rib.refresh(family)
            case .inbound: break
            case .noted(let note): tell(runner, .noted(note))
            }
        }
    }

    private func establish(
        _ id: ConnectionID, _ parameters: SessionParameters, _ runner: PeerRunner,
        at now: Instant
    ) {
        guard let connection = runner.connections[id] else { return }
        runner.established = id
        runner.nextHops = nextHops(of: runner, on: connection, parameters)
        runner.rib.establish(
            OutboundSession(
                parameters: parameters, localAS: runner.plan.session.localAS,
                nextHops: runner.nextHops, role: runner.plan.session.role))
        watchPaths(at: now)
        tell(runner, .established(parameters))
    }

    func nextHops(
        of runner: PeerRunner, on connection: PeerConnection, _ parameters: SessionParameters
    ) -> [RouteFamily: NextHop] {
        do throws(SystemError) {
            return NextHopChoice(
                local: try connection.socket.local().address, links: links,
                extendedNextHop: parameters.extendedNextHop, interface: runner.interface,
                isOnLink: runner.interface != nil || isOnLink(connection.socket.remote.address)
            ).nextHops()
        } catch {
            tell(runner, .trouble("\(error)", remedy: error.remedy))
            return [:]
        }
    }

    /// Whether the address is on a subnet of this node.
    func isOnLink(_ address: IPAddress) -> Bool {
        links.links.values.contains { link in
            link.addresses.contains { $0.subnet.contains(address) }
        }
    }

    func tell(_ runner: PeerRunner, _ kind: BGPEvent.Kind) {
        outlets.tell(BGPEvent(peer: runner.name, kind: kind))
    }
}
