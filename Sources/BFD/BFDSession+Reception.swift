import NetworkTypes

extension BFDSession {
    /// What the other end says of itself, as its last packet had it (RFC 5880 §6.8.1).
    struct Remote: Hashable, Sendable {
        var discriminator: UInt32 = 0
        var state = BFDState.down
        var isDemand = false
        var isControlPlaneIndependent = false
        var detectMultiplier: UInt8 = 0
        var desiredMinTransmit: UInt32 = 0
        var requiredMinReceive: UInt32 = 1
        var requiredMinEchoReceive: UInt32 = 0

        var isKnown: Bool { discriminator != 0 }
    }

    /// §6.8.6 from where the session is known on. Returns why the packet was discarded, if it was.
    mutating func receive(
        _ packet: BFDPacket, timeToLive: UInt8, at arrival: Instant, _ actions: inout [Action]
    ) -> BFDDiscard? {
        guard timeToLive >= settings.minimumTimeToLive else { return .timeToLive }
        if let reason = authenticate(packet, at: arrival) { return reason }
        remote = Remote(
            discriminator: packet.myDiscriminator, state: packet.state,
            isDemand: packet.isDemand,
            isControlPlaneIndependent: packet.isControlPlaneIndependent,
            detectMultiplier: packet.detectMultiplier,
            desiredMinTransmit: packet.desiredMinTransmit,
            requiredMinReceive: packet.requiredMinReceive,
            requiredMinEchoReceive: packet.requiredMinEchoReceive)
        remoteDiagnostic = packet.diagnostic
        if packet.isFinal { finishPoll() }
        // The detection time runs also in AdminDown: it is when the other end is forgotten.
        lastReceived = max(lastReceived ?? arrival, arrival)
        guard state != .adminDown else {
            if !isFarewellDue { farewell?.end = clock }
            return .adminDown
        }
        counters.received &+= 1
        step(packet.state, &actions)
        owesFinal = packet.isPoll
        return nil
    }

    private mutating func step(_ heard: BFDState, _ actions: inout [Action]) {
        switch (state, heard) {
        case (.down, .down): change(to: .`init`, diagnostic, &actions)
        case (.down, .`init`), (.`init`, .`init`), (.`init`, .up):
            change(to: .up, .none, &actions)
        case (.`init`, .adminDown), (.up, .adminDown), (.up, .down):
            change(to: .down, .neighborSignaledSessionDown, &actions)
        default: break
        }
    }

    /// Multiplier and interval are the other end's (§6.8.4); none while it is not known.
    var detectionTime: Duration? {
        guard remote.isKnown else { return nil }
        let interval = max(inForce.receive, remote.desiredMinTransmit)
        return .microseconds(Int64(interval) * Int64(remote.detectMultiplier))
    }

    var detectionDeadline: Instant? {
        guard let lastReceived, let detectionTime else { return nil }
        return lastReceived + detectionTime
    }

    mutating func forgetRemote() {
        if let lastReceived, let detectionTime {
            sequences.expiry = lastReceived + detectionTime * 2
        }
        remote = Remote()
        poll = nil
        unansweredPolls = 0
        inForce = advertised
    }
}
