import Layer2
import LinuxNetwork
import NetworkTypes

/// What the thread of one interface does: carries frames between the wire and the announcer, and
/// its wishes to the kernel. The announcer decides; nothing here does.
///
/// The socket is open exactly while the link is operational. While it is closed the announcer's
/// deadlines wait, so nothing counts as announced that nobody could hear; when it opens again the
/// announcer starts over. Answers of one turn leave together, sixteen at a time.
struct Layer2Loop: ~Copyable {
    private static let framesPerTurn = 256
    private static let retryInterval = Duration.seconds(1)

    private let mailbox: Mailbox<Layer2Mail>
    private let report: @Sendable (Layer2Event) -> Void
    private var link: Link
    private var announcer: Announcer
    private var socket: PacketSocket?
    private var wasListening = false
    private var reply = FrameBuffer()
    private var listener: MulticastListener
    private var unheardGroups: Set<IPAddress> = []
    private var retryAt: Instant?
    private var failure: SystemError?
    private var answeringSince: [IPAddress: Instant] = [:]
    private var conflicts: [IPAddress: Layer2Conflict] = [:]
    private var counters = Layer2InterfaceCounters()
    private var missedBefore: UInt64 = 0

    init(
        link: Link, macAddress: MACAddress, mailbox: Mailbox<Layer2Mail>,
        report: @escaping @Sendable (Layer2Event) -> Void
    ) {
        self.mailbox = mailbox
        self.report = report
        self.link = link
        announcer = Announcer(interface: link.name, macAddress: macAddress)
        listener = MulticastListener(macAddress: macAddress)
    }

    /// Runs until the mail says to stop.
    mutating func run() {
        say(.bound, at: MonotonicClock.now())
        openSocket(at: MonotonicClock.now())
        while true {
            let wake = wait()
            let now = MonotonicClock.now()
            if wake.isSignalled, !readMail(at: now) { break }
            if wake.isReady { receive(at: now) }
            if let due = retryAt, due <= now { retry(at: now) }
            if socket != nil { runDeadlines(at: now) }
        }
        // Whoever asks from here on is told that there is nobody; who has just asked, the state.
        answer(mailbox.post { $0.close() })
    }

    private mutating func wait() -> WakeUp {
        var deadline = retryAt
        if socket != nil {
            deadline = Self.earlier(deadline, announcer.nextDeadline)
            deadline = Self.earlier(deadline, listener.nextDeadline)
        }
        do throws(SystemError) {
            return try mailbox.wait(for: socket?.descriptor, until: deadline)
        } catch {
            fail(error, at: MonotonicClock.now())
            return .nothing
        }
    }

    private static func earlier(_ left: Instant?, _ right: Instant?) -> Instant? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    private mutating func runDeadlines(at now: Instant) {
        if let deadline = listener.nextDeadline, deadline <= now { tell(.deadlineReached, at: now) }
        if let deadline = announcer.nextDeadline, deadline <= now {
            perform(announcer.handle(.deadlineReached, at: now), at: now)
        }
    }

    // MARK: Mail

    private mutating func readMail(at now: Instant) -> Bool {
        let mail = mailbox.take()
        if let peers = mail.peers {
            perform(announcer.handle(.peersChanged(peers), at: now), at: now)
        }
        if let link = mail.link { follow(link, at: now) }
        for (address, settings) in mail.wishes {
            if let settings {
                perform(announcer.handle(.addressAdded(address, settings), at: now), at: now)
            } else {
                answeringSince[address] = nil
                conflicts[address] = nil
                perform(announcer.handle(.addressRemoved(address), at: now), at: now)
            }
        }
        answer(mail.questions)
        return !mail.isStopping
    }

    private mutating func follow(_ changed: Link, at now: Instant) {
        let flapped = link.carrierChanges != changed.carrierChanges
        link = changed
        if let macAddress = changed.macAddress, macAddress != announcer.macAddress {
            perform(announcer.handle(.macAddressChanged(macAddress), at: now), at: now)
        }
        noteSource(at: now)
        if !changed.isOperational {
            closeSocket(at: now)
        } else if socket == nil {
            openSocket(at: now)
        } else if flapped {
            restore(at: now)
        }
    }

    /// Listener reports come from the interface's link-local address, which appears only once the
    /// kernel has tested it, or changes.
    private mutating func noteSource(at now: Instant) {
        let linkLocal = link.addresses.map(\.address).filter {
            $0.family == .ipv6 && $0.isLinkLocal
        }.min()
        tell(.interfaceChanged(announcer.macAddress, linkLocal: linkLocal), at: now)
    }

    // MARK: The socket

    private mutating func openSocket(at now: Instant) {
        guard socket == nil, link.isOperational else { return }
        do throws(SystemError) {
            socket = try PacketSocket(interface: link.name)
        } catch {
            fail(error, at: now)
            return
        }
        failure = nil
        noteSource(at: now)
        hear([.allNodesMulticast], at: now)
        hear(listener.groups, at: now)
        if wasListening { restore(at: now) }
        wasListening = true
        noteAnswering(at: now)
    }

