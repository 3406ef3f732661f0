import NetworkTypes

@testable import BGP

/// Two peers and a virtual link with a delay for each direction, on one virtual clock.
struct PeerPair {
    /// A connection: its name at either end, once it is there.
    private struct Wire {
        var names: [ConnectionID?]
        /// What it is slower by towards either side, as with a busy reader or a lost segment.
        let extra: [Duration]
        var isAlive = true
    }

    private struct Delivery {
        let at: Instant
        let order: Int
        let side: Int
        let wire: Int
        let content: Content

        var sorting: (Instant, Int) { (at, order) }
    }

    private enum Content {
        case accepted, connected, refused
        case message(BGPMessage)
        case closed
    }

    var peers: [BGPPeer]
    /// From side 0 to side 1, and back.
    var delays: [Duration]
    /// How much slower than the link a connection may be.
    var unevenness: Duration = .zero
    /// Whether connections can be made.
    var isListening = [true, true]
    /// Whether anything arrives.
    var isConnected = true
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    /// What either side did, in order.
    private(set) var history: [[BGPPeer.Action]] = [[], []]
    private var wires: [Wire] = []
    private var queue: [Delivery] = []
    private var order = 0
    private var jitter: Jitter
    private var accepted: UInt64 = 0

    init(_ settings: [PeerSettings], seed: UInt64, delays: [Duration]) {
        peers = settings.enumerated().map {
            BGPPeer(settings: $0.element, seed: seed &* 2 &+ UInt64($0.offset))
        }
        self.delays = delays
        jitter = Jitter(seed: seed)
    }

    mutating func tell(_ side: Int, _ event: BGPPeer.Event) {
        perform(peers[side].handle(event, at: now), by: side)
    }

    mutating func update(_ side: Int, _ settings: PeerSettings) {
        perform(peers[side].update(settings: settings, at: now), by: side)
    }

    /// Cuts every connection, as a firewall that resets does.
    mutating func resetConnections() {
        for index in wires.indices where wires[index].isAlive {
            wires[index].isAlive = false
            for side in 0...1 { post(.closed, to: side, wire: index, after: .zero) }
        }
    }

    mutating func run(for duration: Duration) {
        let end = now + duration
        while let next = [queue.map(\.at).min(), peers[0].nextDeadline, peers[1].nextDeadline]
            .compactMap(\.self).min(), next <= end
        {
            now = max(now, next)
            let due = queue.indices.filter { queue[$0].at <= now }
            if let first = due.min(by: { queue[$0].sorting < queue[$1].sorting }) {
                deliver(queue.remove(at: first))
            } else {
                for side in 0...1 {
                    guard let deadline = peers[side].nextDeadline, deadline <= now else { continue }
                    tell(side, .deadlineReached)
                }
            }
        }
        now = end
    }

    /// Whether both are Established on one and the same connection.
    var isUp: Bool {
        let names = peers.map { $0.status.state == .established ? $0.status.connection : nil }
        return wires.contains { wire in
            wire.isAlive && wire.names[0] != nil && wire.names == names
        }
    }

    private mutating func deliver(_ delivery: Delivery) {
        let side = delivery.side
        if case .accepted = delivery.content {
            accepted += 1
            wires[delivery.wire].names[side] = .incoming(accepted)
        }
        guard let name = wires[delivery.wire].names[side] else { return }
        switch delivery.content {
        case .accepted: tell(side, .accepted(name))
        case .connected: tell(side, .connected(name))
        case .refused: tell(side, .connectFailed(name, "Connection refused"))
        case .message(let message): tell(side, .received(name, message))
        case .closed: tell(side, .closed(name, "closed by the other side"))
        }
    }

    private mutating func perform(_ actions: [BGPPeer.Action], by side: Int) {
        history[side] += actions
        let there = delays[side]
        let around = delays[0] + delays[1]
        for action in actions {
            switch action {
            case .connect(let name):
                wires.append(
                    Wire(
                        names: side == 0 ? [name, nil] : [nil, name],
                        extra: [slowness(), slowness()]))
                let wire = wires.count - 1
                if isListening[1 - side] {
                    send(.accepted, to: 1 - side, wire: wire, after: there)
                    post(.connected, to: side, wire: wire, after: around)
                } else {
                    post(.refused, to: side, wire: wire, after: around)
                }
            case .send(let name, let message):
                guard let wire = wire(name, side), wires[wire].isAlive else { continue }
                send(.message(message), to: 1 - side, wire: wire, after: there)
            case .close(let name):
                guard let wire = wire(name, side), wires[wire].isAlive else { continue }
                wires[wire].isAlive = false
                send(.closed, to: 1 - side, wire: wire, after: there)
            case .established, .lost, .refreshRequested, .inbound, .noted: break
            }
        }
    }

    private mutating func slowness() -> Duration {
        let bound = unevenness.wholeNanoseconds
        return bound == 0 ? .zero : .nanoseconds(Int64(jitter.seed() % UInt64(bound)))
    }

    private mutating func send(
        _ content: Content, to side: Int, wire: Int, after delay: Duration
    ) {
        post(content, to: side, wire: wire, after: delay + wires[wire].extra[side])
    }

    private func wire(_ name: ConnectionID, _ side: Int) -> Int? {
        wires.lastIndex { $0.names[side] == name }
    }

    private mutating func post(
        _ content: Content, to side: Int, wire: Int, after delay: Duration
    ) {
        guard isConnected else { return }
        order += 1
        queue.append(
            Delivery(at: now + delay, order: order, side: side, wire: wire, content: content))
    }
}
