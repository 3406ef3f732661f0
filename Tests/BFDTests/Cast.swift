import BFD
import NetworkTypes

extension Instant {
    static let start = Instant(nanoseconds: 1_000_000_000_000)

    /// `milliseconds` after the start.
    static func at(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }
}

extension BFDSession.Settings {
    /// Both intervals in milliseconds.
    static func every(
        _ milliseconds: UInt32, times multiplier: UInt8 = 3
    ) -> BFDSession.Settings {
        var settings = BFDSession.Settings()
        settings.desiredMinTransmit = milliseconds * 1000
        settings.requiredMinReceive = milliseconds * 1000
        settings.detectMultiplier = multiplier
        return settings
    }
}

extension BFDSession {
    /// Session 1, made at the start.
    init(_ settings: Settings = .every(50), seed: UInt64 = 1) {
        self.init(
            settings: settings, discriminator: 1, seed: seed, digest: Digests.function, at: .start)
    }

    /// The session as it is after it heard a peer of 50 ms × 3 say so much.
    static func inState(_ state: BFDState, _ settings: Settings = .every(50)) -> BFDSession {
        var session = BFDSession(settings)
        switch state {
        case .adminDown: _ = session.handle(.disable, at: .start)
        case .down: break
        case .`init`: _ = session.hear(.heard(.down), at: .start)
        case .up:
            _ = session.hear(.heard(.`init`), at: .start)
            _ = session.hear(.heard(.up, isFinal: true), at: .start)
        }
        return session
    }

    mutating func hear(
        _ packet: BFDPacket, timeToLive: UInt8 = 255, at now: Instant
    ) -> [Action] {
        handle(.received(packet, timeToLive: timeToLive), at: now)
    }
}

extension BFDPacket {
    /// What session 2 says to session 1, 50 ms × 3.
    static func heard(
        _ state: BFDState, every milliseconds: UInt32 = 50, times multiplier: UInt8 = 3,
        isPoll: Bool = false, isFinal: Bool = false
    ) -> BFDPacket {
        var packet = BFDPacket(
            state: state, detectMultiplier: multiplier, myDiscriminator: 2,
            yourDiscriminator: state == .down ? 0 : 1, desiredMinTransmit: milliseconds * 1000,
            requiredMinReceive: milliseconds * 1000)
        packet.isPoll = isPoll
        packet.isFinal = isFinal
        return packet
    }
}

extension [BFDSession.Action] {
    var packets: [BFDPacket] {
        compactMap { if case .send(let packet) = $0 { packet } else { nil } }
    }

    var states: [BFDState] {
        compactMap { if case .stateChanged(let state, _) = $0 { state } else { nil } }
    }

    var verdicts: [BFDReachability] {
        compactMap { if case .reachabilityChanged(let verdict) = $0 { verdict } else { nil } }
    }
}
