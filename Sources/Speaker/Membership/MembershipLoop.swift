import Glibc
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
    private static let failedWaitMicroseconds: UInt32 = 10_000

    private let port: DatagramPort
    private let mailbox: Mailbox<MembershipMail>
    private let outlets: Outlets
    private var channel: SealedChannel
    private var agent: MembershipAgent
    private var keys: KeyRing
    private var failure: SystemError?
    /// Mail that came while a failure was waited out.
    private var hasMail = false
    private var isAuthorized = false
    /// The last suspension of the permit, which whoever decides ends.
    private var suspension: UInt64
    /// The start is a reassessment, and no news.
    private var isReassessing = true
    private var isIsolated = false
    private var seedNodes = 0
    private var turn = Turn()
    /// What is to be said once everything is known that belongs to the first word.
    private var entries: [[UInt8]: [UInt8]?] = [:]
    private var isIntroduced = false

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
        var isIsolated: Bool?
        /// The suspension of the permit that is to end with what this turn found out.
        var suspension: UInt64?
        var events: [GossipEvent] = []

        var isOfMembers: Bool { !states.isEmpty || !entries.isEmpty || !forgotten.isEmpty }
        var isForTenure: Bool { isOfMembers || isIsolated != nil || suspension != nil }
    }

    init(
        settings: MembershipAgent.Settings, keys: KeyRing, port: DatagramPort,
        mailbox: Mailbox<MembershipMail>, outlets: Outlets
    ) {
        self.port = port
        self.mailbox = mailbox
        self.outlets = outlets
        channel = SealedChannel(node: NodeID(name: settings.name).bits, keys: keys)
        self.keys = keys
        suspension = outlets.permit.suspend()
        agent = MembershipAgent(settings, at: MonotonicClock.now())
    }

    /// Runs until the mail says to end.
    mutating func run() {
        while true {
            let wakeUp = wait()
            if wakeUp.isReady { receive() }
            if wakeUp.isSignalled || hasMail, !readMail() { break }
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
            let wakeUp = try mailbox.wait(
                for: nil, until: MonotonicClock.now() + Self.retryInterval)
            if wakeUp.isSignalled { hasMail = true }
        } catch {
            // Without a way to wait, looking now and then is the next best.
            usleep(Self.failedWaitMicroseconds)
            hasMail = true
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

    private mutating func note(_ trouble: SealedTrouble) {
        let text = trouble.description
        turn.events.append(
            trouble.reason == .sameName
                ? .nameTaken(text, remedy: trouble.remedy) : .trouble(text, remedy: trouble.remedy))
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
            for trouble in channel.takeNewTroubles() { note(trouble) }
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
        hasMail = false
        let mail = mailbox.take()
        let now = MonotonicClock.now()
        if let keys = mail.keys, keys != self.keys {
            self.keys = keys
            channel.replace(keys: keys)
            turn.events.append(.keysChanged)
        }
        if let seeds = mail.seeds {
            seedNodes = Self.count(nodesOf: seeds)
            handle(.seedsChanged(seeds), at: now)
        }
        entries.merge(mail.entries) { $1 }
        isIntroduced = isIntroduced || mail.isIntroduced
        if isIntroduced, !entries.isEmpty {
            handle(
                .entriesChanged(entries.map { EntryChange(key: $0.key, value: $0.value) }), at: now)
            entries = [:]
        }
        if mail.isLeaving { handle(.leave, at: now) }
        if !mail.questions.isEmpty {
            let status = status()
            for question in mail.questions { question(status) }
        }
        return !mail.isEnding
    }

    /// How many other nodes there ought to be, heard from or not.
    private static func count(nodesOf seeds: [Seed]) -> Int {
        let named = Set(seeds.compactMap(\.name))
        return named.isEmpty ? Set(seeds.map(\.address)).count : named.count
    }

    private func status() -> MembershipStatus {
        MembershipStatus(
            members: agent.members, counters: agent.counters,
            refused: Dictionary(
                uniqueKeysWithValues: channel.counters.dropped.map { ($0.key.rawValue, $0.value) }),
            isAuthorized: isAuthorized, isReassessing: agent.isReassessing,
            isolatedSince: agent.isolatedSince, isSealed: keys.isSealing)
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
            case .trouble(.nameTaken(let address)):
                let trouble = Trouble.nameTaken(address)
                turn.events.append(.nameTaken(trouble.text, remedy: trouble.remedy))
            case .trouble(let trouble):
                turn.events.append(.trouble(trouble.text, remedy: trouble.remedy))
            }
        }
        // Here, because a reassessment can end within the turn that it began in.
        if agent.isReassessing { suspendAuthority() }
    }

    private mutating func suspendAuthority() {
        guard isAuthorized else { return }
        isAuthorized = false
        suspension = outlets.permit.suspend()
    }

    /// Shows the interfaces' threads until when they may answer. After a suspension they may once
    /// the tenure's thread has worked off what was found out meanwhile.
    private mutating func extendAuthority(at now: Instant) {
        let until = agent.authorizedUntil
        outlets.permit.until = until
        if until <= now {
            suspendAuthority()
        } else if !isAuthorized {
            isAuthorized = true
            turn.suspension = suspension
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
                isolatedSince: isolatedSince,
                isAlonePlausible: max(agent.members.count, seedNodes) <= 1)
            turn.isIsolated = isIsolated
        }
    }

    // MARK: Passing on

    /// The tenure's thread first: it is the one that somebody waits for.
    private mutating func passOn() {
        let news = turn
        turn = Turn()
        if news.isForTenure { outlets.tenure.post { Self.tell(news, to: &$0) } }
        if news.isOfMembers {
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
        if let isolated = news.isIsolated { mail.isIsolated = isolated }
        if let suspension = news.suspension {
            mail.suspension = suspension
            mail.isAssessed = true
        }
    }
}
