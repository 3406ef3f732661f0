import BGP
import LinuxNetwork
import NetworkTypes

extension CaptureDecoder {
    /// A segment of a BGP connection.
    mutating func segment(
        _ packet: PacketHeader, _ bytes: Span<UInt8>, _ place: CaptureEvent
    ) -> [CaptureEvent] {
        let header: SegmentHeader
        do throws(MalformedHeader) {
            header = try SegmentHeader(bytes, packet.payload)
        } catch {
            return [place.malformed(.tcp, "segment", error.rule, bytes.shown(packet.payload))]
        }
        let source = SocketAddress(packet.source, port: header.sourcePort)
        let destination = SocketAddress(packet.destination, port: header.destinationPort)
        let key = FlowTable.Key(source, destination)
        let side: ObservedSession.Side = source < destination ? .one : .other
        var events: [CaptureEvent] = []
        if header.isSynchronizing, header.acknowledgment == nil {
            if let old = flows.remove(key, unlessOpenedBy: header.sequence) {
                events += Self.finish(old, place)
            }
        }
        let isNew = flows[key] == nil
        guard header.isSynchronizing || header.isResetting || !header.payload.isEmpty || !isNew
        else { return [] }
        var flow = flows[key] ?? Flow(hasBeginning: header.isSynchronizing)
        if isNew { counts.forgotten += flows.makeRoom() }
        events += flow.note(header, isNew: isNew, from: side, place)
        events += flow.take(header, bytes, from: side, place)
        if header.isResetting || flow.isClosed || flows.isCrowded(with: flow) {
            events += Self.finish(flow, place)
            // What is crowded out goes on with gaps; what has ended is forgotten.
            flow.clearWaiting()
        }
        flows[key] = header.isResetting || flow.isClosed ? nil : flow
        return events
    }

    /// What the last bytes of all connections say: the capture ends.
    mutating func finish() -> [CaptureEvent] {
        flows.removeAll().flatMap { key, flow in
            var place = CaptureEvent(nanoseconds: flow.lastTime)
            place.from = "\(key.low)"
            place.to = "\(key.high)"
            return Self.finish(flow, place)
        }
    }

    /// What waits for segments that do not come any more.
    private static func finish(_ flow: Flow, _ place: CaptureEvent) -> [CaptureEvent] {
        var flow = flow
        return flow.finish(place)
    }
}

/// One TCP connection.
struct Flow: Sendable {
    private var session: ObservedSession
    private var streams = [StreamReassembly(), StreamReassembly()]
    private var hasFinished = [false, false]
    private var hasData = false
    private var isGuessTold = false
    /// Of the segment that opened it.
    private(set) var opening: UInt32?
    private(set) var lastTime: Int64 = 0

    init(hasBeginning: Bool) { session = ObservedSession(hasBeginning: hasBeginning) }

    var isClosed: Bool { hasFinished == [true, true] }
    var waitingCost: Int { streams[0].waitingCost + streams[1].waitingCost }

    /// What happens to the connection itself.
    mutating func note(
        _ header: SegmentHeader, isNew: Bool, from side: ObservedSession.Side,
        _ place: CaptureEvent
    ) -> [CaptureEvent] {
        lastTime = place.nanoseconds
        if header.isSynchronizing {
            guard header.acknowledgment == nil else {
                return [place.saying(.tcp, "accept", "accepts the connection")]
            }
            let isAgain = opening == header.sequence
            opening = header.sequence
            return [
                place.saying(.tcp, "connect", isAgain ? "connects, once more" : "connects")
            ]
        }
        if header.isResetting {
            let isRefusal = opening != nil && !hasData && streams.contains { !$0.hasBeginning }
            return [
                place.saying(
                    .tcp, isRefusal ? "refuse" : "reset",
                    isRefusal ? "refuses the connection" : "resets the connection")
            ]
        }
        guard header.isFinishing, !hasFinished[side.rawValue] else { return [] }
        hasFinished[side.rawValue] = true
        return []
    }

