import BFD
import LinuxNetwork
import NetworkTypes

/// Packets in and out.
extension BFDLoop {
    /// Reads everything that waits. Stations first: the control packet that lets a session begin
    /// with echo is also the one that says whom to send it by.
    mutating func receive(at now: Instant) {
        echoLinks.receive(at: now) { news in take(news) }
        ports.receive { key, bytes, arrival in take(bytes, key, arrival) }
    }

    private mutating func take(
        _ bytes: Span<UInt8>, _ key: BFDPorts.Key, _ arrival: BFDReceiveSocket.Arrival
    ) {
        do throws(BFDDiscard) {
            let packet = try BFDPacket(decoding: bytes)
            let discriminator = try demultiplexer.session(
                of: packet,
                BFDArrival(
                    source: arrival.peer.address,
                    destination: arrival.local ?? arrival.peer.address,
                    interface: UInt32(truncatingIfNeeded: arrival.interface),
                    isMultihop: key.isMultihop))
            guard let neighbor = neighbors[discriminator] else { return }
            note(arrival, neighbor)
            // Without a hop limit the packet may come from anywhere.
            handle(
                .received(packet, timeToLive: arrival.hops ?? 0), of: neighbor, at: arrival.time)
        } catch {
            discards.count(error)
        }
    }

    /// Echo packets leave where the control packets come in.
    private mutating func note(_ arrival: BFDReceiveSocket.Arrival, _ neighbor: BFDNeighbor) {
        guard neighbor.machine.settings.echo != nil, neighbor.machine.state != .up,
            arrival.peer.address == neighbor.path.remote
        else { return }
        neighbor.heardAt = arrival.local ?? neighbor.heardAt
        if neighbor.path.interface == nil, arrival.interface != 0 {
            neighbor.interface = arrival.interface
        }
        openEcho(of: neighbor, at: arrival.time)
    }

    private mutating func take(_ news: BFDEchoLinks.News) {
        switch news {
        case .echo(let echo, let time):
            guard let neighbor = neighbors[echo.discriminator], neighbor.token == echo.token
            else { return }
            handle(.echoReturned(echo.sequence), of: neighbor, at: time)
        case .station(let station, let address, let link):
            for neighbor in neighbors.values
            where neighbor.path.remote == address && neighbor.echoLink == link {
                neighbor.station = station
            }
        }
    }

    /// Opens what a session's echo packets need.
    mutating func openEcho(of neighbor: BFDNeighbor, at now: Instant) {
        if let link = neighbor.echoLink { echoLinks.open(link, in: group, at: now) }
    }

    /// Lets the session decide, and does what it says.
    mutating func handle(_ event: BFDSession.Event, of neighbor: BFDNeighbor, at time: Instant) {
        let actions = neighbor.machine.handle(event, at: time)
        for action in actions {
            switch action {
            case .send(let packet):
                // A session that cannot hear would only disturb who can: another daemon's.
                if ports.isOpen(neighbor.portKey) {
                    neighbor.send(packet, at: time)
                } else {
                    neighbor.refuse()
                }
            case .sendEcho(let sequence): sendEcho(sequence, of: neighbor)
            case .stateChanged(let state, let diagnostic):
                isChanged = true
                outlets.tell(
                    BFDEvent(
                        path: neighbor.path, state: state, diagnostic: diagnostic,
                        remoteState: neighbor.machine.status.remote?.state))
            case .reachabilityChanged(let verdict):
                isChanged = true
                neighbor.verdict = verdict
                if !neighbor.isEnding { outlets.observe(neighbor.path, verdict) }
            case .farewellEnded:
                if neighbor.isEnding { remove(neighbor.machine.discriminator) }
            }
        }
        arrange(neighbor)
    }

    private func sendEcho(_ sequence: UInt32, of neighbor: BFDNeighbor) {
        guard let link = neighbor.echoLink, let station = neighbor.station,
            let address = neighbor.echoAddress
        else { return }
        let echo = BFDEcho(
            discriminator: neighbor.machine.discriminator, sequence: sequence,
            token: neighbor.token)
        echoLinks.send(echo, from: address, on: link, to: station)
    }
}
