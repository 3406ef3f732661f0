import LinuxNetwork
import LoadBalancing
import Membership
import NetworkTypes
import SealedDatagrams

/// The gossip's thread: carries datagrams between the port and the agent, sealed, and tells the
/// tenure's thread who lives and who claims what before anybody else. The agent decides; nothing
/// here does.
///
/// Every turn takes in what was received before it looks at the time: a datagram that waits in the
/// kernel is no silence.
struct MembershipLoop: ~Copyable {
    private static let roundsPerTurn = 16
    private static let retryInterval = Duration.milliseconds(100)

    private let port: DatagramPort
    private let mailbox: Mailbox<MembershipMail>
    private let outlets: Outlets
    private var channel: SealedChannel
    private var agent: MembershipAgent
    private var isSealed: Bool
    private var failure: SystemError?
    private var isAuthorized = false
    private var isReassessing = false
    private var isIsolated = false
    private var turn = Turn()

    /// Where the results go. None of these may block.
    struct Outlets: Sendable {
        let permit: AnsweringPermit
        let layer2: Layer2Speaker
        let tenure: TenureSpeaker
        /// Changes what is known of the others.
        let edit: @Sendable ((inout [String: LiveMember]) -> Void) -> Void
        /// Says what happened.
        let tell: @Sendable (GossipEvent) -> Void
    }

    /// What one turn brings about, passed on together at its end.
    private struct Turn {
        var states: [String: (MemberState, DeathCause)] = [:]
        var entries: [(node: String, key: [UInt8], value: [UInt8]?)] = []
        var forgotten: [String] = []
        var events: [GossipEvent] = []

        var hasNews: Bool { !states.isEmpty || !entries.isEmpty || !forgotten.isEmpty }
    }

    init(
        settings: MembershipAgent.Settings, keys: KeyRing, port: DatagramPort,
        mailbox: Mailbox<MembershipMail>, outlets: Outlets
    ) {
        self.port = port
        self.mailbox = mailbox
        self.outlets = outlets
        channel = SealedChannel(node: NodeID(name: settings.name).bits, keys: keys)
        isSealed = keys.isSealing
        agent = MembershipAgent(settings, at: MonotonicClock.now())
    }

    /// Runs until the mail says to end.
    mutating func run() {
        while true {
            let wakeUp = wait()
            if wakeUp.isReady { receive() }
            if wakeUp.isSignalled, !readMail() { break }
            let now = MonotonicClock.now()
            if let deadline = agent.nextDeadline, deadline <= now {
                handle(.deadlineReached, at: now)
            }
            flush()
            extendAuthority(at: now)
            passOn()
        }
        outlets.permit.until = Instant(nanoseconds: .min)
        for question in mailbox.post({ $0.close() }) { question(status()) }
    }

    private mutating func wait() -> WakeUp {
        do throws(SystemError) {
            return try port.wait(with: mailbox, until: agent.nextDeadline)
        } catch {
            fail(error)
            return .nothing
        }
    }

    /// Trouble with the sockets is said once, and nothing spins: the mailbox alone is waited for.
    private mutating func fail(_ error: SystemError) {
        if failure != error { turn.events.append(.failed(error.description)) }
        failure = error
        do throws(SystemError) {
            _ = try mailbox.wait(for: nil, until: MonotonicClock.now() + Self.retryInterval)
        } catch {
            return
        }
    }

    // MARK: Datagrams

    private mutating func receive() {
        do throws(SystemError) {
            for _ in 0..<Self.roundsPerTurn {
                let now = MonotonicClock.now()
                let count = try port.receive { datagram, peer in
                    take(datagram, from: peer, at: now)
                }
                let errors = try port.receiveErrors { take($0, at: now) }
                if count + errors == 0 { break }
                flush()
            }
            failure = nil
        } catch {
            fail(error)
        }
    }

    private mutating func take(
        _ datagram: Span<UInt8>, from peer: SocketAddress, at now: Instant
    ) {
        switch channel.open(datagram, from: peer, at: now) {
        case .content(let sender, let payload):
            handle(
                .datagramReceived(payload, from: peer, sender: NodeID(bits: sender)), at: now)
        case .reply(let datagram): _ = port.enqueue(datagram.span, to: peer)
        case .resend(let datagram, let destination):
            _ = port.enqueue(datagram.span, to: destination)
        case .settled: break
        case .dropped:
            for trouble in channel.takeNewTroubles() {
                turn.events.append(.trouble(trouble.description, remedy: trouble.remedy))
            }
        }
    }

    /// An ICMP error counts only when it quotes a datagram of ours: others are forged.
    private mutating func take(_ error: DatagramSocket.ReturnedError, at now: Instant) {
        guard channel.didSend(error.quoted, to: error.peer) else { return }
        switch error.kind {
        case .portUnreachable: handle(.portUnreachable(error.peer), at: now)
        case .hostUnreachable: handle(.hostUnreachable(error.peer), at: now)
        case .other: break
        }
    }

