import Layer2
import LinuxNetwork
import NetworkTypes

/// What is told to others.
extension Layer2Loop {
    func say(_ kind: Layer2Event.Kind, at now: Instant) {
        report(Layer2Event(interface: link.name, kind: kind, at: now))
    }

    func answer(_ questions: [Layer2Mail.Question]) {
        guard !questions.isEmpty else { return }
        let state = state()
        for question in questions { question(state) }
    }

    func state() -> Layer2InterfaceState {
        var counters = counters
        counters.framesMissed = missedBefore + UInt64(socket?.statistics().dropped ?? 0)
        counters.groupsJoined = socket == nil ? 0 : listener.groups.count - unheardGroups.count
        counters.groupsMissing = listener.groups.count - counters.groupsJoined
        let isAuthorized = MonotonicClock.now() < permit.until
        let addresses = announcer.addresses.compactMap { address -> Layer2AddressState? in
            guard let state = announcer.state(of: address),
                let counters = announcer.counters(of: address)
            else { return nil }
            let isAnswered = socket != nil && isAuthorized && state.isAnswering
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
            isAuthorized: isAuthorized, lastHeard: announcer.lastHeard,
            watchedCount: watch.count, findings: watch.findings, drops: announcer.drops,
            counters: counters)
    }
}
