import NetworkTypes

/// Datagrams that can wait: at most 20 of them leave in 10 ms, so that switches and receivers keep
/// up. What finds no room is dropped; exchanges of digests make up for it.
struct BulkQueue: Sendable {
    static let capacity = 2_048
    private static let burst = 20
    private static let window = 10 * MembershipAgent.Timing.millisecond

    private var waiting: [(SocketAddress, [UInt8])] = []
    private var next = 0
    private var opens: Instant?
    private var sent = 0

    var isEmpty: Bool { next == waiting.count }

    /// When the next may leave; `nil` when none waits.
    var deadline: Instant? { isEmpty ? nil : opens }

    /// False: there was no room.
    mutating func add(_ payload: [UInt8], to destination: SocketAddress) -> Bool {
        guard waiting.count - next < Self.capacity else { return false }
        if next == waiting.count {
            waiting.removeAll(keepingCapacity: waiting.count < 64)
            next = 0
        }
        waiting.append((destination, payload))
        return true
    }

    mutating func drain(at now: Instant, _ body: (SocketAddress, [UInt8]) -> Void) {
        guard !isEmpty else { return }
        if let opens, now < opens {
            guard sent < Self.burst else { return }
        } else {
            opens = now.after(Self.window)
            sent = 0
        }
        while sent < Self.burst, next < waiting.count {
            body(waiting[next].0, waiting[next].1)
            waiting[next].1 = []
            next += 1
            sent += 1
        }
        if next > Self.capacity {
            waiting.removeFirst(next)
            next = 0
        }
    }
}
