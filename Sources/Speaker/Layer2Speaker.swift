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

    private let selection: InterfaceSelection
    private let continuation: AsyncStream<Layer2Event>.Continuation
    private let lost = Atomic<UInt64>(0)
    private let state = Mutex(State())

    private static let maximumEvents = 8_192

    private struct State {
        var plan: Layer2Plan = [:]
        var peers: Set<MACAddress> = []
        var links = LinkTable()
        var interfaces: [Int: Interface] = [:]
        var isStopped = false
    }

    /// A bound interface, and what its thread has been told.
    private struct Interface {
        var binding: InterfaceSelection.Binding
        var told: [IPAddress: AnnouncementSettings]
        let mailbox: Mailbox<Layer2Mail>
        let thread: NetworkThread
    }

    /// A speaker that has been told nothing yet. `interfaces` restricts it to those named; empty
    /// means every suitable one.
    package init(interfaces: Set<String> = []) {
        selection = InterfaceSelection(allowed: interfaces)
        (events, continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(Self.maximumEvents))
    }

    /// Events lost because nobody read them in time.
    package var eventsLost: UInt64 { lost.load(ordering: .relaxed) }

    /// The interfaces that the speaker would announce on, for the election: names and links.
    package var bindings: [InterfaceSelection.Binding] {
        state.withLock { selection.bindings(in: $0.links) }
    }

    /// Makes `plan` what is announced: the whole of it, not a change to it.
    package func apply(_ plan: Layer2Plan) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.plan = plan
            for index in state.interfaces.keys { tell(index, &state) }
        }
    }

    /// Takes in the links as they are now. Meant to be called by the link monitor itself, so that
    /// an interface is bound within milliseconds of the kernel's word.
    package func update(links: LinkTable) {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.links = links
            rebind(&state)
        }
    }

    /// Names the link-layer addresses of the other speakers, whose announcements are no attacks.
    package func update(peers: Set<MACAddress>) {
        state.withLock { state in
            guard !state.isStopped, peers != state.peers else { return }
            state.peers = peers
            for interface in state.interfaces.values {
                interface.mailbox.post { $0.peers = peers }
            }
        }
    }

    /// What is so on the wire now, by interface. An interface whose thread ends meanwhile is left
    /// out.
    package func interfaceStates() async -> [Layer2InterfaceState] {
        let mailboxes = state.withLock { state in
            state.interfaces.values.sorted { $0.binding.link.index < $1.binding.link.index }
                .map(\.mailbox)
        }
        var states: [Layer2InterfaceState] = []
        for mailbox in mailboxes {
            let answer: Layer2InterfaceState? = await withCheckedContinuation { continuation in
                let isAsked = mailbox.post { $0.ask { continuation.resume(returning: $0) } }
                if !isAsked { continuation.resume(returning: nil) }
            }
            if let answer { states.append(answer) }
        }
        return states
    }

    /// Leaves every interface, waits for the threads, and ends `events`. Nothing is sent: the next
    /// owner of an address announces it.
    package func stop() {
        state.withLock { state in
            state.isStopped = true
            for index in Array(state.interfaces.keys) { release(index, &state) }
        }
        continuation.finish()
    }

    // MARK: Binding

    private func rebind(_ state: inout State) {
        let bindings = selection.bindings(in: state.links)
        let wanted = Set(bindings.map(\.link.index))
        for index in Array(state.interfaces.keys) where !wanted.contains(index) {
            release(index, &state)
        }
        for binding in bindings {
            let index = binding.link.index
            if let known = state.interfaces[index] {
                guard known.binding != binding else { continue }
                state.interfaces[index]?.binding = binding
                if known.binding.link != binding.link {
                    known.mailbox.post { $0.link = binding.link }
                }
                if known.binding.names != binding.names { tell(index, &state) }
            } else {
                bind(binding, &state)
            }
        }
    }

    private func bind(_ binding: InterfaceSelection.Binding, _ state: inout State) {
        guard let macAddress = binding.link.macAddress else { return }
        do throws(SystemError) {
            let mailbox = try Mailbox(empty: Layer2Mail())
            let link = binding.link
            let thread = try NetworkThread(name: "martlet-\(link.name)") { [report] in
                var loop = Layer2Loop(
                    link: link, macAddress: macAddress, mailbox: mailbox, report: report)
                loop.run()
            }
            let peers = state.peers
            mailbox.post { $0.peers = peers }
            state.interfaces[link.index] = Interface(
                binding: binding, told: [:], mailbox: mailbox, thread: thread)
            tell(link.index, &state)
        } catch {
            // Tried again with the next change of any link.
            report(.failed(error), on: binding.link.name)
        }
    }

    private func release(_ index: Int, _ state: inout State) {
        guard let interface = state.interfaces.removeValue(forKey: index) else { return }
        interface.mailbox.post { $0.isStopping = true }
        interface.thread.join()
        report(.released, on: interface.binding.link.name)
    }

    /// Tells one interface what has changed for it in the plan.
    private func tell(_ index: Int, _ state: inout State) {
        guard let interface = state.interfaces[index] else { return }
        let names = interface.binding.names
        let wanted = state.plan.filter { $0.value.covers(names) }.mapValues(\.settings)
        var changes: [IPAddress: AnnouncementSettings?] = [:]
        for (address, settings) in wanted where interface.told[address] != settings {
            changes[address] = .some(settings)
        }
        for address in interface.told.keys where wanted[address] == nil {
            changes[address] = .some(nil)
        }
        guard !changes.isEmpty else { return }
        state.interfaces[index]?.told = wanted
        let wishes = changes
        interface.mailbox.post { $0.wishes.merge(wishes) { _, newer in newer } }
    }

    // MARK: Events

    private var report: @Sendable (Layer2Event) -> Void {
        { [continuation, weak self] event in
            if case .dropped = continuation.yield(event) {
                self?.lost.add(1, ordering: .relaxed)
            }
        }
    }

    private func report(_ kind: Layer2Event.Kind, on interface: String) {
        report(Layer2Event(interface: interface, kind: kind, at: MonotonicClock.now()))
    }
}