    private mutating func flush() {
        for failure in port.flush() where !failure.isFull {
            handle(.hostUnreachable(failure.destination), at: MonotonicClock.now())
        }
    }

    // MARK: Mail

    /// False when the thread is to end.
    private mutating func readMail() -> Bool {
        let mail = mailbox.take()
        let now = MonotonicClock.now()
        if let keys = mail.keys {
            isSealed = keys.isSealing
            channel.replace(keys: keys)
            turn.events.append(.keysChanged)
        }
        if let seeds = mail.seeds { handle(.seedsChanged(seeds), at: now) }
        if !mail.entries.isEmpty {
            handle(
                .entriesChanged(
                    mail.entries.map { EntryChange(key: $0.key, value: $0.value) }), at: now)
        }
        if mail.isLeaving { handle(.leave, at: now) }
        if !mail.questions.isEmpty {
            let status = status()
            for question in mail.questions { question(status) }
        }
        return !mail.isEnding
    }

    private func status() -> MembershipStatus {
        MembershipStatus(
            members: agent.members, counters: agent.counters,
            refused: Dictionary(
                uniqueKeysWithValues: channel.counters.dropped.map { ($0.key.rawValue, $0.value) }),
            isAuthorized: isAuthorized, isReassessing: agent.isReassessing,
            isolatedSince: agent.isolatedSince, isSealed: isSealed)
    }

    // MARK: The agent

    private mutating func handle(_ event: MembershipAgent.Event, at now: Instant) {
        for action in agent.handle(event, at: now) {
            switch action {
            case .send(let payload, let destination):
                if let datagram = channel.seal(payload, to: destination) {
                    _ = port.enqueue(datagram.span, to: destination)
                }
            case .memberChanged(let change):
                turn.states[change.name] = (change.to, change.cause)
                turn.events.append(.memberChanged(change))
            case .entriesChanged(let node, let changes):
                for change in changes {
                    turn.entries.append((node, change.key, change.value))
                }
            case .nodeForgotten(let node): turn.forgotten.append(node)
            case .trouble(let trouble):
                turn.events.append(.trouble(trouble.text, remedy: trouble.remedy))
            }
        }
    }

    /// Shows the interfaces' threads until when they may answer.
    private mutating func extendAuthority(at now: Instant) {
        let until = agent.authorizedUntil
        outlets.permit.until = until
        let isAuthorized = until > now
        if isAuthorized != self.isAuthorized {
            self.isAuthorized = isAuthorized
            if isAuthorized { outlets.tenure.post { $0.isAssessed = true } }
        }
        if agent.isReassessing != isReassessing {
            isReassessing = agent.isReassessing
            turn.events.append(isReassessing ? .paused : .resumed)
        }
        let isolatedSince = agent.isolatedSince
        if (isolatedSince != nil) != isIsolated {
            isIsolated = isolatedSince != nil
            turn.events.append(.isolated(isIsolated))
            outlets.layer2.update(
                isolatedSince: isolatedSince, isAlonePlausible: agent.members.count <= 1)
            let isolated = isIsolated
            outlets.tenure.post { $0.isIsolated = isolated }
        }
    }

    // MARK: Passing on

    /// The tenure's thread first: it is the one that somebody waits for.
    private mutating func passOn() {
        let news = turn
        turn = Turn()
        if news.hasNews {
            outlets.tenure.post { Self.tell(news, to: &$0) }
            outlets.edit { members in
                for (node, (state, cause)) in news.states {
                    members[node, default: LiveMember(state: state)].state = state
                    members[node]?.cause = cause
                }
                for (node, key, value) in news.entries {
                    _ = members[node, default: LiveMember(state: .alive)].take(key, value)
                }
                for node in news.forgotten { members[node] = nil }
            }
        }
        for event in news.events { outlets.tell(event) }
    }

    private static func tell(_ news: Turn, to mail: inout TenureMail) {
        for (node, (state, cause)) in news.states {
            mail.liveness[node] = NodeFacts.Liveness(state, cause)
            mail.forgotten.remove(node)
        }
        for (node, key, value) in news.entries {
            guard case .claim(let address)? = GossipSubject(key: key) else { continue }
            switch value.flatMap({ GossipStatement(key: key, value: $0) }) {
            case .claim(_, let epoch)?: mail.claims[node, default: [:]][address] = .some(epoch)
            default: mail.claims[node, default: [:]][address] = .some(nil)
            }
        }
        for node in news.forgotten {
            mail.forgotten.insert(node)
            mail.liveness[node] = nil
            mail.claims[node] = nil
        }
    }
}