    /// What the data says that comes with a segment, and the end of it.
    mutating func take(
        _ header: SegmentHeader, _ bytes: Span<UInt8>, from side: ObservedSession.Side,
        _ place: CaptureEvent
    ) -> [CaptureEvent] {
        if let number = header.acknowledgment { streams[side.peer.rawValue].acknowledge(number) }
        if !header.payload.isEmpty { hasData = true }
        let pieces = streams[side.rawValue].take(header, bytes.extracting(header.payload))
        var events = events(pieces, from: side, place)
        if header.isFinishing {
            events.append(place.saying(.tcp, "close", "closes the connection"))
        }
        return events
    }

    /// What waits for segments that do not come any more.
    mutating func finish(_ place: CaptureEvent) -> [CaptureEvent] {
        ObservedSession.Side.allCases.flatMap { side in
            events(streams[side.rawValue].finish(), from: side, place)
        }
    }

    mutating func clearWaiting() {
        for index in streams.indices { _ = streams[index].finish() }
    }

    private mutating func events(
        _ pieces: [StreamReassembly.Piece], from side: ObservedSession.Side, _ place: CaptureEvent
    ) -> [CaptureEvent] {
        var events: [CaptureEvent] = []
        for piece in pieces {
            switch piece {
            case .gap(let count):
                session.lose(from: side)
                events.append(
                    place.saying(
                        .tcp, "gap",
                        "\(count) byte\(count == 1 ? "" : "s") of the stream are not in the capture"
                    ))
            case .bytes(let bytes):
                for seen in session.take(bytes, from: side) {
                    if case .message(.update, _) = seen, session.isGuessed, !isGuessTold {
                        isGuessTold = true
                        events.append(place.saying(.bgp, "guess", Self.guess))
                    }
                    events.append(place.saying(seen))
                }
            }
        }
        return events
    }

    private static let guess =
        "the OPENs are not in the capture: AS numbers of four octets are guessed where they fit, "
        + "and a session within one AS"
}

/// The connections that are followed.
struct FlowTable: Sendable {
    /// Both ends, the lower one first.
    struct Key: Hashable, Sendable {
        let low: SocketAddress
        let high: SocketAddress

        init(_ one: SocketAddress, _ other: SocketAddress) {
            low = min(one, other)
            high = max(one, other)
        }
    }

    static let limit = 4096
    static let waitingLimit = 64 << 20

    private var flows: [Key: (flow: Flow, use: UInt64)] = [:]
    private var uses: UInt64 = 0
    private var waitingCost = 0

    subscript(key: Key) -> Flow? {
        get { flows[key]?.flow }
        set {
            waitingCost += (newValue?.waitingCost ?? 0) - (flows[key]?.flow.waitingCost ?? 0)
            uses += 1
            flows[key] = newValue.map { ($0, uses) }
        }
    }

    /// Whether all that waits would be too much with `flow`.
    func isCrowded(with flow: Flow) -> Bool {
        flow.waitingCost > 0 && waitingCost + flow.waitingCost > Self.waitingLimit
    }

    /// Takes a connection out whose ends begin another, unless it is the same: a segment that was
    /// sent again.
    mutating func remove(_ key: Key, unlessOpenedBy sequence: UInt32) -> Flow? {
        guard let flow = self[key], flow.opening != sequence else { return nil }
        self[key] = nil
        return flow
    }

    /// Forgets the connections that were silent longest when there are too many; says how many.
    mutating func makeRoom() -> Int {
        guard flows.count >= Self.limit else { return 0 }
        let oldest = flows.sorted { $0.value.use < $1.value.use }.prefix(Self.limit / 4)
        for (key, _) in oldest { self[key] = nil }
        return oldest.count
    }

    /// Takes all out, in the order in which they were heard last.
    mutating func removeAll() -> [(key: Key, flow: Flow)] {
        defer {
            flows = [:]
            waitingCost = 0
        }
        return flows.sorted { $0.value.use < $1.value.use }.map { ($0.key, $0.value.flow) }
    }
}
