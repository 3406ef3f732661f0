import Layer2
import LinuxNetwork
import NetworkTypes
import Synchronization

/// One thread for each suitable interface.
extension Layer2Speaker {
    func rebind() {
        let (bindings, surplus) = state.withLock { state in
            let bindings = selection.bindings(in: state.links)
            let wanted = Set(bindings.map(\.link.index))
            state.unbound.formIntersection(wanted)
            return (bindings, state.interfaces.keys.filter { !wanted.contains($0) })
        }
        for index in surplus { release(index) }
        state.withLock { state in
            for binding in bindings {
                let index = binding.link.index
                if let known = state.interfaces[index] {
                    follow(binding, known, &state)
                } else {
                    bind(binding, &state)
                }
            }
            tellSiblings(&state)
            for index in state.interfaces.keys { tellWatches(index, &state) }
        }
    }

    func follow(
        _ binding: InterfaceSelection.Binding, _ known: Interface, _ state: inout State
    ) {
        guard known.binding != binding else { return }
        let index = binding.link.index
        state.interfaces[index]?.binding = binding
        if known.binding.link != binding.link {
            let companions = Self.companions(state.companions, near: binding.link)
            known.mailbox.post {
                $0.link = binding.link
                $0.companions = companions
            }
        }
        if known.binding.names != binding.names { tell(index, &state) }
    }

    func bind(_ binding: InterfaceSelection.Binding, _ state: inout State) {
        let link = binding.link
        guard let macAddress = link.macAddress else { return }
        do throws(SystemError) {
            let mailbox = try Mailbox(empty: Layer2Mail())
            let (peers, isolation) = (state.peers, state.isolation)
            let companions = Self.companions(state.companions, near: link)
            mailbox.post {
                $0.peers = peers
                $0.isolation = isolation
                $0.companions = companions
            }
            let thread = try NetworkThread(name: "martlet-\(link.name)", priority: .realTime) {
                [permit, holds, report] in
                // Here, so that the permit cannot come back unnoticed before the thread waits.
                let registration = permit.register { mailbox.post { _ in } }
                var loop = Layer2Loop(
                    link: link, macAddress: macAddress, permit: permit, holds: holds,
                    mailbox: mailbox, report: report)
                loop.run()
                permit.unregister(registration)
            }
            state.interfaces[link.index] = Interface(
                binding: binding, mailbox: mailbox, thread: thread)
            state.unbound.remove(link.index)
            tell(link.index, &state)
        } catch {
            // Reported once; `retryBindings` and the next change of any link try again.
            if state.unbound.insert(link.index).inserted {
                report(.failed(error), on: link.name)
            }
        }
    }

    /// Ends a thread. Not under the lock of `state`: nobody who tells something waits for it.
    func release(_ index: Int) {
        guard let interface = state.withLock({ $0.interfaces.removeValue(forKey: index) }) else {
            return
        }
        interface.mailbox.post { $0.isStopping = true }
        interface.thread.join()
        report(.released, on: interface.binding.link.name)
    }
}
