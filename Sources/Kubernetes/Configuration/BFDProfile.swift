/// Timers of a BFD session, for peers to refer to (`metallb.io/v1beta1 BFDProfile`; RFC 5880).
public struct BFDProfile: Hashable, Sendable {
    /// Metadata; peers refer to its name.
    public var metadata: ObjectMeta
    /// `spec.receiveInterval`: the least time between packets that this end can take, 10–60000 ms.
    public var receiveIntervalMilliseconds = 300
    /// `spec.transmitInterval`: the least time between packets that this end sends, 10–60000 ms.
    public var transmitIntervalMilliseconds = 300
    /// `spec.detectMultiplier`: packets that may be lost before the session is down, 2–255.
    public var detectMultiplier = 3
    /// `spec.echoInterval`: the least time between echo packets, 10–60000 ms.
    public var echoIntervalMilliseconds = 50
    /// `spec.echoMode`: whether echo packets are used where the peer offers them.
    public var echoMode = false
    /// `spec.passiveMode`: whether this end waits for the peer's first packet.
    public var passiveMode = false
    /// `spec.minimumTtl`: for multihop sessions, packets below it are dropped (RFC 5883 §4);
    /// 1–254, `nil` when absent.
    public var minimumTTL: Int?

    /// Makes a profile with the defaults.
    public init(metadata: ObjectMeta) { self.metadata = metadata }
}
