/// A BFD control packet (RFC 5880 §4.1).
///
/// The value keeps every byte that a digest covers, so that a received packet encodes to itself.
public struct BFDPacket: Hashable, Sendable {
    /// Why the sender's state changed the last time.
    public var diagnostic = BFDDiagnostic.none
    /// The sender's state.
    public var state: BFDState
    /// Asks for an answer with ``isFinal``.
    public var isPoll = false
    /// Answers a packet with ``isPoll``.
    public var isFinal = false
    /// The sender's BFD goes on when its control plane restarts (C).
    public var isControlPlaneIndependent = false
    /// The sender wants no periodic packets while both ends are up (D).
    public var isDemand = false
    /// Packets the receiver may miss before it calls the session down, not 0.
    public var detectMultiplier: UInt8
    /// The sender's name for the session, not 0.
    public var myDiscriminator: UInt32
    /// The receiver's name for the session, 0 while the sender does not know it.
    public var yourDiscriminator: UInt32
    /// The least interval at which the sender wants to send, microseconds.
    public var desiredMinTransmit: UInt32
    /// The least interval at which the sender can receive, microseconds; 0 for no packets at all.
    public var requiredMinReceive: UInt32
    /// The least interval of echo packets the sender sends back, microseconds; 0 for none.
    public var requiredMinEchoReceive: UInt32
    /// The authentication section, with the A bit.
    public var authentication: BFDAuthenticationSection?

    /// Makes a packet without flags and authentication.
    public init(
        state: BFDState, detectMultiplier: UInt8, myDiscriminator: UInt32,
        yourDiscriminator: UInt32, desiredMinTransmit: UInt32, requiredMinReceive: UInt32,
        requiredMinEchoReceive: UInt32 = 0
    ) {
        self.state = state
        self.detectMultiplier = detectMultiplier
        self.myDiscriminator = myDiscriminator
        self.yourDiscriminator = yourDiscriminator
        self.desiredMinTransmit = desiredMinTransmit
        self.requiredMinReceive = requiredMinReceive
        self.requiredMinEchoReceive = requiredMinEchoReceive
    }
}

/// The authentication section of a packet as it stands there (RFC 5880 §4.1–4.4), judged only by
/// the session whose key it claims.
public struct BFDAuthenticationSection: Hashable, Sendable {
    /// The Auth Type field; ``BFDAuthentication/Method`` names the known ones.
    public var type: UInt8
    /// The Auth Len field as the sender claims it.
    public var length: UInt8
    /// What follows these two fields up to the end of the packet, at most 229 bytes.
    public var content: [UInt8]

    /// Makes a section of these bytes.
    ///
    /// - Precondition: `content` fits into a packet, 229 bytes.
    public init(type: UInt8, length: UInt8, content: [UInt8]) {
        precondition(content.count <= 229, "longer than a packet can be")
        self.type = type
        self.length = length
        self.content = content
    }

    /// The key's number, the first byte after type and length in every known type.
    public var keyID: UInt8? { content.first }

    /// The sequence number of the types with a digest; `nil` for others or when it is cut.
    public var sequence: UInt32? {
        guard let method = BFDAuthentication.Method(rawValue: type), method.hash != nil,
            content.count >= 6
        else { return nil }
        return content[2..<6].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
