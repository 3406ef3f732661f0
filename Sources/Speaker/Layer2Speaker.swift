import Layer2
import LinuxNetwork
import NetworkTypes
import Synchronization

/// Answers for addresses on the LANs of this node: one thread, one socket and one announcer for
/// each suitable interface, all following the kernel's links and the plan.
///
/// Level-based: `update` and `apply` say what is so and what is wanted, and the difference to what
/// was said before goes to the threads. An interface that is deleted and made anew, or enslaved, is
/// another binding: the old thread ends first, then the new one probes, joins and announces.
package final class Layer2Speaker: Sendable {
    /// What happens on the wire. At most 8,192 wait; then the oldest are lost, and counted.
    package let events: AsyncStream<Layer2Event>

    let selection: InterfaceSelection
    let permit: AnsweringPermit
    let holds = TakeoverHolds()
    let observer: @Sendable (Layer2Event) -> Void
    /// Held while interfaces are bound and released, which waits for threads; `state` never is.
    let binding = Mutex(())
    let continuation: AsyncStream<Layer2Event>.Continuation
    let lost = Atomic<UInt64>(0)
    let state = Mutex(State())

    static let maximumEvents = 8_192

    struct State {
        var plan: Layer2Plan = [:]
        var peers: Set<MACAddress> = []
        var companions: [IPAddress] = []
        var isolation = Layer2Isolation(since: nil, isAlonePlausible: true)
        var watches: [IPAddress: Layer2Watch] = [:]
        var links = LinkTable()
        var interfaces: [Int: Interface] = [:]
        /// Interfaces that could not be bound.
        var unbound: Set<Int> = []
        var isStopped = false
    }

    /// A bound interface, and what its thread has been told.
    struct Interface {
        var binding: InterfaceSelection.Binding
        var told: [IPAddress: AnnouncementSettings] = [:]
        var toldSiblings: Set<MACAddress> = []
        var toldWatches: [IPAddress: Set<MACAddress>] = [:]
        let mailbox: Mailbox<Layer2Mail>
        let thread: NetworkThread
    }

    /// A speaker that has been told nothing yet.
    ///
    /// - Parameters:
    ///   - interfaces: restricts it to those named; empty means every suitable one.
    ///   - permit: until when it may answer.
    ///   - observer: told of every event at once, on the thread that it happened on; it must not
    ///     block. What it is told is never lost, as ``events`` may be.
    package init(
        interfaces: Set<String> = [], permit: AnsweringPermit = .unlimited(),
        observer: @escaping @Sendable (Layer2Event) -> Void = { _ in }
    ) {
        selection = InterfaceSelection(allowed: interfaces)
        self.permit = permit
        self.observer = observer
        (events, continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(Self.maximumEvents))
    }

    /// Events lost because nobody read them in time.
    package var eventsLost: UInt64 { lost.load(ordering: .relaxed) }

    /// The interfaces that the speaker would announce on, for the election: names and links.
    package var bindings: [InterfaceSelection.Binding] {
        state.withLock { selection.bindings(in: $0.links) }
    }

    // MARK: What is wanted

    /// Makes `plan` what is announced: the whole of it, not a change to it.
    package func apply(_ plan: Layer2Plan) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.plan = plan
            // First what somebody waits for.
            for index in state.interfaces.keys { tell(index, &state) }
            for index in state.interfaces.keys { tellWatches(index, &state) }
        }
    }

    /// Announces an address in a burst again, wherever it is in use.
    package func reannounce(_ address: IPAddress) {
        post { $0.reannouncements.insert(address) }
    }

    /// Makes these the addresses of other nodes that are watched: all of them, not a change.
    ///
    /// An address is watched on the interfaces that the watch names, else on those in whose subnets
    /// it is. One in none of them, and without names, is watched only when there is but one
    /// interface: on another LAN than its owner's nobody would ever answer for it.
    package func watch(_ addresses: [IPAddress: Layer2Watch]) {
        state.withLock { state in
            guard !state.isStopped, addresses != state.watches else { return }
            state.watches = addresses
            for index in state.interfaces.keys { tellWatches(index, &state) }
        }
    }

    /// Asks for a watched address now rather than when it is due.
    package func askNow(_ address: IPAddress) {
        post { $0.doubts.insert(address) }
    }

    // MARK: What is so

    /// Takes in the links as they are now. Meant to be called by the link monitor itself, so that
    /// an interface is bound within milliseconds of the kernel's word.
    package func update(links: LinkTable) {
        binding.withLock { _ in
            let isStopped = state.withLock { state in
                if !state.isStopped { state.links = links }
                return state.isStopped
            }
            if !isStopped { rebind() }
        }
    }

    /// Tries again to bind interfaces that could not be bound. Meant to be called every second.
    package func retryBindings() {
        guard state.withLock({ !$0.unbound.isEmpty && !$0.isStopped }) else { return }
        binding.withLock { _ in rebind() }
    }

    /// Names the link-layer addresses of the other speakers, whose announcements are no attacks.
    package func update(peers: Set<MACAddress>) {
        state.withLock { state in
            guard !state.isStopped, peers != state.peers else { return }
            state.peers = peers
            Self.post(in: state) { $0.peers = peers }
        }
    }

    /// Names the addresses of other nodes and of gateways: while isolated they are asked for a sign
    /// of life. Those in subnets of an interface are asked there.
    package func update(companions: [IPAddress]) {
        state.withLock { state in
            guard !state.isStopped, companions != state.companions else { return }
            state.companions = companions
            for interface in state.interfaces.values {
                let near = Self.companions(companions, near: interface.binding.link)
                interface.mailbox.post { $0.companions = near }
            }
        }
    }

    /// Says since when no other node is heard, or (`nil`) that one is. With at most one other node
    /// in the cluster being alone is plausible; otherwise it more likely means being cut off.
    package func update(isolatedSince: Instant?, isAlonePlausible: Bool) {
        let isolation = Layer2Isolation(
            since: isolatedSince, isAlonePlausible: isAlonePlausible)
        state.withLock { state in
            guard !state.isStopped, isolation != state.isolation else { return }
            state.isolation = isolation
            Self.post(in: state) { $0.isolation = isolation }
        }
    }

    /// What is so on the wire now, by interface. An interface whose thread ends meanwhile is left
    /// out.
    package func interfaceStates() async -> [Layer2InterfaceState] {
        let interfaces = state.withLock { state in
            state.interfaces.values.sorted { $0.binding.link.index < $1.binding.link.index }
                .map { ($0.mailbox, $0.thread) }
        }
        var states: [Layer2InterfaceState] = []
        for (mailbox, thread) in interfaces {
            let answer: Layer2InterfaceState? = await withCheckedContinuation { continuation in
                let isAsked = mailbox.post { $0.ask { continuation.resume(returning: $0) } }
                if !isAsked { continuation.resume(returning: nil) }
            }
            guard var answer else { continue }
            answer.schedulingNote = thread.scheduling?.note
            states.append(answer)
        }
        return states
    }

    /// Leaves every interface, waits for the threads, and ends `events`. Nothing is sent: the next
    /// owner of an address announces it.
    package func stop() {
        binding.withLock { _ in
            let indices = state.withLock { state in
                state.isStopped = true
                return Array(state.interfaces.keys)
            }
            for index in indices { release(index) }
        }
        continuation.finish()
    }

    // MARK: Events

    var report: @Sendable (Layer2Event) -> Void {
        { [continuation, observer, weak self] event in
            observer(event)
            if case .dropped = continuation.yield(event) {
                self?.lost.add(1, ordering: .relaxed)
            }
        }
    }

    func report(_ kind: Layer2Event.Kind, on interface: String) {
        report(Layer2Event(interface: interface, kind: kind, at: MonotonicClock.now()))
    }
}
