import Layer2
import LinuxNetwork
import NetworkTypes
import Synchronization

/// What each interface's thread is told of what is wanted and what is so.
extension Layer2Speaker {
    func post(_ edit: (inout Layer2Mail) -> Void) {
        state.withLock { Self.post(in: $0, edit) }
    }

    static func post(in state: State, _ edit: (inout Layer2Mail) -> Void) {
        for interface in state.interfaces.values { interface.mailbox.post(edit) }
    }

    /// Tells one interface what has changed for it in the plan.
    func tell(_ index: Int, _ state: inout State) {
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

    /// Tells every interface which others of this node may be on the same LAN, and speak.
    func tellSiblings(_ state: inout State) {
        let links = state.interfaces.values.map(\.binding.link).filter(\.isOperational)
        for (index, interface) in state.interfaces {
            let siblings = Set(
                links.filter { $0.index != index }.compactMap(\.macAddress)
                    .filter { $0 != interface.binding.link.macAddress })
            guard siblings != interface.toldSiblings else { continue }
            state.interfaces[index]?.toldSiblings = siblings
            interface.mailbox.post { $0.siblings = siblings }
        }
    }

    /// Tells one interface which addresses of others it is to watch: none that it announces.
    func tellWatches(_ index: Int, _ state: inout State) {
        guard let interface = state.interfaces[index] else { return }
        var wanted: [IPAddress: Set<MACAddress>] = [:]
        for (address, watch) in state.watches
        where interface.told[address] == nil && Self.watches(watch, address, index, state) {
            wanted[address] = watch.owner
        }
        guard wanted != interface.toldWatches else { return }
        state.interfaces[index]?.toldWatches = wanted
        let watched = wanted
        interface.mailbox.post { $0.watched = watched }
    }

    static func watches(
        _ watch: Layer2Watch, _ address: IPAddress, _ index: Int, _ state: State
    ) -> Bool {
        guard let binding = state.interfaces[index]?.binding else { return false }
        if !watch.interfaces.isEmpty { return !watch.interfaces.isDisjoint(with: binding.names) }
        if isNear(address, binding.link) { return true }
        return state.interfaces.count == 1
    }

    static func isNear(_ address: IPAddress, _ link: Link) -> Bool {
        link.addresses.contains { $0.subnet.contains(address) }
    }

    static func companions(_ all: [IPAddress], near link: Link) -> [IPAddress] {
        all.filter { isNear($0, link) }
    }
}
