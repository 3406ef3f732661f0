import BFD
import Glibc
import LinuxNetwork
import NetworkTypes

/// The BFD thread: carries packets between the sockets and the sessions, which decide.
///
/// Every turn reads what had been received when it began before it looks at the time, and each
/// packet counts from when the kernel took it in. So neither a late wake-up of this thread nor a
/// long queue looks like a silent peer.
struct BFDLoop: ~Copyable {
    private static let tickInterval = Duration.seconds(1)
    private static let leastShowInterval = Duration.milliseconds(10)
    private static let longestFarewell = Duration.seconds(1)
    private static let failedWaitMicroseconds: UInt32 = 10_000

    /// Where the loop's results go; none may block.
    struct Outlets: Sendable {
        /// Tells those who use a path.
        let observe: BFDSpeaker.Observer
        /// Shows what is so.
        let show: @Sendable (BFDReport) -> Void
        /// Says what happened.
        let tell: @Sendable (BFDEvent) -> Void
    }

    let group: BFDSocketGroup
    let outlets: Outlets
    let ports = BFDPorts()
    let echoLinks = BFDEchoLinks()
    var random = SystemRandomNumberGenerator()
    var demultiplexer: BFDDemultiplexer
    var neighbors: [UInt32: BFDNeighbor] = [:]
    var discriminators: [BFDPath: UInt32] = [:]
    var schedule = BFDSchedule()
    var discards = BFDDiscardCounters()
    var refusedPaths = 0
    var isChanged = false

    private let mailbox: Mailbox<BFDMail>
    private var nextTick: Instant?
    private var lastShown = Instant(nanoseconds: .min)
    private var overAt: Instant?
    private var failure: SystemError?

    init(mailbox: Mailbox<BFDMail>, group: BFDSocketGroup, outlets: Outlets) {
        self.mailbox = mailbox
        self.group = group
        self.outlets = outlets
        demultiplexer = BFDDemultiplexer(seed: random.next())
    }

    /// Runs until the mail says to end, and every peer has been told.
    mutating func run() {
        while true {
            let wakeUp = wait()
            let now = MonotonicClock.now()
            if wakeUp.isSignalled { readMail(at: now) }
            receive(at: now)
            runDeadlines(at: now)
            if let tick = nextTick, tick <= now { self.tick(at: now) }
            if let overAt, overAt <= now || neighbors.isEmpty { break }
            // Thousands of sessions that change one after the other are shown together.
            if isChanged, showTime <= now { show(at: now) }
        }
    }

    private mutating func wait() -> WakeUp {
        var deadline = schedule.next
        for other in [nextTick, overAt, isChanged ? showTime : nil] {
            guard let other else { continue }
            deadline = min(deadline ?? other, other)
        }
        do throws(SystemError) {
            let wakeUp = try group.wait(with: mailbox, until: deadline)
            if failure != nil { isChanged = true }
            failure = nil
            return wakeUp
        } catch {
            // Without a way to wait, looking now and then is the next best.
            if failure == nil { isChanged = true }
            failure = error
            usleep(Self.failedWaitMicroseconds)
            return WakeUp.nothing
        }
    }

    private mutating func readMail(at now: Instant) {
        let mail = mailbox.take()
        if let wishes = mail.wishes, overAt == nil { apply(wishes, at: now) }
        if mail.isOver, overAt == nil {
            apply([:], at: now)
            overAt = now + Self.longestFarewell
        }
        nextTick = neighbors.isEmpty && ports.troubles.isEmpty ? nil : now + Self.tickInterval
        isChanged = true
    }

    private mutating func runDeadlines(at now: Instant) {
        var due: [BFDNeighbor] = []
        while let discriminator = schedule.takeDue(at: now) {
            guard let neighbor = neighbors[discriminator] else { continue }
            due.append(neighbor)
        }
        for neighbor in due {
            guard let deadline = neighbor.machine.nextDeadline else { continue }
            if deadline <= now {
                handle(.deadlineReached, of: neighbor, at: now)
            } else {
                schedule.note(neighbor.machine.discriminator, deadline)
            }
        }
    }

    /// What is looked at once a second: interfaces made anew, ports and sockets that could not be
    /// had, counters to be shown.
    private mutating func tick(at now: Instant) {
        nextTick = neighbors.isEmpty ? nil : now + Self.tickInterval
        openPorts()
        let names = Set(neighbors.values.compactMap(\.path.interface))
        let indices = Dictionary(
            uniqueKeysWithValues: names.map { ($0, BFDInterface.index(of: $0)) })
        for neighbor in Array(neighbors.values) {
            if let name = neighbor.path.interface, let index = indices[name] ?? nil,
                index != neighbor.interface
            {
                renew(neighbor, at: now)
            }
            openEcho(of: neighbor, at: now)
        }
        echoLinks.keep(Set(neighbors.values.compactMap(\.echoLink)))
        isChanged = true
    }

    // MARK: Showing

    private var showTime: Instant { lastShown + Self.leastShowInterval }

    private mutating func show(at now: Instant) {
        lastShown = now
        isChanged = false
        outlets.show(report())
    }

    private func report() -> BFDReport {
        var report = BFDReport()
        report.discards = discards
        report.sessions.reserveCapacity(neighbors.count)
        for neighbor in neighbors.values {
            let trouble =
                ports.troubles[neighbor.portKey] ?? neighbor.trouble
                ?? neighbor.echoLink.flatMap { echoLinks.troubles[$0] }
            report.sessions[neighbor.path] = BFDReport.Session(
                path: neighbor.path, wish: neighbor.wish, status: neighbor.machine.status,
                verdict: neighbor.verdict, isEnding: neighbor.isEnding,
                sourcePort: neighbor.sourcePort, unsent: neighbor.unsent,
                trouble: trouble?.description)
        }
        report.troubles = ports.troubles.values.map(\.description).sorted()
        if let failure { report.troubles.append(failure.description) }
        if refusedPaths > 0 {
            report.troubles.append(
                "\(refusedPaths) paths are not watched: \(BFDSpeaker.maximumPaths) is the most")
        }
        return report
    }
}
