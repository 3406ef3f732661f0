import BFD
import LinuxNetwork
import NetworkTypes

/// Which sessions there are.
extension BFDLoop {
    /// Makes these the paths that are watched.
    mutating func apply(_ wishes: [BFDPath: BFDWish], at now: Instant) {
        for neighbor in Array(neighbors.values) where wishes[neighbor.path] == nil {
            guard !neighbor.isEnding else { continue }
            neighbor.isEnding = true
            handle(.disable, of: neighbor, at: now)
        }
        refusedPaths = 0
        for (path, wish) in wishes {
            if let discriminator = discriminators[path], let neighbor = neighbors[discriminator] {
                adopt(wish, neighbor, at: now)
            } else if !add(path, wish, at: now) {
                refusedPaths += 1
            }
        }
        openPorts()
    }

    private mutating func adopt(_ wish: BFDWish, _ neighbor: BFDNeighbor, at now: Instant) {
        if neighbor.wish != wish {
            neighbor.wish = wish
            handle(.settingsChanged(settings(wish, neighbor.path)), of: neighbor, at: now)
            if neighbor.echoLink == nil { neighbor.station = nil }
            openEcho(of: neighbor, at: now)
        }
        if neighbor.isEnding {
            neighbor.isEnding = false
            handle(.enable, of: neighbor, at: now)
        }
    }

    /// False when there are too many.
    private mutating func add(_ path: BFDPath, _ wish: BFDWish, at now: Instant) -> Bool {
        let interface = BFDInterface.index(of: path.interface)
        guard let machine = machine(path, wish, interface: interface, at: now) else { return false }
        let ports = BFDTransmitSocket.ports
        let neighbor = BFDNeighbor(
            path: path, wish: wish, machine: machine,
            sourcePort: UInt16.random(in: ports, using: &random), token: random.next())
        neighbor.interface = interface
        insert(neighbor)
        openEcho(of: neighbor, at: now)
        return true
    }

    /// Begins a session anew whose interface was made anew: what names the interface's old index
    /// hears nothing any more.
    mutating func renew(_ neighbor: BFDNeighbor, at now: Instant) {
        let interface = BFDInterface.index(of: neighbor.path.interface)
        remove(neighbor.machine.discriminator)
        guard
            let machine = machine(
                neighbor.path, neighbor.wish, interface: interface, at: now)
        else { return }
        neighbor.machine = machine
        neighbor.interface = interface
        neighbor.station = nil
        neighbor.rebind()
        // A session that nobody wishes for is not begun again.
        if !neighbor.isEnding { insert(neighbor) }
    }

    private mutating func machine(
        _ path: BFDPath, _ wish: BFDWish, interface: Int?, at now: Instant
    ) -> BFDSession? {
        // No packet comes in by an interface that is not there; two such paths still differ.
        let missing = path.interface.map { _ in UInt32.max - UInt32(neighbors.count) }
        let ends = BFDEndpoint(
            remote: path.remote, local: path.local,
            interface: interface.map { UInt32(truncatingIfNeeded: $0) } ?? missing,
            isMultihop: path.isMultihop)
        guard let discriminator = demultiplexer.add(ends) else { return nil }
        return BFDSession(
            settings: settings(wish, path), discriminator: discriminator, seed: random.next(),
            digest: BFDHash.digest, at: now)
    }

    /// Echo packets are offered to be sent back where the kernel does it. Not in IPv6: there FRR
    /// addresses them to the neighbour, for its BFD program to return, and would call the session
    /// down; one that follows RFC 5881 §4 goes without.
    private func settings(_ wish: BFDWish, _ path: BFDPath) -> BFDSession.Settings {
        wish.settings(
            for: path,
            forwards: wish.echoInterval != nil && path.remote.family == .ipv4
                && BFDInterface.forwards(.ipv4, on: path.interface ?? "all"))
    }

    private mutating func insert(_ neighbor: BFDNeighbor) {
        let discriminator = neighbor.machine.discriminator
        neighbors[discriminator] = neighbor
        discriminators[neighbor.path] = discriminator
        arrange(neighbor)
    }

    /// Removes a session.
    mutating func remove(_ discriminator: UInt32) {
        guard let neighbor = neighbors.removeValue(forKey: discriminator) else { return }
        demultiplexer.remove(discriminator)
        discriminators[neighbor.path] = nil
        schedule.remove(discriminator)
        isChanged = true
    }

    /// Has a session looked at when it is due.
    mutating func arrange(_ neighbor: BFDNeighbor) {
        guard let deadline = neighbor.machine.nextDeadline else { return }
        schedule.note(neighbor.machine.discriminator, deadline)
    }

    /// Opens the ports that the sessions need, and closes the others.
    mutating func openPorts() {
        let before = ports.troubles.count
        ports.need(Set(neighbors.values.map(\.portKey)), in: group)
        if ports.troubles.count != before { isChanged = true }
    }
}
