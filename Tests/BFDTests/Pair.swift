import BFD
import NetworkTypes

/// Two sessions at the ends of a virtual link, under a virtual clock. Packets pass as bytes.
struct Pair {
    struct Entry {
        let time: Instant
        let end: Int
        let action: BFDSession.Action
    }

    private struct Flight {
        let arrival: Instant
        let end: Int
        let event: Payload
    }

    private enum Payload {
        case control([UInt8])
        case echo(UInt32)
    }

    var ends: [BFDSession]
    private(set) var now = Instant.start
    private(set) var log: [Entry] = []
    private var flights: [Flight] = []
    private var asleepUntil: [Instant?] = [nil, nil]

    /// How long a packet takes.
    var delay = Duration.microseconds(200)
    /// Whether the packets of an end get lost: given the end and the how manieth it is.
    var loses: (Int, Int) -> Bool = { _, _ in false }
    /// Whether echo packets of an end come back.
    var echoes = [true, true]
    private(set) var sent = [0, 0]

    init(_ left: BFDSession.Settings, _ right: BFDSession.Settings, seed: UInt64 = 1) {
        ends = [left, right].enumerated().map { index, settings in
            BFDSession(
                settings: settings, discriminator: UInt32(index + 1),
                seed: seed &* 2 &+ UInt64(index), digest: Digests.function, at: .start)
        }
    }

    /// A pair that has been up for two seconds.
    static func up(
        _ left: BFDSession.Settings = .every(50), _ right: BFDSession.Settings = .every(50),
        seed: UInt64 = 1
    ) -> Pair {
        var pair = Pair(left, right, seed: seed)
        pair.run(for: .seconds(2))
        pair.log = []
        return pair
    }

    mutating func tell(_ end: Int, _ event: BFDSession.Event) {
        carryOut(ends[end].handle(event, at: now), of: end)
    }

    /// The end's thread gets no processor for so long; its kernel goes on receiving.
    mutating func suspend(_ end: Int, for time: Duration) { asleepUntil[end] = now + time }

    /// The end's process is another one that knows nothing.
    mutating func restart(_ end: Int, discriminator: UInt32) {
        ends[end] = BFDSession(
            settings: ends[end].settings, discriminator: discriminator, seed: 99,
            digest: Digests.function, at: now)
    }

    mutating func run(for time: Duration) {
        let finish = now + time
        var steps = 0
        while let next = nextTime, next <= finish {
            steps += 1
            precondition(steps < 1_000_000, "the pair does not come to rest")
            now = max(now, next)
            step()
        }
        now = finish
    }

    private func wake(_ end: Int, _ time: Instant) -> Instant {
        max(time, asleepUntil[end] ?? time)
    }

    private var nextTime: Instant? {
        let deadlines = ends.indices.compactMap { end in
            ends[end].nextDeadline.map { wake(end, $0) }
        }
        return (deadlines + flights.map { wake($0.end, $0.arrival) }).min()
    }

    /// Every end reads what has arrived, and only then looks at its clock.
    private mutating func step() {
        for end in ends.indices where wake(end, now) <= now {
            let due = flights.filter { $0.end == end && $0.arrival <= now }
            flights.removeAll { $0.end == end && $0.arrival <= now }
            for flight in due.sorted(by: { $0.arrival < $1.arrival }) { take(flight) }
            if let deadline = ends[end].nextDeadline, deadline <= now {
                tell(end, .deadlineReached)
            }
        }
    }

    private mutating func take(_ flight: Flight) {
        let event: BFDSession.Event
        switch flight.event {
        case .echo(let number): event = .echoReturned(number)
        case .control(let bytes):
            do {
                let packet = try BFDPacket(decoding: bytes.span)
                let yours = packet.yourDiscriminator
                guard yours == 0 || yours == ends[flight.end].discriminator else { return }
                event = .received(packet, timeToLive: 255)
            } catch {
                preconditionFailure("sent what cannot be read: \(error)")
            }
        }
        carryOut(ends[flight.end].handle(event, at: flight.arrival), of: flight.end)
    }

    private mutating func carryOut(_ actions: [BFDSession.Action], of end: Int) {
        for action in actions {
            log.append(Entry(time: now, end: end, action: action))
            switch action {
            case .send(let packet):
                sent[end] += 1
                if loses(end, sent[end]) { continue }
                flights.append(
                    Flight(arrival: now + delay, end: 1 - end, event: .control(packet.encoded())))
            case .sendEcho(let number):
                guard echoes[end] else { continue }
                flights.append(Flight(arrival: now + delay * 2, end: end, event: .echo(number)))
            default: continue
            }
        }
    }

    // MARK: What was seen

    var states: [BFDState] { ends.map(\.state) }

    func packets(of end: Int) -> [(time: Instant, packet: BFDPacket)] {
        log.compactMap { entry in
            guard entry.end == end, case .send(let packet) = entry.action else { return nil }
            return (entry.time, packet)
        }
    }

    func changes(of end: Int) -> [(time: Instant, state: BFDState)] {
        log.compactMap { entry in
            guard entry.end == end, case .stateChanged(let state, _) = entry.action else {
                return nil
            }
            return (entry.time, state)
        }
    }

    func verdicts(of end: Int) -> [BFDReachability] {
        log.filter { $0.end == end }.map(\.action).verdicts
    }
}
