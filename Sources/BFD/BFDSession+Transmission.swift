import NetworkTypes

extension BFDSession {
    /// The agreed interval of our packets, before jitter (RFC 5880 §6.8.2).
    var transmitInterval: Duration {
        if let farewell, isFarewellDue { return farewell.interval }
        return .microseconds(Int64(max(inForce.transmit, remote.requiredMinReceive)))
    }

    /// A passive end waits for the other (§6.8.7).
    var maySend: Bool { settings.role == .active || remote.isKnown }

    /// §6.6: both up, and the other end wants packets only on demand.
    var isDemandActive: Bool { remote.isDemand && state == .up && remote.state == .up }

    /// The next packet of the periodic ones; in the past when the interval has shrunk.
    var nextTransmission: Instant? {
        guard maySend, remote.requiredMinReceive != 0, !isDemandActive || poll != nil else {
            return nil
        }
        guard let lastSent else { return started }
        return lastSent + jittered(transmitInterval, by: spread)
    }

    /// 75–100 % of an interval; up to 90 % when a single lost packet ends the session (§6.8.7).
    func jittered(_ interval: Duration, by spread: UInt16) -> Duration {
        let whole = interval.wholeNanoseconds
        let least = settings.detectMultiplier == 1 ? whole / 10 : 0
        let most = whole / 4
        return .nanoseconds(whole - least - (most - least) * Int64(spread) / 0xffff)
    }

    /// What a packet would say now, flags of a Poll Sequence and authentication aside.
    var content: BFDPacket {
        var packet = BFDPacket(
            state: state, detectMultiplier: settings.detectMultiplier,
            myDiscriminator: discriminator, yourDiscriminator: remote.discriminator,
            desiredMinTransmit: advertised.transmit, requiredMinReceive: advertised.receive,
            requiredMinEchoReceive: settings.isMultihop ? 0 : settings.echo?.requiredMinReceive ?? 0
        )
        packet.diagnostic = diagnostic
        packet.isControlPlaneIndependent = settings.isControlPlaneIndependent
        return packet
    }

    /// Sends what is so now. An answer to a poll does not stand for a periodic packet: it cannot
    /// carry our own poll, and the other end could put that off for ever.
    mutating func transmit(isFinal: Bool = false, _ actions: inout [Action]) {
        var packet = content
        let isNews = lastContent != packet
        lastContent = packet
        packet.isFinal = isFinal
        if !isFinal {
            lastSent = clock
            spread = UInt16(truncatingIfNeeded: random.next())
            if poll != nil {
                packet.isPoll = true
                poll?.isSent = true
                lastPoll = clock
                unansweredPolls += 1
            }
        }
        counters.sent &+= 1
        actions.append(.send(signed(packet, isNews: isNews)))
    }
}
