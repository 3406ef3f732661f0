import LoadBalancing
import Membership
import NetworkTypes

/// A node: its clock, its kernel, its disk, and the speaker's process while there is one.
package final class SimulatedSpeaker {
    /// The threads of the process.
    package enum Worker: Int, CaseIterable, Sendable {
        /// Runs the membership agent.
        case gossip
        /// Runs the tenure.
        case tenure
        /// Runs the announcer of the one interface.
        case wire
    }

    /// How many inputs each thread's queue holds while the process does not run.
    package static let maximumBacklog = 4_096

    /// Its number, which is its port of the LAN too.
    package let index: Int
    /// Its name.
    package let name: String
    /// The name's identifier.
    package let id: NodeID
    /// Its monotonic clock.
    package let clock: NodeClock
    /// The link-layer address of its interface.
    package let hardware: MACAddress
    /// The addresses that its kernel answers for.
    package let hostAddresses: [IPAddress]
    unowned let world: Simulation
    /// Whether the machine runs.
    package private(set) var isPowered = true
    /// Which start of the process this is, from 1.
    package private(set) var boot: UInt32 = 0
    /// Whether the process is stopped for now.
    package private(set) var isPaused = false
    /// How late its threads run at most; more than the others where the node is slow.
    package var lateness: Duration
    /// How far its time of day is from the truth.
    package var wallClockError = Duration.zero
    /// The claims in its state folder.
    package var disk: [IPAddress: UInt64] = [:]
    /// Whether the operator wants it drained, which it remembers.
    package var isDraining = false
    /// The process; `nil` while there is none.
    package internal(set) var process: SpeakerProcess?
    private var powerLostAt: Instant?
    private var unresolvedReports: [Int: Instant] = [:]
    private var portReports: [Int: (tokens: Int, at: Instant)] = [:]

    init(index: Int, clock: NodeClock, world: Simulation) {
        self.index = index
        self.clock = clock
        self.world = world
        name = Cast.name(index)
        id = NodeID(name: name)
        hardware = Cast.hardware(index)
        hostAddresses = [Cast.nodeAddress(index), Cast.nodeAddress6(index)]
        lateness = world.settings.lateness
    }

    /// Whether the process runs and is not stopped.
    package var isRunning: Bool { process != nil && !isPaused }

    /// What its clock shows now.
    package var localNow: Instant { clock.local(world.now) }

    // MARK: Life

    func start() {
        guard isPowered, process == nil else { return }
        boot += 1
        isPaused = false
        let process = SpeakerProcess(self, boot: boot)
        self.process = process
        process.begin()
    }

    func kill() {
        process?.end()
        process = nil
        isPaused = false
    }

    func losePower() {
        kill()
        isPowered = false
        powerLostAt = world.now
        unresolvedReports = [:]
    }

    func gainPower() {
        isPowered = true
        powerLostAt = nil
    }

    func pause() {
        guard process != nil else { return }
        isPaused = true
    }

    /// Lets the process go on. Its threads wake in any order, and each finds its queue first.
    func resume() {
        guard isPaused else { return }
        isPaused = false
        for worker in Worker.allCases {
            process?.resume(
                worker, at: world.now + world.random.duration(below: .microseconds(200)))
        }
    }

    // MARK: Inputs

    func receive(_ input: SpeakerProcess.Input, on worker: Worker, boot: UInt32) {
        guard let process, process.boot == boot else { return }
        process.receive(input, on: worker)
    }

    func readMail(_ worker: Worker, boot: UInt32) {
        guard let process, process.boot == boot else { return }
        for input in process.takeMail(of: worker) { process.receive(input, on: worker) }
    }

    func wake(_ worker: Worker, boot: UInt32) {
        guard let process, process.boot == boot, !isPaused, process.woken(worker) else {
            world.staleWakes -= 1
            return
        }
    }

    // MARK: The kernel

    /// Linux sends six ICMP errors to one destination at once, then one each second
    /// (`icmp_ratelimit`).
    func mayReport(to sender: Int, at now: Instant) -> Bool {
        var bucket = portReports[sender] ?? (6, now)
        let refilled = Int((now - bucket.at) / .seconds(1))
        if refilled > 0 {
            bucket.tokens = min(6, bucket.tokens + refilled)
            bucket.at = now
        }
        guard bucket.tokens > 0 else {
            portReports[sender] = bucket
            return false
        }
        bucket.tokens -= 1
        portReports[sender] = bucket
        return true
    }

    /// When the kernel of a sender finds that nobody answers its ARP questions any more: 3 s after
    /// the machine went, and then each second. `nil`: not for this datagram.
    func unresolved(by sender: Int, at now: Instant) -> Instant? {
        guard let powerLostAt, now - powerLostAt > .seconds(3) else { return nil }
        if let last = unresolvedReports[sender], now - last < .seconds(1) { return nil }
        unresolvedReports[sender] = now
        return now + .milliseconds(1)
    }
}