    private mutating func closeSocket(at now: Instant) {
        guard let closing = socket else { return }
        missedBefore += UInt64(closing.statistics().dropped)
        socket = nil
        answeringSince = [:]
        say(.linkLost, at: now)
    }

    private mutating func restore(at now: Instant) {
        say(.linkRestored, at: now)
        tell(.linkRestored, at: now)
        perform(announcer.handle(.linkRestored, at: now), at: now)
    }

    /// Addresses that went on being ours while nothing could be heard are answered again.
    private mutating func noteAnswering(at now: Instant) {
        for address in announcer.addresses
        where answeringSince[address] == nil && announcer.state(of: address)?.isAnswering == true {
            answeringSince[address] = now
            say(.answering(address), at: now)
        }
    }

    private mutating func fail(_ error: SystemError, at now: Instant) {
        if failure != error { say(.failed(error), at: now) }
        failure = error
        retryAt = now + Self.retryInterval
    }

    private mutating func retry(at now: Instant) {
        retryAt = nil
        openSocket(at: now)
        let unheard = unheardGroups
        unheardGroups = []
        hear(unheard, at: now)
    }

    // MARK: Frames

    private mutating func receive(at now: Instant) {
        guard let socket else { return }
        do throws(SystemError) {
            let count = try socket.receive(limit: Self.framesPerTurn) { frame in
                switch announcer.receive(frame, at: now, reply: &reply) {
                case .answered: counters.sendFailures &+= UInt64(socket.enqueue(reply.span))
                case .dropped(.undecodable):
                    guard let query = MulticastQuery(frame) else { break }
                    tell(.queryReceived(query), at: now)
                case .dropped: break
                case .acted(let actions): perform(actions, at: now)
                }
            }
            counters.sendFailures &+= UInt64(socket.flush())
            counters.framesReceived &+= UInt64(count)
        } catch {
            // The link went down or away: netlink tells when it is back. If it never left, as far
            // as netlink knows, the retry opens the socket again.
            closeSocket(at: now)
            fail(error, at: now)
        }
    }

    private mutating func send(_ frame: [UInt8]) {
        guard let socket else { return }
        do throws(SystemError) {
            try socket.send(frame.span)
        } catch {
            counters.sendFailures &+= 1
        }
    }

    private mutating func tell(_ event: MulticastListener.Event, at now: Instant) {
        for case .send(let frame) in listener.handle(event, at: now) { send(frame) }
    }

    /// Makes the network card pass the groups on.
    private mutating func hear(_ groups: Set<IPAddress>, at now: Instant) {
        guard let socket else { return }
        for group in groups {
            guard let hardware = MACAddress(multicast: group) else { continue }
            do throws(SystemError) {
                try socket.listen(to: hardware)
            } catch {
                unheardGroups.insert(group)
                fail(error, at: now)
            }
        }
    }

    private mutating func perform(_ actions: [Announcer.Action], at now: Instant) {
        for action in actions {
            switch action {
            case .send(let frame): send(frame)
            case .joinGroup(let group):
                hear([group], at: now)
                tell(.joined(group), at: now)
            case .leaveGroup(let group):
                if let hardware = MACAddress(multicast: group) { socket?.ignore(hardware) }
                unheardGroups.remove(group)
                tell(.left(group), at: now)
            case .answering(let address):
                guard socket != nil else { break }
                // Whoever had it before has let go of it.
                conflicts[address] = nil
                answeringSince[address] = now
                say(.answering(address), at: now)
            case .conflict(let conflict):
                conflicts[conflict.address] = Layer2Conflict(
                    offender: conflict.offender, phase: conflict.phase, at: now)
                say(.conflict(conflict), at: now)
            case .peerAnnounces(let address, let peer):
                say(.peerAnnounces(address, peer), at: now)
            case .refused(let address): say(.refused(address), at: now)
            }
        }
    }

    // MARK: Reports

    private func say(_ kind: Layer2Event.Kind, at now: Instant) {
        report(Layer2Event(interface: link.name, kind: kind, at: now))
    }

    private func answer(_ questions: [Layer2Mail.Question]) {
        guard !questions.isEmpty else { return }
        let state = state()
        for question in questions { question(state) }
    }

    private func state() -> Layer2InterfaceState {
        var counters = counters
        counters.framesMissed = missedBefore + UInt64(socket?.statistics().dropped ?? 0)
        counters.groupsJoined = socket == nil ? 0 : listener.groups.count - unheardGroups.count
        counters.groupsMissing = listener.groups.count - counters.groupsJoined
        let addresses = announcer.addresses.compactMap { address -> Layer2AddressState? in
            guard let state = announcer.state(of: address),
                let counters = announcer.counters(of: address)
            else { return nil }
            let isAnswered = socket != nil && state.isAnswering
            return Layer2AddressState(
                address: address, state: state,
                answeringSince: isAnswered ? answeringSince[address] : nil, counters: counters,
                lastConflict: conflicts[address].flatMap { conflict in
                    conflict.isOver(at: MonotonicClock.now()) ? nil : conflict
                })
        }
        return Layer2InterfaceState(
            interface: link.name, index: link.index, macAddress: announcer.macAddress,
            isListening: socket != nil, failure: failure, addresses: addresses,
            drops: announcer.drops, counters: counters)
    }
}
