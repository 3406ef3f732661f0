import NetworkTypes

extension Simulation {
    // MARK: Datagrams

    /// Sends a datagram of a node's process.
    func send(_ bytes: [UInt8], from sender: Int, boot: UInt32, to endpoint: SocketAddress) {
        guard endpoint.port == Cast.gossipPort, let receiver = nodeOfEndpoint[endpoint.address]
        else { return }
        let there = speakers[receiver]
        guard
            let arrivals = gossip.send(
                byteCount: bytes.count, from: sender, boot: boot, to: receiver, boot: there.boot,
                at: now, &random)
        else { return }
        guard there.isPowered else {
            if let report = there.unresolved(by: sender, at: now) {
                schedule.add(
                    .unreachable(at: sender, boot: boot, destination: receiver, isPort: false),
                    at: report)
            }
            return
        }
        schedule.add(.datagram(bytes, from: sender, to: receiver), at: arrivals.first)
        if let second = arrivals.second {
            schedule.add(.datagram(bytes, from: sender, to: receiver), at: second)
        }
    }

    /// A datagram is there: the process takes it, or the node's kernel says that there is none.
    func arrive(_ bytes: [UInt8], from sender: Int, to receiver: Int) {
        let speaker = speakers[receiver]
        guard speaker.isPowered else { return }
        if speaker.process != nil {
            speaker.receive(.datagram(bytes, from: sender), on: .gossip, boot: speaker.boot)
            return
        }
        guard speaker.mayReport(to: sender, at: now),
            !gossip.medium.loses(from: receiver, to: sender, &random)
        else { return }
        let arrival = gossip.medium.arrivals(from: receiver, to: sender, at: now, &random).first
        schedule.add(
            .unreachable(
                at: sender, boot: speakers[sender].boot, destination: receiver, isPort: true),
            at: arrival)
    }

    // MARK: Frames

    /// Sends a frame by a port of the LAN.
    package func send(_ frame: [UInt8], from port: Int) {
        for transit in lan.send(frame, from: port, at: now, &random) {
            schedule.add(.frame(transit), at: transit.arrives)
        }
    }

    /// A frame is there: at one port, or at all but the one that it came from.
    func arrive(_ transit: VirtualLAN.Transit) {
        let message = NeighborFrame(transit.frame)
        if let port = transit.to {
            take(transit.frame, message, at: port, from: transit.from)
            return
        }
        for port in 0..<speakers.count + clients.count where port != transit.from {
            take(transit.frame, message, at: port, from: transit.from)
        }
    }

    private func take(_ frame: [UInt8], _ message: NeighborFrame?, at port: Int, from sender: Int) {
        guard port < speakers.count + clients.count,
            !lan.medium.loses(from: sender, to: port, &random)
        else { return }
        guard port < speakers.count else {
            let number = port - speakers.count
            guard let message else { return }
            let outcome = clients[number].receive(message, at: now)
            if let reply = outcome.reply { send(reply, from: port) }
            if let answer = outcome.answer { judge.heard(answer, by: number) }
            return
        }
        let speaker = speakers[port]
        guard speaker.isPowered else { return }
        if let asked = message?.asked, let message, speaker.hostAddresses.contains(asked) {
            send(
                NeighborFrame.answer(to: message, by: asked, at: speaker.hardware), from: port)
        }
        speaker.receive(.frame(frame), on: .wire, boot: speaker.boot)
    }

    func ask(_ number: Int) {
        for frame in clients[number].ask(at: now) { send(frame, from: clients[number].port) }
        schedule.add(.client(number), at: clients[number].nextDeadline)
    }
}
