/// Timers of a BFD session, for peers to refer to (`metallb.io/v1beta1 BFDProfile`; RFC 5880).
public struct BFDProfile: Hashable, Sendable {
    /// **+** How packets prove that they come from the peer (RFC 5880 §6.7).
    public struct Authentication: Hashable, Sendable {
        /// The procedure.
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// The password itself (§6.7.2).
            case simple
            /// A digest, its sequence number growing now and then (§6.7.3).
            case keyedMD5 = "keyed-md5"
            /// A digest, its sequence number growing with every packet (§6.7.3).
            case meticulousKeyedMD5 = "meticulous-keyed-md5"
            /// As keyed MD5, with SHA1 (§6.7.4).
            case keyedSHA1 = "keyed-sha1"
            /// As meticulous keyed MD5, with SHA1 (§6.7.4).
            case meticulousKeyedSHA1 = "meticulous-keyed-sha1"

            /// The most bytes that a password may have (§4.2 to §4.4).
            public var passwordLimit: Int {
                switch self {
                case .simple, .keyedMD5, .meticulousKeyedMD5: 16
                case .keyedSHA1, .meticulousKeyedSHA1: 20
                }
            }
        }

        /// `type`.
        public var kind: Kind
        /// `keyID`, which both ends call the password by.
        public var keyID: UInt8
        /// `password` or `passwordSecret`.
        public var password: BGPPeer.Password
        /// The bytes of the password; of a Secret's once the configuration has been put together.
        public var passwordBytes: [UInt8] = []

        /// Makes an authentication.
        public init(kind: Kind, keyID: UInt8 = 1, password: BGPPeer.Password) {
            self.kind = kind
            self.keyID = keyID
            self.password = password
        }
    }

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
    /// **+** `spec.authentication`; `nil` for none.
    public var authentication: Authentication?

    static let passwordLimitReason = "which is what BFD packets have room for (RFC 5880 §4.2)"

    /// Makes a profile with the defaults.
    public init(metadata: ObjectMeta) { self.metadata = metadata }
}
