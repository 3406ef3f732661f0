import Glibc
import Layer2
import LinuxNetwork
import NetworkTypes

/// What the thread of one interface does: carries frames between the wire and the announcer, and
/// its wishes to the kernel. The announcer decides; nothing here does.
///
/// The socket is open exactly while the link is operational. While it is closed the announcer's
/// deadlines wait, so nothing counts as announced that nobody could hear; when it opens again the
/// announcer starts over. Answers of one turn leave together, fifteen at a time. Right before a
/// frame that speaks for an address leaves, the permit is looked at once more: a process can be
/// stopped anywhere.
struct Layer2Loop: ~Copyable {
    static let framesPerTurn = 256
    /// How many turns are taken before deadlines have theirs.
    static let turns = 8
    static let answersTogether = 15
    static let retryInterval = Duration.seconds(1)
    static let failedWaitMicroseconds: UInt32 = 10_000

    let permit: AnsweringPermit
    var permitReturns: UInt64 = 0
    let holds: TakeoverHolds
    var holdsSeen: UInt64 = 0
    let mailbox: Mailbox<Layer2Mail>
    let report: @Sendable (Layer2Event) -> Void
    var link: Link
    var announcer: Announcer
    var watch: AnswerWatch
    var socket: PacketSocket?
    var wasListening = false
    var reply = FrameBuffer()
    var answersWaiting = 0
    var isolation = Layer2Isolation(since: nil, isAlonePlausible: true)
    var listener: MulticastListener
    var unheardGroups: Set<IPAddress> = []
    var retryAt: Instant?
    var failure: SystemError?
    var answeringSince: [IPAddress: Instant] = [:]
    var conflicts: [IPAddress: Layer2Conflict] = [:]
    /// When addresses that are not answered yet were to be taken over.
    var takeovers: [IPAddress: Instant] = [:]
    var counters = Layer2InterfaceCounters()
    var missedBefore: UInt64 = 0

    init(
        link: Link, macAddress: MACAddress, permit: AnsweringPermit, holds: TakeoverHolds,
        mailbox: Mailbox<Layer2Mail>,
        report: @escaping @Sendable (Layer2Event) -> Void
    ) {
        self.permit = permit
        self.holds = holds
        self.mailbox = mailbox
        self.report = report
        self.link = link
        watch = AnswerWatch(macAddress: macAddress)
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
            // What a permit that is back was given upon is in the mail, if only since just now.
            let isPermitBack = readPermit()
            if wake.hasMail || isPermitBack, !readMail(at: now) { break }
            if isPermitBack { resume(at: now) }
            // Before deadlines: an answer that has come in time must not be read too late, even
            // if this thread was.
            if wake.hasFrames || isAnyDue(at: now) { receiveAll(at: now) }
            if let due = retryAt, due <= now { retry(at: now) }
            if socket != nil { runDeadlines(at: now) }
        }
        holds.releaseAll(on: link.name)
        // Whoever asks from here on is told that there is nobody; who has just asked, the state.
        answer(mailbox.post { $0.close() })
    }

    mutating func wait() -> (hasFrames: Bool, hasMail: Bool) {
        var deadline = retryAt
        if socket != nil {
            deadline = Self.earlier(deadline, announcer.nextDeadline)
            deadline = Self.earlier(deadline, listener.nextDeadline)
            deadline = Self.earlier(deadline, watch.nextDeadline)
        }
        do throws(SystemError) {
            let wakeUp = try mailbox.wait(for: socket?.descriptor, until: deadline)
            return (wakeUp.isReady, wakeUp.isSignalled)
        } catch {
            // Without a way to wait, looking now and then is the next best: frames are answered
            // late, and the core is not kept busy.
            fail(error, at: MonotonicClock.now())
            usleep(Self.failedWaitMicroseconds)
            return (true, true)
        }
    }

    /// The announcer and the watch speak only as long as the permit lasts. Listener reports go out
    /// regardless: they claim no address, and a snooping switch must know us when it is back.
    /// Returns whether the permit had run out and is back.
    mutating func readPermit() -> Bool {
        let until = permit.until
        announcer.authority = until
        watch.authority = until
        readHolds()
        let returns = permit.returns
        defer { permitReturns = returns }
        return returns != permitReturns
    }

    /// Goes on after a time without a permit.
    mutating func resume(at now: Instant) {
        perform(announcer.handle(.authorityRestored, at: now), at: now)
        // What has to be checked first is not answered for.
        for address in answeringSince.keys
        where announcer.state(of: address)?.isAnswering != true { answeringSince[address] = nil }
    }

    /// What the other interfaces found of addresses that are to be taken over.
    mutating func readHolds() {
        let version = holds.version
        guard version != holdsSeen else { return }
        holdsSeen = version
        announcer.heldElsewhere = holds.elsewhere(than: link.name)
    }

    static func earlier(_ left: Instant?, _ right: Instant?) -> Instant? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    func isAnyDue(at now: Instant) -> Bool {
        guard let deadline = Self.earlier(announcer.nextDeadline, watch.nextDeadline) else {
            return false
        }
        return deadline <= now
    }

    mutating func runDeadlines(at now: Instant) {
        if let deadline = listener.nextDeadline, deadline <= now { tell(.deadlineReached, at: now) }
        if let deadline = announcer.nextDeadline, deadline <= now {
            readHolds()
            perform(announcer.handle(.deadlineReached, at: now), at: now)
        }
        if let deadline = watch.nextDeadline, deadline <= now {
            tellWatch(.deadlineReached, at: now)
        }
    }

    // MARK: The socket

    mutating func openSocket(at now: Instant) {
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
        if wasListening {
            restore(at: now)
        } else if !announcer.addresses.isEmpty {
            // Whatever was asked or announced so far was heard by nobody.
            perform(announcer.handle(.linkRestored, at: now), at: now)
        }
        wasListening = true
        noteAnswering(at: now)
        pauseWatch(at: now)
    }

    mutating func closeSocket(at now: Instant) {
        guard let closing = socket else { return }
        missedBefore += UInt64(closing.statistics().dropped)
        socket = nil
        answersWaiting = 0
        answeringSince = [:]
        holds.releaseAll(on: link.name)
        pauseWatch(at: now)
        say(.linkLost, at: now)
    }

    mutating func restore(at now: Instant) {
        say(.linkRestored, at: now)
        tell(.linkRestored, at: now)
        perform(announcer.handle(.linkRestored, at: now), at: now)
    }

    /// Addresses that went on being ours while nothing could be heard are answered again.
    mutating func noteAnswering(at now: Instant) {
        for address in announcer.addresses
        where answeringSince[address] == nil && announcer.state(of: address)?.isAnswering == true {
            answeringSince[address] = now
            say(.answering(address), at: now)
        }
    }

    mutating func fail(_ error: SystemError, at now: Instant) {
        if failure != error { say(.failed(error), at: now) }
        failure = error
        retryAt = now + Self.retryInterval
    }

    mutating func retry(at now: Instant) {
        retryAt = nil
        openSocket(at: now)
        let unheard = unheardGroups
        unheardGroups = []
        hear(unheard, at: now)
        if socket != nil, unheardGroups.isEmpty { failure = nil }
    }
}
