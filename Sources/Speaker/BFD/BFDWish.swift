import BFD

/// What is wanted of the session of a path (RFC 5880 §6.8.1).
package struct BFDWish: Hashable, Sendable {
    /// Whether this end waits for the peer's first packet (RFC 5880 §6.1).
    package var isPassive = false
    /// The least interval at which this end sends, once the session is up.
    package var transmitInterval = Duration.milliseconds(300)
    /// The least interval at which this end can receive.
    package var receiveInterval = Duration.milliseconds(300)
    /// Packets that the peer may miss before it calls the session down, 1–255.
    package var detectMultiplier: UInt8 = 3
    /// The least interval of echo packets; `nil` for none.
    package var echoInterval: Duration?
    /// The least hop limit that is accepted on a multihop path (RFC 5883 §4); a single hop is 255
    /// always (RFC 5881 §5).
    package var minimumHops: UInt8?
    /// How packets prove who sent them; `nil` for not at all.
    package var authentication: BFDAuthentication?

    /// The defaults of a profile.
    package init() {}

    /// What two who share a path want: the faster of both, and what both accept.
    package func merged(with other: BFDWish) -> BFDWish {
        var merged = self
        merged.isPassive = isPassive && other.isPassive
        merged.transmitInterval = min(transmitInterval, other.transmitInterval)
        merged.receiveInterval = min(receiveInterval, other.receiveInterval)
        merged.detectMultiplier = min(detectMultiplier, other.detectMultiplier)
        if let mine = echoInterval, let theirs = other.echoInterval {
            merged.echoInterval = min(mine, theirs)
        } else {
            merged.echoInterval = echoInterval ?? other.echoInterval
        }
        // One without a limit of its own has the usual one.
        if minimumHops != other.minimumHops {
            merged.minimumHops = min(
                minimumHops ?? Self.defaultMinimumHops,
                other.minimumHops ?? Self.defaultMinimumHops)
        }
        merged.authentication = authentication ?? other.authentication
        return merged
    }
}
