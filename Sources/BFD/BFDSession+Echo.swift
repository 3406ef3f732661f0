import NetworkTypes

extension BFDSession {
    /// The Echo function (RFC 5880 §6.4, §6.8.5, §6.8.8, §6.8.9).
    struct Echo: Hashable, Sendable {
        /// The interval in use; `nil` while no echo packets are sent.
        private(set) var interval: Duration?
        /// When the newest one that came back did; `nil` while none has.
        private(set) var lastReturned: Instant?
        private(set) var nextTransmission: Instant?
        private var detectMultiplier = 0
        /// When the packet was sent with which enough of them are missing.
        private var lastChance: Instant?
        private var sent: UInt32 = 0
        private var returned: UInt32 = 0

        /// Whether echo packets detect failures: one has come back.
        var isActive: Bool { interval != nil && lastReturned != nil }

        /// There is none before as many packets as the multiplier says are missing, and the last
        /// of them has had its time: when we were late to send them, their absence proves nothing.
        var detectionDeadline: Instant? {
            guard let interval, let lastReturned, let lastChance else { return nil }
            return max(lastReturned + interval * detectMultiplier, lastChance + interval / 4)
        }

        var nextDeadline: Instant? {
            guard let nextTransmission else { return nil }
            return min(nextTransmission, detectionDeadline ?? nextTransmission)
        }

        mutating func run(every interval: Duration, multiplier: UInt8, at now: Instant) {
            detectMultiplier = Int(multiplier)
            guard self.interval != interval else { return }
            if self.interval == nil {
                nextTransmission = now
                // What is still on the way belongs to another time.
                returned = sent
            }
            self.interval = interval
        }

        mutating func stop() {
            interval = nil
            lastReturned = nil
            lastChance = nil
            nextTransmission = nil
        }

        mutating func next(after pause: Duration, at now: Instant) -> UInt32 {
            nextTransmission = now + pause
            sent &+= 1
            if sent &- returned >= detectMultiplier, lastChance == nil { lastChance = now }
            return sent
        }

        /// Whether the number is one that has been sent, and none of those already back.
        mutating func take(_ number: UInt32, at arrival: Instant) -> Bool {
            guard interval != nil, number &- returned &- 1 < sent &- returned else { return false }
            returned = number
            lastReturned = max(lastReturned ?? arrival, arrival)
            lastChance = sent &- returned >= detectMultiplier ? lastReturned : nil
            return true
        }
    }

    /// Echo packets go out while the session is up and the other end takes them. The interval is
    /// not less than it allows, the multiplier our own.
    mutating func updateEcho() {
        guard state == .up, !settings.isMultihop, remote.requiredMinEchoReceive != 0,
            let wanted = settings.echo?.transmitInterval
        else { return echo.stop() }
        let interval = max(wanted, remote.requiredMinEchoReceive, Self.shortestInterval)
        echo.run(
            every: .microseconds(Int64(interval)), multiplier: settings.detectMultiplier, at: clock)
    }

    mutating func sendEcho() -> UInt32 {
        counters.echoesSent &+= 1
        let spread = UInt16(truncatingIfNeeded: random.next())
        return echo.next(after: jittered(echo.interval ?? .seconds(1), by: spread), at: clock)
    }

    mutating func echoReturned(_ number: UInt32, at arrival: Instant) {
        if echo.take(number, at: arrival) { counters.echoesReturned &+= 1 }
    }
}
